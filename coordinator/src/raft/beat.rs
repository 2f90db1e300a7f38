//! Beats: "I am alive, and these are my agents", from every coordinator to the leader, outside the log.

use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;
use skep_proto::raft as rpc;
use skep_types::{CoordinatorId, HostId};

use super::codec::Unreadable;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beat {
    pub coordinator: CoordinatorId,
    /// Of the sending process: another number means it was started anew.
    pub process: u64,
    /// All whose streams end there.
    pub agents: Vec<AgentStream>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AgentStream {
    pub host: HostId,
    pub session_number: u64,
    /// Since the agent was heard.
    pub silent: Duration,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BeatAnswer {
    /// The term the leader answered in.
    pub term: u64,
    /// Every coordinator the leader has heard of.
    pub sightings: Vec<Sighting>,
}

/// One coordinator, as the leader sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sighting {
    pub coordinator: CoordinatorId,
    pub alive: bool,
    pub agents: u64,
}

/// What the leader does with beats, and without them. Asked on whichever coordinator leads, its own beats included.
#[async_trait]
pub trait BeatHandler: Debug + Send + Sync {
    /// `term`: the one this coordinator leads in.
    async fn beat(&self, beat: Beat, term: u64) -> BeatAnswer;

    /// Entries could not be sent to `peer`: it may have ended, and its next beat may never come.
    fn lost_touch(&self, peer: CoordinatorId);
}

impl From<&Beat> for rpc::BeatRequest {
    fn from(beat: &Beat) -> Self {
        let agents = beat.agents.iter().map(|agent| rpc::AgentStream {
            host_epoch: agent.host.epoch,
            host_counter: agent.host.counter,
            session_number: agent.session_number,
            silent_ms: u64::try_from(agent.silent.as_millis()).unwrap_or(u64::MAX),
        });
        Self { coordinator: beat.coordinator.0, process: beat.process, agents: agents.collect() }
    }
}

impl TryFrom<rpc::BeatRequest> for Beat {
    type Error = Unreadable;

    fn try_from(pb: rpc::BeatRequest) -> Result<Self, Unreadable> {
        let agents = pb.agents.into_iter().map(|agent| AgentStream {
            host: HostId::new(agent.host_epoch, agent.host_counter),
            session_number: agent.session_number,
            silent: Duration::from_millis(agent.silent_ms),
        });
        Ok(Self { coordinator: CoordinatorId(pb.coordinator), process: pb.process, agents: agents.collect() })
    }
}

impl From<BeatAnswer> for rpc::BeatReply {
    fn from(answer: BeatAnswer) -> Self {
        let sightings = answer.sightings.into_iter().map(|seen| rpc::Sighting {
            coordinator: seen.coordinator.0,
            alive: seen.alive,
            agents: seen.agents,
        });
        Self { term: answer.term, sightings: sightings.collect() }
    }
}

impl From<rpc::BeatReply> for BeatAnswer {
    fn from(pb: rpc::BeatReply) -> Self {
        let sightings = pb.sightings.into_iter().map(|seen| Sighting {
            coordinator: CoordinatorId(seen.coordinator),
            alive: seen.alive,
            agents: seen.agents,
        });
        Self { term: pb.term, sightings: sightings.collect() }
    }
}
