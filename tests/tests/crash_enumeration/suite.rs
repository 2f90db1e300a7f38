//! All steps of one idempotency class, over a few clusters at once: a crash is mostly waited for.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use anyhow::{Context, ensure};
use async_trait::async_trait;
use futures::future::try_join_all;
use skep_driver::{CreateIntent, Driver, DriverError, Instance, Method, Page, Placed, Target};
use skep_sim::{IdempotencyClass, Naming, SimConfig};
use skep_tests::inprocess::{Around, Moment, Setup};
use skep_types::{DriverDescription, PowerAction, Template};

use super::lane::{Disturbance, Lane, Run};
use super::step::{Step, Victim};

/// Clusters at once: more would only make elections slower on two cores.
const LANES: usize = 4;

type Queue = Arc<Mutex<VecDeque<(usize, Disturbance)>>>;

/// What came of all runs of a class.
#[derive(Debug, Default)]
struct Tally {
    runs: u32,
    crashes: u32,
    not_reached: Vec<Disturbance>,
    quarantined: BTreeSet<String>,
}

/// Clouds with tokens make a batch of instances that cannot be told apart; all others name each.
fn setup(class: IdempotencyClass) -> Setup {
    let naming = match class {
        IdempotencyClass::Token => Naming::Interchangeable,
        IdempotencyClass::UniqueName | IdempotencyClass::None => Naming::Named,
    };
    let world = SimConfig { idempotency: class, naming, batch_max: 2, ..SimConfig::default() };
    Setup { world, ..Setup::default() }
}

pub(crate) async fn run(class: IdempotencyClass) -> anyhow::Result<()> {
    let started = Instant::now();
    let first = Lane::start(class, setup(class)).await?;
    let undisturbed = first.run("plain", Disturbance::default()).await.context("undisturbed")?;
    ensure!(undisturbed.quarantined.is_empty(), "undisturbed: {undisturbed:?}");
    let queue = plan(&undisturbed.create, &undisturbed.delete);
    let steps = queue.len();
    skep_tests::print(&format!(
        "{class:?}: create {} moments, delete {} moments, {steps} runs",
        undisturbed.create.len(),
        undisturbed.delete.len()
    ));
    let queue: Queue = Arc::new(Mutex::new(queue));
    let mut lanes = vec![first];
    while lanes.len() < LANES {
        lanes.push(Lane::start(class, setup(class)).await?);
    }
    let working = lanes.into_iter().enumerate().map(|(number, lane)| work(lane, queue.clone(), number));
    let mut tally = Tally::default();
    for done in try_join_all(working).await? {
        tally.add(done);
    }
    skep_tests::print(&format!(
        "{class:?}: {} runs, {} crashes, {} steps not reached again {:?}, quarantined {:?}, {:.0?}",
        tally.runs,
        tally.crashes,
        tally.not_reached.len(),
        tally.not_reached,
        tally.quarantined,
        started.elapsed()
    ));
    let missed: Vec<_> = tally.not_reached.iter().filter(|run| !may_be_missed(run, &undisturbed)).collect();
    ensure!(missed.is_empty(), "of {steps} steps these were not reached: {missed:?}");
    Ok(())
}

/// Commands that come at the same time share an entry, and hosts an intent, as the machine's load has it: the last moments
/// of one run may not come in another. The first half of each kind does.
fn may_be_missed(run: &Disturbance, undisturbed: &Run) -> bool {
    let late = |step: Option<(Step, Victim)>, trace: &[Step]| {
        let Some((step, _)) = step else { return true };
        let passed = trace.iter().filter(|other| other.moment == step.moment).count() as u64;
        step.nth * 2 > passed
    };
    late(run.create, &undisturbed.create) && late(run.delete, &undisturbed.delete)
}

/// One run for every step of the longer of both, the shorter one's beside it; each with either victim, and by turns with
/// a restart and with a fail-over.
fn plan(create: &[Step], delete: &[Step]) -> VecDeque<(usize, Disturbance)> {
    let (create, delete) = (once(create), once(delete));
    let mut plan = VecDeque::new();
    for index in 0..create.len().max(delete.len()) {
        for victim in [Victim::Doer, Victim::Other] {
            let fail_over = (index + usize::from(victim == Victim::Other)) % 2 == 1;
            let at = |steps: &[Step]| steps.get(index).map(|step| (*step, victim));
            plan.push_back((plan.len(), Disturbance { create: at(&create), delete: at(&delete), fail_over }));
        }
    }
    plan
}

/// Each step once, by kind and then in order.
fn once(trace: &[Step]) -> Vec<Step> {
    let steps: BTreeMap<Step, ()> = trace.iter().map(|step| (*step, ())).collect();
    steps.into_keys().collect()
}

async fn work(lane: Lane, queue: Queue, number: usize) -> anyhow::Result<Tally> {
    let mut tally = Tally::default();
    loop {
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        let Some((index, disturbance)) = next else { return Ok(tally) };
        let started = Instant::now();
        let run = lane.run(&format!("run{index}x"), disturbance).await;
        let run = run.with_context(|| format!("run {index} on cluster {number}, {disturbance:?}"))?;
        skep_tests::print(&format!(
            "run {index} {disturbance:?}: {} crashes, {:.1?}",
            run.crashes,
            started.elapsed()
        ));
        tally.runs += 1;
        tally.crashes += run.crashes;
        if run.crashes == 0 {
            tally.not_reached.push(disturbance);
        }
        tally.quarantined.extend(run.quarantined);
    }
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.runs += other.runs;
        self.crashes += other.crashes;
        self.not_reached.extend(other.not_reached);
        self.quarantined.extend(other.quarantined);
    }
}

/// One run whose create call is lost after its effect, with a driver that promises tokens and forgets them.
pub(crate) async fn run_forgetful() -> anyhow::Result<()> {
    let class = IdempotencyClass::Token;
    let setup = Setup { wrap: |driver| Arc::new(Forgetful(driver)), ..setup(class) };
    let lane = Lane::start(class, setup).await?;
    let lost = Step { moment: Moment::Call(Method::Ensure, Around::After), nth: 1 };
    let disturbance = Disturbance { create: Some((lost, Victim::Doer)), ..Disturbance::default() };
    lane.run("forgotten", disturbance).await.map(drop).map_err(|error| anyhow::anyhow!("{error:#}"))
}

/// Makes everything anew whenever it is asked.
#[derive(Debug)]
struct Forgetful(Arc<dyn Driver>);

#[async_trait]
impl Driver for Forgetful {
    fn describe(&self) -> &DriverDescription {
        self.0.describe()
    }

    async fn check(&self, template: &Template) -> Result<(), DriverError> {
        self.0.check(template).await
    }

    async fn ensure(&self, intent: &CreateIntent) -> Result<Placed, DriverError> {
        static CALLS: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
        let call = CALLS.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let token = format!("{}-{call}", intent.token);
        self.0.ensure(&CreateIntent { token, ..intent.clone() }).await
    }

    async fn list(&self, cluster: &str, page_token: Option<&str>) -> Result<Page, DriverError> {
        self.0.list(cluster, page_token).await
    }

    async fn observe(
        &self,
        cluster: &str,
        targets: &[Target],
    ) -> Result<Vec<Result<Instance, DriverError>>, DriverError> {
        self.0.observe(cluster, targets).await
    }

    async fn power(
        &self,
        cluster: &str,
        action: PowerAction,
        targets: &[Target],
    ) -> Result<Vec<Result<(), DriverError>>, DriverError> {
        self.0.power(cluster, action, targets).await
    }

    async fn destroy(
        &self,
        cluster: &str,
        targets: &[Target],
    ) -> Result<Vec<Result<(), DriverError>>, DriverError> {
        self.0.destroy(cluster, targets).await
    }

    async fn console(&self, cluster: &str, target: &Target) -> Result<String, DriverError> {
        self.0.console(cluster, target).await
    }
}
