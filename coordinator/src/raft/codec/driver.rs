//! What drivers say about themselves, and how instances are named.

use std::collections::BTreeMap;

use skep_types::{
    Batch, Bucket, CallClass, CredentialDescription, DriverDescription, FlagDescription, FlagKind,
    Idempotency, InstanceRef, Limits, PowerAction, PowerActions, SlotNaming, WayIn,
};

use super::pb;
use super::wire::{Field, Unreadable, Wire, choice, record, word};

word! {
    PowerAction { Start, Stop, Restart, Kill }
    SlotNaming { Named, Interchangeable }
    FlagKind { String, Integer, Boolean, StringList }
    WayIn { UserData, Ssh }
    PowerActions { None, Restart, All }
    CallClass { Read, Create, Power, Destroy }
}

choice! {
    Idempotency as idempotency {
        Token { retention }
        UniqueName {}
        None {}
    }
}

record! {
    InstanceRef { provider_id, name }
    Batch { max, naming }
    FlagDescription { name, kind, usage, default, env }
    CredentialDescription { name, usage, env, required }
    Limits { calls, instances }
    DriverDescription {
        name, flags, account_flags, credentials, way_in, idempotency, batch, calls_in_flight_max, limits, settle,
        power, console,
        adopts,
        attests,
        tunnels,
        addresses_change,
    }
}

impl Field<Vec<pb::ClassBucket>> for BTreeMap<CallClass, Bucket> {
    fn to_field(&self) -> Vec<pb::ClassBucket> {
        let one = |(class, bucket): (&CallClass, &Bucket)| pb::ClassBucket {
            class: class.to_pb(),
            per_minute: bucket.per_minute,
            burst: bucket.burst,
        };
        self.iter().map(one).collect()
    }

    fn from_field(pb: Vec<pb::ClassBucket>) -> Result<Self, Unreadable> {
        let one = |pb: pb::ClassBucket| {
            Ok((CallClass::from_pb(pb.class)?, Bucket { per_minute: pb.per_minute, burst: pb.burst }))
        };
        pb.into_iter().map(one).collect()
    }
}
