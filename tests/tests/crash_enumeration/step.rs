//! The steps of a run: which moment, for the how-manieth time, and whom to stop there.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use futures::FutureExt;
use skep_tests::inprocess::{Event, InProcess, Moment};
use tokio::sync::{mpsc, oneshot};

/// A moment of a run, from 1 for the first of its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Step {
    pub(crate) moment: Moment,
    pub(crate) nth: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Victim {
    /// Who does the step: the leader for an entry, the owner for a call.
    Doer,
    /// The other one, where it is another coordinator.
    Other,
}

/// Every run crashes twice at its step.
const CRASHES: u32 = 2;

/// A coordinator to crash, and whom to tell when it is done.
#[derive(Debug)]
pub(crate) struct Crash {
    pub(crate) victim: u64,
    pub(crate) done: oneshot::Sender<()>,
}

/// What a run passed, and where it is to crash.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    passed: BTreeMap<Moment, u64>,
    pub(crate) trace: Vec<Step>,
    target: Option<(Step, Victim)>,
    pub(crate) crashes: u32,
}

pub(crate) type Shared = Arc<Mutex<Progress>>;

impl Progress {
    pub(crate) fn towards(target: Option<(Step, Victim)>) -> Shared {
        Arc::new(Mutex::new(Self { target, ..Self::default() }))
    }

    /// Whether to crash here: at the step, and at the next one of its kind, which is mostly its repetition.
    fn pass(&mut self, moment: Moment) -> Option<Victim> {
        let passed = self.passed.entry(moment).or_default();
        *passed += 1;
        let here = Step { moment, nth: *passed };
        self.trace.push(here);
        let (step, victim) = self.target?;
        let again = step.moment == moment && here.nth >= step.nth && self.crashes < CRASHES;
        self.crashes += u32::from(again);
        again.then_some(victim)
    }
}

/// Has everything that the cluster does counted, and its victims crashed.
pub(crate) fn watch(cluster: &Arc<InProcess>, progress: &Shared, crashes: mpsc::UnboundedSender<Crash>) {
    let (weak, progress) = (Arc::downgrade(cluster), progress.clone());
    cluster.stops.set(move |event: Event| {
        let stop = progress.lock().unwrap_or_else(PoisonError::into_inner).pass(event.moment);
        let (weak, crashes) = (weak.clone(), crashes.clone());
        async move {
            let (Some(victim), Some(cluster)) = (stop, weak.upgrade()) else { return };
            let victim = match victim {
                Victim::Doer => event.coordinator,
                Victim::Other => other(&cluster, event),
            };
            drop(cluster);
            let (done, crashed) = oneshot::channel();
            // An Err says that the test is over.
            let _ = crashes.send(Crash { victim, done });
            let _ = crashed.await;
            if victim == event.coordinator {
                // It goes no further than this.
                std::future::pending::<()>().await;
            }
        }
        .boxed()
    });
}

/// The leader for what the owner does, the owner for what the leader does.
fn other(cluster: &InProcess, event: Event) -> u64 {
    let other = match event.moment {
        Moment::Entry(_) => cluster.owner_now(),
        Moment::Call(..) => cluster.leader_now(),
    };
    other.unwrap_or(event.coordinator)
}
