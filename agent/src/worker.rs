//! Does what is assigned: at most one thing at a time, and no permit twice.
//!
//! ```text
//!              ┌────────────── look ◄────────────┐
//! assignment ─►│ decide (pure): finish ─► ledger ─► told
//!              │                act ─► ledger ─► engine ─┤
//!              └──────────────  wait ───────────────────┘
//! ```
//!
//! The engine's errors share their codes, and its answers get lost: what happened is always decided by its state.

mod act;
mod decide;

use std::sync::Arc;
use std::time::Duration;

use skep_types::PermitId;
use tokio::sync::{Notify, watch};
use tokio::time::timeout;
use tracing::{Instrument, info, info_span, warn};

use crate::engine::{Engine, LocalNode};
use crate::error::chain;
use crate::ledger::{Ledger, Standing};
use crate::permit::{Assignment, Outcome, PermitOutcome, Work};
use decide::{History, Step, decide};

/// A pending join becomes active when its path opens, which nobody announces.
const WAIT: Duration = Duration::from_secs(1);

/// Runs until the last sender of `orders` is gone.
#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) engine: Arc<dyn Engine>,
    pub(crate) ledger: Arc<Ledger>,
    /// Holds the newest assignment only: one that was not begun is replaced by the next.
    pub(crate) orders: watch::Receiver<Option<Assignment>>,
    pub(crate) outcomes: watch::Sender<Option<PermitOutcome>>,
    /// Rung when an act may have changed what the agent reports.
    pub(crate) acted: Arc<Notify>,
}

impl Worker {
    pub(crate) async fn run(mut self) {
        while self.orders.changed().await.is_ok() {
            let Some(assignment) = self.orders.borrow_and_update().clone() else {
                continue;
            };
            let span = info_span!(
                "assignment",
                permit = %assignment.permit,
                work = assignment.work.as_ref().map_or("unusable", Work::label),
                traceparent = %assignment.traceparent,
            );
            self.fulfil(assignment).instrument(span).await;
        }
    }

    async fn fulfil(&mut self, assignment: Assignment) {
        let permit = assignment.permit;
        let history = match self.ledger.standing(permit).await {
            Standing::Stale => return info!("an older permit than the last one is ignored"),
            Standing::Finished(outcome) => return self.tell(permit, outcome),
            Standing::New => History::New,
            Standing::Begun => History::Begun,
        };
        let outcome = match assignment.work {
            Ok(work) => self.work(permit, &work, history).await,
            Err(message) => Some(Outcome::NotDone { message }),
        };
        let Some(outcome) = outcome else {
            return info!("given up for a newer assignment");
        };
        // Unwritten it stays begun, and after a restart the agent looks: telling it now does no harm.
        if let Err(error) = self.ledger.finish(permit, &outcome).await {
            warn!(error = chain(&error), "the outcome could not be written down");
        }
        match &outcome {
            Outcome::NotDone { message } => warn!(message, "not done"),
            _ => info!("done"),
        }
        self.tell(permit, outcome);
        self.acted.notify_one();
    }

    /// None when a newer assignment took over.
    async fn work(&mut self, permit: PermitId, work: &Work, mut history: History) -> Option<Outcome> {
        loop {
            let step = match self.look(work).await {
                Some(node) => decide(work, &node, &self.ledger.swarm_id().await, &history),
                None => Step::Wait("the engine does not answer".to_owned()),
            };
            let reason = match step {
                Step::Finish(outcome) => return Some(outcome),
                Step::Act => match self.act(permit, work).await {
                    Ok(acted) => {
                        history = acted;
                        continue;
                    }
                    Err(outcome) => return Some(outcome),
                },
                Step::Complete(node) => match act::complete(&*self.engine, work, node).await {
                    Ok(done) => return Some(Outcome::Done(done)),
                    Err(error) => chain(&error),
                },
                Step::Wait(reason) => reason,
            };
            self.tell(permit, Outcome::InProgress { message: reason });
            self.wait(permit).await?;
        }
    }

    /// None where the engine does not say. Work on other nodes is not kept waiting for it.
    async fn look(&self, work: &Work) -> Option<LocalNode> {
        if !work.concerns_own_node() {
            return Some(LocalNode::default());
        }
        match self.engine.look().await {
            Ok(view) => Some(view.node),
            Err(error) => {
                warn!(error = chain(&error), "the engine cannot be looked at");
                None
            }
        }
    }

    async fn act(&self, permit: PermitId, work: &Work) -> Result<History, Outcome> {
        if let Err(error) = self.ledger.begin(permit, work.joining()).await {
            return Err(Outcome::not_done(format!("nothing is done unrecorded: {}", chain(&error))));
        }
        info!("begun");
        let failure = act::act(&*self.engine, work).await.err();
        Ok(History::Acted { failure })
    }

    /// Until it is worth looking again. None when another permit was assigned meanwhile, or none.
    async fn wait(&mut self, permit: PermitId) -> Option<()> {
        let another = self.orders.wait_for(|order| order.as_ref().is_none_or(|order| order.permit != permit));
        let interrupted = timeout(WAIT, another).await.is_ok();
        if !interrupted {
            return Some(());
        }
        // Left unseen, so that the main loop takes it up.
        self.orders.mark_changed();
        None
    }

    /// The same words again are not told again.
    fn tell(&self, permit: PermitId, outcome: Outcome) {
        let told = PermitOutcome { permit, outcome };
        self.outcomes.send_if_modified(|last| {
            let news = told.outcome.is_final() || last.as_ref() != Some(&told);
            *last = Some(told);
            news
        });
    }
}
