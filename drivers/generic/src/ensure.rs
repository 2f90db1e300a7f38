//! Makes a machine the host that its marker names.
//!
//! ```text
//! reach ─► note (this coordinator began) ─► adopt ─┬─► instance
//!   │                                              ├─► failed, marker there: remains
//!   │ not reached                                  └─► broke off: Ambiguous, the same again
//!   ├─► not begun before: over, another try begins
//!   └─► begun before, here or perhaps elsewhere: Ambiguous for a while, then remains: the marker may be there
//! ```

use std::time::Duration;

use skep_driver::{Bootstrap, CreateIntent, DriverError, ErrorKind, Instance, InstanceState, Placed, Slot};
use skep_ssh::machine::Marker;
use skep_ssh::{Connection, Error, Kind};
use skep_types::{IntentId, ProviderId};

use crate::access::Account;
use crate::errors;
use crate::instance::{Id, Kept, instance, place, unreached};
use crate::inventory::Machine;
use crate::options::Options;
use crate::reach::reach;

/// A machine whose adoption broke off is asked again for so long: it may have been restarted. After that its host is
/// failed, so that it can be deleted.
const PATIENCE: Duration = Duration::from_secs(600);

/// The instance; or its remains, and why it is no host.
type Outcome = Result<(Instance, Option<DriverError>), DriverError>;

/// An error is what may have had an effect that nobody saw, so that the same call is made again; and what other credentials
/// may mend. Everything else is over with this call, and one machine that does not answer holds no other one's place.
pub(crate) async fn ensure(account: &Account, intent: &CreateIntent) -> Result<Placed, DriverError> {
    let options = Options::read(&intent.template)?;
    let mut placed = Placed::default();
    for slot in &intent.slots {
        match one(account, &options, intent, slot).await {
            Ok((instance, None)) => placed.instances.push(instance),
            Ok((remains, Some(why))) => {
                placed.instances.push(remains);
                placed.shortfall = Some(why);
                break;
            }
            Err(error)
                if placed.instances.is_empty()
                    && matches!(error.kind, ErrorKind::Ambiguous | ErrorKind::Auth) =>
            {
                return Err(error);
            }
            Err(error) => {
                placed.shortfall = Some(error);
                break;
            }
        }
    }
    Ok(placed)
}

async fn one(account: &Account, options: &Options, intent: &CreateIntent, slot: &Slot) -> Outcome {
    let machine = options.machine(&slot.name, &account.inventory)?;
    let marker = Marker {
        cluster: intent.cluster.clone(),
        host: slot.host.to_string(),
        incarnation: slot.incarnation,
        intent: intent.intent.to_string(),
        name: slot.name.clone(),
        place: place(&machine),
    };
    let id = Id::of(&marker, &machine)?;
    let noted = account.adopted.begun(&id, intent.intent).await;
    let again = noted.is_some() || intent.inherited.is_some();
    let kept = noted.unwrap_or_else(|| Kept::new(machine.clone()));
    let bootstrap = &slot.bootstrap;
    let adoption = Adoption { account, bootstrap, intent: intent.intent, marker, id, again };
    match adoption.run(machine).await {
        Err(error) if error.kind == ErrorKind::Ambiguous => adoption.unsure(&kept, error),
        Err(error) if error.kind == ErrorKind::Unavailable && again => adoption.unsure(&kept, error),
        outcome => {
            account.adopted.settled(&adoption.id);
            outcome
        }
    }
}

struct Adoption<'a> {
    account: &'a Account,
    bootstrap: &'a Bootstrap,
    intent: IntentId,
    marker: Marker,
    id: ProviderId,
    /// It was begun before, and nobody knows how far it came.
    again: bool,
}

impl Adoption<'_> {
    async fn run(&self, machine: Machine) -> Outcome {
        let Self { account, marker, id, .. } = self;
        let agent = account.agents.get(&self.bootstrap.agent_sha256).await.map_err(errors::before)?;
        let connection = reach(account, &Kept::new(machine.clone())).await?;
        tell(&connection, &marker.name);
        let kept = Kept::seen(machine, &connection);
        account.adopted.note(id, self.intent, &kept).await;
        let placed = match connection.adopt(marker, &agent, self.bootstrap).await {
            Ok((looked, marker)) => (instance(&marker, &kept, &connection, looked.address)?, None),
            Err(error) => self.failed(&connection, &kept, error).await?,
        };
        let found = &placed.0.instance.provider_id;
        if found != id {
            // Its host called it otherwise when it was first adopted.
            account.adopted.forget(id).await;
            account.adopted.note(found, self.intent, &kept).await;
        }
        connection.close().await;
        Ok(placed)
    }

    async fn failed(&self, connection: &Connection, kept: &Kept, error: Error) -> Outcome {
        if let Some(remains) = remains(connection, &self.marker, kept, &error).await.map_err(errors::amid)? {
            return Ok((remains, Some(errors::before(error))));
        }
        let error = errors::amid(error);
        if !self.again && error.kind != ErrorKind::Ambiguous {
            self.account.adopted.forget(&self.id).await;
        }
        Err(error)
    }

    /// It cannot be reached, or breaks off each time, and may carry the marker.
    fn unsure(&self, kept: &Kept, error: DriverError) -> Outcome {
        if self.account.adopted.unsure_for(&self.id) < PATIENCE {
            return Err(DriverError { kind: ErrorKind::Ambiguous, ..error });
        }
        self.account.adopted.settled(&self.id);
        let message = format!("{}; its adoption may have begun, and left something there", error.message);
        Ok((
            unreached(&self.marker, kept)?,
            Some(DriverError { kind: ErrorKind::Internal, message, ..error }),
        ))
    }
}

fn tell(connection: &Connection, host: &str) {
    let seen = connection.host_key();
    if seen.first_contact {
        let (address, key) = (connection.address(), &seen.fingerprint);
        tracing::info!(host, address, key, "host key recorded at first contact");
    }
}

/// The machine when it carries the marker though the rest failed: it has to be released before it can be tried again.
async fn remains(
    connection: &Connection,
    marker: &Marker,
    kept: &Kept,
    error: &Error,
) -> Result<Option<Instance>, Error> {
    if !matches!(error.kind, Kind::ScriptFailed { .. } | Kind::DiskFull { .. }) {
        return Ok(None);
    }
    let state = match connection.state().await {
        Ok(state) => state,
        Err(error) if errors::broke_off(&error.kind) => return Err(error),
        Err(_) => return Ok(None),
    };
    let there = state.marker.filter(|there| there.intent == marker.intent && there.is_same_host(marker));
    let remains = there.and_then(|there| instance(&there, kept, connection, state.address).ok());
    Ok(remains.map(|remains| Instance { state: InstanceState::Stopped, ..remains }))
}

#[cfg(test)]
mod tests;
