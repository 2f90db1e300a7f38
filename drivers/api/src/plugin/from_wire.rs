//! From the wire's types to ours. What the other process sent may be anything: each refusal names the field.

use std::num::NonZeroU64;
use std::str::FromStr;
use std::time::Duration;

use skep_proto::driver as pb;
use skep_types::{FieldViolation, InstanceRef, PowerAction, Secret, Template, limits};

use super::texts;
use crate::{
    Access, Bootstrap, CreateIntent, DriverError, ErrorKind, Instance, InstanceState, Page, Placed, Slot,
    Target,
};

mod description;

pub(super) use description::description;

/// A message of the other process that means nothing here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} {problem}")]
pub struct WireError {
    pub field: &'static str,
    pub problem: String,
}

fn wrong(field: &'static str, problem: impl Into<String>) -> WireError {
    WireError { field, problem: problem.into() }
}

fn parsed<T: FromStr<Err: std::fmt::Display>>(field: &'static str, text: &str) -> Result<T, WireError> {
    text.parse().map_err(|error: T::Err| wrong(field, format!("is unusable: {error}")))
}

/// Absent on the wire is the empty text.
fn optional<T: FromStr<Err: std::fmt::Display>>(
    field: &'static str,
    text: &str,
) -> Result<Option<T>, WireError> {
    if text.is_empty() { Ok(None) } else { parsed(field, text).map(Some) }
}

fn required<T>(field: &'static str, value: Option<T>) -> Result<T, WireError> {
    value.ok_or_else(|| wrong(field, "is missing"))
}

fn bounded(field: &'static str, len: usize, max: usize) -> Result<(), WireError> {
    if len <= max { Ok(()) } else { Err(wrong(field, format!("has {len} entries, at most {max} are taken"))) }
}

pub(super) fn access(from: pb::ConfigureRequest) -> Result<Access, WireError> {
    bounded("options", from.options.len(), limits::OPTIONS)?;
    bounded("credentials", from.credentials.len(), limits::CREDENTIALS)?;
    Ok(Access {
        account: parsed("account", &from.account)?,
        options: from.options.into_iter().collect(),
        credentials: from.credentials.into_iter().map(|(name, value)| (name, Secret::new(value))).collect(),
        state_dir: from.state_dir.into(),
        agents_dir: from.agents_dir.into(),
    })
}

pub(super) fn template(from: pb::Template) -> Result<Template, WireError> {
    bounded("template.options", from.options.len(), limits::OPTIONS)?;
    bounded("template.labels", from.labels.len(), limits::LABELS)?;
    Ok(Template {
        driver: parsed("template.driver", &from.driver)?,
        account: parsed("template.account", &from.account)?,
        options: from.options.into_iter().collect(),
        labels: from.labels.into_iter().collect(),
    })
}

pub(super) fn intent(from: pb::EnsureRequest) -> Result<CreateIntent, WireError> {
    if from.slots.is_empty() {
        return Err(wrong("slots", "is empty"));
    }
    Ok(CreateIntent {
        cluster: from.cluster,
        intent: parsed("intent", &from.intent)?,
        token: from.token,
        template: template(required("template", from.template)?)?,
        slots: from.slots.into_iter().map(slot).collect::<Result<_, _>>()?,
        lost: from.lost,
        inherited: NonZeroU64::new(from.inherited),
    })
}

fn slot(from: pb::Slot) -> Result<Slot, WireError> {
    let bootstrap = required("slots.bootstrap", from.bootstrap)?;
    Ok(Slot {
        name: from.name,
        host: parsed("slots.host_id", &from.host_id)?,
        incarnation: from.incarnation,
        bootstrap: Bootstrap {
            agent_urls: bootstrap.agent_urls,
            agent_sha256: bootstrap.agent_sha256,
            agent_config: Secret::new(bootstrap.agent_config),
        },
    })
}

fn instance_ref(from: pb::InstanceRef) -> Result<InstanceRef, WireError> {
    Ok(InstanceRef {
        provider_id: parsed("instance.provider_id", &from.provider_id)?,
        name: texts::name("instance.name", from.name)?,
    })
}

pub(super) fn target(from: pb::Target) -> Result<Target, WireError> {
    let told = required("target.ref", from.r#ref)?;
    // The name is as it was taken once, perhaps when longer ones were.
    let instance =
        InstanceRef { provider_id: parsed("target.ref.provider_id", &told.provider_id)?, name: told.name };
    Ok(Target { instance, kept: kept(from.kept)? })
}

pub(super) fn targets(from: Vec<pb::Target>) -> Result<Vec<Target>, WireError> {
    bounded("targets", from.len(), limits::NAMES_PER_REQUEST)?;
    from.into_iter().map(target).collect()
}

fn kept(from: String) -> Result<Option<Secret>, WireError> {
    let kept = texts::sized("instance.kept", from, limits::KEPT_BYTES)?;
    Ok((!kept.is_empty()).then(|| Secret::new(kept)))
}

fn instance(from: pb::Instance) -> Result<Instance, WireError> {
    let state = match from.state() {
        pb::InstanceState::Starting => InstanceState::Starting,
        pb::InstanceState::Running => InstanceState::Running,
        pb::InstanceState::Stopping => InstanceState::Stopping,
        pb::InstanceState::Stopped => InstanceState::Stopped,
        pb::InstanceState::Destroyed => InstanceState::Destroyed,
        pb::InstanceState::Unspecified => return Err(wrong("instance.state", "is not known here")),
    };
    Ok(Instance {
        instance: instance_ref(required("instance.ref", from.r#ref)?)?,
        // An unreadable tag is a fact about the instance, not a defect of the message.
        intent: from.intent.parse().ok(),
        state,
        private_address: optional("instance.private_address", &from.private_address)?,
        public_address: optional("instance.public_address", &from.public_address)?,
        zone: texts::name("instance.zone", from.zone)?,
        kept: kept(from.kept)?,
    })
}

fn instances(from: Vec<pb::Instance>) -> Result<Vec<Instance>, WireError> {
    from.into_iter().map(instance).collect()
}

pub(super) fn power_action(from: i32) -> Result<PowerAction, WireError> {
    match pb::PowerAction::try_from(from) {
        Ok(pb::PowerAction::Start) => Ok(PowerAction::Start),
        Ok(pb::PowerAction::Stop) => Ok(PowerAction::Stop),
        Ok(pb::PowerAction::Restart) => Ok(PowerAction::Restart),
        Ok(pb::PowerAction::Kill) => Ok(PowerAction::Kill),
        Ok(pb::PowerAction::Unspecified) | Err(_) => Err(wrong("action", "is not known here")),
    }
}

/// What a reply says: the driver's answer or its refusal.
type Answer<T> = Result<Result<T, DriverError>, WireError>;

pub(super) fn ensured(from: pb::EnsureReply) -> Answer<Placed> {
    if let Some(failed) = from.error {
        return Ok(Err(error(failed)));
    }
    Ok(Ok(Placed { instances: instances(from.placements)?, shortfall: from.shortfall.map(error) }))
}

pub(super) fn listed(from: pb::ListReply) -> Answer<Page> {
    if let Some(failed) = from.error {
        return Ok(Err(error(failed)));
    }
    let next = Some(from.next_page_token).filter(|token| !token.is_empty());
    Ok(Ok(Page { instances: instances(from.instances)?, next }))
}

pub(super) fn observed(from: pb::ObserveReply, asked: usize) -> Answer<Vec<Result<Instance, DriverError>>> {
    if let Some(failed) = from.error {
        return Ok(Err(error(failed)));
    }
    complete(from.results.len(), asked)?;
    let one = |item: pb::Observed| match required("results.result", item.result)? {
        pb::observed::Result::Instance(found) => Ok(Ok(instance(found)?)),
        pb::observed::Result::Error(failed) => Ok(Err(error(failed))),
    };
    from.results.into_iter().map(one).collect::<Result<_, _>>().map(Ok)
}

pub(super) fn results(from: pb::ResultsReply, asked: usize) -> Answer<Vec<Result<(), DriverError>>> {
    if let Some(failed) = from.error {
        return Ok(Err(error(failed)));
    }
    complete(from.results.len(), asked)?;
    Ok(Ok(from
        .results
        .into_iter()
        .map(|item| item.error.map_or(Ok(()), |failed| Err(error(failed))))
        .collect()))
}

pub(super) fn attested(from: pb::AttestReply) -> Answer<Option<InstanceRef>> {
    if let Some(failed) = from.error {
        return Ok(Err(error(failed)));
    }
    from.instance.map(instance_ref).transpose().map(Ok)
}

/// What the first message of a tunnel asks for.
pub(super) fn opened(from: pb::TunnelRequest) -> Result<(String, Target, u16), WireError> {
    let open = required("open", from.open)?;
    let port =
        u16::try_from(open.port).map_err(|error| wrong("open.port", format!("is unusable: {error}")))?;
    Ok((open.cluster, target(required("open.target", open.target)?)?, port))
}

/// Results are told apart by their position alone.
fn complete(got: usize, asked: usize) -> Result<(), WireError> {
    if got == asked {
        Ok(())
    } else {
        Err(wrong("results", format!("has {got} entries for {asked} instances")))
    }
}

pub(super) fn error(from: pb::Error) -> DriverError {
    let kind = match from.kind() {
        pb::ErrorKind::Throttled => {
            ErrorKind::Throttled { retry_after: Duration::from_millis(from.retry_after_ms) }
        }
        pb::ErrorKind::Capacity => ErrorKind::Capacity,
        pb::ErrorKind::Quota => ErrorKind::Quota,
        pb::ErrorKind::Auth => ErrorKind::Auth,
        pb::ErrorKind::InvalidSpec => {
            let violation = |v: pb::Violation| FieldViolation { field: v.field, description: v.description };
            ErrorKind::InvalidSpec {
                violations: texts::violations(from.violations.into_iter().map(violation)),
            }
        }
        pb::ErrorKind::NotFound => ErrorKind::NotFound,
        pb::ErrorKind::Unavailable => ErrorKind::Unavailable,
        pb::ErrorKind::Unsupported => ErrorKind::Unsupported,
        pb::ErrorKind::Internal => ErrorKind::Internal,
        // A kind of a newer plugin: what is not known may have had an effect.
        pb::ErrorKind::Ambiguous | pb::ErrorKind::Unspecified => ErrorKind::Ambiguous,
    };
    DriverError::new(kind, texts::message(from.message))
}

#[cfg(test)]
mod tests;
