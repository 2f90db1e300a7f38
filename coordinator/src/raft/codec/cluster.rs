//! The cluster's own records: issuers, coordinators, join tokens, people.

use skep_core::state::{BrokenProgram, Cluster, Coordinator, Issuers, JoinToken, Person};
use skep_types::{PersonRole, SealedIssuer};

use super::wire::{record, word};

word! {
    PersonRole { Admin, Operator, Viewer }
}

record! {
    Cluster { id, issuers }
    Issuers { raft, control, docker }
    SealedIssuer { certificate_der, sealed_key }
    Coordinator {
        id, revision, address, raft_address, raft_key, control_key, drivers, version, process, removed, broken,
    }
    BrokenProgram { name, program, reason }
    JoinToken { expires_at, redeemed_by }
    Person { name, revision, role, certificate_generation }
}
