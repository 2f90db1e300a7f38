//! Commands, with the version of their meaning.

use prost::Message as _;
use skep_core::Command;

use super::pb;
use super::pb::command::Kind;
use super::wire::{Unreadable, Wire};

/// Raised when a field is added that must not be ignored; what earlier versions wrote means what it meant.
const VERSION: u32 = 4;

impl Wire for Command {
    type Pb = pb::Command;

    fn to_pb(&self) -> pb::Command {
        let kind = match self {
            Self::Request(command) => Kind::Request(command.to_pb()),
            Self::Plan(command) => Kind::Plan(command.to_pb()),
            Self::Outcome(command) => Kind::Outcome(command.to_pb()),
            Self::Agent(command) => Kind::Agent(command.to_pb()),
            Self::Member(command) => Kind::Member(command.to_pb()),
        };
        pb::Command { version: VERSION, kind: Some(kind) }
    }

    fn from_pb(pb: pb::Command) -> Result<Self, Unreadable> {
        if !(1..=VERSION).contains(&pb.version) {
            let problem = format_args!("version {} of the command is unknown here", pb.version);
            return Err(Unreadable::new(problem));
        }
        let within = |name| move |error: Unreadable| error.within(name);
        Ok(match pb.kind.ok_or_else(Unreadable::missing)? {
            Kind::Request(command) => Self::Request(Wire::from_pb(command).map_err(within("request"))?),
            Kind::Plan(command) => Self::Plan(Wire::from_pb(command).map_err(within("plan"))?),
            Kind::Outcome(command) => Self::Outcome(Wire::from_pb(command).map_err(within("outcome"))?),
            Kind::Agent(command) => Self::Agent(Wire::from_pb(command).map_err(within("agent"))?),
            Kind::Member(command) => Self::Member(Wire::from_pb(command).map_err(within("member"))?),
        })
    }
}

pub(in crate::raft) fn commands_to_pb(commands: &[Command]) -> Vec<pb::Command> {
    commands.iter().map(Wire::to_pb).collect()
}

pub(in crate::raft) fn commands_from_pb(commands: Vec<pb::Command>) -> Result<Vec<Command>, Unreadable> {
    commands.into_iter().map(Wire::from_pb).collect()
}

/// The bytes a command takes in the log.
pub(in crate::raft) fn encoded_len(command: &Command) -> usize {
    command.to_pb().encoded_len()
}
