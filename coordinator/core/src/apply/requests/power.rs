//! Start, stop, restart and kill: a wish on the host that its planner carries out.

use skep_types::{Code, HostId, OperationId, OperationKind, Phase, PowerAction, PowerActions, Refusal};

use super::delete::{count, find, subject};
use super::{Opening, open_operation};
use crate::apply::operations;
use crate::apply::tx::Tx;
use crate::command::RequestMeta;
use crate::state::Host;

pub(super) fn hosts(
    tx: &mut Tx<'_>,
    meta: &RequestMeta,
    hosts: &[HostId],
    action: PowerAction,
) -> Result<OperationId, Refusal> {
    let found = find(tx, meta, hosts)?;
    found.iter().try_for_each(|host| can(tx, host, action))?;
    let opening = Opening {
        kind: OperationKind::PowerHosts,
        subject: &subject(&found),
        swarm: None,
        items: count(hosts),
        rule: None,
    };
    let operation = open_operation(tx, meta, opening);
    for host in hosts {
        operations::supersede(tx, *host, operation, |host| wish(host, action));
    }
    Ok(operation)
}

fn wish(host: &mut Host, action: PowerAction) {
    let there = match action {
        PowerAction::Start => host.phase == Phase::Ready,
        PowerAction::Stop | PowerAction::Kill => host.phase == Phase::Stopped,
        PowerAction::Restart => false,
    };
    host.desired.running = matches!(action, PowerAction::Start | PowerAction::Restart);
    host.desired.power = (!there).then_some(action);
    host.retry_at = None;
    host.attempts = 0;
}

fn can(tx: &Tx<'_>, host: &Host, action: PowerAction) -> Result<(), Refusal> {
    let account = tx.state.accounts.get(&host.template.account);
    let has = account.map_or(PowerActions::None, |account| account.driver.power);
    if !has.include(action) {
        let (driver, has) = (&host.template.driver, has.label());
        let message = format!("driver {driver} cannot do that to {}; its power actions: {has}", host.name);
        return Err(Refusal::new(Code::Precondition, message));
    }
    match host.phase {
        Phase::Ready | Phase::Stopped if !host.desired.absent => Ok(()),
        _ => {
            let rule = "only a host that is Ready or Stopped has its power changed";
            Err(Refusal::new(Code::Precondition, format!("{} is {}; {rule}", host.name, host.phase.label())))
        }
    }
}
