//! Making one machine: what a call begins, finds under way, or finds cut off.
//!
//! ```text
//! shelf: begun ─► flags, PreCreateCheck ─► shelf: configuration ─► Create ─► shelf ─► agent brought ─► shelf
//!    │ refused: forgotten, nothing was done   │   └────────── failed ──────────┼──┘
//!    │                                        │                   ▼            │
//!    │                                        │   Remove ─► gone, or remains   │
//!    ▼ cut off here: nothing was made         ▼ here: remains                  ▼ here: taken up again
//! ```
//! A create is made once. A call that finds it under way waits for it, and says so when it takes longer than a call.

mod work;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use skep_driver::{CreateIntent, DriverError, ErrorKind, Instance, Placed, Slot};
use skep_machine_protocol::{Action, CreateFlag, Limits};
use skep_types::{AccountName, DriverDescription, Secret, Template};
use tokio::time::Instant;

use crate::jobs::{Jobs, Outcome};
use crate::kept::{Kept, Seen};
use crate::locks::Locks;
use crate::session::{ACT, READ, Session, Shop};
use crate::shelf::{Entry, Shelf};
use crate::values::{Values, values};
use crate::way_in::WayIn;
use crate::{errors, naming};
use work::Work;
pub(crate) use work::{address, door};

/// The name that a template is checked with. No cloud sees it.
const CHECKED: &str = "skep-check";

/// What the calls of one account share.
#[derive(Debug)]
pub(crate) struct Making {
    pub(crate) account: AccountName,
    pub(crate) shop: Shop,
    pub(crate) shelf: Shelf,
    pub(crate) desk: Arc<Desk>,
    pub(crate) description: DriverDescription,
    pub(crate) flags: Vec<CreateFlag>,
    pub(crate) credentials: BTreeMap<String, Secret>,
    pub(crate) way_in: Arc<dyn WayIn>,
    /// How long `ensure` waits for a create.
    pub(crate) wait: Duration,
    /// From the end of whoever worked on a machine to the end of what it had begun: a plugin goes on for ten seconds.
    pub(crate) linger: Duration,
}

/// What is at work in this process, whichever credentials it was opened with.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) locks: Locks,
    jobs: Jobs,
    since: Instant,
}

impl Default for Desk {
    fn default() -> Self {
        Self { locks: Locks::default(), jobs: Jobs::default(), since: Instant::now() }
    }
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

    /// A plugin that knows of the machine what is kept. Of one that was begun where we cannot look, it is told what
    /// it was told there: its name and its flags.
    pub(crate) async fn session(&self, kept: &Kept, limits: Limits) -> Result<Session, DriverError> {
        let session = Session::open(&self.shop, kept, limits).await?;
        let Some(options) = kept.options.as_ref().filter(|_| kept.config.is_null()) else {
            return Ok(session);
        };
        let (driver, account) = (self.description.name.clone(), self.account.clone());
        let template = Template { driver, account, options: options.clone(), labels: BTreeMap::new() };
        let told = match self.values(&template) {
            Ok(values) => session.plugin.set_flags(&values).await.map_err(errors::configuring),
            Err(error) => Err(error),
        };
        match told {
            Ok(()) => Ok(session),
            Err(error) => {
                session.close().await;
                Err(error)
            }
        }
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

/// The machine, or how its create ended; `Ambiguous` while it is under way.
pub(crate) async fn ensure(making: &Arc<Making>, intent: &CreateIntent) -> Outcome {
    let [slot] = &intent.slots[..] else {
        return Err(DriverError::new(ErrorKind::Unsupported, "a plugin makes one machine a call"));
    };
    let machine = naming::machine(intent, slot);
    let jobs = &making.desk.jobs;
    let job = match jobs.get(&machine) {
        Some(job) => job,
        None => match next(making, intent, slot, &machine)? {
            Next::Answer(placed) => return Ok(placed),
            Next::Work(work) => jobs.begin(&machine, making.linger, work.run()),
        },
    };
    jobs.ask(&machine, &job, making.wait).await
}

enum Next {
    Answer(Placed),
    Work(Box<Work>),
}

/// What is to be done about a machine that nobody works on.
fn next(
    making: &Arc<Making>,
    intent: &CreateIntent,
    slot: &Slot,
    machine: &str,
) -> Result<Next, DriverError> {
    let held = making.desk.locks.try_hold(machine).ok_or_else(|| busy(machine))?;
    let work = |kept, values| Next::Work(Box::new(Work::new(making, slot, kept, values, held)));
    let Some(Entry { kept, .. }) = making.shelf.get(machine)? else {
        let kept = Kept::new(machine, intent, slot);
        return match unknown(making, intent, &kept)? {
            Some(placed) => Ok(Next::Answer(placed)),
            None => {
                let values = making.values(&intent.template)?;
                making.put(&kept)?;
                Ok(work(kept, Some(values)))
            }
        };
    };
    match kept.seen {
        Seen::Running | Seen::Stopping | Seen::Stopped => Ok(Next::Answer(made(making, &kept)?)),
        Seen::Remains => Ok(Next::Answer(left(making, kept, remained(machine))?)),
        Seen::Creating | Seen::Starting if making.desk.since.elapsed() < making.linger => Err(busy(machine)),
        Seen::Starting => Ok(work(kept, None)),
        Seen::Creating if kept.config.is_null() => {
            making.shelf.forget(machine)?;
            let message = format!("the create of {machine} was cut off before anything was made");
            Ok(Next::Answer(nothing(DriverError::new(ErrorKind::Unavailable, message))))
        }
        Seen::Creating => Ok(Next::Answer(left(making, kept, cut_off(machine))?)),
    }
}

/// The answer about a machine that was never begun here, or is gone; None if it is to be made.
fn unknown(making: &Making, intent: &CreateIntent, kept: &Kept) -> Result<Option<Placed>, DriverError> {
    let machine = &kept.machine;
    if making.shelf.is_gone(machine) {
        let message = format!("{machine} was made before, and removed");
        return Ok(Some(nothing(DriverError::new(ErrorKind::Internal, message))));
    }
    if !intent.lost {
        return Ok(None);
    }
    let mut kept = kept.clone();
    kept.options = Some(intent.template.options.clone());
    left(making, kept, cut_off(machine)).map(Some)
}

fn made(making: &Making, kept: &Kept) -> Result<Placed, DriverError> {
    Ok(Placed { instances: vec![making.instance(kept)?], shortfall: None })
}

fn nothing(why: DriverError) -> Placed {
    Placed { instances: Vec::new(), shortfall: Some(why) }
}

/// Listed from now on, and destroyed with its host.
fn left(making: &Making, mut kept: Kept, why: DriverError) -> Result<Placed, DriverError> {
    kept.seen = Seen::Remains;
    making.put(&kept)?;
    Ok(Placed { instances: vec![making.instance(&kept)?], shortfall: Some(why) })
}

fn busy(machine: &str) -> DriverError {
    let message = format!("what was begun for {machine} may still be at work");
    DriverError::new(ErrorKind::Unavailable, message)
}

fn cut_off(machine: &str) -> DriverError {
    let message = format!("the create was cut off; what it may have left at its cloud is called {machine}");
    DriverError::new(ErrorKind::Internal, message)
}

fn remained(machine: &str) -> DriverError {
    DriverError::new(ErrorKind::Internal, format!("{machine} is what a create that failed may have left"))
}
