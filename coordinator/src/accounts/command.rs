//! Runs the external program that prints an account's credentials: one of the folder that skepd was told of, for a bounded
//! time, with a bounded output and an environment of our own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use serde::Deserialize;
use skep_driver::{DriverError, ErrorKind};
use skep_types::{Secret, limits};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::credentials::Credentials;
use super::unavailable;

/// Longer than a sign-in over the network takes; an account waits for it.
const TIME: Duration = Duration::from_secs(30);
/// All credentials an account may hold, and half as much again for what JSON adds.
const OUTPUT: usize = limits::CREDENTIALS * limits::CREDENTIAL_BYTES * 3 / 2;
/// Of what it complains of; the rest is dropped.
const COMPLAINT: usize = 256;
/// Neither ours nor anybody's: the same on every coordinator.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Printed {
    credentials: BTreeMap<String, String>,
    /// RFC 3339.
    expires_at: Option<String>,
}

pub(super) async fn run(
    folder: Option<&Path>,
    name: &str,
    arguments: &[String],
) -> Result<Credentials, DriverError> {
    let program = program(folder, name)?;
    let (status, output, complaint) = match timeout(TIME, output(&program, arguments)).await {
        Ok(ended) => ended.map_err(|error| failed(name, "could not be run").caused_by(error))?,
        Err(_) => return Err(failed(name, &format!("did not end within {} s", TIME.as_secs()))),
    };
    if !status.success() {
        return Err(failed(name, &format!("ended with {status}: {complaint}")));
    }
    if output.len() > OUTPUT {
        return Err(failed(name, &format!("printed more than {OUTPUT} bytes")));
    }
    read(name, &output)
}

/// In the folder itself, whatever links say: who may write there decides what is run.
fn program(folder: Option<&Path>, name: &str) -> Result<PathBuf, DriverError> {
    let Some(folder) = folder else {
        let message =
            "this coordinator runs no credential commands: skepd was started without --credential-commands";
        return Err(unavailable(message.to_owned()));
    };
    let resolved = folder.canonicalize().and_then(|folder| Ok((folder.join(name).canonicalize()?, folder)));
    match resolved {
        Ok((program, folder)) if program.parent() == Some(&folder) && program.is_file() => Ok(program),
        _ => Err(unavailable(format!("there is no credential command {name} in {}", folder.display()))),
    }
}

/// Ends it, and all that it started, however this ends.
struct Ends(Option<Pid>);

impl Drop for Ends {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // That it is gone already is as good.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

async fn output(
    program: &Path,
    arguments: &[String],
) -> std::io::Result<(ExitStatus, Zeroizing<Vec<u8>>, String)> {
    let mut child = spawn(program, arguments)?;
    let _ends = Ends(child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw));
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let (output, complaint) = tokio::try_join!(bounded(stdout, OUTPUT + 1), beginning(stderr, COMPLAINT))?;
    let complaint = String::from_utf8_lossy(&complaint).lines().next().unwrap_or_default().to_owned();
    Ok((child.wait().await?, output, complaint))
}

fn spawn(program: &Path, arguments: &[String]) -> std::io::Result<Child> {
    Command::new(program)
        .args(arguments)
        .env_clear()
        .env("PATH", PATH)
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
}

/// No more than `most`; then its pipe is closed.
async fn bounded(pipe: Option<impl AsyncRead + Unpin>, most: usize) -> std::io::Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::new());
    if let Some(pipe) = pipe {
        pipe.take(most as u64).read_to_end(&mut bytes).await?;
    }
    Ok(bytes)
}

/// The first of it, and then all the rest for nothing: a program that writes to a closed pipe is killed.
async fn beginning(pipe: Option<impl AsyncRead + Unpin>, most: usize) -> std::io::Result<Zeroizing<Vec<u8>>> {
    let Some(mut pipe) = pipe else { return Ok(Zeroizing::default()) };
    let bytes = bounded(Some(&mut pipe), most).await?;
    tokio::io::copy(&mut pipe, &mut tokio::io::sink()).await?;
    Ok(bytes)
}

fn read(name: &str, output: &[u8]) -> Result<Credentials, DriverError> {
    // The error's text would repeat what was printed.
    let printed: Printed = serde_json::from_slice(output)
        .map_err(|error| failed(name, &format!("printed no JSON of credentials (line {})", error.line())))?;
    if printed.credentials.len() > limits::CREDENTIALS {
        return Err(failed(name, &format!("printed more than {} credentials", limits::CREDENTIALS)));
    }
    if let Some((large, _)) =
        printed.credentials.iter().find(|(_, value)| value.len() > limits::CREDENTIAL_BYTES)
    {
        let most = limits::CREDENTIAL_BYTES;
        return Err(failed(name, &format!("printed {large} of more than {most} bytes")));
    }
    let values = printed.credentials.into_iter().map(|(name, value)| (name, Secret::new(value))).collect();
    let expires_at = printed.expires_at.map(|at| seconds(name, &at)).transpose()?;
    Ok(Credentials { values, expires_at })
}

fn seconds(name: &str, at: &str) -> Result<u64, DriverError> {
    let at: jiff::Timestamp = at
        .parse()
        .map_err(|_| failed(name, "printed an expires_at that is no time like 2026-01-02T03:04:05Z"))?;
    Ok(u64::try_from(at.as_second()).unwrap_or(0))
}

fn failed(name: &str, what: &str) -> DriverError {
    DriverError::new(ErrorKind::Auth, format!("the credential command {name} {what}"))
}

#[cfg(test)]
mod tests;
