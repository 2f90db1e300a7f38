//! Many simulated hosts at once, and a swarm of them: all Ready, then nothing left.

use std::time::Instant;

use skep_proto::v1 as pb;
use skep_tests::inprocess::{InProcess, Rest, Setup, create, delete, mutation, template};

const HOSTS: u32 = 200;
const MANAGERS: u32 = 3;
const WORKERS: u32 = 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_hosts_come_and_go() {
    let cluster = InProcess::start(Setup::default()).await.unwrap();
    let started = Instant::now();
    cluster.create(create("web", HOSTS)).await.unwrap();
    skep_tests::print(&format!("{HOSTS} hosts ready after {:.1?}", started.elapsed()));
    let rest = Rest::of(&cluster, &cluster.at_rest().await.unwrap()).unwrap();
    assert_eq!(rest.ready.len(), HOSTS as usize);
    let started = Instant::now();
    cluster.delete(delete("gone", (1..=HOSTS).map(|number| format!("web-{number}")))).await.unwrap();
    skep_tests::print(&format!("{HOSTS} hosts deleted after {:.1?}", started.elapsed()));
    let rest = Rest::of(&cluster, &cluster.at_rest().await.unwrap()).unwrap();
    assert_eq!(rest, Rest::default());
    assert!(cluster.world.sim.live().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_swarm_forms_and_goes() {
    let cluster = InProcess::start(Setup::default()).await.unwrap();
    let operator = cluster.operator().unwrap();
    let request = pb::CreateSwarmRequest {
        mutation: mutation("swarm"),
        name: "demo".to_owned(),
        template: Some(template()),
        managers: MANAGERS,
        workers: WORKERS,
        ..Default::default()
    };
    let started = Instant::now();
    let asked = operator.ask(async |c| c.swarms.clone().create(request.clone()).await).await.unwrap();
    cluster.finished(&asked.id).await.unwrap();
    skep_tests::print(&format!("{MANAGERS} + {WORKERS} nodes ready after {:.1?}", started.elapsed()));
    let asked = pb::GetSwarmRequest { swarm: "demo".to_owned() };
    let swarm = operator.ask(async |c| c.swarms.clone().get(asked.clone()).await).await.unwrap();
    assert_eq!((swarm.managers_ready, swarm.workers_ready), (MANAGERS, WORKERS), "{swarm:?}");
    let rest = Rest::of(&cluster, &cluster.at_rest().await.unwrap()).unwrap();
    assert_eq!(rest.ready.len(), (MANAGERS + WORKERS) as usize);
    let request = pb::DeleteSwarmRequest { mutation: mutation("gone"), swarm: "demo".to_owned() };
    let started = Instant::now();
    let asked = operator.ask(async |c| c.swarms.clone().delete(request.clone()).await).await.unwrap();
    cluster.finished(&asked.id).await.unwrap();
    skep_tests::print(&format!("the swarm was gone after {:.1?}", started.elapsed()));
    let state = cluster.at_rest().await.unwrap();
    assert_eq!(Rest::of(&cluster, &state).unwrap(), Rest::default());
    assert!(state.swarms.is_empty() && cluster.world.sim.live().is_empty());
}
