//! Making the instances of one intent, or finding those that exist.
//!
//! Each slot is brought up by looking, deciding and doing one step, until it is there. The steps of two calls for the
//! same intent may interleave in any order: the name is unique, user-data is the same to the byte, and starting twice
//! is starting once.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::sync::{Mutex, PoisonError};

use bollard::Docker;
use bollard::query_parameters::{
    CreateContainerOptions, RemoveContainerOptions, StartContainerOptions, UploadToContainerOptions,
};
use bytes::Bytes;
use futures::{StreamExt, stream};
use skep_driver::{CreateIntent, DriverError, ErrorKind, Instance, Placed, Slot};
use tracing::debug;

use crate::container::{self, Shape};
use crate::existing::{self, Existing, State};
use crate::options::{self, Options};
use crate::{capabilities, errors, naming, network};

/// Hosts started at once: sixty started eight at a time booted fastest on two cores.
const SLOTS_AT_ONCE: usize = 8;
/// Creating, starting and finding a host takes three passes; each more is one address or network lost to a race.
const PASSES: usize = 12;

const USER_DATA: &str = "var/lib/skep/user-data";
const STATUS: &str = "/proc/self/status";

pub(crate) async fn ensure(docker: &Docker, intent: &CreateIntent) -> Result<Placed, DriverError> {
    let options = Options::read(&intent.template)?;
    let there = existing::of_cluster(docker, &intent.cluster).await.map_err(unseen)?;
    let taken = existing::addresses(&there);
    let call = Call { docker, intent, options, taken: Mutex::new(taken) };
    let slots: Vec<_> = intent.slots.iter().map(|slot| call.slot(slot)).collect();
    placed(stream::iter(slots).buffered(SLOTS_AT_ONCE).collect().await)
}

struct Call<'a> {
    docker: &'a Docker,
    intent: &'a CreateIntent,
    options: Options,
    /// Addresses of the cluster's hosts, those this call has chosen among them.
    taken: Mutex<BTreeSet<Ipv4Addr>>,
}

#[derive(Debug, PartialEq, Eq)]
enum Step {
    Create,
    Start,
    Done,
    /// The name is taken by something that is not this slot.
    Refuse,
    /// Something is being removed under that name: nothing can be made yet.
    Wait,
}

fn next_step(found: Option<&Existing>, intent: &CreateIntent, slot: &Slot) -> Step {
    let Some(existing) = found else { return Step::Create };
    let ours = existing.is_of(&intent.cluster)
        && existing.label(naming::INTENT) == intent.intent.to_string()
        && existing.label(naming::HOST) == slot.host.to_string()
        && existing.label(naming::INCARNATION) == slot.incarnation.to_string();
    match existing.state {
        _ if !ours => Step::Refuse,
        State::Created => Step::Start,
        State::Removing => Step::Wait,
        State::Running | State::Stopped => Step::Done,
    }
}

impl Call<'_> {
    async fn slot(&self, slot: &Slot) -> Result<Instance, DriverError> {
        let name = naming::container(&self.intent.cluster, slot);
        let mut last = DriverError::new(ErrorKind::Unavailable, format!("{name} is being removed"));
        for _ in 0..PASSES {
            let found = existing::named(self.docker, &name).await.map_err(unseen)?;
            let done = match (next_step(found.as_ref(), self.intent, slot), found) {
                (Step::Create, _) => self.create(&name, slot).await,
                (Step::Start, Some(existing)) => self.start(&existing, slot).await,
                (Step::Done, Some(existing)) => return instance(&existing),
                (Step::Wait, _) => return Err(last),
                (Step::Refuse | Step::Start | Step::Done, _) => return Err(taken_by_another(&name)),
            };
            match done {
                // The last pass may have made it.
                Ok(()) => last = DriverError::new(ErrorKind::Ambiguous, format!("{name} does not run yet")),
                Err(Failed::Retry(error)) => last = error,
                Err(Failed::Final(error)) => return Err(error),
            }
        }
        Err(last)
    }

    async fn create(&self, name: &str, slot: &Slot) -> Result<(), Failed> {
        let network = network::ensure(self.docker, &self.intent.cluster).await?;
        let address = {
            let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
            let address = network.subnet.address_for(slot.host, &taken);
            let full = || DriverError::new(ErrorKind::Capacity, "the cluster's network has no free address");
            let address = address.ok_or_else(full)?;
            taken.insert(address);
            address
        };
        let body = container::body(Shape {
            hostname: &slot.name,
            options: &self.options,
            network: &network.name,
            address,
            labels: naming::labels(self.intent, slot, address),
            capabilities_missing: missing_capabilities(),
        });
        let options = CreateContainerOptions { name: Some(name.to_owned()), ..Default::default() };
        match self.docker.create_container(Some(options), body).await {
            Ok(_) => Ok(()),
            Err(error) => match errors::status(&error) {
                // Another call made it first: the next pass finds it.
                Some(409) => Ok(()),
                Some(404) => Err(Failed::Final(options::missing_image(&self.options.image).caused_by(error))),
                _ => Err(Failed::Final(errors::changing(format!("{name} was not created"))(error))),
            },
        }
    }

    async fn start(&self, existing: &Existing, slot: &Slot) -> Result<(), Failed> {
        match self.upload_and_start(&existing.id, user_data(slot)?).await {
            Ok(()) => Ok(()),
            Err(error) => {
                let status = errors::status(&error);
                let failed = errors::changing(format!("the host {} was not started", slot.name))(error);
                if status.is_none() {
                    return Err(Failed::Final(unsure(failed)));
                }
                // The engine said no: the network may have been removed under it, or the address taken. A container
                // that never started holds nothing, so it is made anew, and another call that started it keeps it.
                debug!(host = %slot.host, error = %failed, "making the container anew");
                if !self.discard(&existing.id).await? {
                    return Ok(());
                }
                match failed.kind {
                    ErrorKind::Capacity => Err(Failed::Final(failed)),
                    _ => Err(Failed::Retry(failed)),
                }
            }
        }
    }

    async fn upload_and_start(&self, id: &str, user_data: Bytes) -> Result<(), bollard::errors::Error> {
        let options = UploadToContainerOptions { path: "/".to_owned(), ..Default::default() };
        self.docker.upload_to_container(id, Some(options), bollard::body_full(user_data)).await?;
        self.docker.start_container(id, None::<StartContainerOptions>).await
    }

    /// Removes a container that never ran. False where it was left alone, as it runs: `force` is not asked for.
    async fn discard(&self, id: &str) -> Result<bool, DriverError> {
        let options = RemoveContainerOptions { v: true, ..Default::default() };
        match self.docker.remove_container(id, Some(options)).await {
            Ok(()) => Ok(true),
            Err(error) => match errors::status(&error) {
                Some(404) => Ok(true),
                Some(409) => Ok(false),
                _ => Err(unsure(errors::changing("a container that did not start was not removed")(error))),
            },
        }
    }
}

enum Failed {
    /// Looking again may show another way.
    Retry(DriverError),
    Final(DriverError),
}

impl From<DriverError> for Failed {
    fn from(error: DriverError) -> Self {
        Self::Final(error)
    }
}

/// The call is over, with a shortfall, only when every failed slot is known not to exist; otherwise it must be
/// replayed.
fn placed(results: Vec<Result<Instance, DriverError>>) -> Result<Placed, DriverError> {
    let mut placed = Placed::default();
    let mut unknown = None;
    for result in results {
        match result {
            Ok(instance) => placed.instances.push(instance),
            Err(error) if settles(&error.kind) => placed.shortfall = placed.shortfall.or(Some(error)),
            Err(error) => unknown = unknown.or(Some(error)),
        }
    }
    match unknown {
        None if placed.instances.is_empty() => placed.shortfall.map_or_else(|| Ok(Placed::default()), Err),
        None => Ok(placed),
        // Others of the call may exist, so it is not as if nothing had been sent.
        Some(error) => Err(DriverError { kind: ErrorKind::Ambiguous, ..error }),
    }
}

/// A look that failed does not say that there is nothing: an earlier pass, or another call, may have made it.
fn unseen(error: DriverError) -> DriverError {
    DriverError { kind: ErrorKind::Unavailable, ..error }
}

/// There is a container, whatever went wrong with it.
fn unsure(error: DriverError) -> DriverError {
    DriverError { kind: ErrorKind::Ambiguous, ..error }
}

/// Whether an error of this kind proves that the slot has no instance.
fn settles(kind: &ErrorKind) -> bool {
    match kind {
        ErrorKind::Capacity
        | ErrorKind::Quota
        | ErrorKind::Auth
        | ErrorKind::InvalidSpec { .. }
        | ErrorKind::NotFound
        | ErrorKind::Unsupported
        | ErrorKind::Internal => true,
        ErrorKind::Throttled { .. } | ErrorKind::Unavailable | ErrorKind::Ambiguous => false,
    }
}

fn taken_by_another(name: &str) -> DriverError {
    DriverError::new(
        ErrorKind::Internal,
        format!("the container {name} belongs to somebody else; remove or rename it"),
    )
}

fn instance(existing: &Existing) -> Result<Instance, DriverError> {
    existing
        .instance()
        .ok_or_else(|| DriverError::new(ErrorKind::Internal, "the engine gave an unreadable id"))
}

fn missing_capabilities() -> Vec<String> {
    capabilities::missing(&std::fs::read_to_string(STATUS).unwrap_or_default())
}

/// The script, in the archive that the engine unpacks into a container.
fn user_data(slot: &Slot) -> Result<Bytes, DriverError> {
    let unusable = |message: &str| DriverError::new(ErrorKind::Internal, message.to_owned());
    let script = skep_driver::bootstrap::render(&slot.bootstrap)
        .map_err(|error| unusable("the host's bootstrap cannot be rendered").caused_by(error))?;
    archive(USER_DATA, script.reveal().as_bytes())
        .map_err(|error| unusable("the host's user-data cannot be packed").caused_by(error))
}

fn archive(path: &str, content: &[u8]) -> std::io::Result<Bytes> {
    let mut header = tar::Header::new_gnu();
    header.set_size(content.len() as u64);
    // It carries the enrolment token.
    header.set_mode(0o600);
    header.set_cksum();
    let mut builder = tar::Builder::new(Vec::new());
    builder.append_data(&mut header, path, content)?;
    builder.into_inner().map(Bytes::from)
}
