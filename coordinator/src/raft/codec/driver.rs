//! What drivers say about themselves, and how instances are named.

use skep_types::{
    Batch, DriverDescription, FlagDescription, FlagKind, Idempotency, InstanceRef, PowerAction, SlotNaming,
};

use super::wire::{choice, record, word};

word! {
    PowerAction { Start, Stop, Restart, Kill }
    SlotNaming { Named, Interchangeable }
    FlagKind { String, Integer, Boolean, StringList }
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
    DriverDescription { name, flags, idempotency, batch, calls_in_flight_max, settle, power, console }
}
