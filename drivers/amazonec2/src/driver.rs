//! The driver: each call of the trait, handed to the module that does it.

use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use skep_driver::{CreateIntent, Driver, DriverError, Instance, Page, Placed, Target};
use skep_types::{DriverDescription, InstanceRef, PowerAction, Template};
use tokio::time::Instant;

use crate::attest::Trust;
use crate::client::{Ec2, filter};
use crate::errors::{Effect, refusal};
use crate::looks::{Looks, PAGE, Seen};
use crate::recent::Recent;
use crate::resolve::{self, Resolver};
use crate::tried::Tried;
use crate::{changes, instance, options, plan, tags};

/// The bound of [`Driver::console`].
const CONSOLE_BYTES: usize = 64 * 1024;

/// Acts for one account in one region.
#[derive(Debug)]
pub(crate) struct Ec2Driver {
    pub(crate) description: DriverDescription,
    pub(crate) ec2: Ec2,
    pub(crate) resolver: Resolver,
    pub(crate) tried: Tried,
    pub(crate) recent: Recent,
    pub(crate) opened: Instant,
    looks: Looks,
    /// None: instances are told apart by their addresses.
    trust: Option<Trust>,
}

impl Ec2Driver {
    pub(crate) fn new(description: DriverDescription, ec2: Ec2, trust: Option<Trust>) -> Self {
        let settle = description.settle;
        Self {
            description,
            looks: Looks::start(ec2.clone()),
            ec2,
            resolver: Resolver::default(),
            tried: Tried::default(),
            recent: Recent::new(settle),
            opened: Instant::now(),
            trust,
        }
    }

    async fn look(&self, targets: &[Target]) -> Result<Arc<Seen>, DriverError> {
        let ids: Vec<String> = targets.iter().map(|target| target.instance.provider_id.to_string()).collect();
        let seen = self.looks.at(ids.clone()).await?;
        let missing = self.recent.missing_in(&seen, &ids);
        if missing.is_empty() {
            return Ok(seen);
        }
        let mut seen = Arc::unwrap_or_clone(seen);
        seen.extend(missing);
        Ok(Arc::new(seen))
    }
}

#[async_trait]
impl Driver for Ec2Driver {
    fn describe(&self) -> &DriverDescription {
        &self.description
    }

    async fn check(&self, template: &Template) -> Result<(), DriverError> {
        let options = options::read(&self.description.flags, template)?;
        let looked = resolve::look(&self.ec2, &options).await?;
        plan::attempts(&options, &looked.resolved.places).map(drop)
    }

    async fn ensure(&self, intent: &CreateIntent) -> Result<Placed, DriverError> {
        self.make(intent).await
    }

    async fn list(&self, cluster: &str, page_token: Option<&str>) -> Result<Page, DriverError> {
        let asked = self.ec2.sdk.describe_instances().max_results(PAGE);
        let asked = asked.filters(filter(&format!("tag:{}", tags::CLUSTER), [cluster]));
        let answer = asked.set_next_token(page_token.map(str::to_owned)).send().await;
        let answer = answer.map_err(refusal("EC2 did not list the instances", Effect::Reads))?;
        let found = answer.reservations().iter().flat_map(|reservation| reservation.instances());
        let instances = found.filter_map(instance::convert).collect();
        Ok(Page { instances, next: answer.next_token().filter(|token| !token.is_empty()).map(str::to_owned) })
    }

    async fn observe(
        &self,
        cluster: &str,
        targets: &[Target],
    ) -> Result<Vec<Result<Instance, DriverError>>, DriverError> {
        let seen = self.look(targets).await?;
        let one = |target: &Target| {
            let found = changes::ours(cluster, &seen, target)?;
            instance::convert(found).ok_or_else(changes::unreadable)
        };
        Ok(targets.iter().map(one).collect())
    }

    async fn power(
        &self,
        cluster: &str,
        action: PowerAction,
        targets: &[Target],
    ) -> Result<Vec<Result<(), DriverError>>, DriverError> {
        let seen = self.look(targets).await?;
        let planned = changes::plan_power(action, cluster, &seen, targets);
        Ok(changes::carry_out(&self.ec2, targets, planned).await)
    }

    async fn destroy(
        &self,
        cluster: &str,
        targets: &[Target],
    ) -> Result<Vec<Result<(), DriverError>>, DriverError> {
        let seen = self.look(targets).await?;
        let planned = changes::plan_destruction(cluster, &seen, targets);
        let results = changes::carry_out(&self.ec2, targets, planned).await;
        for (target, _) in targets.iter().zip(&results).filter(|(_, result)| result.is_ok()) {
            self.recent.destroyed(target.instance.provider_id.as_str());
        }
        Ok(results)
    }

    async fn console(&self, cluster: &str, target: &Target) -> Result<String, DriverError> {
        let seen = self.look(std::slice::from_ref(target)).await?;
        changes::ours(cluster, &seen, target)?;
        let asked = || self.ec2.sdk.get_console_output().instance_id(target.instance.provider_id.as_str());
        let read = refusal("EC2 did not show the console", Effect::Reads);
        let answer = match asked().latest(true).send().await.map_err(&read) {
            // Older types have no live console, but the one of the last boot.
            Err(refused) if refused.code.starts_with("Unsupported") => asked().send().await.map_err(&read)?,
            answer => answer?,
        };
        Ok(tail(&STANDARD.decode(answer.output().unwrap_or_default()).unwrap_or_default()))
    }

    async fn attest(&self, _cluster: &str, evidence: &[u8]) -> Result<Option<InstanceRef>, DriverError> {
        let Some(trust) = &self.trust else { return Ok(None) };
        let provider_id = trust.prove(evidence, Timestamp::now())?;
        let name = provider_id.to_string();
        Ok(Some(InstanceRef { provider_id, name }))
    }
}

/// At most [`CONSOLE_BYTES`] from the end, as text.
fn tail(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let excess = text.len().saturating_sub(CONSOLE_BYTES);
    text[text.ceil_char_boundary(excess)..].to_owned()
}
