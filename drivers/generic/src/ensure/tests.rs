use std::collections::BTreeMap;
use std::fs;
use std::num::NonZeroU64;
use std::path::Path;

use skep_driver::Access;
use skep_types::{HostId, Secret, Template};

use super::*;
use crate::instance::Id;

const SHA256: &str = "ab";

fn account(folder: &Path) -> Account {
    fs::create_dir_all(folder.join("agents")).unwrap();
    fs::copy("/usr/bin/env", folder.join("agents").join(SHA256)).unwrap();
    let (state_dir, agents_dir) = (folder.join("state"), folder.join("agents"));
    Account::read(Access { state_dir, agents_dir, ..Access::plain("office".parse().unwrap()) }).unwrap()
}

/// For a machine that refuses connections.
fn intent(number: u64) -> CreateIntent {
    let options = [("generic-ip-address", "127.0.0.1"), ("generic-ssh-port", "1")];
    let template = Template {
        driver: "generic".parse().unwrap(),
        account: "office".parse().unwrap(),
        options: options.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        labels: BTreeMap::new(),
    };
    let bootstrap =
        Bootstrap { agent_urls: Vec::new(), agent_sha256: SHA256.to_owned(), agent_config: Secret::new("") };
    CreateIntent {
        cluster: "c1".to_owned(),
        intent: IntentId::new(1, number),
        token: "t".to_owned(),
        template,
        slots: vec![Slot { name: "web".to_owned(), host: HostId::new(1, 1), incarnation: 1, bootstrap }],
        lost: false,
        inherited: None,
    }
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_may_carry_the_marker_is_asked_again_and_then_left_as_remains() {
    let folder = tempfile::tempdir().unwrap();
    let before = account(folder.path());
    let options = Options::read(&intent(1).template).unwrap();
    let machine = options.machine("web", &before.inventory).unwrap();
    let id: ProviderId = "h1-1.1@127.0.0.1:1".parse().unwrap();
    assert!(Id::parse(&id).is_some());

    // Nothing was begun: the call is over, and another one may follow.
    let placed = ensure(&before, &intent(1)).await.unwrap();
    assert!(placed.instances.is_empty());
    assert_eq!(placed.shortfall.unwrap().kind, ErrorKind::Unavailable);

    before.adopted.note(&id, IntentId::new(1, 1), &Kept::new(machine)).await;
    // Notes outlive the process that made them.
    let account = account(folder.path());
    for _ in 0..2 {
        let error = ensure(&account, &intent(1)).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Ambiguous);
        assert!(error.message.contains("refuses connections"), "{error}");
        tokio::time::advance(PATIENCE / 3).await;
    }
    let other = ensure(&account, &intent(2)).await.unwrap();
    assert!(other.instances.is_empty() && other.shortfall.is_some(), "it was not begun for this one");
    let inherited = CreateIntent { inherited: NonZeroU64::new(2), ..intent(2) };
    assert_eq!(ensure(&account, &inherited).await.unwrap_err().kind, ErrorKind::Ambiguous);

    tokio::time::advance(PATIENCE).await;
    let placed = ensure(&account, &intent(1)).await.unwrap();
    let [remains] = &placed.instances[..] else { panic!("{placed:?}") };
    assert_eq!((&remains.instance.provider_id, remains.state), (&id, InstanceState::Stopped));
    assert_eq!(remains.intent, Some(IntentId::new(1, 1)));
    assert!(placed.shortfall.unwrap().message.contains("may have begun"));
}
