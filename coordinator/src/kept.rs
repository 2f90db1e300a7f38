//! What drivers keep of their instances, sealed in the host's record between their calls.

use skep_core::State;
use skep_core::state;
use skep_driver::Target;
use skep_types::{InstanceRef, Secret};

use crate::trust::Sealer;

fn resource(instance: &InstanceRef) -> String {
    format!("kept/{}", instance.provider_id)
}

/// None where it cannot be sealed: the instance is worth more than what was kept of it.
pub(crate) fn seal(sealer: &Sealer, instance: &InstanceRef, kept: &Secret) -> Option<Vec<u8>> {
    let sealed = sealer.seal(&resource(instance), kept.reveal().as_bytes());
    sealed
        .inspect_err(
            |error| tracing::error!(%error, instance = %instance.provider_id, "what was kept is lost"),
        )
        .ok()
}

/// A host's instance, as its driver takes it.
pub(crate) fn target(sealer: &Sealer, bound: &state::Instance) -> Target {
    let instance = bound.instance.clone();
    let kept = bound.sealed_kept.as_deref().and_then(|sealed| open(sealer, &instance, sealed));
    Target { instance, kept }
}

/// An intent's target, as its driver takes it. What belongs to no host was never kept.
pub(crate) fn target_of(sealer: &Sealer, target: &state::Target, state: &State) -> Target {
    let host = target.host.and_then(|host| state.host(host));
    match host.and_then(|host| host.instance.as_ref()).filter(|bound| bound.instance == target.instance) {
        Some(bound) => self::target(sealer, bound),
        None => target.instance.clone().into(),
    }
}

fn open(sealer: &Sealer, instance: &InstanceRef, sealed: &[u8]) -> Option<Secret> {
    let opened = sealer.open(&resource(instance), sealed);
    let bytes = opened
        .inspect_err(
            |error| tracing::error!(%error, instance = %instance.provider_id, "what was kept is unreadable"),
        )
        .ok()?;
    String::from_utf8(bytes.to_vec()).ok().map(Secret::new)
}

#[cfg(test)]
mod tests {
    use skep_types::{ClusterTime, IntentId};

    use super::*;
    use crate::trust::ClusterKey;

    fn instance(id: &str) -> InstanceRef {
        InstanceRef { provider_id: id.parse().unwrap(), name: "web".to_owned() }
    }

    fn bound(id: &str, sealed_kept: Option<Vec<u8>>) -> state::Instance {
        state::Instance {
            instance: instance(id),
            intent: IntentId::new(1, 1),
            private_address: None,
            public_address: None,
            zone: String::new(),
            sealed_kept,
            bound_at: ClusterTime(0),
        }
    }

    #[test]
    fn what_is_kept_is_sealed_for_its_instance_and_opens_on_every_coordinator() {
        let key = ClusterKey::generate().unwrap();
        let sealer = || key.sealer(&"c1".parse().unwrap()).unwrap();
        let kept = Secret::new("-----BEGIN RSA PRIVATE KEY-----");
        let sealed = seal(&sealer(), &instance("vm-1"), &kept).unwrap();
        let text = kept.reveal().as_bytes();
        assert!(!sealed.windows(text.len()).any(|part| part == text));
        let open = |id| target(&sealer(), &bound(id, Some(sealed.clone())));
        assert_eq!(open("vm-1"), Target { instance: instance("vm-1"), kept: Some(kept.clone()) });
        // What belongs to another instance is nothing to this one.
        assert_eq!(open("vm-2").kept, None);
    }
}
