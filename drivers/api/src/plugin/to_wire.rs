//! From our types to the wire's. Total: every value of ours has a place there.

use std::fmt::Display;
use std::num::NonZeroU64;
use std::time::Duration;

use skep_proto::driver as pb;
use skep_types::{FieldViolation, InstanceRef, PowerAction, Secret, Template, chain};

use super::texts;
use crate::{
    Access, Bootstrap, CreateIntent, DriverError, ErrorKind, Instance, InstanceState, Page, Placed, Slot,
    Target,
};

mod description;

pub(super) use description::description;

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

pub(super) fn access(from: Access) -> pb::ConfigureRequest {
    let revealed = |(name, value): (String, Secret)| (name, value.reveal().to_owned());
    pb::ConfigureRequest {
        account: from.account.to_string(),
        options: from.options.into_iter().collect(),
        credentials: from.credentials.into_iter().map(revealed).collect(),
        state_dir: from.state_dir.to_string_lossy().into_owned(),
        agents_dir: from.agents_dir.to_string_lossy().into_owned(),
    }
}

pub(super) fn template(from: &Template) -> pb::Template {
    pb::Template {
        driver: from.driver.to_string(),
        account: from.account.to_string(),
        options: from.options.clone().into_iter().collect(),
        labels: from.labels.clone().into_iter().collect(),
    }
}

pub(super) fn intent(from: &CreateIntent) -> pb::EnsureRequest {
    pb::EnsureRequest {
        cluster: from.cluster.clone(),
        intent: from.intent.to_string(),
        token: from.token.clone(),
        template: Some(template(&from.template)),
        slots: from.slots.iter().map(slot).collect(),
        lost: from.lost,
        inherited: from.inherited.map_or(0, NonZeroU64::get),
    }
}

fn slot(from: &Slot) -> pb::Slot {
    pb::Slot {
        name: from.name.clone(),
        host_id: from.host.to_string(),
        incarnation: from.incarnation,
        bootstrap: Some(bootstrap(&from.bootstrap)),
    }
}

fn bootstrap(from: &Bootstrap) -> pb::Bootstrap {
    pb::Bootstrap {
        agent_urls: from.agent_urls.clone(),
        agent_sha256: from.agent_sha256.clone(),
        agent_config: from.agent_config.reveal().to_owned(),
    }
}

fn instance_ref(from: &InstanceRef) -> pb::InstanceRef {
    pb::InstanceRef { provider_id: from.provider_id.to_string(), name: from.name.clone() }
}

pub(super) fn target(from: &Target) -> pb::Target {
    pb::Target { r#ref: Some(instance_ref(&from.instance)), kept: kept(from.kept.as_ref()) }
}

fn kept(from: Option<&Secret>) -> String {
    from.map(|kept| kept.reveal().to_owned()).unwrap_or_default()
}

pub(super) fn instance(from: &Instance) -> pb::Instance {
    let state = match from.state {
        InstanceState::Starting => pb::InstanceState::Starting,
        InstanceState::Running => pb::InstanceState::Running,
        InstanceState::Stopping => pb::InstanceState::Stopping,
        InstanceState::Stopped => pb::InstanceState::Stopped,
        InstanceState::Destroyed => pb::InstanceState::Destroyed,
    };
    pb::Instance {
        r#ref: Some(instance_ref(&from.instance)),
        intent: text(from.intent.as_ref()),
        state: state.into(),
        private_address: text(from.private_address.as_ref()),
        public_address: text(from.public_address.as_ref()),
        zone: from.zone.clone(),
        kept: kept(from.kept.as_ref()),
    }
}

fn text(from: Option<&impl Display>) -> String {
    from.map(ToString::to_string).unwrap_or_default()
}

pub(super) fn power_action(from: PowerAction) -> pb::PowerAction {
    match from {
        PowerAction::Start => pb::PowerAction::Start,
        PowerAction::Stop => pb::PowerAction::Stop,
        PowerAction::Restart => pb::PowerAction::Restart,
        PowerAction::Kill => pb::PowerAction::Kill,
    }
}

pub(super) fn ensured(from: Result<Placed, DriverError>) -> pb::EnsureReply {
    match from {
        Ok(placed) => pb::EnsureReply {
            placements: placed.instances.iter().map(instance).collect(),
            shortfall: placed.shortfall.as_ref().map(error),
            error: None,
        },
        Err(failed) => pb::EnsureReply { error: Some(error(&failed)), ..Default::default() },
    }
}

pub(super) fn listed(from: Result<Page, DriverError>) -> pb::ListReply {
    match from {
        Ok(page) => pb::ListReply {
            instances: page.instances.iter().map(instance).collect(),
            next_page_token: page.next.unwrap_or_default(),
            error: None,
        },
        Err(failed) => pb::ListReply { error: Some(error(&failed)), ..Default::default() },
    }
}

pub(super) fn observed(from: Result<Vec<Result<Instance, DriverError>>, DriverError>) -> pb::ObserveReply {
    let one = |item: &Result<Instance, DriverError>| {
        let result = match item {
            Ok(found) => pb::observed::Result::Instance(instance(found)),
            Err(failed) => pb::observed::Result::Error(error(failed)),
        };
        pb::Observed { result: Some(result) }
    };
    match from {
        Ok(items) => pb::ObserveReply { results: items.iter().map(one).collect(), error: None },
        Err(failed) => pb::ObserveReply { results: Vec::new(), error: Some(error(&failed)) },
    }
}

pub(super) fn results(from: Result<Vec<Result<(), DriverError>>, DriverError>) -> pb::ResultsReply {
    let one = |item: &Result<(), DriverError>| pb::ItemResult { error: item.as_ref().err().map(error) };
    match from {
        Ok(items) => pb::ResultsReply { results: items.iter().map(one).collect(), error: None },
        Err(failed) => pb::ResultsReply { results: Vec::new(), error: Some(error(&failed)) },
    }
}

pub(super) fn attested(from: Result<Option<InstanceRef>, DriverError>) -> pb::AttestReply {
    match from {
        Ok(instance) => pb::AttestReply { instance: instance.as_ref().map(instance_ref), error: None },
        Err(failed) => pb::AttestReply { instance: None, error: Some(error(&failed)) },
    }
}

pub(super) fn opening(cluster: &str, to: &Target, port: u16) -> pb::TunnelRequest {
    let open =
        pb::TunnelOpen { cluster: cluster.to_owned(), target: Some(target(to)), port: u32::from(port) };
    pb::TunnelRequest { open: Some(open), ..Default::default() }
}

pub(super) fn error(from: &DriverError) -> pb::Error {
    // With its sources in one text: sources do not cross the process boundary as such.
    let mut to = pb::Error { message: texts::message(chain(from)), ..Default::default() };
    let kind = match &from.kind {
        ErrorKind::Throttled { retry_after } => {
            to.retry_after_ms = milliseconds(*retry_after);
            pb::ErrorKind::Throttled
        }
        ErrorKind::InvalidSpec { violations } => {
            let violation = |v: FieldViolation| pb::Violation { field: v.field, description: v.description };
            to.violations =
                texts::violations(violations.iter().cloned()).into_iter().map(violation).collect();
            pb::ErrorKind::InvalidSpec
        }
        ErrorKind::Capacity => pb::ErrorKind::Capacity,
        ErrorKind::Quota => pb::ErrorKind::Quota,
        ErrorKind::Auth => pb::ErrorKind::Auth,
        ErrorKind::NotFound => pb::ErrorKind::NotFound,
        ErrorKind::Unavailable => pb::ErrorKind::Unavailable,
        ErrorKind::Ambiguous => pb::ErrorKind::Ambiguous,
        ErrorKind::Unsupported => pb::ErrorKind::Unsupported,
        ErrorKind::Internal => pb::ErrorKind::Internal,
    };
    to.set_kind(kind);
    to
}
