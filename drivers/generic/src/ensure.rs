//! Makes a machine the host that its marker names.

use skep_driver::{CreateIntent, DriverError, ErrorKind, Instance, InstanceState, Placed, Slot};
use skep_ssh::machine::Marker;
use skep_ssh::{Connection, Error, Kind};

use crate::access::Account;
use crate::errors;
use crate::instance::{Kept, instance, place};
use crate::options::Options;
use crate::reach::reach;

/// Only what may have had an effect that nobody saw is an error: the same call is made again then. Everything else is over
/// with this call, and one machine that does not answer holds no other one's place.
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
            Err(error) if placed.instances.is_empty() && error.kind == ErrorKind::Ambiguous => {
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

/// The instance; or its remains, and why it is no host.
async fn one(
    account: &Account,
    options: &Options,
    intent: &CreateIntent,
    slot: &Slot,
) -> Result<(Instance, Option<DriverError>), DriverError> {
    let machine = options.machine(&slot.name, &account.inventory)?;
    let agent = account.agents.get(&slot.bootstrap.agent_sha256).await?;
    let marker = Marker {
        cluster: intent.cluster.clone(),
        host: slot.host.to_string(),
        incarnation: slot.incarnation,
        intent: intent.intent.to_string(),
        name: slot.name.clone(),
        place: place(&machine),
    };
    let connection = reach(account, &Kept::new(machine.clone())).await?;
    let seen = connection.host_key();
    if seen.first_contact {
        tracing::info!(
            host = slot.name,
            address = connection.address(),
            key = seen.fingerprint,
            "host key recorded at first contact"
        );
    }
    let kept = Kept::seen(machine, &connection);
    let placed = match connection.adopt(&marker, &agent, &slot.bootstrap).await {
        Ok((looked, marker)) => (instance(&marker, &kept, &connection, looked.address)?, None),
        Err(error) => match remains(&connection, &marker, &kept, &error).await {
            Some(remains) => (remains, Some(errors::before(error))),
            None => return Err(errors::amid(error)),
        },
    };
    account.adopted.note(&placed.0.instance.provider_id, &kept).await;
    connection.close().await;
    Ok(placed)
}

/// The machine when it carries the marker though the rest failed: it has to be released before it can be tried again.
async fn remains(connection: &Connection, marker: &Marker, kept: &Kept, error: &Error) -> Option<Instance> {
    if !matches!(error.kind, Kind::ScriptFailed { .. } | Kind::DiskFull { .. }) {
        return None;
    }
    let state = connection.state().await.ok()?;
    let there = state.marker.filter(|there| there.intent == marker.intent && there.is_same_host(marker))?;
    let remains = instance(&there, kept, connection, state.address).ok()?;
    Some(Instance { state: InstanceState::Stopped, ..remains })
}
