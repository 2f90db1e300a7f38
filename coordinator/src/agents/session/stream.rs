//! The loop of one stream.

use std::time::Duration;

use skep_core::command::{AgentCommand, Command, Observation, Observed, PermitResult};
use skep_core::state::Host;
use skep_proto::agent::coordinator_message::Message as Outgoing;
use skep_proto::agent::{
    AgentMessage, Assignment, CoordinatorMessage, Done, Goodbye, Hello, PermitOutcome, Report, Welcome,
    agent_message, permit_outcome,
};
use skep_tls::wall_now;
use skep_types::{HostId, limits};
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};
use tonic::{Status, Streaming};

use crate::agents::registry::Place;
use crate::agents::{assignment, enrolment, report};
use crate::context::Context;
use crate::telemetry;
use crate::trust::TrustError;

/// Between two comparisons of the last report with the record when neither changed: what a lost proposal waits.
const COMPARE: Duration = Duration::from_secs(5);

/// Whose stream it is.
pub(super) struct Agent {
    pub(super) host: HostId,
    pub(super) hello: Hello,
    /// Whether it had to be dialled.
    pub(super) dialled: bool,
}

pub(super) struct AgentStream {
    context: Context,
    agent: Agent,
    outgoing: mpsc::Sender<Result<CoordinatorMessage, Status>>,
    place: Place,
    /// The highest sequence number seen.
    sequence: u64,
    report: Option<Report>,
    /// As of the last heartbeat.
    clock_offset: Duration,
    /// The outcome told last; proposed until the record has it.
    outcome: Option<PermitOutcome>,
    /// What the agent was told last.
    told: Option<Welcome>,
    /// The permit sent last; None before the first assignment.
    assigned: Option<String>,
}

/// Why a stream ends.
enum End {
    /// The agent went away, or reads too slowly.
    Gone,
    /// It should try another coordinator.
    Elsewhere(&'static str),
    /// It should not come back.
    Final(&'static str),
}

impl AgentStream {
    pub(super) fn new(
        context: Context,
        agent: Agent,
        outgoing: mpsc::Sender<Result<CoordinatorMessage, Status>>,
        place: Place,
    ) -> Self {
        let outcome = agent.hello.last_outcome.clone();
        Self {
            context,
            agent,
            outgoing,
            place,
            sequence: 0,
            report: None,
            clock_offset: Duration::ZERO,
            outcome,
            told: None,
            assigned: None,
        }
    }

    pub(super) async fn run(mut self, mut incoming: Streaming<AgentMessage>) {
        let end = match self.converse(&mut incoming).await {
            Ok(never) => match never {},
            Err(end) => end,
        };
        let (reason, last) = match end {
            End::Gone => return,
            End::Elsewhere(reason) => (reason, false),
            End::Final(reason) => (reason, true),
        };
        tracing::debug!(reason, last, "closing the stream");
        let goodbye = Goodbye { reason: reason.to_owned(), r#final: last };
        // An agent that does not read its goodbye sees the end of the stream.
        let _full = self.outgoing.try_send(Ok(message(Outgoing::Goodbye(goodbye))));
    }

    async fn converse(
        &mut self,
        incoming: &mut Streaming<AgentMessage>,
    ) -> Result<std::convert::Infallible, End> {
        self.connect().await?;
        let mut compare = interval(COMPARE);
        compare.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let look = std::sync::Arc::clone(&self.place.look);
            tokio::select! {
                said = incoming.message() => match said {
                    Ok(Some(said)) => self.hear(said),
                    Ok(None) | Err(_) => return Err(End::Gone),
                },
                () = look.notified() => {}
                _ = compare.tick() => {}
                () = self.place.close.cancelled() => return Err(End::Elsewhere("this coordinator closes its streams")),
            }
            self.welcome()?;
            self.compare().await?;
            self.assign()?;
        }
    }

    async fn connect(&mut self) -> Result<(), End> {
        let connected = Observed::Connected {
            coordinator: self.context.id,
            boot_id: self.agent.hello.boot_id.clone(),
            dialled: self.agent.dialled,
        };
        self.observe(vec![connected]).await.map_err(|()| End::Elsewhere("there is no leader now"))?;
        let state = self.context.raft.state();
        let session = state.host(self.agent.host).and_then(|host| host.session.clone());
        let held = session.is_some_and(|session| {
            session.number == self.agent.hello.session_number && session.coordinator == self.context.id
        });
        if !held {
            return Err(End::Elsewhere("a newer session of this host is open"));
        }
        self.welcome()
    }

    /// Says who the coordinators are and which addresses the host has, at first and whenever that has changed: an agent
    /// that knows only the one it talks to has nowhere to go when that one dies.
    fn welcome(&mut self) -> Result<(), End> {
        let state = self.context.raft.state();
        let here = state.coordinators.values().filter(|coordinator| !coordinator.removed);
        let addresses =
            state.host(self.agent.host).map(|host| enrolment::addresses(host)).unwrap_or_default();
        let welcome = Welcome {
            heartbeat_ms: u32::try_from(limits::HEARTBEAT.as_millis()).unwrap_or(u32::MAX),
            coordinators: here.map(|coordinator| coordinator.address.clone()).collect(),
            addresses: addresses.iter().map(ToString::to_string).collect(),
        };
        if self.told.as_ref() == Some(&welcome) {
            return Ok(());
        }
        self.told = Some(welcome.clone());
        self.send(Outgoing::Welcome(welcome))
    }

    fn hear(&mut self, said: AgentMessage) {
        if said.sequence <= self.sequence {
            return;
        }
        self.sequence = said.sequence;
        self.place.heard();
        match said.message {
            Some(agent_message::Message::Report(report)) => self.report = Some(report),
            Some(agent_message::Message::Outcome(outcome)) => self.outcome = Some(outcome),
            Some(agent_message::Message::Heartbeat(heartbeat)) => {
                let theirs = Duration::from_millis(heartbeat.wall_time_ms);
                self.clock_offset = theirs.abs_diff(Duration::from_secs(wall_now().0));
            }
            Some(agent_message::Message::Hello(_)) | None => {}
        }
    }

    /// Proposes what the last report says and the record does not.
    async fn compare(&self) -> Result<(), End> {
        let state = self.context.raft.state();
        let Some(host) = state.host(self.agent.host) else {
            return Err(End::Final("the host is deleted"));
        };
        let permit = host.permit.as_ref().map(|permit| permit.id.to_string());
        if let Some(outcome) =
            self.outcome.as_ref().filter(|outcome| permit.as_ref() == Some(&outcome.permit_id))
        {
            self.close_permit(outcome.clone()).await;
        }
        let Some(report) = &self.report else { return Ok(()) };
        let agent =
            report::Agent { version: &self.agent.hello.agent_version, clock_offset: self.clock_offset };
        let observed = report::differences(report, &agent, host, &state);
        if !observed.is_empty() {
            // Compared again in a while, if it was lost.
            let _lost = self.observe(observed).await;
        }
        Ok(())
    }

    async fn observe(&self, observed: Vec<Observed>) -> Result<(), ()> {
        let session_number = self.agent.hello.session_number;
        let observation = |observed| Observation { host: self.agent.host, session_number, observed };
        let observations = observed.into_iter().map(observation).collect();
        let proposed =
            self.context.raft.propose(vec![Command::Agent(AgentCommand::Observe(observations))]).await;
        proposed.map(drop).map_err(|error| tracing::debug!(%error, "an observation was not committed"))
    }

    async fn close_permit(&self, outcome: PermitOutcome) {
        let command = match self.permit_command(outcome) {
            Ok(Some(command)) => command,
            Ok(None) => return,
            Err(error) => {
                tracing::error!(%error, "a worker token cannot be sealed");
                return;
            }
        };
        // Compared again in a while, if it was lost.
        if let Err(error) = self.context.raft.propose(vec![command]).await {
            tracing::warn!(%error, "a permit's outcome was not committed");
        }
    }

    fn permit_command(&self, outcome: PermitOutcome) -> Result<Option<Command>, TrustError> {
        let Ok(permit) = outcome.permit_id.parse() else { return Ok(None) };
        let result = match outcome.outcome {
            Some(permit_outcome::Outcome::Done(done)) => self.done(done)?,
            Some(permit_outcome::Outcome::NotDone(not)) => PermitResult::NotDone { message: not.message },
            Some(permit_outcome::Outcome::InProgress(_)) | None => return Ok(None),
        };
        Ok(Some(Command::Agent(AgentCommand::Permit { host: self.agent.host, permit, result })))
    }

    fn done(&self, done: Done) -> Result<PermitResult, TrustError> {
        let state = self.context.raft.state();
        let swarm =
            state.host(self.agent.host).and_then(|host| host.membership.as_ref()).map(|member| member.swarm);
        let seal = |swarm| {
            let resource = assignment::worker_token_resource(swarm);
            self.context.trust.sealer.seal(&resource, done.worker_token.as_bytes())
        };
        let sealed_worker_token = match swarm {
            Some(swarm) if !done.worker_token.is_empty() => Some(seal(swarm)?),
            _ => None,
        };
        let swarm_id = (!done.swarm_id.is_empty()).then_some(done.swarm_id);
        Ok(PermitResult::Done { node: done.node_id.parse().ok(), swarm_id, sealed_worker_token })
    }

    /// Sends the assignment if it is another one than before.
    fn assign(&mut self) -> Result<(), End> {
        let state = self.context.raft.state();
        let Some(host) = state.host(self.agent.host) else {
            return Err(End::Final("the host is deleted"));
        };
        match assignment::of(host, &state, &self.context.trust) {
            Ok(Some(work)) if self.assigned.as_ref() != Some(&work.permit_id) => {
                self.send_assignment(host, work)
            }
            Ok(_) => Ok(()),
            Err(error) => {
                tracing::error!(%error, "an assignment's secret cannot be opened");
                Ok(())
            }
        }
    }

    fn send_assignment(&mut self, host: &Host, mut work: Assignment) -> Result<(), End> {
        if let Some(permit) = &host.permit {
            let span = telemetry::spans::permit(&self.context.cluster, host, permit);
            work.traceparent = telemetry::traceparent(&span);
        }
        self.assigned = Some(work.permit_id.clone());
        self.send(Outgoing::Assignment(work))
    }

    fn send(&self, outgoing: Outgoing) -> Result<(), End> {
        self.outgoing.try_send(Ok(message(outgoing))).map_err(|_| End::Gone)
    }
}

fn message(message: Outgoing) -> CoordinatorMessage {
    CoordinatorMessage { message: Some(message) }
}
