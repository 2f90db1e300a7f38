//! Looking at one machine, powering it, destroying it.

use std::net::IpAddr;
use std::time::Duration;

use skep_driver::{DriverError, ErrorKind, Instance, Target};
use skep_machine_protocol::{Action, Limits, MachineState, PluginError};
use skep_types::PowerAction;
use tokio::time::timeout;
use tracing::warn;

use crate::create::{Making, address};
use crate::errors;
use crate::kept::{Kept, Seen};
use crate::locks::Held;
use crate::session::{ACT, READ, Session};
use crate::shelf::Entry;

/// For another call about the same machine. A create takes longer: then the caller comes again.
const TURN: Duration = Duration::from_secs(10);

pub(crate) enum Resolved {
    Known(Box<Entry>),
    /// Destroyed by us.
    Gone,
    /// Never heard of, or another cluster's.
    Unknown,
}

/// The newest that is known of a machine: here, or by the caller. Changes nothing.
fn known(making: &Making, cluster: &str, target: &Target) -> Result<Resolved, DriverError> {
    let machine = target.instance.provider_id.as_str();
    if making.shelf.is_gone(machine) {
        return Ok(Resolved::Gone);
    }
    let here = making.shelf.get(machine)?;
    let brought = target.kept.as_ref().map(|kept| Kept::read(kept.reveal())).transpose()?;
    let handed_over = brought.is_some() || here.as_ref().is_some_and(|entry| entry.handed_over);
    let newest = here.map(|entry| entry.kept).into_iter().chain(brought).max_by_key(|kept| kept.generation);
    Ok(match newest {
        Some(kept) if kept.machine == machine && kept.cluster == cluster => {
            Resolved::Known(Box::new(Entry { kept, handed_over }))
        }
        _ => Resolved::Unknown,
    })
}

/// The same, for the one who holds the machine and may write down that a caller has brought what is kept of it.
pub(crate) fn resolve(
    making: &Making,
    cluster: &str,
    target: &Target,
    _held: &Held,
) -> Result<Resolved, DriverError> {
    let resolved = known(making, cluster, target)?;
    if let Resolved::Known(entry) = &resolved
        && let Some(here) = making.shelf.get(&entry.kept.machine)?
        && here.handed_over != entry.handed_over
    {
        making.shelf.put(&Entry { handed_over: entry.handed_over, kept: here.kept })?;
    }
    Ok(resolved)
}

pub(crate) async fn open(making: &Making, kept: &Kept) -> Result<Session, DriverError> {
    making.session(kept, Limits { read: READ, act: ACT, ..Limits::default() }).await
}

pub(crate) async fn turn(making: &Making, machine: &str) -> Result<Held, DriverError> {
    let busy = |_| DriverError::new(ErrorKind::Unavailable, format!("another call is at work on {machine}"));
    timeout(TURN, making.desk.locks.hold(machine)).await.map_err(busy)
}

/// Saves what the plugin has changed, where it was known before or is news.
async fn save(making: &Making, session: &Session, entry: &mut Entry) -> Result<(), DriverError> {
    let changed = session.save(&mut entry.kept).await?;
    if changed || making.shelf.get(&entry.kept.machine)?.is_some() {
        making.shelf.put(entry)?;
    }
    Ok(())
}

/// How a machine is and where, by its plugin. Of one whose create is under way, was cut off or has failed it is told
/// what is known: what becomes of that is the create's alone to say.
pub(crate) async fn observe(
    making: &Making,
    cluster: &str,
    target: &Target,
) -> Result<Instance, DriverError> {
    let machine = target.instance.provider_id.as_str();
    // While another call has the machine the plugin is asked all the same, and nothing is written.
    let held = making.desk.locks.try_hold(machine);
    let resolved = match &held {
        Some(held) => resolve(making, cluster, target, held)?,
        None => known(making, cluster, target)?,
    };
    let Resolved::Known(mut entry) = resolved else {
        return Err(errors::not_found(machine));
    };
    if matches!(entry.kept.seen, Seen::Creating | Seen::Starting | Seen::Remains) {
        return making.instance(&entry.kept);
    }
    let session = open(making, &entry.kept).await?;
    let outcome = look(making, &session, &mut entry, held.as_ref()).await;
    session.close().await;
    outcome
}

async fn look(
    making: &Making,
    session: &Session,
    entry: &mut Entry,
    held: Option<&Held>,
) -> Result<Instance, DriverError> {
    let (seen, at) = state_and_address(session, &entry.kept).await?;
    if held.is_some() {
        // Starting is for a machine that no agent was brought to yet: this one has its own.
        let settled = if seen == Seen::Starting { Seen::Running } else { seen };
        let kept = &mut entry.kept;
        if (settled, at) != (kept.seen, kept.address) {
            (kept.seen, kept.address) = (settled, at);
            kept.generation += 1;
        }
        save(making, session, entry).await?;
    }
    // Brought again is what was written down; shown is how it is now.
    let kept = entry.kept.text()?;
    (entry.kept.seen, entry.kept.address) = (seen, at);
    Ok(Instance { kept: Some(kept), ..making.instance(&entry.kept)? })
}

/// An address is as old as the plugin's answer. Of a machine that is down it is the one it had.
async fn state_and_address(session: &Session, kept: &Kept) -> Result<(Seen, Option<IpAddr>), DriverError> {
    let state = session.plugin.state().await.map_err(errors::reading(&kept.machine))?;
    let seen = seen(state, &kept.machine)?;
    let at = match seen {
        Seen::Running => address(session).await.map_err(errors::reading(&kept.machine))?,
        // It may have none yet.
        Seen::Starting => address(session).await.unwrap_or(None),
        _ => kept.address,
    };
    Ok((seen, at))
}

fn seen(state: MachineState, machine: &str) -> Result<Seen, DriverError> {
    Ok(match state {
        MachineState::Running => Seen::Running,
        MachineState::Starting => Seen::Starting,
        MachineState::Stopping => Seen::Stopping,
        MachineState::Paused | MachineState::Saved | MachineState::Stopped | MachineState::Error => {
            Seen::Stopped
        }
        MachineState::NotFound => return Err(errors::not_found(machine)),
        MachineState::None | MachineState::Timeout => {
            let message = format!("the plugin cannot tell the state of {machine} now");
            return Err(DriverError::new(ErrorKind::Unavailable, message));
        }
    })
}

/// What leads from a state to where the action wants to be; None where the machine is there already.
fn step(state: Seen, action: PowerAction) -> Option<(Action, &'static str)> {
    let up = matches!(state, Seen::Running | Seen::Starting);
    match action {
        PowerAction::Start if up => None,
        PowerAction::Start => Some((Action::Start, "start")),
        PowerAction::Stop if up => Some((Action::Stop, "stop")),
        PowerAction::Kill if up || state == Seen::Stopping => Some((Action::Kill, "kill")),
        PowerAction::Stop | PowerAction::Kill => None,
        PowerAction::Restart if up => Some((Action::Restart, "restart")),
        PowerAction::Restart => Some((Action::Start, "start")),
    }
}

pub(crate) async fn power(
    making: &Making,
    cluster: &str,
    action: PowerAction,
    target: &Target,
) -> Result<(), DriverError> {
    let machine = target.instance.provider_id.as_str();
    let held = turn(making, machine).await?;
    let Resolved::Known(mut entry) = resolve(making, cluster, target, &held)? else {
        return Err(errors::not_found(machine));
    };
    let session = open(making, &entry.kept).await?;
    let outcome = powered(making, &session, &mut entry, action).await;
    session.close().await;
    outcome
}

async fn powered(
    making: &Making,
    session: &Session,
    entry: &mut Entry,
    action: PowerAction,
) -> Result<(), DriverError> {
    let machine = entry.kept.machine.clone();
    let state = session.plugin.state().await.map_err(errors::reading(&machine))?;
    let Some((action, what)) = step(seen(state, &machine)?, action) else { return Ok(()) };
    let done = session.plugin.act(action).await.map_err(errors::acting(&machine, what));
    // Saved also when it failed: a driver may have got half way.
    let saved = save(making, session, entry).await;
    done.and(saved)
}

pub(crate) async fn destroy(making: &Making, cluster: &str, target: &Target) -> Result<(), DriverError> {
    let machine = target.instance.provider_id.as_str();
    let held = turn(making, machine).await?;
    let entry = match resolve(making, cluster, target, &held)? {
        Resolved::Known(entry) => entry,
        // What a crash in the middle of burying it has left is listed.
        Resolved::Gone => return making.shelf.forget(machine),
        Resolved::Unknown => return Err(errors::not_found(machine)),
    };
    let session = open(making, &entry.kept).await?;
    let removed = session.plugin.act(Action::Remove).await;
    session.close().await;
    match removed {
        Ok(()) => {}
        // It was bound once, and whoever asks now knows nothing of it: another coordinator has destroyed it.
        Err(PluginError::Refused(text)) if entry.handed_over && target.kept.is_none() => {
            warn!(machine, text, "a machine that is bound no more cannot be removed; it is taken for gone");
        }
        Err(error) => return Err(errors::acting(machine, "remove")(error)),
    }
    making.shelf.bury(machine)
}
