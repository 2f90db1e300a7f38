//! From names in a template to ids of things: images, places and groups.
//!
//! What is found is kept for a while: a thousand hosts of one template ask once. Two askings may find different
//! things, as when an image was published in between; see [`crate::create`] for what becomes of a repeated create.

mod image;
mod place;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use skep_driver::DriverError;
use tokio::sync::OnceCell;
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
    found: Mutex<Vec<Arc<Found>>>,
}

#[derive(Debug)]
struct Found {
    cluster: String,
    options: Options,
    /// Filled by the first who needs it: those who ask for the same at once ask once, and nobody else waits for them.
    resolved: OnceCell<Resolved>,
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
        let found = self.entry(cluster, options);
        found.resolved.get_or_try_init(|| ask(ec2, cluster, options)).await.cloned()
    }

    /// What was found may be there no more, and what is being asked for now is not kept.
    pub(crate) fn forget(&self) {
        self.lock().clear();
    }

    fn entry(&self, cluster: &str, options: &Options) -> Arc<Found> {
        let mut found = self.lock();
        found.retain(|found| found.since.elapsed() < KEPT_FOR);
        let known = found.iter().find(|found| found.cluster == cluster && found.options == *options);
        if let Some(known) = known {
            return Arc::clone(known);
        }
        if found.len() == KEPT {
            found.remove(0);
        }
        let (cluster, options) = (cluster.to_owned(), options.clone());
        let new = Arc::new(Found { cluster, options, resolved: OnceCell::new(), since: Instant::now() });
        found.push(Arc::clone(&new));
        new
    }

    /// Every change is whole while the lock is held.
    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Found>>> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn ask(ec2: &Ec2, cluster: &str, options: &Options) -> Result<Resolved, DriverError> {
    let looked = look(ec2, options).await?;
    let groups = match &options.groups {
        Groups::Untold => Vec::new(),
        Groups::Given(named) => groups::named(ec2, named, looked.vpc.as_deref()).await?,
        Groups::Own(openings) => groups::own(ec2, cluster, looked.vpc.as_deref(), openings).await?,
    };
    Ok(Resolved { groups, ..looked.resolved })
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

#[cfg(test)]
mod tests {
    use skep_driver::Access;
    use skep_types::Secret;
    use tokio::net::TcpListener;

    use super::*;
    use crate::client::connect;
    use crate::options::tests_support::options;

    const PATIENCE: Duration = Duration::from_secs(10);

    /// An EC2 that takes requests and never answers.
    async fn silent() -> (TcpListener, Ec2) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut access = Access::plain("aws".parse().unwrap());
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        access.options.insert("amazonec2-endpoint".to_owned(), endpoint);
        access.options.insert("amazonec2-insecure-transport".to_owned(), "true".to_owned());
        access.credentials =
            ["access-key", "secret-key"].map(|name| (name.to_owned(), Secret::new("x"))).into();
        (listener, connect(&access).await.unwrap())
    }

    #[tokio::test]
    async fn nobody_waits_for_what_another_template_asks() {
        let (_listener, ec2) = silent().await;
        let resolver = Resolver::default();
        // A launch template has everything, so that EC2 is not asked.
        let (asking, known) = (options(&[]), options(&[("launch-template", "web")]));
        let others = tokio::time::timeout(PATIENCE, async {
            resolver.resolve(&ec2, "c", &known).await.unwrap();
            resolver.forget();
            resolver.resolve(&ec2, "c", &known).await.unwrap();
        });
        tokio::select! {
            biased;
            answer = resolver.resolve(&ec2, "c", &asking) => panic!("{answer:?}"),
            waited = others => waited.unwrap(),
        }
    }
}
