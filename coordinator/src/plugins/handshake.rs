//! What a program is: asked once, of a process that lives no longer than the answer.

use std::sync::Arc;

use skep_driver::Driver;
use skep_driver::plugin::{Launch, Patience, introduce, variants};
use skep_types::{DriverDescription, DriverName, chain};

use super::{Broken, Candidate, Host, Supervised, logs};

/// A program, or one variant of it, that did not say what it is.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) candidate: Candidate,
    pub(super) variant: Option<String>,
    pub(super) broken: Broken,
}

/// One answer for each variant of the program, of which there may be none on this machine, or one for the program itself.
pub(super) async fn ask(host: &Arc<Host>, candidate: Candidate) -> Vec<Result<Supervised, Failed>> {
    let variants = variants(&candidate.program, &host.environment, host.timing.handshake).await;
    let Some(variants) = variants else { return vec![one(host, &candidate, None).await] };
    let mut answers = Vec::with_capacity(variants.len());
    for variant in variants {
        answers.push(one(host, &candidate, Some(variant)).await);
    }
    answers
}

async fn one(host: &Arc<Host>, candidate: &Candidate, variant: Option<String>) -> Result<Supervised, Failed> {
    let name = match &variant {
        Some(variant) => format!("{}/{variant}", candidate.name),
        None => candidate.name.clone(),
    };
    let described = describe(host, candidate, variant.clone(), &name).await;
    let candidate = candidate.clone();
    match described {
        Ok(description) => Ok(Supervised::new(Arc::clone(host), candidate, variant, description)),
        Err(reason) => {
            let broken = Broken { name, program: candidate.program.clone(), reason };
            Err(Failed { candidate, variant, broken })
        }
    }
}

async fn describe(
    host: &Host,
    candidate: &Candidate,
    variant: Option<String>,
    name: &str,
) -> Result<DriverDescription, String> {
    let expected: DriverName =
        name.parse().map_err(|error| format!("{name:?} is no name of a driver: {error}"))?;
    let folder = host.folder().map_err(|error| format!("no folder for its socket: {error}"))?;
    let launch = Launch {
        program: candidate.program.clone(),
        variant,
        folder: folder.clone(),
        environment: host.environment.clone(),
    };
    let timing = &host.timing;
    let patience = Patience { ready: timing.ready, handshake: timing.handshake, grace: timing.grace };
    let described = match introduce(&launch, patience, logs::sink(name, "")).await {
        Err(error) => Err(chain(&error)),
        Ok((process, driver)) => {
            process.stop(timing.grace).await;
            Ok(driver.describe().clone())
        }
    };
    // Best effort: all of them go at the next start.
    let _ = std::fs::remove_dir_all(&folder);
    let description = described?;
    if description.name == expected {
        Ok(description)
    } else {
        Err(format!("it calls itself {}, by its file it is {expected}", description.name))
    }
}
