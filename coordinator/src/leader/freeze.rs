//! Makes an intent of a planner's wish: enrolment tokens are drawn, user-data is rendered, and all of it is sealed, so
//! that the log holds every parameter of the driver call before the call.

use std::sync::Arc;

use skep_core::State;
use skep_core::command::{NewIntent, NewSlot, PlanCommand};
use skep_core::plan::account::{Wish, WishKind};
use skep_proto::store::FrozenBootstrap;
use skep_types::{AgentConfig, Digest, EnrolmentConfig, HostId, SlotNaming, Template};

use crate::context::Context;
use crate::frozen;
use crate::trust::{Token, TrustError};

/// The agent that hosts are given: every coordinator serves the same file, named by its digest.
#[derive(Debug, Clone)]
pub(crate) struct AgentSource {
    pub(crate) sha256: Digest,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum FreezeError {
    #[error("a secret could not be drawn or sealed")]
    Trust(#[from] TrustError),
    #[error("an agent's configuration could not be written")]
    Config(#[from] toml::ser::Error),
}

pub(super) fn open_intent(
    context: &Context,
    agent: &AgentSource,
    wish: Wish,
) -> Result<PlanCommand, FreezeError> {
    let intent = match &wish.kind {
        WishKind::Create(template) => create(context, agent, &wish, template)?,
        WishKind::Power(action) => NewIntent::Power { action: *action },
        WishKind::Destroy => NewIntent::Destroy,
    };
    Ok(PlanCommand::OpenIntent { guards: wish.guards, account: wish.account, shard: wish.shard, intent })
}

fn create(
    context: &Context,
    agent: &AgentSource,
    wish: &Wish,
    template: &Arc<Template>,
) -> Result<NewIntent, FreezeError> {
    let state = context.raft.state();
    let account = state.accounts.get(&wish.account);
    let shared = account.is_some_and(|account| account.driver.batch.naming == SlotNaming::Interchangeable);
    let mut slots = Vec::with_capacity(wish.guards.len());
    let mut agent_configs = Vec::with_capacity(wish.guards.len());
    let mut token = Token::generate()?;
    for guard in &wish.guards {
        if !shared && !slots.is_empty() {
            token = Token::generate()?;
        }
        let host = (!shared).then_some(guard.host);
        agent_configs.push(toml::to_string(&agent_config(context, &state, host, &token))?);
        slots.push(NewSlot { token: token.digest() });
    }
    let agent_urls = coordinators(&state).map(|address| format!("https://{address}/agent/{}", agent.sha256));
    let frozen = FrozenBootstrap {
        agent_urls: agent_urls.collect(),
        agent_sha256: agent.sha256.to_string(),
        agent_configs,
    };
    let sealed_bootstrap =
        frozen::seal(&context.trust.sealer, slots.first().map(|slot| slot.token), &frozen)?;
    Ok(NewIntent::Create { template: Arc::clone(template), slots, sealed_bootstrap })
}

fn agent_config(context: &Context, state: &State, host: Option<HostId>, token: &Token) -> AgentConfig {
    let mut coordinators: Vec<String> = coordinators(state).map(str::to_owned).collect();
    // An agent dials the first one first: turned by the host's number, agents spread.
    let turn = host.map_or(0, |host| host.counter % u64::try_from(coordinators.len().max(1)).unwrap_or(1));
    coordinators.rotate_left(usize::try_from(turn).unwrap_or(0));
    let subject = host.map(|host| host.to_string()).unwrap_or_default();
    AgentConfig {
        cluster: context.cluster.to_string(),
        coordinators,
        ca: context.trust.issuers.control.root_pem(),
        data_dir: AgentConfig::default_data_dir(),
        docker_socket: AgentConfig::default_docker_socket(),
        docker_port: AgentConfig::default_docker_port(),
        enrolment: EnrolmentConfig { subject, token: token.text() },
    }
}

fn coordinators(state: &State) -> impl Iterator<Item = &str> {
    let here = state.coordinators.values().filter(|coordinator| !coordinator.removed);
    here.map(|coordinator| coordinator.address.as_str())
}
