//! Making one machine.
//!
//! ```text
//! shelf: begun ─► flags, PreCreateCheck ─► shelf: configuration ─► Create ─► shelf ─► agent brought ─► shelf
//!    │ refused: forgotten, nothing was done       └────────── failed ──────────┴──────────┘
//!    │                                                          ▼
//!    └ cut off: listed, destroyed with what is known     Remove ─► gone, or listed as remains
//! ```
//! The work goes on by itself when its caller went away: nothing can call a plugin back.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use skep_driver::{CreateIntent, DriverError, ErrorKind, Instance, Placed, Slot};
use skep_machine_protocol::{Action, CreateFlag, Limits, Property};
use skep_types::{DriverDescription, Secret, Template, chain};
use tokio::time::timeout;
use tracing::{info, warn};

use crate::kept::{Kept, Seen};
use crate::locks::{Held, Locks};
use crate::session::{ACT, READ, Session, Shop};
use crate::shelf::{Entry, Shelf};
use crate::values::{Values, values};
use crate::way_in::{Door, Newcomer, WayIn};
use crate::{errors, naming};

/// The name that a template is checked with. No cloud sees it.
const CHECKED: &str = "skep-check";

/// What the calls of one account share.
#[derive(Debug)]
pub(crate) struct Making {
    pub(crate) shop: Shop,
    pub(crate) shelf: Shelf,
    pub(crate) locks: Locks,
    pub(crate) description: DriverDescription,
    pub(crate) flags: Vec<CreateFlag>,
    pub(crate) credentials: BTreeMap<String, Secret>,
    pub(crate) way_in: Arc<dyn WayIn>,
    pub(crate) wait: Duration,
}

impl Making {
    fn values(&self, template: &Template) -> Result<Values, DriverError> {
        values(&self.description, &self.flags, &self.credentials, template)
    }

    /// The protocol tells no zone: all machines of a plugin are in one.
    pub(crate) fn instance(&self, kept: &Kept) -> Result<Instance, DriverError> {
        kept.instance(self.description.name.flag_prefix())
    }

    fn put(&self, kept: &Kept) -> Result<(), DriverError> {
        self.shelf.put(&Entry { kept: kept.clone(), handed_over: false })
    }
}

/// Whether the plugin takes the template. Drivers may ask their cloud about it.
pub(crate) async fn check(making: &Making, template: &Template) -> Result<(), DriverError> {
    let values = making.values(template)?;
    let limits = Limits { read: READ, act: ACT, ..Limits::default() };
    let session = Session::open(&making.shop, &Kept::unmade(CHECKED), limits).await?;
    let verdict = configure(&session, &values).await;
    session.close().await;
    verdict
}

async fn configure(session: &Session, values: &Values) -> Result<(), DriverError> {
    session.plugin.set_flags(values).await.map_err(errors::configuring)?;
    session.plugin.act(Action::PreCreateCheck).await.map_err(errors::configuring)
}

/// The machine, or how far it is when the time for an answer is over.
pub(crate) async fn ensure(making: &Arc<Making>, intent: &CreateIntent) -> Result<Placed, DriverError> {
    let [slot] = &intent.slots[..] else {
        return Err(DriverError::new(ErrorKind::Unsupported, "a plugin makes one machine a call"));
    };
    let values = making.values(&intent.template)?;
    let machine = naming::machine(intent, slot);
    let held = making.locks.try_hold(&machine);
    if let Some(entry) = making.shelf.get(&machine)? {
        return Ok(placed(making.instance(&entry.kept)?));
    }
    if making.shelf.is_gone(&machine) {
        let error = DriverError::new(ErrorKind::Internal, format!("{machine} was made before, and removed"));
        return Ok(Placed { instances: Vec::new(), shortfall: Some(error) });
    }
    let Some(held) = held else {
        return Err(DriverError::new(
            ErrorKind::Unavailable,
            format!("{machine} is being begun by another call"),
        ));
    };
    let kept = Kept::new(&machine, intent, slot);
    making.put(&kept)?;
    let job = Job { making: Arc::clone(making), slot: slot.clone(), values };
    match timeout(making.wait, tokio::spawn(job.run(kept.clone(), held))).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(error)) => {
            Err(DriverError::new(ErrorKind::Ambiguous, "the create ended in the middle").caused_by(error))
        }
        Err(_) => {
            info!(machine, "the create goes on after its call");
            let known = making.shelf.get(&machine)?.map_or(kept, |entry| entry.kept);
            Ok(placed(making.instance(&known)?))
        }
    }
}

fn placed(instance: Instance) -> Placed {
    Placed { instances: vec![instance], shortfall: None }
}

struct Job {
    making: Arc<Making>,
    slot: Slot,
    values: Values,
}

impl Job {
    async fn run(self, mut kept: Kept, _held: Held) -> Result<Placed, DriverError> {
        let session = match self.begin(&mut kept).await {
            Ok(session) => session,
            Err(error) => {
                self.making.shelf.forget(&kept.machine)?;
                return Err(error);
            }
        };
        match self.complete(&session, &mut kept).await {
            Ok(()) => {
                session.close().await;
                Ok(placed(self.making.instance(&kept)?))
            }
            Err(error) => self.undo(session, kept, error).await,
        }
    }

    /// Up to the last moment at which nothing has been made. Written down is what a `Remove` would need.
    async fn begin(&self, kept: &mut Kept) -> Result<Session, DriverError> {
        // Nothing tells how far a create is: its own limit is the longest there is.
        let limits = Limits { read: READ, ..Limits::default() };
        let session = Session::open(&self.making.shop, kept, limits).await?;
        match self.prepare(&session, kept).await {
            Ok(()) => Ok(session),
            Err(error) => {
                session.close().await;
                Err(error)
            }
        }
    }

    async fn prepare(&self, session: &Session, kept: &mut Kept) -> Result<(), DriverError> {
        configure(session, &self.values).await?;
        session.save(kept).await?;
        self.making.put(kept)
    }

    async fn complete(&self, session: &Session, kept: &mut Kept) -> Result<(), DriverError> {
        let created = session.plugin.act(Action::Create).await;
        created.map_err(errors::acting(&kept.machine, "make"))?;
        kept.seen = Seen::Starting;
        self.keep(session, kept).await?;
        kept.address = address(session).await;
        let door = door(session, kept).await?;
        let newcomer = Newcomer {
            cluster: &kept.cluster,
            intent: kept.intent,
            host: kept.host,
            incarnation: kept.incarnation,
            name: &kept.name,
            bootstrap: &self.slot.bootstrap,
        };
        let host_key = self.making.way_in.bring(&door, &newcomer).await?;
        (kept.host_key, kept.seen) = (host_key, Seen::Running);
        self.keep(session, kept).await
    }

    async fn keep(&self, session: &Session, kept: &mut Kept) -> Result<(), DriverError> {
        if !session.save(kept).await? {
            kept.generation += 1;
        }
        // More than can be kept is found out here.
        kept.text()?;
        self.making.put(kept)
    }

    /// Removes what a create that failed has left. What cannot be removed now stays listed.
    async fn undo(self, session: Session, mut kept: Kept, error: DriverError) -> Result<Placed, DriverError> {
        warn!(machine = kept.machine, error = %chain(&error), "a create failed");
        // The plugin may know the instance's id by now, and nobody else does.
        let saved = session.save(&mut kept).await;
        let removed = session.plugin.act(Action::Remove).await;
        session.close().await;
        let Err(left) = removed else {
            self.making.shelf.bury(&kept.machine)?;
            return Ok(Placed { instances: Vec::new(), shortfall: Some(settled(error)) });
        };
        kept.seen = Seen::Remains;
        if saved.is_err() || kept.text().is_err() {
            kept.files.clear();
        }
        kept.generation += 1;
        self.making.put(&kept)?;
        warn!(machine = kept.machine, error = %left, "what a failed create left was not removed");
        let message =
            format!("{error}; {} may be left at its cloud, as it could not be removed", kept.machine);
        let shortfall = DriverError { message, ..settled(error) };
        Ok(Placed { instances: vec![self.making.instance(&kept)?], shortfall: Some(shortfall) })
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

pub(crate) async fn address(session: &Session) -> Option<IpAddr> {
    // Drivers refuse it while a machine is down; some answer with a name.
    session.plugin.property(Property::Ip).await.ok()?.parse().ok()
}

/// The key is the one among the machine's own files: a path that leads elsewhere is not followed.
async fn door(session: &Session, kept: &Kept) -> Result<Door, DriverError> {
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
