//! A stream to a port of a machine, by the way its agent was brought.

use skep_driver::{DriverError, ErrorKind, Target, Tunnel};

use crate::create::{Making, door};
use crate::errors;
use crate::life::{Resolved, open, resolve, turn};
use crate::way_in::Door;

pub(crate) async fn tunnel(
    making: &Making,
    cluster: &str,
    target: &Target,
    port: u16,
) -> Result<Tunnel, DriverError> {
    let (door, host_key) = ask(making, cluster, target).await?;
    making.way_in.tunnel(&door, &host_key, port).await
}

/// Where the machine's door is now, and the key that it showed when the agent was brought. The plugin is gone again
/// before anybody knocks.
async fn ask(making: &Making, cluster: &str, target: &Target) -> Result<(Door, String), DriverError> {
    let machine = target.instance.provider_id.as_str();
    let held = turn(making, machine).await?;
    let Resolved::Known(entry) = resolve(making, cluster, target, &held)? else {
        return Err(errors::not_found(machine));
    };
    let kept = entry.kept;
    let host_key = kept.host_key.clone().ok_or_else(|| {
        DriverError::new(ErrorKind::Unavailable, format!("no agent was brought to {machine} yet"))
    })?;
    let session = open(making, &kept).await?;
    let door = door(&session, &kept).await;
    session.close().await;
    Ok((door?, host_key))
}
