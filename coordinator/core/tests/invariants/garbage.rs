//! 8: what is destroyed without anybody asking.

use skep_core::Command;
use skep_core::command::{OutcomeCommand, Reply};
use skep_types::{InstanceRef, IntentId, Phase};

use crate::support::Cluster;
use crate::support::place::{bound, lone};

fn orphan(
    cluster: &mut Cluster,
    provider_id: &str,
    name: &str,
    intent: Option<IntentId>,
    epoch: u64,
) -> Reply {
    let instance =
        InstanceRef { provider_id: provider_id.parse().expect("a provider id"), name: name.to_owned() };
    let account = "sim".parse().expect("an account");
    cluster.one(Command::Outcome(OutcomeCommand::DestroyOrphan { account, epoch, instance, intent }))
}

#[test]
fn invariant_08_only_instances_of_dead_intents_are_destroyed() {
    let dead = Some(IntentId::new(1, 1));
    let mut cluster = lone();
    cluster.with_host("web", |host| bound(host, Phase::Ready));
    let owned = cluster.host("web").instance.as_ref().unwrap().instance.provider_id.to_string();
    let last = cluster.state.last_id;
    let table = [
        ("vm-x", "x", None, 1, "nobody's tag"),
        ("vm-x", "x", Some(IntentId::new(1, last + 1)), 1, "of a state newer than ours"),
        ("vm-x", "x", Some(IntentId::new(2, 1)), 1, "of a later epoch"),
        ("vm-x", "x", dead, 9, "said by another owner"),
        (owned.as_str(), "x", dead, 1, "a host's"),
    ];
    for (provider_id, name, intent, epoch, why) in table {
        let reply = orphan(&mut cluster, provider_id, name, intent, epoch);
        assert!(matches!(reply, Reply::Unchanged(_)), "{why}");
    }
    assert_eq!(orphan(&mut cluster, "vm-x", "x", dead, 1), Reply::Done);
    let again = orphan(&mut cluster, "vm-x", "x", dead, 1);
    assert!(matches!(again, Reply::Unchanged(_)), "it is being destroyed");
    assert_eq!(cluster.state.intents.len(), 1);
}

/// A lost attempt's instance may be the one a person will adopt.
#[test]
fn invariant_08_what_may_be_a_quarantined_hosts_is_left_alone() {
    let mut cluster = lone();
    cluster.with_host("web", |host| host.phase = Phase::Quarantined { reason: String::new() });
    let dead = Some(IntentId::new(1, 1));
    assert!(matches!(orphan(&mut cluster, "vm-x", "web", dead, 1), Reply::Unchanged(_)));
    assert_eq!(orphan(&mut cluster, "vm-y", "other", dead, 1), Reply::Done);
}
