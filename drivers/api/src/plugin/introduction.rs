//! A program that was started and has said what it is: how everybody begins who starts one.

use std::time::Duration;

use tokio::time::timeout;

use super::{Launch, LogSink, PluginDriver, Process, StartError};
use crate::DriverError;

/// How long a program is waited for.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Until it says that it serves.
    pub ready: Duration,
    /// Until it has said what it is.
    pub handshake: Duration,
    /// Until one that has not said so ends when it is told to.
    pub grace: Duration,
}

#[derive(Debug, thiserror::Error)]
pub enum IntroductionError {
    #[error(transparent)]
    Start(#[from] StartError),
    #[error("it serves, but did not say what it is within {} s", .0.as_secs_f64())]
    Silent(Duration),
    #[error(transparent)]
    Refused(DriverError),
}

/// Whoever did not say what it is runs no longer.
pub async fn introduce(
    launch: &Launch,
    patience: Patience,
    logs: LogSink,
) -> Result<(Process, PluginDriver), IntroductionError> {
    let process = Process::start(launch, patience.ready, logs).await?;
    let wrong = match timeout(patience.handshake, PluginDriver::connect(process.socket())).await {
        Ok(Ok(driver)) => return Ok((process, driver)),
        Ok(Err(error)) => IntroductionError::Refused(error),
        Err(_) => IntroductionError::Silent(patience.handshake),
    };
    process.stop(patience.grace).await;
    Err(wrong)
}
