//! A driver's description, to the wire.

use std::collections::BTreeMap;
use std::time::Duration;

use skep_proto::driver as pb;
use skep_types::{
    Bucket, CallClass, CredentialDescription, DriverDescription, FlagDescription, FlagKind, Idempotency,
    Limits, PowerActions, SlotNaming, WayIn,
};

use super::milliseconds;
use crate::plugin::PROTOCOL;

pub(in crate::plugin) fn description(from: &DriverDescription) -> pb::Description {
    let (idempotency, retention) = match from.idempotency {
        Idempotency::Token { retention } => (pb::Idempotency::Token, retention),
        Idempotency::UniqueName => (pb::Idempotency::UniqueName, Duration::ZERO),
        Idempotency::None => (pb::Idempotency::None, Duration::ZERO),
    };
    pb::Description {
        name: from.name.to_string(),
        flags: from.flags.iter().map(flag).collect(),
        idempotency: idempotency.into(),
        token_retention_ms: milliseconds(retention),
        batch_max: from.batch.max,
        named_slots: from.batch.naming == SlotNaming::Named,
        calls_in_flight_max: from.calls_in_flight_max,
        settle_ms: milliseconds(from.settle),
        power: match from.power {
            PowerActions::None => pb::PowerActions::None.into(),
            PowerActions::Restart => pb::PowerActions::Restart.into(),
            PowerActions::All => pb::PowerActions::All.into(),
        },
        adopts: from.adopts,
        attests: from.attests,
        tunnels: from.tunnels,
        addresses_change: from.addresses_change,
        console: from.console,
        protocol: PROTOCOL,
        account_flags: from.account_flags.iter().map(flag).collect(),
        credentials: from.credentials.iter().map(credential).collect(),
        way_in: match from.way_in {
            WayIn::UserData => pb::WayIn::UserData.into(),
            WayIn::Ssh => pb::WayIn::Ssh.into(),
        },
        limits: buckets(&from.limits),
    }
}

fn credential(from: &CredentialDescription) -> pb::Credential {
    pb::Credential {
        name: from.name.clone(),
        usage: from.usage.clone(),
        env: from.env.clone(),
        required: from.required,
    }
}

fn buckets(from: &Limits) -> Vec<pb::Limit> {
    let all = |buckets: &BTreeMap<CallClass, Bucket>, per_instance| {
        let one = |(class, bucket): (&CallClass, &Bucket)| pb::Limit {
            class: call_class(*class).into(),
            per_instance,
            per_minute: bucket.per_minute,
            burst: bucket.burst,
        };
        buckets.iter().map(one).collect::<Vec<_>>()
    };
    [all(&from.calls, false), all(&from.instances, true)].concat()
}

fn call_class(from: CallClass) -> pb::CallClass {
    match from {
        CallClass::Read => pb::CallClass::Read,
        CallClass::Create => pb::CallClass::Create,
        CallClass::Power => pb::CallClass::Power,
        CallClass::Destroy => pb::CallClass::Destroy,
    }
}

fn flag(from: &FlagDescription) -> pb::Flag {
    let kind = match from.kind {
        FlagKind::String => pb::FlagKind::String,
        FlagKind::Integer => pb::FlagKind::Integer,
        FlagKind::Boolean => pb::FlagKind::Boolean,
        FlagKind::StringList => pb::FlagKind::StringList,
    };
    pb::Flag {
        name: from.name.clone(),
        kind: kind.into(),
        usage: from.usage.clone(),
        default_value: from.default.clone(),
        env: from.env.clone(),
    }
}
