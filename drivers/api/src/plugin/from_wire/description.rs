//! A driver's description, from the wire.

use std::time::Duration;

use skep_proto::driver as pb;
use skep_types::{
    Batch, Bucket, CallClass, CredentialDescription, DriverDescription, FlagDescription, FlagKind,
    Idempotency, Limits, PowerActions, SlotNaming, WayIn, limits,
};

use super::{WireError, bounded, parsed, wrong};
use crate::plugin::texts;

pub(in crate::plugin) fn description(from: pb::Description) -> Result<DriverDescription, WireError> {
    let idempotency = match from.idempotency() {
        pb::Idempotency::Token => {
            Idempotency::Token { retention: Duration::from_millis(from.token_retention_ms) }
        }
        pb::Idempotency::UniqueName => Idempotency::UniqueName,
        pb::Idempotency::None => Idempotency::None,
        pb::Idempotency::Unspecified => return Err(wrong("description.idempotency", "is not known here")),
    };
    let naming = if from.named_slots { SlotNaming::Named } else { SlotNaming::Interchangeable };
    let power = match from.power() {
        pb::PowerActions::None | pb::PowerActions::Unspecified => PowerActions::None,
        pb::PowerActions::Restart => PowerActions::Restart,
        pb::PowerActions::All => PowerActions::All,
    };
    let way_in = match from.way_in() {
        // The only way there was before this field.
        pb::WayIn::UserData | pb::WayIn::Unspecified => WayIn::UserData,
        pb::WayIn::Ssh => WayIn::Ssh,
    };
    Ok(DriverDescription {
        name: parsed("description.name", &from.name)?,
        flags: flags(from.flags)?,
        account_flags: flags(from.account_flags)?,
        credentials: credentials(from.credentials)?,
        way_in,
        idempotency,
        batch: Batch { max: from.batch_max.max(1), naming },
        calls_in_flight_max: from.calls_in_flight_max.max(1),
        limits: buckets(&from.limits)?,
        settle: Duration::from_millis(from.settle_ms),
        power,
        adopts: from.adopts,
        attests: from.attests,
        tunnels: from.tunnels,
        addresses_change: from.addresses_change,
        console: from.console,
    })
}

fn flags(from: Vec<pb::Flag>) -> Result<Vec<FlagDescription>, WireError> {
    bounded("description.flags", from.len(), limits::OPTIONS)?;
    from.into_iter().map(flag).collect()
}

fn credentials(from: Vec<pb::Credential>) -> Result<Vec<CredentialDescription>, WireError> {
    bounded("description.credentials", from.len(), limits::CREDENTIALS)?;
    let one = |from: pb::Credential| {
        Ok(CredentialDescription {
            name: texts::name("description.credentials.name", from.name)?,
            usage: texts::message(from.usage),
            env: texts::name("description.credentials.env", from.env)?,
            required: from.required,
        })
    };
    from.into_iter().map(one).collect()
}

fn buckets(from: &[pb::Limit]) -> Result<Limits, WireError> {
    let mut limits = Limits::default();
    for limit in from {
        let class = match limit.class() {
            pb::CallClass::Read => CallClass::Read,
            pb::CallClass::Create => CallClass::Create,
            pb::CallClass::Power => CallClass::Power,
            pb::CallClass::Destroy => CallClass::Destroy,
            pb::CallClass::Unspecified => {
                return Err(wrong("description.limits.class", "is not known here"));
            }
        };
        let buckets = if limit.per_instance { &mut limits.instances } else { &mut limits.calls };
        buckets.insert(class, Bucket { per_minute: limit.per_minute, burst: limit.burst });
    }
    Ok(limits)
}

fn flag(from: pb::Flag) -> Result<FlagDescription, WireError> {
    let kind = match from.kind() {
        pb::FlagKind::String => FlagKind::String,
        pb::FlagKind::Integer => FlagKind::Integer,
        pb::FlagKind::Boolean => FlagKind::Boolean,
        pb::FlagKind::StringList => FlagKind::StringList,
        pb::FlagKind::Unspecified => return Err(wrong("description.flags.kind", "is not known here")),
    };
    Ok(FlagDescription {
        name: texts::name("description.flags.name", from.name)?,
        kind,
        usage: texts::message(from.usage),
        default: texts::sized("description.flags.default_value", from.default_value, limits::OPTION_BYTES)?,
        env: texts::name("description.flags.env", from.env)?,
    })
}
