//! Creates under way: each goes on for as long as somebody asks for it.
//!
//! A caller that went away comes again, or is no longer the one to ask: then another coordinator is about to take the
//! account over, and nothing may be made any more. So a create that nobody asks for is given up after a while, and
//! what it has left stays listed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use skep_driver::{DriverError, ErrorKind, Placed};
use tokio::sync::{Mutex as AsyncMutex, watch};
use tokio::task::{JoinError, JoinHandle};
use tokio::time::timeout;

pub(crate) type Outcome = Result<Placed, DriverError>;

/// Of which nobody ever heard the outcome: each of them had its owner replaced.
const UNTOLD: usize = 64;

/// One account's, by their machine.
#[derive(Debug, Default)]
pub(crate) struct Jobs(Mutex<HashMap<String, Arc<Job>>>);

#[derive(Debug)]
pub(crate) struct Job {
    /// None once its outcome was told.
    task: AsyncMutex<Option<JoinHandle<Outcome>>>,
    callers: watch::Sender<usize>,
}

impl Jobs {
    pub(crate) fn get(&self, machine: &str) -> Option<Arc<Job>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(machine).cloned()
    }

    /// Begins one that is given up when nobody has asked for it for as long as `linger`.
    pub(crate) fn begin(
        &self,
        machine: &str,
        linger: Duration,
        work: impl Future<Output = Outcome> + Send + 'static,
    ) -> Arc<Job> {
        let callers = watch::Sender::new(0);
        let listening = callers.subscribe();
        let task = tokio::spawn(async move {
            tokio::select! {
                outcome = work => outcome,
                () = deserted(listening, linger) => Err(given_up()),
            }
        });
        let job = Arc::new(Job { task: AsyncMutex::new(Some(task)), callers });
        let mut jobs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if jobs.len() >= UNTOLD {
            jobs.retain(|_, job| !job.has_ended());
        }
        jobs.insert(machine.to_owned(), Arc::clone(&job));
        job
    }

    /// What has come of it, if that takes no longer than `patience`. After that the machine is in nobody's hands.
    pub(crate) async fn ask(&self, machine: &str, job: &Job, patience: Duration) -> Outcome {
        let Some(ended) = job.ended(patience).await else {
            let message = format!("{machine} is being made");
            return Err(DriverError::new(ErrorKind::Ambiguous, message));
        };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(machine);
        ended.unwrap_or_else(|error| {
            Err(DriverError::new(ErrorKind::Ambiguous, "the create ended in the middle").caused_by(error))
        })
    }
}

impl Job {
    fn has_ended(&self) -> bool {
        self.task.try_lock().is_ok_and(|task| task.as_ref().is_none_or(JoinHandle::is_finished))
    }

    /// None if it goes on, or if another caller has been told.
    async fn ended(&self, patience: Duration) -> Option<Result<Outcome, JoinError>> {
        let _caller = Caller::of(&self.callers);
        let told = timeout(patience, async {
            let mut task = self.task.lock().await;
            let ended = task.as_mut()?.await;
            *task = None;
            Some(ended)
        });
        told.await.ok().flatten()
    }
}

/// Somebody who waits for an outcome, until dropped.
struct Caller<'a>(&'a watch::Sender<usize>);

impl<'a> Caller<'a> {
    fn of(callers: &'a watch::Sender<usize>) -> Self {
        callers.send_modify(|callers| *callers += 1);
        Self(callers)
    }
}

impl Drop for Caller<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|callers| *callers -= 1);
    }
}

async fn deserted(mut callers: watch::Receiver<usize>, linger: Duration) {
    // An error says that the job is not known any more: nobody can ask for it.
    while callers.wait_for(|callers| *callers == 0).await.is_ok() {
        let asked = timeout(linger, callers.wait_for(|callers| *callers > 0)).await;
        if !asked.is_ok_and(|asked| asked.is_ok()) {
            return;
        }
    }
}

fn given_up() -> DriverError {
    DriverError::new(ErrorKind::Ambiguous, "the create was given up, as nobody asked for it any more")
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINGER: Duration = Duration::from_secs(20);

    fn made() -> Outcome {
        Ok(Placed::default())
    }

    fn kind(outcome: Outcome) -> Option<ErrorKind> {
        outcome.err().map(|error| error.kind)
    }

    #[tokio::test(start_paused = true)]
    async fn an_outcome_is_told_once_and_late_callers_are_told_to_come_again() {
        let jobs = Jobs::default();
        let job = jobs.begin("m", LINGER, async {
            tokio::time::sleep(LINGER).await;
            made()
        });
        assert_eq!(kind(jobs.ask("m", &job, LINGER / 2).await), Some(ErrorKind::Ambiguous));
        let again = jobs.get("m").unwrap();
        let both = tokio::join!(jobs.ask("m", &job, LINGER), jobs.ask("m", &again, LINGER));
        assert_eq!((kind(both.0), kind(both.1)), (None, Some(ErrorKind::Ambiguous)));
        assert!(jobs.get("m").is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn what_nobody_asks_for_is_given_up() {
        let jobs = Jobs::default();
        let (alive, mut ended) = tokio::sync::oneshot::channel::<()>();
        let job = jobs.begin("m", LINGER, async move {
            let _alive = alive;
            std::future::pending().await
        });
        for _ in 0..10 {
            jobs.ask("m", &job, LINGER / 2).await.unwrap_err();
            tokio::time::sleep(LINGER / 2).await;
        }
        assert!(ended.try_recv().is_err_and(|e| e == tokio::sync::oneshot::error::TryRecvError::Empty));
        tokio::time::sleep(LINGER).await;
        let error = jobs.ask("m", &job, LINGER).await.unwrap_err();
        assert!(error.message.contains("given up"), "{error}");
        assert!(ended.await.is_err() && jobs.get("m").is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn outcomes_that_nobody_hears_do_not_pile_up() {
        let jobs = Jobs::default();
        for number in 0..UNTOLD * 3 {
            jobs.begin(&number.to_string(), LINGER, async { made() });
            tokio::task::yield_now().await;
        }
        assert!(jobs.0.lock().unwrap().len() <= UNTOLD + 1);
    }
}
