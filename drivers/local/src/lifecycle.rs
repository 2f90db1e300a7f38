//! What happens to hosts that exist: looked at, powered, destroyed, read.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use bollard::Docker;
use bollard::errors::Error;
use bollard::query_parameters::{
    KillContainerOptions, ListVolumesOptions, LogsOptions, RemoveContainerOptions, RemoveVolumeOptions,
    StartContainerOptions, WaitContainerOptions,
};
use futures::{StreamExt, stream};
use skep_driver::{DriverError, ErrorKind, Instance, Page, Target};
use skep_types::{InstanceRef, PowerAction};
use tracing::warn;

use crate::existing::{self, Existing};
use crate::{container, errors, naming, network};

/// Rows of one page of a list: a page travels in one message of at most 4 MiB.
const PAGE: usize = 500;
/// Calls to the engine at once; it does its work one container at a time anyway.
const AT_ONCE: usize = 8;
/// systemd's orderly shutdown takes half a second; services that hang are cut off after half a minute.
const STOP_ASKS: usize = 30;
const STOP_ASK_EVERY: Duration = Duration::from_secs(1);
/// A removal that another call began is over soon, or stuck.
const REMOVAL_LOOKS: usize = 50;
const REMOVAL_LOOK_EVERY: Duration = Duration::from_millis(100);
const CONSOLE_BYTES: usize = 64 * 1024;
/// More lines than 64 KiB hold, fewer than the engine keeps.
const CONSOLE_LINES: usize = 4_000;

pub(crate) async fn list(docker: &Docker, cluster: &str, after: Option<&str>) -> Result<Page, DriverError> {
    let all = existing::of_cluster(docker, cluster).await?;
    Ok(page(all.iter().filter_map(Existing::instance).collect(), after))
}

/// By id, so that a token stays good whatever is made or destroyed between two pages.
fn page(instances: Vec<Instance>, after: Option<&str>) -> Page {
    let by_id: BTreeMap<String, Instance> =
        instances.into_iter().map(|instance| (instance.instance.provider_id.to_string(), instance)).collect();
    let mut rest =
        by_id.into_iter().filter(|(id, _)| after.is_none_or(|after| id.as_str() > after)).peekable();
    let rows: Vec<(String, Instance)> = rest.by_ref().take(PAGE).collect();
    let next = rest.peek().and(rows.last()).map(|(id, _)| id.clone());
    Page { instances: rows.into_iter().map(|(_, instance)| instance).collect(), next }
}

pub(crate) async fn observe(
    docker: &Docker,
    cluster: &str,
    targets: &[Target],
) -> Result<Vec<Result<Instance, DriverError>>, DriverError> {
    let all = existing::of_cluster(docker, cluster).await?;
    let by_id: HashMap<&str, &Existing> =
        all.iter().map(|existing| (existing.id.as_str(), existing)).collect();
    let look = |target: &Target| {
        let wanted = &target.instance;
        let found = by_id.get(wanted.provider_id.as_str()).and_then(|existing| existing.instance());
        found.ok_or_else(|| not_found(wanted))
    };
    Ok(targets.iter().map(look).collect())
}

pub(crate) async fn power(
    docker: &Docker,
    cluster: &str,
    action: PowerAction,
    targets: &[Target],
) -> Vec<Result<(), DriverError>> {
    let each: Vec<_> =
        targets.iter().map(|target| power_one(docker, cluster, action, &target.instance)).collect();
    stream::iter(each).buffered(AT_ONCE).collect().await
}

async fn power_one(
    docker: &Docker,
    cluster: &str,
    action: PowerAction,
    wanted: &InstanceRef,
) -> Result<(), DriverError> {
    let existing = ours(docker, cluster, wanted).await?.ok_or_else(|| not_found(wanted))?;
    let id = existing.id.as_str();
    let done = match action {
        PowerAction::Start => start(docker, id).await,
        PowerAction::Stop => stop(docker, id).await,
        PowerAction::Restart => match stop(docker, id).await {
            Ok(()) => start(docker, id).await,
            Err(error) => Err(error),
        },
        PowerAction::Kill => signal(docker, id, "SIGKILL").await.map(drop),
    };
    done.map_err(errors::changing(format!("the power state of {} was not changed", wanted.name)))
}

async fn start(docker: &Docker, id: &str) -> Result<(), Error> {
    docker.start_container(id, None::<StartContainerOptions>).await
}

/// Asks init to shut down until it is done, and cuts the power when it does not. It is asked again and again because
/// an init that has only just begun does not hear it; the engine's own stop asks once and then waits in vain.
async fn stop(docker: &Docker, id: &str) -> Result<(), Error> {
    for _ in 0..STOP_ASKS {
        if signal(docker, id, container::STOP_SIGNAL).await? == Signalled::NotRunning {
            return Ok(());
        }
        let mut ended = docker.wait_container(id, None::<WaitContainerOptions>);
        // However the wait ends, the next signal tells whether the host still runs.
        drop(tokio::time::timeout(STOP_ASK_EVERY, ended.next()).await);
    }
    signal(docker, id, "SIGKILL").await.map(drop)
}

#[derive(Debug, PartialEq, Eq)]
enum Signalled {
    Sent,
    NotRunning,
}

async fn signal(docker: &Docker, id: &str, signal: &str) -> Result<Signalled, Error> {
    match docker.kill_container(id, Some(KillContainerOptions { signal: signal.to_owned() })).await {
        Ok(()) => Ok(Signalled::Sent),
        Err(error) if errors::status(&error) == Some(409) => Ok(Signalled::NotRunning),
        Err(error) => Err(error),
    }
}

pub(crate) async fn destroy(
    docker: &Docker,
    cluster: &str,
    targets: &[Target],
) -> Vec<Result<(), DriverError>> {
    let each: Vec<_> = targets.iter().map(|target| destroy_one(docker, cluster, &target.instance)).collect();
    let results: Vec<_> = stream::iter(each).buffered(AT_ONCE).collect().await;
    let gone = targets.iter().zip(&results).filter(|(_, result)| result.is_ok());
    let names: BTreeSet<&str> = gone.map(|(target, _)| target.instance.name.as_str()).collect();
    // The hosts are gone. What is left of them is tidied as far as it can be, now and at the next destruction.
    for tidied in
        [remove_volumes(docker, cluster, &names).await, network::remove_if_unused(docker, cluster).await]
    {
        if let Err(error) = tidied {
            warn!(cluster, %error, "left something behind a destroyed host");
        }
    }
    results
}

async fn destroy_one(docker: &Docker, cluster: &str, wanted: &InstanceRef) -> Result<(), DriverError> {
    for _ in 0..REMOVAL_LOOKS {
        let Some(existing) = ours(docker, cluster, wanted).await? else { return Ok(()) };
        let options = RemoveContainerOptions { v: true, force: true, ..Default::default() };
        match docker.remove_container(&existing.id, Some(options)).await {
            Ok(()) => return Ok(()),
            Err(error) => match errors::status(&error) {
                Some(404) => return Ok(()),
                // Another call is removing it.
                Some(409) => tokio::time::sleep(REMOVAL_LOOK_EVERY).await,
                _ => {
                    return Err(errors::changing(format!("the host {} was not destroyed", wanted.name))(
                        error,
                    ));
                }
            },
        }
    }
    Err(DriverError::new(ErrorKind::Ambiguous, format!("the host {} is still being removed", wanted.name)))
}

/// Volumes of destroyed hosts that outlived their containers, as after a crash of the engine between the two.
async fn remove_volumes(docker: &Docker, cluster: &str, names: &BTreeSet<&str>) -> Result<(), DriverError> {
    let dangling = ("dangling".to_owned(), vec!["true".to_owned()]);
    let filters = HashMap::from([naming::of_cluster(cluster), dangling]);
    let listed = docker.list_volumes(Some(ListVolumesOptions { filters: Some(filters) })).await;
    let listed = listed.map_err(errors::reading("the engine did not list its volumes"))?;
    for volume in listed.volumes.unwrap_or_default() {
        if !volume.labels.get(naming::NAME).is_some_and(|name| names.contains(name.as_str())) {
            continue;
        }
        match docker.remove_volume(&volume.name, None::<RemoveVolumeOptions>).await {
            Ok(()) => {}
            // Gone, or in use after all.
            Err(error) if matches!(errors::status(&error), Some(404 | 409)) => {}
            Err(error) => return Err(errors::changing("a volume was not removed")(error)),
        }
    }
    Ok(())
}

pub(crate) async fn console(
    docker: &Docker,
    cluster: &str,
    wanted: &InstanceRef,
) -> Result<String, DriverError> {
    let existing = ours(docker, cluster, wanted).await?.ok_or_else(|| not_found(wanted))?;
    let options =
        LogsOptions { stdout: true, stderr: true, tail: CONSOLE_LINES.to_string(), ..Default::default() };
    let mut lines = docker.logs(&existing.id, Some(options));
    let mut last = Vec::new();
    while let Some(line) = lines.next().await {
        let line = line.map_err(errors::reading("the host's console cannot be read"))?.into_bytes();
        last.extend_from_slice(&line);
        // Trimmed by halves, so that few bytes are moved and never more than twice the bound is held.
        if last.len() > 2 * CONSOLE_BYTES {
            last.drain(..last.len() - CONSOLE_BYTES);
        }
    }
    Ok(tail(&last))
}

/// At most [`CONSOLE_BYTES`] from the end, as text.
fn tail(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let excess = text.len().saturating_sub(CONSOLE_BYTES);
    let start = (excess..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    text[start..].to_owned()
}

/// The container behind the reference, or None when it is gone. One that is not the cluster's is refused.
async fn ours(docker: &Docker, cluster: &str, wanted: &InstanceRef) -> Result<Option<Existing>, DriverError> {
    match existing::with_id(docker, wanted.provider_id.as_str()).await? {
        Some(existing) if !existing.is_of(cluster) => Err(foreign(wanted)),
        found => Ok(found),
    }
}

fn foreign(wanted: &InstanceRef) -> DriverError {
    let message = format!("the container {} is not this cluster's, so it is not touched", wanted.provider_id);
    DriverError::new(ErrorKind::Auth, message)
}

fn not_found(wanted: &InstanceRef) -> DriverError {
    DriverError::new(
        ErrorKind::NotFound,
        format!("there is no container {} for {}", wanted.provider_id, wanted.name),
    )
}

#[cfg(test)]
mod tests {
    use skep_driver::InstanceState;

    use super::*;

    fn instance(number: usize) -> Instance {
        Instance {
            instance: InstanceRef {
                provider_id: format!("{number:04}").parse().unwrap(),
                name: String::new(),
            },
            intent: None,
            state: InstanceState::Running,
            private_address: None,
            public_address: None,
            zone: String::new(),
            kept: None,
        }
    }

    #[test]
    fn pages_follow_each_other_without_gap_or_overlap() {
        let all: Vec<Instance> = (0..=PAGE).rev().map(instance).collect();
        let first = page(all.clone(), None);
        assert_eq!((first.instances.len(), first.next.as_deref()), (PAGE, Some("0499")));
        let second = page(all, first.next.as_deref());
        assert_eq!(second.instances, [instance(PAGE)]);
        assert_eq!(second.next, None);
        assert_eq!(page(Vec::new(), None).next, None);
    }

    #[test]
    fn a_console_is_cut_at_a_character() {
        let long = "ü".repeat(CONSOLE_BYTES);
        let tail = tail(format!("{long}x").as_bytes());
        assert!(tail.len() <= CONSOLE_BYTES && tail.ends_with("üx"));
    }
}
