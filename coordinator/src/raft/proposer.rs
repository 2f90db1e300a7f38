//! The leader's proposer: what many callers want in one entry.
//!
//! While one entry is being replicated, proposals queue up; the next entry takes what is there. So one caller waits
//! for nobody, and a thousand share few syncs.

use std::sync::Arc;

use openraft::errors::{ClientWriteError, Fatal, RaftError};
use skep_core::{Command, Entry, Reply};
use skep_types::limits::COMMANDS_PER_ENTRY;
use tokio::sync::{mpsc, oneshot};

use super::checkpoint::Checkpoint;
use super::codec;
use super::error::{ProposeError, ProposeErrorKind};
use super::time::ClusterClock;
use super::types::{Proposed, Raft, TypeConfig};

/// Proposals that wait. At some ten thousand commands a second that is well below a second of work.
pub(super) const QUEUE: usize = 1024;
/// The commands of an entry of several together.
const ENTRY_BYTES: usize = 1024 * 1024;
/// One command alone: with its envelope it fits into a gRPC message.
const COMMAND_BYTES: usize = 3 * 1024 * 1024;

/// What became of a proposal, and at which index of the log.
#[derive(Debug)]
pub(super) struct Accepted {
    pub(super) replies: Vec<Reply>,
    pub(super) index: u64,
}

pub(super) type Answer = Result<Accepted, ProposeError>;

/// Commands of one caller that go into one entry.
#[derive(Debug)]
pub(super) struct Proposal {
    pub(super) commands: Vec<Command>,
    pub(super) bytes: usize,
    pub(super) answer: oneshot::Sender<Answer>,
}

/// Splits commands into parts that fit into an entry, in their order, with their sizes.
pub(super) fn parts(commands: Vec<Command>) -> Result<Vec<(Vec<Command>, usize)>, ProposeError> {
    let mut parts: Vec<(Vec<Command>, usize)> = Vec::new();
    for command in commands {
        let bytes = codec::encoded_len(&command);
        if bytes > COMMAND_BYTES {
            return Err(ProposeError::new(ProposeErrorKind::TooLarge));
        }
        match parts.last_mut() {
            Some((part, sum)) if fits(part.len(), *sum, 1, bytes) => {
                part.push(command);
                *sum += bytes;
            }
            _ => parts.push((vec![command], bytes)),
        }
    }
    Ok(parts)
}

fn fits(count: usize, bytes: usize, more: usize, more_bytes: usize) -> bool {
    count + more <= COMMANDS_PER_ENTRY && bytes + more_bytes <= ENTRY_BYTES
}

#[derive(Debug)]
pub(super) struct Proposer {
    pub(super) raft: Raft,
    pub(super) clock: Arc<ClusterClock>,
    pub(super) queue: mpsc::Receiver<Proposal>,
    pub(super) checkpoint: Arc<dyn Checkpoint>,
}

impl Proposer {
    /// Until the last sender is gone.
    pub(super) async fn run(mut self) {
        let mut left_over = None;
        loop {
            let first = match left_over.take() {
                Some(proposal) => proposal,
                None => match self.queue.recv().await {
                    Some(proposal) => proposal,
                    None => return,
                },
            };
            let (batch, next) = self.collect(first);
            left_over = next;
            self.write(batch).await;
        }
    }

    /// What is queued and fits, and the first one that does not.
    fn collect(&mut self, first: Proposal) -> (Vec<Proposal>, Option<Proposal>) {
        let (mut count, mut bytes) = (first.commands.len(), first.bytes);
        let mut batch = vec![first];
        while let Ok(proposal) = self.queue.try_recv() {
            if !fits(count, bytes, proposal.commands.len(), proposal.bytes) {
                return (batch, Some(proposal));
            }
            count += proposal.commands.len();
            bytes += proposal.bytes;
            batch.push(proposal);
        }
        (batch, None)
    }

    async fn write(&self, batch: Vec<Proposal>) {
        let mut commands = Vec::new();
        let mut waiting = Vec::new();
        // Whoever went away meanwhile has proposed it elsewhere, or will.
        for proposal in batch.into_iter().filter(|proposal| !proposal.answer.is_closed()) {
            waiting.push((proposal.commands.len(), proposal.answer));
            commands.extend(proposal.commands);
        }
        if waiting.is_empty() {
            return;
        }
        let entry = Entry { time: self.clock.now(), commands };
        self.checkpoint.before().await;
        let written = self.raft.client_write(Proposed(Arc::new(entry))).await;
        self.checkpoint.after().await;
        match written {
            Ok(written) => share_out(waiting, written.data.0, written.log_id.index),
            Err(error) => {
                for (_, answer) in waiting {
                    // An Err says that the caller has gone.
                    let _ = answer.send(Err(not_written(&error)));
                }
            }
        }
    }
}

fn share_out(waiting: Vec<(usize, oneshot::Sender<Answer>)>, replies: Vec<Reply>, index: u64) {
    let mut replies = replies.into_iter();
    for (count, answer) in waiting {
        let accepted = Accepted { replies: replies.by_ref().take(count).collect(), index };
        // An Err says that the caller has gone.
        let _ = answer.send(Ok(accepted));
    }
}

fn not_written(error: &RaftError<TypeConfig, ClientWriteError<TypeConfig>>) -> ProposeError {
    match error {
        RaftError::APIError(error) => ProposeError::caused(ProposeErrorKind::NoLeader, error.to_string()),
        RaftError::Fatal(fatal) => stopped(fatal),
    }
}

pub(super) fn stopped(fatal: &Fatal<TypeConfig>) -> ProposeError {
    let kind = match fatal {
        Fatal::Stopped => ProposeErrorKind::Shutdown,
        Fatal::StorageError(_) | Fatal::Panicked => ProposeErrorKind::Storage,
    };
    ProposeError::caused(kind, fatal.to_string())
}
