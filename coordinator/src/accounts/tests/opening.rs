//! Openings that take their time: who waits for one, and what for.

use futures::future::join_all;

use super::*;

const SLOW: Duration = Duration::from_secs(25);

fn slow() -> Lab {
    let lab = Lab::new();
    *lab.kind.takes.lock().unwrap() = SLOW;
    lab
}

async fn ready(lab: &Lab) -> Result<(), DriverError> {
    lab.accounts.ready(&prod()).await
}

fn tries(lab: &Lab) -> u32 {
    lab.kind.tries.load(Ordering::Relaxed)
}

#[tokio::test(start_paused = true)]
async fn whoever_waited_for_one_that_failed_does_not_try_again() {
    let lab = slow();
    lab.rotate("wrong");
    let before = Instant::now();
    let answers = join_all((0..5).map(|_| ready(&lab))).await;
    for answer in answers {
        let error = answer.unwrap_err();
        assert_eq!((error.kind, error.message.as_str()), (ErrorKind::Auth, "the key was refused"));
    }
    assert_eq!((tries(&lab), before.elapsed()), (1, SLOW));
    ready(&lab).await.unwrap_err();
    assert_eq!((tries(&lab), before.elapsed()), (2, SLOW * 2), "who comes later does");
}

#[tokio::test(start_paused = true)]
async fn whoever_waited_while_the_credentials_were_rotated_has_the_new_ones_tried() {
    let lab = slow();
    lab.rotate("wrong");
    let rotated = async {
        tokio::time::sleep(SLOW / 2).await;
        lab.rotate("right");
    };
    let (first, second, ()) = tokio::join!(ready(&lab), ready(&lab), rotated);
    assert_eq!(first.unwrap_err().kind, ErrorKind::Auth);
    second.unwrap();
    assert_eq!((lab.keys(), tries(&lab)), (vec!["right".to_owned()], 2));
}

/// A source is told as it was.
#[tokio::test]
async fn what_others_are_told_says_as_much() {
    let lab = Lab::new();
    let place = lab.folder.path().join("drivers");
    std::fs::write(&place, "no folder").unwrap();
    let answers = join_all((0..2).map(|_| ready(&lab))).await;
    let told: Vec<String> =
        answers.into_iter().map(|answer| skep_types::chain(&answer.unwrap_err())).collect();
    assert!(told[0].contains("cannot be made: "), "{told:?}");
    assert_eq!(told[0], told[1]);
}

#[tokio::test(start_paused = true)]
async fn a_person_waits_a_moment_and_the_opening_goes_on() {
    let lab = slow();
    let before = Instant::now();
    for _ in 0..2 {
        let error = lab.accounts.ready_soon(&prod()).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unavailable);
        assert!(error.message.contains("still being opened"), "{error}");
    }
    assert_eq!(before.elapsed(), OPENING * 2);
    lab.accounts.ready_soon(&prod()).await.unwrap();
    assert_eq!((tries(&lab), before.elapsed()), (1, SLOW));
}
