//! Waiting, coming back, leaving.

use insta::assert_snapshot;
use skep_proto::v1::{Failure, Operation};
use tokio::sync::mpsc;

use crate::fake::things::{created, creation, drivers};
use crate::fake::{Fake, Reel, World};
use crate::run::Shell;

/// A creation that is under way, and how it will be seen.
fn fake(reels: Vec<Reel<Operation>>) -> Fake {
    let answer = creation(0, &[("Pending", 3)], 0);
    Fake::new(World {
        drivers: drivers(),
        operations: vec![answer.clone(), created()],
        answer,
        operation_reels: reels.into(),
        ..World::default()
    })
}

fn frames() -> Vec<Operation> {
    vec![
        creation(0, &[("Pending", 3)], 0),
        creation(300, &[("Provisioning", 3)], 0),
        creation(2_100, &[("Provisioning", 1), ("Booting", 2)], 0),
        creation(2_900, &[("Booting", 3)], 0),
        creation(7_000, &[("Ready", 2), ("Joining", 1)], 2),
    ]
}

fn failed() -> Operation {
    let failure = |reason: &str, count, example: &str| Failure {
        reason: reason.into(),
        count,
        example: example.into(),
    };
    Operation {
        state: "PartlyFailed".into(),
        items_done: 1,
        items_failed: 2,
        phases: [("Ready".to_owned(), 1), ("Failed".to_owned(), 2)].into(),
        failures: vec![failure("Capacity", 1, "web-2"), failure("BootTimeout", 1, "web-3")],
        ..created()
    }
}

#[tokio::test]
async fn progress_is_plain_lines_where_nothing_can_be_redrawn() {
    let mut reel = frames();
    reel.push(created());
    let fake = fake(vec![Reel::Ends(reel)]);
    assert_snapshot!("progress", Shell::new(&fake).run("create --count 3 web").await);
}

#[tokio::test]
async fn failures_are_grouped_at_the_end() {
    let fake = fake(vec![Reel::Ends(vec![failed()])]);
    assert_snapshot!("progress_failed", Shell::new(&fake).run("create --count 3 web").await);
}

#[tokio::test]
async fn a_watch_goes_on_at_another_coordinator() {
    let reels = vec![
        Reel::Breaks(vec![frames()[0].clone()]),
        // One that is stopping ends its streams in order.
        Reel::Ends(vec![frames()[2].clone()]),
        Reel::Ends(vec![created()]),
    ];
    let fake = fake(reels);
    assert_snapshot!("progress_over_coordinators", Shell::new(&fake).run("create --count 3 web").await);
    assert_eq!(fake.world().dialled, ["c1:1", "c2:1", "c3:1"]);
}

#[tokio::test]
async fn who_does_not_wait_gets_the_id() {
    let fake = fake(Vec::new());
    let shell = Shell::new(&fake);
    for flag in ["-d", "--no-wait"] {
        let outcome = shell.run(&format!("create {flag} --count 3 web")).await;
        assert_eq!((outcome.code, outcome.out.as_str(), outcome.err.as_str()), (0, "o1-5\n", ""));
    }
}

#[tokio::test]
async fn an_interrupt_detaches_and_says_how_to_come_back() {
    let fake = fake(vec![Reel::Hangs(vec![frames()[0].clone()])]);
    let (watching, mut watched) = mpsc::unbounded_channel();
    fake.world().watching = Some(watching);
    let shell = Shell::new(&fake);
    let interrupt = shell.interrupt.clone();
    let (outcome, ()) = tokio::join!(shell.run("create --count 3 web"), async {
        watched.recv().await.unwrap();
        interrupt.cancel();
    });
    assert_eq!(outcome.code, 130);
    let last = outcome.err.lines().last().unwrap();
    assert_eq!(last, "skep: detached; the operation goes on. To come back: skep operation watch o1-5");
}

#[tokio::test]
async fn operations_are_come_back_to() {
    let fake = fake(vec![Reel::Ends(vec![created()])]);
    assert_snapshot!("operation_watch", Shell::new(&fake).run("operation watch o1-5 o1-9").await);
}

#[tokio::test]
async fn operations_are_listed() {
    let fake = fake(Vec::new());
    let shell = Shell::new(&fake);
    assert_snapshot!("operation_ls", shell.run("operation ls --running").await);
    assert_snapshot!("operation_ls_json", shell.run("operation ls -o json").await);
    let asked = fake.world().asked[0].clone();
    assert!(asked.contains("running_only: true"), "{asked}");
}
