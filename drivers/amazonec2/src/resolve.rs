//! From names in a template to ids of things: images, places and groups.
//!
//! What is found is kept for a while: a thousand hosts of one template ask once. Two askings may find different
//! things, as when an image was published in between; see [`crate::create`] for what becomes of a repeated create.

mod image;
mod place;

use std::time::Duration;

use skep_driver::DriverError;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::client::Ec2;
use crate::groups;
use crate::options::{Groups, Options};
use crate::plan::Place;

/// Images are published every few days.
const KEPT_FOR: Duration = Duration::from_secs(600);
/// Templates in use at once; more are asked for again.
const KEPT: usize = 64;

/// What a request needs to know beside its options.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Resolved {
    /// None where the launch template has it.
    pub(crate) image: Option<String>,
    pub(crate) root_device: Option<String>,
    /// At least one.
    pub(crate) places: Vec<Place>,
    /// Ids.
    pub(crate) groups: Vec<String>,
}

/// What was found lately, by cluster and options.
#[derive(Debug, Default)]
pub(crate) struct Resolver {
    /// Held while asking, so that those who ask for the same at once ask once.
    found: Mutex<Vec<Found>>,
}

#[derive(Debug)]
struct Found {
    cluster: String,
    options: Options,
    resolved: Resolved,
    since: Instant,
}

impl Resolver {
    /// Makes the cluster's group where there is none.
    pub(crate) async fn resolve(
        &self,
        ec2: &Ec2,
        cluster: &str,
        options: &Options,
    ) -> Result<Resolved, DriverError> {
        let mut found = self.found.lock().await;
        found.retain(|found| found.since.elapsed() < KEPT_FOR);
        let known = found.iter().find(|found| found.cluster == cluster && found.options == *options);
        if let Some(known) = known {
            return Ok(known.resolved.clone());
        }
        let looked = look(ec2, options).await?;
        let groups = match &options.groups {
            Groups::Untold => Vec::new(),
            Groups::Given(named) => groups::named(ec2, named, looked.vpc.as_deref()).await?,
            Groups::Own(openings) => groups::own(ec2, cluster, looked.vpc.as_deref(), openings).await?,
        };
        let resolved = Resolved { groups, ..looked.resolved };
        if found.len() == KEPT {
            found.remove(0);
        }
        let (cluster, options) = (cluster.to_owned(), options.clone());
        found.push(Found { cluster, options, resolved: resolved.clone(), since: Instant::now() });
        Ok(resolved)
    }

    /// What was found may be there no more.
    pub(crate) async fn forget(&self) {
        self.found.lock().await.clear();
    }
}

/// What can be found without changing anything: all but groups of one's own.
#[derive(Debug)]
pub(crate) struct Looked {
    pub(crate) resolved: Resolved,
    /// The network that instances come into; None where a launch template says so.
    pub(crate) vpc: Option<String>,
}

pub(crate) async fn look(ec2: &Ec2, options: &Options) -> Result<Looked, DriverError> {
    let image = image::find(ec2, options).await?;
    let place::Found { places, vpc } = place::find(ec2, options).await?;
    let resolved = Resolved { image: image.id, root_device: image.root_device, places, groups: Vec::new() };
    Ok(Looked { resolved, vpc })
}
