//! The intent record.

use skep_core::state::{Intent, IntentKind, IntentSlot, Target};

use super::wire::{choice, record};

record! {
    Intent { id, revision, account, shard, opened_at, attempted, attempt, kind }
    IntentSlot { host, name, incarnation, token }
    Target { host, instance }
}

choice! {
    IntentKind as intent_kind {
        Create { token, template, slots, sealed_bootstrap, bound }
        Power { action, targets }
        Destroy { targets }
    }
}
