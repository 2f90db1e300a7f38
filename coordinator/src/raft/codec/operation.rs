//! The operation record.

use skep_core::state::{CreateRule, FailureGroup, Operation};
use skep_types::{OnFailure, OperationKind, OperationState, Policy, Verdict};

use super::wire::{record, word};

word! {
    OperationKind { CreateHosts, DeleteHosts, PowerHosts, CreateSwarm, DeleteSwarm, Administer }
    OperationState { Running, Succeeded, PartlyFailed, Failed }
    Verdict { Undecided, Committed, Aborted }
    Policy { AllOrNothing, BestEffort }
    OnFailure { Keep, Delete }
}

record! {
    Operation {
        id, revision, kind, request_id, body, actor, subject, swarm, created_at, finished_at, state, verdict, rule,
        items, done, failed, bound, managers_bound, failures,
    }
    CreateRule { needed, managers, max_failures, on_failure }
    FailureGroup { reason, count, example }
}
