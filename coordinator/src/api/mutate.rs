//! The way of every mutation: the same request id once, a dry run if asked for, else a proposal and its operation.

use std::sync::Arc;

use skep_core::command::{Request, RequestCommand, RequestMeta};
use skep_core::{Command, Reply, State};
use skep_proto::v1 as pb;
use skep_types::{Code, Digest, OperationId, Refusal};

use super::convert::{mutation::Mutation, operation};
use super::status::internal;
use super::{Actor, Api, dry_run};
use crate::raft::Published;
use crate::telemetry::spans;

/// What is to be done with a mutation.
pub(super) enum Begun {
    /// It was accepted before.
    Repeated(Box<pb::Operation>),
    Fresh(Box<Call>),
}

/// A mutation that was not carried out yet.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) meta: RequestMeta,
    pub(super) dry_run: bool,
    /// As of now: what names in the request mean.
    pub(super) state: Arc<Published>,
}

impl Api {
    /// `body` is the digest of the request without its mutation.
    pub(super) async fn begin(
        &self,
        actor: &Actor,
        mutation: Option<pb::Mutation>,
        body: Digest,
    ) -> Result<Begun, Refusal> {
        let Mutation { request_id, dry_run, if_revision } = Mutation::read(mutation)?;
        let (state, now) = self.read().await?;
        let meta = RequestMeta {
            request_id,
            body,
            actor: actor.name.clone(),
            generation: actor.generation,
            peer: actor.peer.to_string(),
            method: actor.method().to_owned(),
            if_revision,
        };
        // Before any name is looked up: what a delete named is gone when it is sent again.
        if let Some(before) = repeated(&state, &meta).filter(|_| !dry_run) {
            return Ok(Begun::Repeated(Box::new(operation::write(before, &state, now))));
        }
        Ok(Begun::Fresh(Box::new(Call { meta, dry_run, state })))
    }

    /// Carries the request out, or says what it would do.
    pub(super) async fn carry_out(&self, call: Call, request: Request) -> Result<pb::Operation, Refusal> {
        let command = RequestCommand { meta: call.meta, request };
        if call.dry_run {
            let now = self.context.raft.now();
            // A bulk create is worked out in full: too long for a thread that serves others.
            let planned = tokio::task::spawn_blocking(move || dry_run::plan(&call.state, now, command)).await;
            return planned.map_err(|error| internal("the dry run did not end", &error))?;
        }
        let id = self.propose(command).await?;
        let state = self.context.raft.state();
        let operation = state.operations.get(&id);
        let forgotten = || Refusal::new(Code::NotFound, format!("{id} was carried out and forgotten"));
        Ok(operation::write(operation.ok_or_else(forgotten)?, &state, self.context.raft.now()))
    }

    async fn propose(&self, command: RequestCommand) -> Result<OperationId, Refusal> {
        let method = command.meta.method.clone();
        let span = spans::request(&method);
        let proposed = Box::pin(self.context.raft.propose(vec![Command::Request(command)])).await?;
        let reply = proposed.into_iter().next();
        match reply {
            Some(Reply::Accepted(operation)) => {
                spans::accepted(&span, &self.context.cluster, operation);
                tracing::info!(%operation, method, "request accepted");
                Ok(operation)
            }
            Some(Reply::Refused(refusal)) => Err(refusal),
            reply => {
                tracing::error!(?reply, method, "a request met a defect");
                Err(Refusal::new(Code::Internal, "the request was answered with something else"))
            }
        }
    }
}

/// The operation that the same request by the same person is already. A request id that was used for another request
/// is refused by `apply`, which also writes that into the audit trail.
fn repeated<'a>(state: &'a State, meta: &RequestMeta) -> Option<&'a Arc<skep_core::state::Operation>> {
    let id = state.index.requests.get(&meta.request_id)?;
    let before = state.operations.get(id)?;
    (before.body == meta.body && before.actor == meta.actor).then_some(before)
}
