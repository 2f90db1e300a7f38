//! First contact that comes too late, or never.

use std::time::Duration;

use prost::Message as _;
use skep_core::state::{Intent, IntentKind};
use skep_proto::agent::{EnrolRequest, Identity};
use skep_proto::store::FrozenBootstrap;
use skep_proto::v1 as pb;
use skep_sim::{Behaviour, SimConfig};
use skep_tests::inprocess::{InProcess, Setup, create, eventually};
use skep_tls::Key;
use skep_types::{AgentConfig, EnrolmentConfig, FailureClass, Phase, limits};
use tonic::{Code, Status};

/// Long enough to read an intent while it is open.
const LATENCY: Duration = Duration::from_secs(1);

/// A cluster whose instances run, but start no agent: whoever has their tokens can be it.
async fn without_agents() -> InProcess {
    let latency_ms = u64::try_from(LATENCY.as_millis()).unwrap();
    let behaviour = Behaviour { latency_ms, boot_fails: true, ..Behaviour::default() };
    let world = SimConfig { behaviour, ..SimConfig::default() };
    InProcess::start(Setup { world, ..Setup::default() }).await.unwrap()
}

/// What the instances of the one open intent are to enrol with.
async fn enrolments(cluster: &InProcess) -> Vec<EnrolmentConfig> {
    let open = || cluster.newest()?.intents.values().next().cloned();
    let intent = eventually("the intent is open", open).await.unwrap();
    let Intent { kind: IntentKind::Create { slots, sealed_bootstrap, .. }, .. } = &*intent else {
        panic!("it creates")
    };
    let resource = format!("bootstrap/{}", slots[0].token);
    let opened = cluster.sealer().unwrap().open(&resource, sealed_bootstrap).unwrap();
    let frozen = FrozenBootstrap::decode(opened.as_slice()).unwrap();
    let read = |text: &String| toml::from_str::<AgentConfig>(text).unwrap().enrolment;
    frozen.agent_configs.iter().map(read).collect()
}

/// As an agent does it, with a key of its own.
async fn enrol(cluster: &InProcess, config: &EnrolmentConfig) -> Result<Identity, Status> {
    let request = EnrolRequest {
        subject: config.subject.clone(),
        token: config.token.reveal().to_owned(),
        signing_request: Key::generate().unwrap().signing_request_der().unwrap().into(),
        ..EnrolRequest::default()
    };
    let nobody = cluster.operator().unwrap().anonymous();
    nobody.ask(async |c| c.enrolment.clone().enrol(request.clone()).await).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_expires_fifteen_minutes_after_its_intent_closed() {
    let cluster = without_agents().await;
    let operator = cluster.operator().unwrap();
    let request = create("late", 2);
    let asked = operator.ask(async |c| c.hosts.clone().create(request.clone()).await).await.unwrap();
    let tokens = enrolments(&cluster).await;
    assert_eq!(tokens.len(), 2);
    let booting = |state: &skep_core::State| {
        state.hosts.len() == 2 && state.hosts.values().all(|host| host.phase == Phase::Booting)
    };
    cluster.until("both hosts are bound", |state| state.intents.is_empty() && booting(state)).await.unwrap();

    let identity = enrol(&cluster, &tokens[0]).await.unwrap();
    assert_eq!(identity.host_id, tokens[0].subject, "in time it is a certificate");

    cluster.clock.put_forward(limits::ENROLMENT_TOKEN_LIFE + Duration::from_secs(1));
    // Its own deadlines are over as well: what changes by itself has changed.
    cluster.finished(&asked.id).await.unwrap();
    let before = cluster.at_rest().await.unwrap();
    let refusal = enrol(&cluster, &tokens[1]).await.unwrap_err();
    assert_eq!(refusal.code(), Code::PermissionDenied, "{refusal}");
    assert!(refusal.message().contains("token has expired"), "{refusal}");
    assert!(refusal.message().contains("create it again"), "{refusal}");
    let after = cluster.at_rest().await.unwrap();
    assert_eq!(after.hosts, before.hosts, "what was refused has changed something");
    let late = after.host(tokens[1].subject.parse().unwrap()).unwrap();
    assert_eq!(late.enrolment.unwrap().key, None, "nobody owns it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_console_of_a_host_whose_agent_never_comes_is_told_by_any_coordinator() {
    let cluster = without_agents().await;
    let operator = cluster.operator().unwrap();
    let asked = operator.ask(async |c| c.hosts.clone().create(create("mute", 1)).await).await.unwrap();
    let booting = |state: &skep_core::State| {
        state.hosts.values().next().is_some_and(|host| host.phase == Phase::Booting)
    };
    cluster.until("the host is bound", |state| state.intents.is_empty() && booting(state)).await.unwrap();
    cluster.clock.put_forward(limits::BOOT_DEADLINE + Duration::from_secs(1));
    cluster.finished(&asked.id).await.unwrap();
    let state = cluster.at_rest().await.unwrap();
    let host = state.hosts.values().next().unwrap();
    assert!(matches!(host.phase, Phase::Failed { class: FailureClass::Boot, .. }), "{:?}", host.phase);
    for id in cluster.ids() {
        let asked = pb::GetHostRequest { host: host.name.to_string() };
        let told = operator.at(id).unwrap().hosts.explain(asked).await.unwrap().into_inner();
        assert_eq!(told.console, "running", "coordinator {id}");
    }
}
