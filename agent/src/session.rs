//! Finding a coordinator, or being found by one, becoming known to it, and staying with it.
//!
//! ```text
//! dial ─► not enrolled: Enrol ─┐
//!  ▲      refused before: Renew ┼─► dial again
//!  │      else: Open ─► Welcome ─► live ─► lost: the next coordinator, at once
//!  └─────────── backoff ◄── failed · refused (slow)        └► final Goodbye: end
//! ```

mod called;
mod calls;
mod dial;
mod failure;
mod link;
mod live;

use std::sync::Arc;
use std::time::Duration;

use skep_types::EnrolmentConfig;
use tokio::net::UnixStream;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};
use tracing::{info, warn};

use crate::error::chain;
use crate::facts::Facts;
use crate::identity::Identity;
use crate::ledger::Ledger;
use crate::observe::Report;
use crate::pace::Pace;
use crate::permit::{Assignment, PermitOutcome};
use crate::roster::Roster;
use crate::timing::Timing;
pub use called::Called;
pub(crate) use dial::Dialer;
use failure::Failure;

/// Between two connections that were opened to us and led to nothing.
const CALLED_PAUSE: Duration = Duration::from_millis(200);

#[derive(Debug)]
pub(crate) struct Sessions {
    pub(crate) version: String,
    pub(crate) enrolment: EnrolmentConfig,
    pub(crate) timing: Timing,
    pub(crate) dialer: Dialer,
    /// None where coordinators never dial.
    pub(crate) called: Option<Called>,
    pub(crate) roster: Roster,
    pub(crate) identity: Identity,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) facts: Arc<dyn Facts>,
    pub(crate) orders: watch::Sender<Option<Assignment>>,
    pub(crate) outcomes: watch::Receiver<Option<PermitOutcome>>,
    pub(crate) reports: watch::Receiver<Option<Report>>,
}

/// How one dialling ended.
enum Attempt {
    /// A certificate was given: dial again with it.
    Certified,
    Failed {
        failure: Failure,
        lived: Duration,
    },
    /// Asked to go elsewhere.
    Sent {
        reason: String,
        lived: Duration,
    },
    /// Asked never to come back.
    Dismissed {
        reason: String,
    },
}

impl Sessions {
    /// Until a coordinator says that this host is no more; the reason is its own.
    pub(crate) async fn run(mut self) -> String {
        let mut pace = Pace::new(self.timing.backoff);
        let mut refusals = 0;
        let mut renew_next = false;
        let mut called = None;
        // When to dial by ourselves; a coordinator that calls in between does not put it off.
        let mut dial_at = Instant::now();
        loop {
            let renewing = std::mem::take(&mut renew_next);
            let by_ourselves = called.is_none();
            let wait = match self.attempt(called.take(), renewing).await {
                Attempt::Dismissed { reason } => return reason,
                Attempt::Certified if by_ourselves => continue,
                // Whoever called will call again.
                Attempt::Certified => self.timing.certified,
                Attempt::Sent { reason, lived } => {
                    info!(coordinator = self.roster.current(), reason, "sent away");
                    refusals = 0;
                    self.pause(&mut pace, lived)
                }
                Attempt::Failed { failure: Failure::Lost(error), lived } => {
                    warn!(coordinator = self.roster.current(), error, "no session");
                    refusals = 0;
                    self.pause(&mut pace, lived)
                }
                Attempt::Failed { failure: Failure::Refused(message), lived } => {
                    warn!(coordinator = self.roster.current(), message, "refused");
                    // Ended by its own coordinator, a session is the first refusal of a new round.
                    refusals = if lived.is_zero() { refusals + 1 } else { 1 };
                    // A certificate that ran out while the host was off may still do one thing.
                    renew_next = self.identity.is_enrolled() && !renewing;
                    // One coordinator may not have heard of this host yet; when all were asked, it is final.
                    if refusals < self.roster.len() { pace.after_failure() } else { pace.after_refusal() }
                }
            };
            if by_ourselves || self.identity.is_enrolled() {
                self.roster.advance();
                dial_at = Instant::now() + wait;
            } else {
                // Anybody can open a connection that leads nowhere.
                sleep(CALLED_PAUSE).await;
            }
            called = self.wait(dial_at).await;
        }
    }

    /// Until it is time to dial, or a coordinator calls.
    async fn wait(&self, dial_at: Instant) -> Option<UnixStream> {
        tokio::select! {
            biased;
            () = sleep_until(dial_at) => None,
            stream = called::next(self.called.as_ref()) => Some(stream),
        }
    }

    fn pause(&self, pace: &mut Pace, lived: Duration) -> Duration {
        if lived >= self.timing.settled {
            pace.reset();
            return Duration::ZERO;
        }
        pace.after_failure()
    }

    /// Over the connection a coordinator opened, else over one of our own.
    async fn attempt(&mut self, called: Option<UnixStream>, renewing: bool) -> Attempt {
        let presented = self.identity.presented();
        let channel = match called {
            Some(stream) => self.dialer.answer(stream, presented).await,
            None => self.dialer.dial(self.roster.current(), presented).await,
        };
        let channel = match channel {
            Ok(channel) => channel,
            Err(failure) => {
                return Attempt::Failed { failure, lived: Duration::ZERO };
            }
        };
        if self.identity.is_enrolled() && !renewing {
            return self.live(channel).await;
        }
        let request = self.identity.signing_request();
        let given = match request {
            Err(error) => Err(Failure::Lost(chain(&error))),
            Ok(request) if renewing => calls::renew(channel, request, self.timing.call).await,
            Ok(request) => {
                let evidence = self.facts.evidence();
                calls::enrol(channel, &self.enrolment, request, evidence, self.timing.call).await
            }
        };
        match given {
            Err(failure) => Attempt::Failed { failure, lived: Duration::ZERO },
            Ok(given) => self.adopt(given).await,
        }
    }

    async fn adopt(&mut self, given: skep_proto::agent::Identity) -> Attempt {
        match self.identity.adopt(given).await {
            Ok(()) => {
                info!(host = self.identity.host_id(), "certificate taken");
                Attempt::Certified
            }
            Err(error) => Attempt::Failed { failure: Failure::Lost(chain(&error)), lived: Duration::ZERO },
        }
    }
}
