//! Rules about what happens to an instance once it exists.

use skep_types::PowerAction;

use super::scope::{Broken, Checked, Scope, expect, failed, targets};
use crate::{ErrorKind, InstanceState, Target};

/// The bound of [`crate::Driver::console`].
const CONSOLE_BYTES: usize = 64 * 1024;

pub(super) async fn power_is_idempotent(scope: &Scope<'_>) -> Checked {
    let made = targets(&scope.make().await?);
    let has = scope.driver.describe().power;
    if !has.include(PowerAction::Stop) {
        let answer = scope.driver.power(&scope.cluster, PowerAction::Stop, &made).await;
        let unsupported = matches!(&answer, Err(error) if error.kind == ErrorKind::Unsupported);
        expect(unsupported, || format!("a driver that cannot stop answered {answer:?}"))?;
    }
    let one = &made[0];
    let before = scope.becomes(one, InstanceState::Running).await?;
    let actions = [
        (PowerAction::Stop, InstanceState::Stopped),
        (PowerAction::Kill, InstanceState::Stopped),
        (PowerAction::Start, InstanceState::Running),
        (PowerAction::Restart, InstanceState::Running),
        (PowerAction::Kill, InstanceState::Stopped),
        (PowerAction::Restart, InstanceState::Running),
    ];
    for (action, state) in actions.into_iter().filter(|(action, _)| has.include(*action)) {
        for _ in 0..2 {
            power(scope, action, one).await?;
        }
        let after = scope.becomes(one, state).await?;
        let address = after.private_address;
        expect(state == InstanceState::Stopped || address == before.private_address, || {
            format!("{action:?} turned the address {:?} into {address:?}", before.private_address)
        })?;
    }
    Ok(())
}

async fn power(scope: &Scope<'_>, action: PowerAction, target: &Target) -> Checked {
    match scope.driver.power(&scope.cluster, action, std::slice::from_ref(target)).await {
        Ok(items) => match items.into_iter().next() {
            Some(Ok(())) => Ok(()),
            Some(Err(error)) => failed(&format!("{action:?}"), &error),
            None => Err(Broken::Failed(format!("{action:?} of one instance was not answered"))),
        },
        Err(error) => failed(&format!("{action:?}"), &error),
    }
}

pub(super) async fn destroy_is_idempotent(scope: &Scope<'_>) -> Checked {
    let made = targets(&scope.make().await?);
    for _ in 0..2 {
        let answer = scope.driver.destroy(&scope.cluster, &made).await;
        let success =
            matches!(&answer, Ok(items) if items.len() == made.len() && items.iter().all(Result::is_ok));
        expect(success, || format!("destroy answered {answer:?}"))?;
    }
    scope.lists_exactly(&scope.cluster, &std::collections::BTreeSet::new()).await?;
    for target in &made {
        let seen = scope.observe_one(&scope.cluster, target).await?;
        let gone = match &seen {
            Ok(found) => found.state == InstanceState::Destroyed,
            Err(error) => error.kind == ErrorKind::NotFound,
        };
        expect(gone, || format!("a destroyed instance is observed as {seen:?}"))?;
    }
    Ok(())
}

pub(super) async fn instances_are_placed(scope: &Scope<'_>) -> Checked {
    for instance in scope.make().await? {
        let id = &instance.instance.provider_id;
        expect(!instance.zone.is_empty(), || format!("{id} has no zone"))?;
        let running = scope.becomes(&Target::from(&instance), InstanceState::Running).await?;
        let address = running.private_address.or(running.public_address);
        expect(address.is_some(), || format!("{id} runs without an address"))?;
    }
    Ok(())
}

pub(super) async fn console_is_bounded(scope: &Scope<'_>) -> Checked {
    let made = targets(&scope.make().await?);
    let answer = scope.driver.console(&scope.cluster, &made[0]).await;
    if !scope.driver.describe().console {
        let unsupported = matches!(&answer, Err(error) if error.kind == ErrorKind::Unsupported);
        return expect(unsupported, || format!("a driver without console answered {answer:?}"));
    }
    match answer {
        Ok(text) => expect(text.len() <= CONSOLE_BYTES, || format!("console has {} bytes", text.len()))?,
        Err(error) => return failed("console", &error),
    }
    let neighbours = scope.driver.console(&scope.neighbour, &made[0]).await;
    expect(neighbours.is_err(), || "another cluster reads the console".to_owned())
}
