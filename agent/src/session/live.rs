//! One session, from Hello to its end.

use std::pin::Pin;
use std::time::Duration;

use skep_proto::agent as pb;
use skep_proto::agent::agent_message::Message;
use skep_proto::agent::coordinator_message::Message as FromCoordinator;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};
use tonic::transport::Channel;
use tonic::{Status, Streaming};
use tracing::{Instrument, info, info_span, warn};

use super::failure::{End, Failure};
use super::link::Link;
use super::{Attempt, Sessions, called, calls};
use crate::error::chain;
use crate::pace::jitter;
use crate::wire;

/// What a coordinator may ask for. Faster would be a flood, slower would look dead.
const HEARTBEAT: std::ops::RangeInclusive<u64> = 100..=60_000;
/// After a renewal that failed; half a certificate's life is left for it.
const RENEW_AGAIN: Duration = Duration::from_secs(60);
/// Whatever the coordinator says: a shorter one would be a loop.
const RENEW_AT_LEAST: Duration = Duration::from_secs(1);

type Renewal = Pin<Box<dyn Future<Output = Result<pb::Identity, Failure>> + Send>>;

impl Sessions {
    pub(super) async fn live(&mut self, channel: Channel) -> Attempt {
        let hello = match self.hello().await {
            Ok(hello) => hello,
            Err(failure) => {
                return Attempt::Failed { failure, lived: Duration::ZERO };
            }
        };
        let span = info_span!("session", host = self.identity.host_id(), number = hello.session_number);
        let (link, inbound, welcome) = match Link::open(channel.clone(), hello, self.timing.call).await {
            Ok(opened) => opened,
            Err(end) => return ended(end, Duration::ZERO),
        };
        let since = Instant::now();
        let end = self.converse(channel, link, inbound, welcome).instrument(span).await;
        ended(end, since.elapsed())
    }

    async fn hello(&mut self) -> Result<pb::Hello, Failure> {
        // Seen before the ledger is read: an outcome that comes between is told twice rather than never.
        self.outcomes.mark_unchanged();
        let session_number =
            self.ledger.next_session().await.map_err(|error| Failure::Lost(chain(&error)))?;
        Ok(pb::Hello {
            session_number,
            agent_version: self.version.clone(),
            boot_id: self.facts.boot_id(),
            last_outcome: self.ledger.last_outcome().await.as_ref().map(wire::outcome),
        })
    }

    async fn converse(
        &mut self,
        channel: Channel,
        mut link: Link,
        mut inbound: Streaming<pb::CoordinatorMessage>,
        welcome: pb::Welcome,
    ) -> End {
        let every = Duration::from_millis(
            u64::from(welcome.heartbeat_ms).clamp(*HEARTBEAT.start(), *HEARTBEAT.end()),
        );
        info!(coordinator = self.roster.current(), "session opened");
        self.roster.replace(welcome.coordinators).await;
        let mut heartbeat = interval(every);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut renewal = self.renewal(&channel, self.renew_after(&welcome.addresses));
        self.reports.mark_changed();
        loop {
            let done = tokio::select! {
                message = inbound.message() => self.take(message).await.map(|renew| if renew {
                    renewal = self.renewal(&channel, Duration::ZERO);
                }),
                _ = heartbeat.tick() => self.beat(&mut link),
                // One session is enough: whoever calls now learns so by the end of the connection.
                stream = called::next(self.called.as_ref()) => {
                    drop(stream);
                    Ok(())
                }
                Ok(()) = self.reports.changed() => self.report(&mut link),
                Ok(()) = self.outcomes.changed() => self.outcome(&mut link),
                given = &mut renewal => {
                    let next = self.renewed(given).await;
                    renewal = self.renewal(&channel, next);
                    Ok(())
                }
            };
            if let Err(end) = done {
                return end;
            }
        }
    }

    /// Whether a new certificate is needed now.
    async fn take(&mut self, message: Result<Option<pb::CoordinatorMessage>, Status>) -> Result<bool, End> {
        let message = match message {
            Ok(Some(message)) => message,
            Ok(None) => return Err(Failure::Lost("the coordinator ended the session".to_owned()).into()),
            Err(status) => return Err(status.into()),
        };
        match message.message {
            Some(FromCoordinator::Goodbye(goodbye)) => Err(End::Goodbye(goodbye)),
            Some(FromCoordinator::Assignment(assignment)) => {
                let assignment = wire::assignment(assignment);
                self.orders.send_replace(assignment);
                Ok(false)
            }
            // Coordinators came or went, or this host has other addresses.
            Some(FromCoordinator::Welcome(welcome)) => {
                self.roster.replace(welcome.coordinators).await;
                Ok(!self.identity.names(&welcome.addresses))
            }
            // A later coordinator's messages may be unknown here.
            None => Ok(false),
        }
    }

    fn beat(&self, link: &mut Link) -> Result<(), End> {
        let wall_time_ms = u64::try_from(self.facts.wall_time().as_millis()).unwrap_or(u64::MAX);
        Ok(link.send(Message::Heartbeat(pb::Heartbeat { wall_time_ms }))?)
    }

    fn report(&mut self, link: &mut Link) -> Result<(), End> {
        let report = latest(&mut self.reports).as_ref().map(wire::report);
        Ok(report.map_or(Ok(()), |report| link.send(Message::Report(report)))?)
    }

    fn outcome(&mut self, link: &mut Link) -> Result<(), End> {
        let outcome = latest(&mut self.outcomes).as_ref().map(wire::outcome);
        Ok(outcome.map_or(Ok(()), |outcome| link.send(Message::Outcome(outcome)))?)
    }

    fn renew_after(&self, addresses: &[String]) -> Duration {
        if self.identity.names(addresses) { self.identity.renew_after() } else { Duration::ZERO }
    }

    fn renewal(&self, channel: &Channel, after: Duration) -> Renewal {
        let (channel, within) = (channel.clone(), self.timing.call);
        match self.identity.signing_request() {
            Ok(request) => Box::pin(calls::renew_later(after, channel, request, within)),
            Err(error) => Box::pin(async move {
                sleep(after.max(RENEW_AT_LEAST)).await;
                Err(Failure::Lost(chain(&error)))
            }),
        }
    }

    /// When to renew next.
    async fn renewed(&mut self, given: Result<pb::Identity, Failure>) -> Duration {
        let error = match given {
            Ok(given) => match self.identity.adopt(given).await {
                Ok(()) => {
                    info!("certificate renewed");
                    return self.identity.renew_after().max(RENEW_AT_LEAST);
                }
                Err(error) => chain(&error),
            },
            Err(Failure::Lost(error) | Failure::Refused(error)) => error,
        };
        warn!(error, "certificate not renewed");
        jitter(RENEW_AGAIN)
    }
}

fn ended(end: End, lived: Duration) -> Attempt {
    match end {
        End::Failure(failure) => Attempt::Failed { failure, lived },
        End::Goodbye(goodbye) if goodbye.r#final => Attempt::Dismissed { reason: goodbye.reason },
        End::Goodbye(goodbye) => Attempt::Sent { reason: goodbye.reason, lived },
    }
}

fn latest<T: Clone>(watched: &mut watch::Receiver<Option<T>>) -> Option<T> {
    watched.borrow_and_update().clone()
}
