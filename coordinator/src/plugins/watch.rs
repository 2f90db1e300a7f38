//! One process of a driver program: kept running until nobody needs it.
//!
//! ```text
//! Up(driver) ─► it ends · it does not answer ─► Down(reason, until) ─► start, configure ─► Up
//! ```

use std::sync::Arc;
use std::time::Duration;

use skep_driver::plugin::{Launch, LogSink, PluginDriver, Process};
use skep_driver::{Access, DriverError, ErrorKind};
use skep_types::chain;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::backoff::Backoff;
use super::{Host, logs};

/// What calls find.
#[derive(Debug, Clone)]
pub(super) enum Link {
    Up(Arc<PluginDriver>),
    /// Why it is down, and when it is started again.
    Down {
        reason: String,
        again: Instant,
    },
    /// The coordinator ends, or nobody wants this driver any more.
    Over,
}

/// A process that is configured.
#[derive(Debug)]
pub(super) struct Running {
    process: Process,
    pub(super) driver: Arc<PluginDriver>,
}

/// What is needed to start it, any number of times.
#[derive(Debug)]
pub(super) struct Watch {
    pub(super) host: Arc<Host>,
    pub(super) launch: Launch,
    pub(super) driver: String,
    pub(super) access: Access,
}

impl Watch {
    /// Starts a process and tells it its account. The driver's own error where it refuses that.
    pub(super) async fn start(&self) -> Result<Running, DriverError> {
        let timing = &self.host.timing;
        let logs: LogSink = logs::sink(&self.driver, self.access.account.as_str());
        let process = Process::start(&self.launch, timing.ready, logs).await.map_err(|error| {
            DriverError::new(ErrorKind::Unavailable, "the driver program did not start").caused_by(error)
        })?;
        let configured = timeout(timing.configure, async {
            let mut driver = PluginDriver::connect(process.socket()).await?;
            driver.configure(self.access.clone()).await.map(|()| driver)
        });
        let late = || {
            Err(DriverError::new(
                ErrorKind::Unavailable,
                "the driver program did not take its account in time",
            ))
        };
        match configured.await.unwrap_or_else(|_| late()) {
            Ok(driver) => Ok(Running { process, driver: Arc::new(driver) }),
            Err(error) => {
                process.stop(timing.grace).await;
                Err(error)
            }
        }
    }

    /// Until `stop`.
    pub(super) async fn run(self, first: Running, link: watch::Sender<Link>, stop: CancellationToken) {
        let timing = &self.host.timing;
        let mut backoff = Backoff::new(timing.backoff_first, timing.backoff_last);
        let mut running = Some(first);
        while let Some(now) = running.take() {
            let since = Instant::now();
            let Some(reason) = self.keep(now, &stop).await else { break };
            running = self.restart(reason, since.elapsed(), &mut backoff, &link, &stop).await;
        }
        link.send_replace(Link::Over);
        self.remove_folder();
    }

    /// Best effort: all of them go when the coordinator starts.
    pub(super) fn remove_folder(&self) {
        let _ = std::fs::remove_dir_all(&self.launch.folder);
    }

    /// Why the process is gone; None when that was wanted.
    async fn keep(&self, running: Running, stop: &CancellationToken) -> Option<String> {
        let Running { mut process, driver } = running;
        let reason = tokio::select! {
            () = stop.cancelled() => None,
            reason = process.ended() => Some(reason),
            reason = self.silence(&driver) => Some(reason),
        };
        // One that has ended has nobody left to ask; one that hangs gets the same chance to end as any other.
        process.stop(self.host.timing.grace).await;
        reason
    }

    /// Comes back when the program does not answer any more.
    async fn silence(&self, driver: &PluginDriver) -> String {
        let timing = &self.host.timing;
        let mut missed = 0;
        loop {
            sleep(timing.probe_every).await;
            match timeout(timing.probe_patience, driver.ping()).await {
                Ok(Ok(())) => missed = 0,
                Ok(Err(_)) | Err(_) => missed += 1,
            }
            if missed == timing.probe_misses {
                return format!("it did not answer {missed} times in a row");
            }
        }
    }

    /// None when it is no longer wanted.
    async fn restart(
        &self,
        reason: String,
        mut stayed: Duration,
        backoff: &mut Backoff,
        link: &watch::Sender<Link>,
        stop: &CancellationToken,
    ) -> Option<Running> {
        let mut reason = reason;
        loop {
            let wait = backoff.wait(stayed);
            tracing::warn!(
                driver = %self.driver, account = %self.access.account, %reason, wait_ms = wait.as_millis(),
                "driver program is down and will be started again"
            );
            link.send_replace(Link::Down { reason, again: Instant::now() + wait });
            tokio::select! { () = sleep(wait) => {}, () = stop.cancelled() => return None }
            let started =
                tokio::select! { started = self.start() => started, () = stop.cancelled() => return None };
            match started {
                Ok(running) => {
                    tracing::info!(
                        driver = %self.driver, account = %self.access.account, pid = running.process.pid(),
                        "driver program runs again"
                    );
                    link.send_replace(Link::Up(Arc::clone(&running.driver)));
                    return Some(running);
                }
                Err(error) => {
                    reason = chain(&error);
                    stayed = Duration::ZERO;
                }
            }
        }
    }
}
