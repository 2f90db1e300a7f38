//! Coordinators that are gone.

use insta::assert_snapshot;
use tonic::Status;

use crate::fake::things::{created, fleet};
use crate::fake::{Fake, World};
use crate::run::Shell;

fn fake() -> Fake {
    Fake::new(World { hosts: fleet(), answer: created(), ..World::default() })
}

#[tokio::test]
async fn the_next_coordinator_is_asked() {
    let fake = fake();
    fake.world().down = ["c1:1", "c2:1"].map(str::to_owned).into();
    let outcome = Shell::new(&fake).run("status web-2").await;
    assert_eq!((outcome.code, outcome.out.as_str(), outcome.err.as_str()), (0, "Ready\n", ""));
    assert_eq!(fake.world().dialled, ["c1:1", "c2:1", "c3:1"]);
}

#[tokio::test]
async fn a_mutation_is_repeated_with_its_id() {
    let fake = fake();
    let status = Status::unavailable("an election is under way");
    fake.world().refusals.insert("Hosts/Delete", [status.clone(), status].into());
    assert_eq!(Shell::new(&fake).run("rm -y web-2").await.code, 0);
    let asked = fake.world().asked.clone();
    assert_eq!(asked.len(), 3);
    assert_eq!((&asked[0], &asked[0]), (&asked[1], &asked[2]));
}

#[tokio::test]
async fn an_interrupt_ends_the_search() {
    let fake = fake();
    fake.world().down = ["c1:1", "c2:1", "c3:1"].map(str::to_owned).into();
    let shell = Shell::new(&fake);
    shell.interrupt.cancel();
    assert_snapshot!("interrupted", shell.run("status web-2").await);
}
