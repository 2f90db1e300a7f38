//! Log entries, log ids, votes and memberships: what the log store writes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use openraft::EntryPayload;
use openraft::entry::RaftEntry;
use openraft::impls::leader_id_adv::LeaderId;
use prost::Message as _;
use skep_core::Entry;

use super::pb;
use super::pb::log_entry::Kind;
use super::wire::{Field, Message, Unreadable, Wire};
use crate::raft::types::{
    LogEntry, LogId, Membership, Node, Proposed, SnapshotMeta, StoredMembership, TypeConfig, Vote,
};

type Leader = <TypeConfig as openraft::RaftTypeConfig>::LeaderId;

impl Wire for Leader {
    type Pb = pb::LeaderId;

    fn to_pb(&self) -> pb::LeaderId {
        pb::LeaderId { term: self.term, coordinator: self.node_id }
    }

    fn from_pb(pb: pb::LeaderId) -> Result<Self, Unreadable> {
        Ok(LeaderId { term: pb.term, node_id: pb.coordinator })
    }
}

impl Message for Leader {}

impl Wire for LogId {
    type Pb = pb::LogId;

    fn to_pb(&self) -> pb::LogId {
        pb::LogId { leader: self.leader_id.to_field(), index: self.index }
    }

    fn from_pb(pb: pb::LogId) -> Result<Self, Unreadable> {
        let leader: Leader = Field::from_field(pb.leader).map_err(|error| error.within("leader"))?;
        Ok(Self::new(leader, pb.index))
    }
}

impl Message for LogId {}

impl Wire for Vote {
    type Pb = pb::Vote;

    fn to_pb(&self) -> pb::Vote {
        pb::Vote { leader: self.leader_id.to_field(), committed: self.committed }
    }

    fn from_pb(pb: pb::Vote) -> Result<Self, Unreadable> {
        let leader_id = Field::from_field(pb.leader).map_err(|error| error.within("leader"))?;
        Ok(Self { leader_id, committed: pb.committed })
    }
}

impl Message for Vote {}

impl Wire for Membership {
    type Pb = pb::Membership;

    fn to_pb(&self) -> pb::Membership {
        let configs = self.get_joint_config().iter();
        let nodes = self.nodes().map(|(id, node)| pb::Node {
            id: *id,
            raft_address: node.raft_address.clone(),
            address: node.address.clone(),
        });
        pb::Membership {
            configs: configs
                .map(|voters| pb::VoterSet { voters: voters.iter().copied().collect() })
                .collect(),
            nodes: nodes.collect(),
        }
    }

    fn from_pb(pb: pb::Membership) -> Result<Self, Unreadable> {
        let configs: Vec<BTreeSet<u64>> =
            pb.configs.into_iter().map(|config| config.voters.into_iter().collect()).collect();
        let nodes: BTreeMap<u64, Node> = pb
            .nodes
            .into_iter()
            .map(|node| (node.id, Node { raft_address: node.raft_address, address: node.address }))
            .collect();
        Self::new(configs, nodes).map_err(Unreadable::new)
    }
}

impl Message for Membership {}

impl Wire for StoredMembership {
    type Pb = pb::StoredMembership;

    fn to_pb(&self) -> pb::StoredMembership {
        pb::StoredMembership { log_id: self.log_id().to_field(), membership: self.membership().to_field() }
    }

    fn from_pb(pb: pb::StoredMembership) -> Result<Self, Unreadable> {
        let log_id = Field::from_field(pb.log_id).map_err(|error| error.within("log_id"))?;
        let membership = Field::from_field(pb.membership).map_err(|error| error.within("membership"))?;
        Ok(Self::new(log_id, membership))
    }
}

impl Message for StoredMembership {}

impl Wire for SnapshotMeta {
    type Pb = pb::SnapshotMeta;

    fn to_pb(&self) -> pb::SnapshotMeta {
        pb::SnapshotMeta { last: self.last_log_id.to_field(), membership: self.last_membership.to_field() }
    }

    fn from_pb(pb: pb::SnapshotMeta) -> Result<Self, Unreadable> {
        Ok(Self {
            last_log_id: Field::from_field(pb.last).map_err(|error| error.within("last"))?,
            last_membership: Field::from_field(pb.membership).map_err(|error| error.within("membership"))?,
        })
    }
}

impl Wire for Entry {
    type Pb = pb::Entry;

    fn to_pb(&self) -> pb::Entry {
        pb::Entry { time: self.time.to_field(), commands: super::commands_to_pb(&self.commands) }
    }

    fn from_pb(pb: pb::Entry) -> Result<Self, Unreadable> {
        let commands = super::commands_from_pb(pb.commands).map_err(|error| error.within("commands"))?;
        Ok(Self { time: Field::from_field(pb.time)?, commands })
    }
}

impl Wire for LogEntry {
    type Pb = pb::LogEntry;

    fn to_pb(&self) -> pb::LogEntry {
        let kind = match &self.payload {
            EntryPayload::Blank => Kind::Blank(pb::Blank {}),
            EntryPayload::Normal(proposed) => Kind::Commands(proposed.0.to_pb()),
            EntryPayload::Membership(membership) => Kind::Membership(membership.to_pb()),
        };
        pb::LogEntry { id: self.log_id.to_field(), kind: Some(kind) }
    }

    fn from_pb(pb: pb::LogEntry) -> Result<Self, Unreadable> {
        let log_id = Field::from_field(pb.id).map_err(|error| error.within("id"))?;
        let payload = match pb.kind.ok_or_else(Unreadable::missing)? {
            Kind::Blank(pb::Blank {}) => EntryPayload::Blank,
            Kind::Commands(entry) => EntryPayload::Normal(Proposed(Arc::new(Wire::from_pb(entry)?))),
            Kind::Membership(membership) => EntryPayload::Membership(Wire::from_pb(membership)?),
        };
        Ok(<Self as RaftEntry>::new(log_id, payload))
    }
}

pub(in crate::raft) fn encode_entry(entry: &LogEntry) -> Vec<u8> {
    entry.to_pb().encode_to_vec()
}

pub(in crate::raft) fn decode_entry(bytes: &[u8]) -> Result<LogEntry, Unreadable> {
    Wire::from_pb(pb::LogEntry::decode(bytes)?)
}

pub(in crate::raft) fn encode_log_id(id: &LogId) -> Vec<u8> {
    id.to_pb().encode_to_vec()
}

pub(in crate::raft) fn decode_log_id(bytes: &[u8]) -> Result<LogId, Unreadable> {
    Wire::from_pb(pb::LogId::decode(bytes)?)
}

pub(in crate::raft) fn encode_vote(vote: &Vote) -> Vec<u8> {
    vote.to_pb().encode_to_vec()
}

pub(in crate::raft) fn decode_vote(bytes: &[u8]) -> Result<Vote, Unreadable> {
    Wire::from_pb(pb::Vote::decode(bytes)?)
}

pub(in crate::raft) fn vote_to_pb(vote: &Vote) -> pb::Vote {
    vote.to_pb()
}

pub(in crate::raft) fn vote_from_pb(pb: Option<pb::Vote>) -> Result<Vote, Unreadable> {
    Field::from_field(pb)
}

pub(in crate::raft) fn log_id_to_pb(id: &LogId) -> pb::LogId {
    id.to_pb()
}

pub(in crate::raft) fn log_id_from_pb(pb: pb::LogId) -> Result<LogId, Unreadable> {
    Wire::from_pb(pb)
}

pub(in crate::raft) fn snapshot_meta_to_pb(meta: &SnapshotMeta) -> pb::SnapshotMeta {
    meta.to_pb()
}

pub(in crate::raft) fn snapshot_meta_from_pb(pb: pb::SnapshotMeta) -> Result<SnapshotMeta, Unreadable> {
    Wire::from_pb(pb)
}
