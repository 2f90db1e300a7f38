//! Commands from and about coordinators.

use skep_core::command::{Founding, MemberCommand};

use super::wire::{choice, record};

record! {
    Founding { cluster, issuers, address, raft_address, control_key, raft_key, admin }
}

choice! {
    MemberCommand as member_command {
        Found(founding)
        Redeem { token, address, raft_address, control_key, raft_key }
        Register { coordinator, process, address, raft_address, version, drivers, broken }
        PutAccount { name, driver, shards }
    }
}
