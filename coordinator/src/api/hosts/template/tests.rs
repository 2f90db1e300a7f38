use super::*;
use crate::api::fixture::{self, Lab, fields};

async fn checked(change: impl FnOnce(&mut Template)) -> Result<(), Refusal> {
    let mut template = fixture::template();
    change(&mut template);
    check_one(None, &Lab::new().state, &template, Instant::now() + CHECKED).await
}

#[tokio::test]
async fn flags_are_checked_also_where_the_driver_is_not() {
    assert_eq!(checked(|_| {}).await, Ok(()));
    let set = |key: &str, value: &str| {
        let (key, value) = (key.to_owned(), value.to_owned());
        checked(move |template| drop(template.options.insert(key, value)))
    };
    assert_eq!(set("lab-cpus", "2").await, Ok(()));
    assert_eq!(fields(&set("lab-gpus", "2").await.unwrap_err()), ["template.options.lab-gpus"]);
    assert_eq!(fields(&set("lab-cpus", "two").await.unwrap_err()), ["template.options.lab-cpus"]);
}

#[tokio::test]
async fn an_unknown_driver_or_account_is_refused_with_those_there_are() {
    let refusal = checked(|template| {
        template.driver = "clud".parse().unwrap();
        template.account = "clud".parse().unwrap();
    })
    .await
    .unwrap_err();
    assert_eq!(fields(&refusal), ["template.driver"]);
    assert!(refusal.violations[0].description.contains("there are: lab"), "{refusal}");
    let refusal = checked(|template| template.account = "other".parse().unwrap()).await.unwrap_err();
    assert_eq!(fields(&refusal), ["template.account"]);
    let refusal = checked(|template| template.driver = "clud".parse().unwrap()).await.unwrap_err();
    assert_eq!(fields(&refusal), ["template.account"]);
}

#[test]
fn a_drivers_error_says_what_to_do_about_it() {
    let code = |kind| refusal(DriverError::new(kind, "so it is")).code;
    assert_eq!(code(ErrorKind::Throttled { retry_after: Duration::ZERO }), Code::Unavailable);
    assert_eq!(code(ErrorKind::Quota), Code::Exhausted);
    assert_eq!(code(ErrorKind::Auth), Code::Precondition);
    assert_eq!(code(ErrorKind::InvalidSpec { violations: Vec::new() }), Code::Invalid);
    assert_eq!(code(ErrorKind::Internal), Code::Internal);
}
