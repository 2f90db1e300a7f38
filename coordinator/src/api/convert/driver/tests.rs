//! Nothing that a driver says of itself is kept from those who ask. Both sides are written out in full, so that whoever
//! adds to one comes by here.

use skep_types::{Batch, PowerActions};

use super::*;
use crate::api::fixture::Lab;

fn able() -> DriverDescription {
    let flag = |name: &str, kind| FlagDescription {
        name: name.to_owned(),
        kind,
        usage: "how big".to_owned(),
        default: "1".to_owned(),
        env: "LAB_SIZE".to_owned(),
    };
    let bucket = |per_minute, burst| Bucket { per_minute, burst };
    DriverDescription {
        name: "lab".parse().unwrap(),
        flags: vec![flag("lab-sizes", FlagKind::StringList)],
        account_flags: vec![flag("lab-quiet", FlagKind::Boolean)],
        credentials: vec![CredentialDescription {
            name: "key".to_owned(),
            usage: "opens it".to_owned(),
            env: "LAB_KEY".to_owned(),
            required: true,
        }],
        way_in: WayIn::Ssh,
        idempotency: Idempotency::Token { retention: Duration::from_secs(86_400) },
        batch: Batch { max: 50, naming: SlotNaming::Named },
        calls_in_flight_max: 8,
        limits: Limits {
            calls: BTreeMap::from([(CallClass::Read, bucket(60, 5))]),
            instances: BTreeMap::from([(CallClass::Create, bucket(600, 100))]),
        },
        settle: Duration::from_millis(1_500),
        power: PowerActions::Restart,
        console: true,
        adopts: true,
        attests: true,
        tunnels: true,
        addresses_change: true,
    }
}

#[test]
fn everything_that_a_driver_can_do_is_shown() {
    let flag = |name: &str, kind: &str| pb::DriverFlag {
        name: name.to_owned(),
        kind: kind.to_owned(),
        usage: "how big".to_owned(),
        default_value: "1".to_owned(),
        env: "LAB_SIZE".to_owned(),
    };
    let limit = |class: &str, per_instance, per_minute, burst| pb::DriverLimit {
        class: class.to_owned(),
        per_instance,
        per_minute,
        burst,
    };
    let shown = pb::Driver {
        name: "lab".to_owned(),
        flags: vec![flag("lab-sizes", "list")],
        idempotency: "token".to_owned(),
        batch_max: 50,
        power: "restart".to_owned(),
        coordinators: vec!["c1".to_owned()],
        accounts: Vec::new(),
        console: true,
        named_slots: true,
        calls_in_flight_max: 8,
        settle_ms: 1_500,
        way_in: "ssh".to_owned(),
        account_flags: vec![flag("lab-quiet", "boolean")],
        credentials: vec![pb::DriverCredential {
            name: "key".to_owned(),
            usage: "opens it".to_owned(),
            env: "LAB_KEY".to_owned(),
            required: true,
        }],
        limits: vec![limit("read", false, 60, 5), limit("create", true, 600, 100)],
        token_retention_ms: 86_400_000,
        adopts: true,
        attests: true,
        tunnels: true,
        addresses_change: true,
    };
    assert_eq!(write(&able(), &Lab::new().state), shown);
}

/// One after the other is left out, so that none stands for another.
#[test]
fn what_a_driver_cannot_do_is_shown_as_well() {
    type Able = fn(&mut DriverDescription) -> &mut bool;
    type Shown = fn(&pb::Driver) -> bool;
    let abilities: [(Able, Shown); 5] = [
        (|of| &mut of.console, |shown| shown.console),
        (|of| &mut of.adopts, |shown| shown.adopts),
        (|of| &mut of.attests, |shown| shown.attests),
        (|of| &mut of.tunnels, |shown| shown.tunnels),
        (|of| &mut of.addresses_change, |shown| shown.addresses_change),
    ];
    let state = Lab::new().state;
    for (lacking, (ability, _)) in abilities.iter().enumerate() {
        let mut description = able();
        *ability(&mut description) = false;
        let driver = write(&description, &state);
        let shown: Vec<bool> = abilities.iter().map(|(_, shown)| shown(&driver)).collect();
        let wanted: Vec<bool> = (0..abilities.len()).map(|number| number != lacking).collect();
        assert_eq!(shown, wanted);
    }
}
