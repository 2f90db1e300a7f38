//! Where one rule is tried: a cluster of its own, and what every rule needs.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use skep_types::{HostId, Idempotency, IntentId, ProviderId, SlotNaming};
use tokio::time::Instant;

use super::{DriverUnderTest, patient};
use crate::{
    CreateIntent, Driver, DriverError, ErrorKind, Instance, InstanceState, Placed, Rule, Slot, Target,
};

/// Slots of an intent here: three show an order and a partial result; more only take longer.
const SLOTS: u32 = 3;
/// A loaded machine may take this long to start or stop something.
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// A list that has more pages than this goes in a circle.
const PAGES_MAX: usize = 1_000;

/// Why a rule did not end well.
#[derive(Debug)]
pub(super) enum Broken {
    Failed(String),
    NotTried(&'static str),
}

pub(super) type Checked = Result<(), Broken>;

/// Fails the rule with what was seen, unless `holds`.
pub(super) fn expect(holds: bool, seen: impl FnOnce() -> String) -> Checked {
    if holds { Ok(()) } else { Err(Broken::Failed(seen())) }
}

pub(super) fn failed<T>(call: &str, error: &DriverError) -> Result<T, Broken> {
    Err(Broken::Failed(format!("{call} failed: {:?}: {error}", error.kind)))
}

/// An id that no driver ever gave out.
pub(super) fn never_was() -> ProviderId {
    #[expect(clippy::expect_used, reason = "a literal that is a valid id")]
    "skep-never-was".parse().expect("a valid provider id")
}

/// Every slot was made.
fn whole(intent: &CreateIntent, placed: Placed) -> Result<Vec<Instance>, Broken> {
    expect(placed.shortfall.is_none() && placed.instances.len() == intent.slots.len(), || {
        format!("ensure of {} slots answered {placed:?}", intent.slots.len())
    })?;
    Ok(placed.instances)
}

pub(super) fn ids(instances: &[Instance]) -> BTreeSet<ProviderId> {
    instances.iter().map(|i| i.instance.provider_id.clone()).collect()
}

pub(super) fn targets(instances: &[Instance]) -> Vec<Target> {
    instances.iter().map(Target::from).collect()
}

pub(super) struct Scope<'a> {
    pub(super) subject: &'a dyn DriverUnderTest,
    pub(super) driver: Arc<dyn Driver>,
    pub(super) cluster: String,
    /// Another cluster in the same account.
    pub(super) neighbour: String,
    rule: Rule,
    intents: AtomicU64,
}

impl<'a> Scope<'a> {
    pub(super) async fn new(subject: &'a dyn DriverUnderTest, rule: Rule) -> Self {
        let cluster = format!("{}-c{}", subject.prefix(), rule.number());
        let neighbour = format!("{}-n{}", subject.prefix(), rule.number());
        let driver = patient::patient(subject.driver().await);
        Self { subject, driver, cluster, neighbour, rule, intents: AtomicU64::new(0) }
    }

    /// The driver as another coordinator holds it.
    pub(super) async fn another(&self) -> Arc<dyn Driver> {
        patient::patient(self.subject.driver().await)
    }

    pub(super) fn named(&self) -> bool {
        self.driver.describe().batch.naming == SlotNaming::Named
    }

    /// Rules about replaying a create do not hold for drivers that nothing protects.
    pub(super) fn needs_replay(&self) -> Checked {
        match self.driver.describe().idempotency {
            Idempotency::Token { .. } | Idempotency::UniqueName => Ok(()),
            Idempotency::None => Err(Broken::NotTried("a create of this class is never replayed")),
        }
    }

    /// A new intent of as many slots as suit, with names no other intent has.
    pub(super) fn intent(&self) -> CreateIntent {
        let number = u64::from(self.rule.number()) * 100 + self.intents.fetch_add(1, Ordering::Relaxed);
        let slots = self.driver.describe().batch.max.min(SLOTS);
        let slot = |index: u32| Slot {
            name: format!("{}-{number}-{index}", self.subject.prefix()),
            host: HostId::new(1, number * 10 + u64::from(index)),
            incarnation: 1,
            bootstrap: self.subject.bootstrap(),
        };
        CreateIntent {
            cluster: self.cluster.clone(),
            intent: IntentId::new(1, number),
            token: format!("{}-i1-{number}", self.subject.prefix()),
            template: self.subject.template(),
            slots: (0..slots).map(slot).collect(),
            lost: false,
            inherited: None,
        }
    }

    /// `ensure` that has to make every slot.
    pub(super) async fn ensure(&self, intent: &CreateIntent) -> Result<Vec<Instance>, Broken> {
        match self.driver.ensure(intent).await {
            Ok(placed) => whole(intent, placed),
            Err(error) => failed("ensure", &error),
        }
    }

    /// `ensure` of an intent that came from elsewhere: it may be too early to tell what was made there.
    pub(super) async fn ensure_inherited(
        &self,
        driver: &Arc<dyn Driver>,
        intent: &CreateIntent,
    ) -> Result<Vec<Instance>, Broken> {
        let deadline = self.deadline();
        loop {
            match driver.ensure(intent).await {
                Ok(placed) => return whole(intent, placed),
                Err(DriverError { kind: ErrorKind::Ambiguous | ErrorKind::Unavailable, .. })
                    if Instant::now() < deadline => {}
                Err(error) => return failed("ensure of what was inherited", &error),
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    pub(super) async fn make(&self) -> Result<Vec<Instance>, Broken> {
        self.ensure(&self.intent()).await
    }

    /// All pages of what lives in `cluster`.
    pub(super) async fn list(&self, cluster: &str) -> Result<Vec<Instance>, Broken> {
        let mut instances = Vec::new();
        let mut token: Option<String> = None;
        for _ in 0..PAGES_MAX {
            let page = match self.driver.list(cluster, token.as_deref()).await {
                Ok(page) => page,
                Err(error) => return failed("list", &error),
            };
            instances.extend(page.instances.into_iter().filter(|i| i.state != InstanceState::Destroyed));
            match page.next {
                Some(next) => token = Some(next),
                None => return Ok(instances),
            }
        }
        Err(Broken::Failed(format!("list has no end after {PAGES_MAX} pages")))
    }

    /// Waits until `cluster` lists exactly these, and says what it listed instead.
    pub(super) async fn lists_exactly(&self, cluster: &str, wanted: &BTreeSet<ProviderId>) -> Checked {
        let deadline = self.deadline();
        loop {
            let listed = self.list(cluster).await?;
            if ids(&listed) == *wanted && listed.len() == wanted.len() {
                return Ok(());
            }
            expect(Instant::now() < deadline, || {
                format!("list shows {:?}, wanted are {wanted:?}", ids(&listed))
            })?;
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// Lets the settle window pass, so that what is not seen now will not be seen at all.
    pub(super) async fn settle(&self) {
        tokio::time::sleep(self.driver.describe().settle).await;
    }

    pub(super) async fn observe_one(
        &self,
        cluster: &str,
        target: &Target,
    ) -> Result<Result<Instance, DriverError>, Broken> {
        let mut answers = match self.driver.observe(cluster, std::slice::from_ref(target)).await {
            Ok(answers) => answers,
            Err(error) => return failed("observe", &error),
        };
        expect(answers.len() == 1, || format!("observe of one instance answered {answers:?}"))?;
        Ok(answers.remove(0))
    }

    /// Waits until `instance` is in `state`.
    pub(super) async fn becomes(&self, target: &Target, state: InstanceState) -> Result<Instance, Broken> {
        let deadline = self.deadline();
        loop {
            let seen = self.observe_one(&self.cluster, target).await?;
            if let Ok(found) = &seen
                && found.state == state
            {
                return Ok(found.clone());
            }
            expect(Instant::now() < deadline, || {
                format!("{} is not {state:?} but {seen:?}", target.instance.provider_id)
            })?;
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    fn deadline(&self) -> Instant {
        Instant::now() + self.driver.describe().settle + PATIENCE
    }

    /// Destroys what the rule left behind; what cannot be destroyed is the account's owner's to find.
    pub(super) async fn sweep(&self) {
        self.subject.set_room(None).await;
        for cluster in [&self.cluster, &self.neighbour] {
            if let Ok(left) = self.list(cluster).await
                && !left.is_empty()
                && let Err(error) = self.driver.destroy(cluster, &targets(&left)).await
            {
                tracing::warn!(cluster, %error, "instances of the conformance suite are left");
            }
        }
    }
}
