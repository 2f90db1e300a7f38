//! Commands from agents.

use skep_core::command::{AgentCommand, NodeListing, Observation, Observed, PermitResult};

use super::wire::{choice, record};

record! {
    Observation { host, session_number, observed }
    NodeListing { swarm, changed, gone }
}

choice! {
    AgentCommand as agent_command {
        Enrol { token, key, peer, instance }
        Observe[observations]
        Permit { host, permit, result }
    }
}

choice! {
    Observed as observed {
        Connected { coordinator, boot_id, dialled }
        Disconnected {}
        Facts(facts)
        Engine { status, reason, message }
        Health { status, reason, message }
        LocalNode { node }
        Nodes(listing)
    }
}

choice! {
    PermitResult as permit_result {
        Done { node, swarm_id, sealed_worker_token }
        NotDone { message }
    }
}
