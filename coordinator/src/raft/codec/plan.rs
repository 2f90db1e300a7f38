//! Commands from planners.

use skep_core::command::{Advance, Guard, NewIntent, NewSlot, PlanCommand};

use super::wire::{choice, record};

record! {
    Guard { host, revision }
    NewSlot { token }
}

choice! {
    PlanCommand as plan_command {
        OpenIntent { guards, account, shard, intent }
        Advance { guard, to, reason }
        Grant { guard, task }
        Revoke { guard }
        AssignOwner { account, shard, epoch, coordinator, process, idle }
        Disconnect { host, session_number }
        ForgetCoordinator { coordinator }
        ForgetSwarm { swarm }
    }
}

choice! {
    NewIntent as new_intent {
        Create { template, slots, sealed_bootstrap }
        Power { action }
        Destroy {}
    }
}

choice! {
    Advance as advance {
        Joining {}
        Ready {}
        Stopped {}
        Demoting {}
        Leaving {}
        Deleting {}
        Deleted {}
        Failed { class, message }
        Quarantined {}
    }
}
