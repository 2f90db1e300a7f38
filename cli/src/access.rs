//! Docker access: a short-lived client certificate in a folder that `docker` can be pointed at.
//!
//! The folder stands beside the configuration: `docker/HOST/`, or `docker/NAME.swarm/`, which no host can be called.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use skep_proto::v1::docker_access_request::Target;
use skep_proto::v1::hosts_client::HostsClient;
use skep_proto::v1::{DockerAccess, DockerAccessRequest, Host};
use skep_tls::{Certified, Key, wall_now, write_private};
use skep_types::{HostName, SwarmName};

use crate::config;
use crate::context::Context;
use crate::failure::Failure;
use crate::hosts;

/// What `docker` is pointed with.
#[derive(Debug)]
pub(crate) struct Access {
    pub(crate) host: String,
    /// tcp://ADDRESS:2376
    pub(crate) url: String,
    /// Holds ca.pem, cert.pem and key.pem.
    pub(crate) folder: PathBuf,
}

/// For one host. A certificate from before is used until half of its life is over.
pub(crate) async fn to_host(context: &Context, name: &str) -> Result<Access, Failure> {
    let host = hosts::get(context.client().await?, name).await?;
    let folder = folder(context, &label::<HostName>(&host.name)?)?;
    if let Some(url) = current_url(&host).filter(|_| fresh(&folder)) {
        return Ok(Access { host: host.name, url, folder });
    }
    ask(context, folder, Target::Host(host.name)).await
}

/// For a swarm, through a manager that answers now: asked every time, as another may lead by then.
pub(crate) async fn to_swarm(context: &Context, name: &str) -> Result<Access, Failure> {
    let folder = folder(context, &format!("{}.swarm", label::<SwarmName>(name)?))?;
    ask(context, folder, Target::Swarm(name.to_owned())).await
}

/// A name becomes part of a path: only what is checked does.
fn label<N: std::str::FromStr>(name: &str) -> Result<String, Failure>
where
    N::Err: std::fmt::Display,
{
    match name.parse::<N>() {
        Ok(_) => Ok(name.to_owned()),
        Err(error) => Err(Failure::Usage(error.to_string())),
    }
}

fn current_url(host: &Host) -> Option<String> {
    hosts::address(host).map(|_| hosts::url(host))
}

fn folder(context: &Context, name: &str) -> Result<PathBuf, Failure> {
    Ok(config::folder(&context.config_path()?).join("docker").join(name))
}

/// Whether the folder holds a certificate that fits its key and is in the first half of its life.
fn fresh(folder: &Path) -> bool {
    let Ok(key) = Key::load(&folder.join("key.pem")) else { return false };
    let Ok(certified) = Certified::load(&folder.join("cert.pem"), &key) else { return false };
    folder.join("ca.pem").exists() && !certified.leaf().renew_after(wall_now()).is_zero()
}

async fn ask(context: &Context, folder: PathBuf, target: Target) -> Result<Access, Failure> {
    // The same key again: a `docker` that runs meanwhile always finds a pair that fits.
    let key = Key::load(&folder.join("key.pem")).or_else(|_| Key::generate())?;
    let request =
        DockerAccessRequest { target: Some(target), signing_request: key.signing_request_der()?.into() };
    let access = context
        .client()
        .await?
        .call(
            request,
            |channel, request| async move { HostsClient::new(channel).docker_access(request).await },
        )
        .await?;
    write(&folder, &key, &access)?;
    Ok(Access { host: access.host, url: access.url, folder })
}

/// The certificate last: with it the folder counts as fresh.
fn write(folder: &Path, key: &Key, access: &DockerAccess) -> Result<(), Failure> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|source| Failure::Write { path: folder.to_owned(), source })?;
    key.save(&folder.join("key.pem"))?;
    write_private(&folder.join("ca.pem"), access.ca.as_bytes())?;
    write_private(&folder.join("cert.pem"), access.certificate.as_bytes())?;
    Ok(())
}
