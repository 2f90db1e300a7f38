//! The host record.

use skep_core::state::{
    Conditions, Desired, Enrolment, Facts, Host, Instance, Membership as HostMembership, NodeChange, Permit,
    Session, Task,
};
use skep_types::{Condition, ConditionKind, ConditionStatus, FailureClass, NodeRole, Phase, Template};

use super::pb;
use super::wire::{Field, Message, Unreadable, Wire, choice, record, word};

word! {
    NodeRole { Manager, Worker }
    FailureClass { Create, Boot, Install, Join, Power, Aborted }
    ConditionStatus { Unknown, True, False }
    ConditionKind { InstanceReady, AgentConnected, EngineReady, NodeReady, Healthy, UpToDate }
}

record! {
    Host {
        id, name, revision, template, created_by, created_at, item_of, membership, desired, phase, phase_since,
        retry_at, attempts, incarnation, instance, enrolment, session, session_floor, facts, conditions, node, left,
        permit,
    }
    HostMembership { swarm, role }
    Desired { absent, force, power, running }
    Instance { instance, intent, private_address, public_address, zone, sealed_kept, bound_at }
    Enrolment { token, key, expires_at }
    Session { number, coordinator, boot_id, dialled }
    Facts { agent_version, engine_version, operating_system, kernel, architecture, memory_total_bytes, cpus }
    Permit { id, task, granted_at }
    NodeChange { node, role, labels }
}

choice! {
    Phase as phase {
        Pending {}
        Provisioning { intent }
        Booting {}
        Installing {}
        Joining {}
        Ready {}
        Maintaining { step }
        Stopping { intent }
        Stopped {}
        Starting { intent }
        Demoting {}
        Leaving {}
        Deleting { intent }
        Failed { class, message }
        Quarantined { reason }
    }
}

choice! {
    Task as task {
        SwarmInit { advertise }
        SwarmJoin { advertise, managers }
        SwarmLeave { force }
        UpdateNodes { changes }
        RemoveNodes { nodes, force }
    }
}

impl Wire for Template {
    type Pb = pb::Template;

    fn to_pb(&self) -> pb::Template {
        pb::Template {
            driver: self.driver.to_field(),
            account: self.account.to_field(),
            options: self.options.to_field(),
            labels: self.labels.to_field(),
            same_as: 0,
        }
    }

    fn from_pb(pb: pb::Template) -> Result<Self, Unreadable> {
        if pb.same_as != 0 {
            return Err(Unreadable::new("a reference to another template, outside a snapshot"));
        }
        Ok(Self {
            driver: Field::from_field(pb.driver).map_err(|error| error.within("driver"))?,
            account: Field::from_field(pb.account).map_err(|error| error.within("account"))?,
            options: Field::from_field(pb.options)?,
            labels: Field::from_field(pb.labels)?,
        })
    }
}

impl Message for Template {}

impl Field<Vec<pb::Condition>> for Conditions {
    fn to_field(&self) -> Vec<pb::Condition> {
        self.iter().map(|(kind, condition)| condition_to_pb(kind, condition)).collect()
    }

    fn from_field(pb: Vec<pb::Condition>) -> Result<Self, Unreadable> {
        let mut conditions = Self::default();
        for condition in pb {
            let (kind, condition) = condition_from_pb(condition)?;
            conditions.put(kind, condition);
        }
        Ok(conditions)
    }
}

fn condition_to_pb(kind: ConditionKind, condition: &Condition) -> pb::Condition {
    pb::Condition {
        kind: kind.to_field(),
        status: condition.status.to_field(),
        reason: condition.reason.clone(),
        message: condition.message.clone(),
        since: condition.since.to_field(),
    }
}

fn condition_from_pb(pb: pb::Condition) -> Result<(ConditionKind, Condition), Unreadable> {
    let condition = Condition {
        status: Field::from_field(pb.status)?,
        reason: pb.reason,
        message: pb.message,
        since: Field::from_field(pb.since)?,
    };
    Ok((Field::from_field(pb.kind)?, condition))
}
