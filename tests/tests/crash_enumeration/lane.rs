//! One cluster that runs step after step, and what must hold after each.

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use anyhow::{Context, ensure};
use skep_sim::IdempotencyClass;
use skep_tests::inprocess::{InProcess, Rest, Setup, create, delete, eventually, hosts_of};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::step::{Crash, Progress, Shared, Step, Victim, watch};

/// Hosts of the bulk create; with two a call there are two intents, which can be torn apart.
const HOSTS: u32 = 4;
/// Longer than the lease, the longest call and an election together; then quorum may be what is missing.
const FAIL_OVER: Duration = Duration::from_secs(5);

pub(crate) struct Lane {
    pub(crate) cluster: Arc<InProcess>,
    class: IdempotencyClass,
}

/// What one run is to be disturbed by.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Disturbance {
    pub(crate) create: Option<(Step, Victim)>,
    pub(crate) delete: Option<(Step, Victim)>,
    /// The crashed one comes back only when another has taken over.
    pub(crate) fail_over: bool,
}

/// What a run passed, and how it ended.
#[derive(Debug, Default)]
pub(crate) struct Run {
    pub(crate) create: Vec<Step>,
    pub(crate) delete: Vec<Step>,
    pub(crate) crashes: u32,
    pub(crate) quarantined: BTreeSet<String>,
}

impl Lane {
    pub(crate) async fn start(class: IdempotencyClass, setup: Setup) -> anyhow::Result<Self> {
        Ok(Self { cluster: Arc::new(InProcess::start(setup).await?), class })
    }

    /// Creates hosts under a name of their own and deletes them.
    pub(crate) async fn run(&self, name: &str, disturbance: Disturbance) -> anyhow::Result<Run> {
        let mut run = Run::default();
        let made_before = self.cluster.world.sim.instances().len();
        let made = self.disturbed(
            disturbance.create,
            disturbance.fail_over,
            self.cluster.create(create(name, HOSTS)),
        );
        let (progress, made) = made.await.context("the create")?;
        self.check_created(name, &made, made_before, &mut run).await.context("after the create")?;
        take(&progress, &mut run.create, &mut run.crashes);
        let hosts = (1..=HOSTS).map(|number| format!("{name}-{number}"));
        let request = delete(&format!("delete-{name}"), hosts);
        let gone = self.disturbed(disturbance.delete, disturbance.fail_over, self.cluster.delete(request));
        let (progress, _) = gone.await.context("the delete")?;
        self.check_deleted(name).await.context("after the delete")?;
        take(&progress, &mut run.delete, &mut run.crashes);
        Ok(run)
    }

    /// Does the work while coordinators crash at the step, until all of them run again.
    async fn disturbed<T>(
        &self,
        target: Option<(Step, Victim)>,
        fail_over: bool,
        work: impl Future<Output = anyhow::Result<T>>,
    ) -> anyhow::Result<(Shared, T)> {
        let progress = Progress::towards(target);
        let (crashes, orders) = mpsc::unbounded_channel();
        watch(&self.cluster, &progress, crashes);
        let reaper = tokio::spawn(reap(Arc::clone(&self.cluster), orders, fail_over));
        let done = work.await;
        // The hook held the only sender: with it the reaper ends.
        self.cluster.stops.clear();
        reaper.await??;
        Ok((progress, done?))
    }

    async fn check_created(
        &self,
        name: &str,
        operation: &skep_core::state::Operation,
        made_before: usize,
        run: &mut Run,
    ) -> anyhow::Result<()> {
        let state = self.cluster.at_rest().await?;
        let rest = Rest::of(&self.cluster, &state)?;
        let hosts = hosts_of(&state, name);
        let wanted: BTreeSet<String> = (1..=HOSTS).map(|number| format!("{name}-{number}")).collect();
        ensure!(
            hosts.keys().cloned().collect::<BTreeSet<_>>() == wanted,
            "other hosts than asked: {hosts:?}"
        );
        let made = self.cluster.world.sim.instances().len() - made_before;
        if self.class == IdempotencyClass::None {
            // An attempt that was lost is never made again by itself.
            let judged = hosts.values().all(|phase| matches!(*phase, "Ready" | "Quarantined"));
            ensure!(judged, "neither ready nor for people to judge: {hosts:?}");
            ensure!(made <= HOSTS as usize, "{made} instances were made");
            run.quarantined = rest.quarantined;
            return Ok(());
        }
        ensure!(
            hosts.values().all(|phase| *phase == "Ready"),
            "not as undisturbed: {hosts:?}, {operation:?}"
        );
        ensure!(made == HOSTS as usize, "{made} instances were made");
        Ok(())
    }

    async fn check_deleted(&self, name: &str) -> anyhow::Result<()> {
        let state = self.cluster.at_rest().await?;
        let rest = Rest::of(&self.cluster, &state)?;
        let hosts = hosts_of(&state, name);
        ensure!(hosts.is_empty(), "hosts are left: {hosts:?}");
        ensure!(rest == Rest::default(), "somebody else's hosts: {rest:?}");
        let live = self.cluster.world.sim.live();
        ensure!(live.is_empty(), "instances are left: {live:?}");
        Ok(())
    }
}

fn take(progress: &Shared, trace: &mut Vec<Step>, crashes: &mut u32) {
    let mut progress = progress.lock().unwrap_or_else(PoisonError::into_inner);
    *trace = std::mem::take(&mut progress.trace);
    *crashes += progress.crashes;
}

/// Crashes whom it is told to, and brings each back. Ends when nobody can give orders any more.
async fn reap(
    cluster: Arc<InProcess>,
    mut orders: mpsc::UnboundedReceiver<Crash>,
    fail_over: bool,
) -> anyhow::Result<()> {
    let mut next = orders.recv().await;
    while let Some(Crash { victim, done }) = next.take() {
        cluster.crash(victim).await;
        // An Err says that the one who waits was the victim.
        let _ = done.send(());
        if fail_over {
            // In vain where the next crash takes the quorum; then this is a restart.
            let others = timeout(FAIL_OVER, eventually("another took over", || taken_over(&cluster, victim)));
            tokio::select! {
                _ = others => {}
                order = orders.recv() => next = order,
            }
        }
        cluster.restart(victim).await?;
        if next.is_none() {
            next = orders.recv().await;
        }
    }
    eventually("a leader", || cluster.leader_now()).await?;
    Ok(())
}

fn taken_over(cluster: &InProcess, victim: u64) -> Option<()> {
    let owned = cluster.owner_now().is_none_or(|owner| owner == victim);
    (cluster.leader_now().is_some() && !owned).then_some(())
}
