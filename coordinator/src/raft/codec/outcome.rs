//! Commands from the owners of accounts.

use skep_core::command::{Addresses, Failure, FailureKind, OutcomeCommand, Placement, Shortfall};

use super::pb;
use super::wire::{Field, Unreadable, Wire, choice, record};

record! {
    Placement { host, instance, private_address, public_address, zone, sealed_kept }
    Addresses { host, provider_id, private_address, public_address }
    Shortfall { kind, message }
    Failure { kind, message }
}

choice! {
    OutcomeCommand as outcome_command {
        MarkAttempted { intent, epoch, attempt }
        Hold { intent, epoch, problem }
        Bind { intent, epoch, placements }
        Remains { intent, epoch, placements, reason }
        CloseCreate { intent, epoch, shortfall }
        CloseTargets { intent, epoch, results }
        DestroyOrphan { account, epoch, instance, intent }
        Addressed { account, epoch, instances }
    }
}

choice! {
    FailureKind as failure_kind {
        Passing { retry_after }
        Capacity {}
        Lasting {}
        Unknown {}
        Gone {}
        Unsupported {}
    }
}

impl Wire for Result<(), Failure> {
    type Pb = pb::TargetResult;

    fn to_pb(&self) -> pb::TargetResult {
        pb::TargetResult { failure: self.as_ref().err().map(Wire::to_pb) }
    }

    fn from_pb(pb: pb::TargetResult) -> Result<Self, Unreadable> {
        Ok(Option::<Failure>::from_field(pb.failure)?.map_or(Ok(()), Err))
    }
}
