//! The SDK's client for one account: no retries of its own, and a bound on every wait.

use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region};
use aws_sdk_ec2::Client;
use aws_sdk_ec2::config::Credentials;
use aws_sdk_ec2::config::retry::RetryConfig;
use aws_sdk_ec2::types::Filter;
use skep_driver::{Access, DriverError, ErrorKind};
use skep_types::{FieldViolation, Secret};

use crate::flags::{
    ACCESS_KEY, ACCOUNT_ID, CERTIFICATES, ENDPOINT, INSECURE, REGION, SECRET_KEY, SESSION_TOKEN,
};

const CONNECT: Duration = Duration::from_secs(5);
/// EC2 answers a create of a hundred in a few seconds; well below what one driver call may take.
const ANSWER: Duration = Duration::from_secs(50);

#[derive(Debug, Clone)]
pub(crate) struct Ec2 {
    pub(crate) sdk: Client,
    pub(crate) region: String,
}

/// Whose requests these are, and where they go. Pure.
#[derive(Debug, PartialEq, Eq)]
struct Settings {
    region: String,
    endpoint: Option<String>,
    keys: Option<Keys>,
}

#[derive(Debug, PartialEq, Eq)]
struct Keys {
    id: String,
    secret: Secret,
    session: Option<Secret>,
}

pub(crate) async fn connect(access: &Access) -> Result<Ec2, DriverError> {
    let Settings { region, endpoint, keys } = settings(access)?;
    let timeouts = TimeoutConfig::builder().connect_timeout(CONNECT).operation_timeout(ANSWER).build();
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .region(Region::new(region.clone()))
        // Whether a call is sent again is the coordinator's to decide: it knows what the others have sent.
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts);
    if let Some(endpoint) = endpoint {
        loader = loader.endpoint_url(endpoint);
    }
    if let Some(Keys { id, secret, session }) = keys {
        let session = session.map(|token| token.reveal().to_owned());
        let credentials = Credentials::new(id, secret.reveal(), session, None, "skep-account");
        loader = loader.credentials_provider(credentials);
    }
    Ok(Ec2 { sdk: Client::new(&loader.load().await), region })
}

const SETTINGS: [&str; 5] = [REGION, ENDPOINT, INSECURE, CERTIFICATES, ACCOUNT_ID];

/// None for one that is empty.
pub(crate) fn option<'a>(access: &'a Access, name: &str) -> Option<&'a str> {
    access.options.get(name).map(String::as_str).filter(|value| !value.is_empty())
}

fn settings(access: &Access) -> Result<Settings, DriverError> {
    let credential = |name: &str| access.credentials.get(name).filter(|value| !value.reveal().is_empty());
    if let Some(unknown) = access.options.keys().find(|name| !SETTINGS.contains(&name.as_str())) {
        return Err(refuse(unknown, "is no setting of an amazonec2 account"));
    }
    let insecure = option(access, INSECURE).is_some_and(|value| value == "true");
    let endpoint = option(access, ENDPOINT).map(|endpoint| endpoint_url(endpoint, insecure)).transpose()?;
    let keys = match (credential(ACCESS_KEY), credential(SECRET_KEY)) {
        (Some(id), Some(secret)) => Some(Keys {
            id: id.reveal().to_owned(),
            secret: secret.clone(),
            session: credential(SESSION_TOKEN).cloned(),
        }),
        (None, None) => None,
        (Some(_), None) => return Err(refuse(SECRET_KEY, "is missing beside access-key")),
        (None, Some(_)) => return Err(refuse(ACCESS_KEY, "is missing beside secret-key")),
    };
    let region = option(access, REGION).unwrap_or("us-east-1").to_owned();
    Ok(Settings { region, endpoint, keys })
}

/// A host name alone is spoken to with TLS, unless the account says otherwise.
fn endpoint_url(endpoint: &str, insecure: bool) -> Result<String, DriverError> {
    let url = match endpoint.split_once("://") {
        Some(_) => endpoint.to_owned(),
        None if insecure => format!("http://{endpoint}"),
        None => format!("https://{endpoint}"),
    };
    match url.starts_with("https://") || (insecure && url.starts_with("http://")) {
        true => Ok(url),
        false => Err(refuse(ENDPOINT, "must be https://, or the account says amazonec2-insecure-transport")),
    }
}

pub(crate) fn refuse(name: &str, description: &str) -> DriverError {
    let violation = FieldViolation { field: format!("account.{name}"), description: description.to_owned() };
    DriverError::new(ErrorKind::InvalidSpec { violations: vec![violation] }, format!("{name} {description}"))
}

pub(crate) fn filter(name: &str, values: impl IntoIterator<Item = impl AsRef<str>>) -> Filter {
    let values = values.into_iter().map(|value| value.as_ref().to_owned()).collect();
    Filter::builder().name(name).set_values(Some(values)).build()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(options: &[(&str, &str)], credentials: &[(&str, &str)]) -> Access {
        let mut access = Access::plain("aws".parse().unwrap());
        access.options = options.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        access.credentials = credentials.iter().map(|(k, v)| ((*k).to_owned(), Secret::new(*v))).collect();
        access
    }

    #[test]
    fn an_account_without_anything_is_the_coordinators_own_role() {
        let settings = settings(&access(&[], &[])).unwrap();
        assert_eq!(settings, Settings { region: "us-east-1".into(), endpoint: None, keys: None });
    }

    #[test]
    fn an_endpoint_is_spoken_to_with_tls_unless_the_account_says_otherwise() {
        let endpoint =
            |options: &[(&str, &str)]| settings(&access(options, &[])).map(|s| s.endpoint.unwrap());
        assert_eq!(endpoint(&[(ENDPOINT, "ec2.example.com")]).unwrap(), "https://ec2.example.com");
        assert_eq!(endpoint(&[(ENDPOINT, "localhost:5"), (INSECURE, "true")]).unwrap(), "http://localhost:5");
        assert!(endpoint(&[(ENDPOINT, "http://ec2.example.com")]).is_err());
    }

    #[test]
    fn half_a_key_is_refused_by_the_name_of_the_other_half() {
        let error = settings(&access(&[], &[(ACCESS_KEY, "AKIA")])).unwrap_err();
        assert!(error.message.starts_with("secret-key"), "{error}");
        assert!(settings(&access(&[("amazonec2-zone", "a")], &[])).is_err());
    }
}
