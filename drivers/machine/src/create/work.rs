//! The plugin's work on one machine: from nothing, or from where it was made and the agent never came.

use std::net::IpAddr;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use skep_driver::{DriverError, ErrorKind, Slot};
use skep_machine_protocol::{Action, Limits, PluginError, Property};
use skep_types::{Secret, chain};
use tracing::{info, warn};

use super::{Making, configure, left, made, nothing};
use crate::errors;
use crate::jobs::Outcome;
use crate::kept::{Kept, Seen};
use crate::locks::Held;
use crate::session::{READ, Session};
use crate::values::Values;
use crate::way_in::{Door, Newcomer};

pub(super) struct Work {
    making: Arc<Making>,
    slot: Slot,
    kept: Kept,
    /// None for a machine that exists.
    values: Option<Values>,
    _held: Held,
}

impl Work {
    pub(super) fn new(
        making: &Arc<Making>,
        slot: &Slot,
        kept: Kept,
        values: Option<Values>,
        held: Held,
    ) -> Self {
        Self { making: Arc::clone(making), slot: slot.clone(), kept, values, _held: held }
    }

    pub(super) async fn run(mut self: Box<Self>) -> Outcome {
        let session = match self.begin().await {
            Ok(session) => session,
            Err(error) if self.values.is_some() => {
                self.making.shelf.forget(&self.kept.machine)?;
                return Err(error);
            }
            Err(error) => return left(&self.making, self.kept, settled(error)),
        };
        match self.complete(&session).await {
            Ok(()) => {
                session.close().await;
                made(&self.making, &self.kept)
            }
            Err(error) => self.undo(session, error).await,
        }
    }

    /// Up to the last moment at which nothing has been made. Written down is what a `Remove` would need.
    async fn begin(&mut self) -> Result<Session, DriverError> {
        if self.values.is_some() {
            self.making.way_in.ready(&self.slot.bootstrap).await?;
        }
        // Nothing tells how far a create is: its own limit is the longest there is.
        let limits = Limits { read: READ, ..Limits::default() };
        let session = Session::open(&self.making.shop, &self.kept, limits).await?;
        match self.prepare(&session).await {
            Ok(()) => Ok(session),
            Err(error) => {
                session.close().await;
                Err(error)
            }
        }
    }

    async fn prepare(&mut self, session: &Session) -> Result<(), DriverError> {
        let Some(values) = &self.values else { return Ok(()) };
        configure(session, values).await?;
        session.save(&mut self.kept).await?;
        self.making.put(&self.kept)
    }

    async fn complete(&mut self, session: &Session) -> Result<(), DriverError> {
        if self.values.is_some() {
            let created = session.plugin.act(Action::Create).await;
            created.map_err(errors::acting(&self.kept.machine, "make"))?;
            self.kept.seen = Seen::Starting;
            self.keep(session).await?;
        } else {
            info!(machine = self.kept.machine, "a create that was cut off is taken up again");
        }
        // A driver may refuse it as long as its machine is not up yet.
        self.kept.address = address(session).await.unwrap_or(None);
        let door = door(session, &self.kept).await?;
        let kept = &self.kept;
        let newcomer = Newcomer {
            cluster: &kept.cluster,
            intent: kept.intent,
            host: kept.host,
            incarnation: kept.incarnation,
            name: &kept.name,
            bootstrap: &self.slot.bootstrap,
        };
        let host_key = self.making.way_in.bring(&door, &newcomer).await?;
        (self.kept.host_key, self.kept.seen) = (host_key, Seen::Running);
        self.keep(session).await
    }

    async fn keep(&mut self, session: &Session) -> Result<(), DriverError> {
        let kept = &mut self.kept;
        if !session.save(kept).await? {
            kept.generation += 1;
        }
        // More than can be kept is found out here.
        kept.text()?;
        self.making.put(kept)
    }

    /// Removes what a create that failed has left. What cannot be removed now stays listed.
    async fn undo(mut self, session: Session, error: DriverError) -> Outcome {
        let kept = &mut self.kept;
        warn!(machine = kept.machine, error = %chain(&error), "a create failed");
        let before = kept.clone();
        // The plugin may know the instance's id by now, and nobody else does. Of one that has died there are the files:
        // keys that its Create made.
        if session.save(kept).await.is_err()
            && let Ok(files) = session.files()
        {
            kept.files = files;
        }
        let removed = session.plugin.act(Action::Remove).await;
        session.close().await;
        let Err(error_of_remove) = removed else {
            self.making.shelf.bury(&kept.machine)?;
            return Ok(nothing(settled(error)));
        };
        // More than can be kept: what was known before is better than nothing, and a newer configuration than that.
        if kept.text().is_err() {
            kept.files.clone_from(&before.files);
        }
        if kept.text().is_err() {
            *kept = before;
        }
        kept.generation += 1;
        warn!(
            machine = kept.machine,
            error = %error_of_remove,
            "what a failed create left was not removed"
        );
        let message =
            format!("{error}; {} may be left at its cloud, as it could not be removed", kept.machine);
        left(&self.making, self.kept, DriverError { message, ..settled(error) })
    }
}

/// With a shortfall the call is over, so that its outcome is known, whatever the plugin's was.
fn settled(error: DriverError) -> DriverError {
    let kind = match error.kind {
        ErrorKind::Ambiguous | ErrorKind::Unavailable => ErrorKind::Internal,
        kind => kind,
    };
    DriverError { kind, ..error }
}

/// None where the plugin tells no address but a name, as some do.
pub(crate) async fn address(session: &Session) -> Result<Option<IpAddr>, PluginError> {
    session.plugin.property(Property::Ip).await.map(|told| told.parse().ok())
}

/// The key is the one among the machine's own files: a path that leads elsewhere is not followed.
pub(crate) async fn door(session: &Session, kept: &Kept) -> Result<Door, DriverError> {
    let reading = errors::reading(&kept.machine);
    let property = |property| session.plugin.property(property);
    let path = property(Property::SshKeyPath).await.map_err(&reading)?;
    let key = session.folder.within(&path).and_then(|file| kept.files.get(&file));
    let key = key.and_then(|text| String::from_utf8(STANDARD.decode(text).ok()?).ok());
    let missing = || {
        let message = format!("the plugin's SSH key {path:?} is not among the machine's files");
        DriverError::new(ErrorKind::Unsupported, message)
    };
    Ok(Door {
        host: property(Property::SshHostname).await.map_err(&reading)?,
        port: session.plugin.ssh_port().await.map_err(&reading)?,
        user: property(Property::SshUsername).await.map_err(&reading)?,
        key: Secret::new(key.ok_or_else(missing)?),
    })
}
