//! Plans as text: one line per command, without revisions, for snapshots.

use skep_core::State;
use skep_core::command::PlanCommand;
use skep_core::plan::Plan;
use skep_core::plan::account::WishKind;
use skep_core::state::Task;
use skep_types::HostId;

pub(crate) fn plan_text(state: &State, plan: &Plan) -> Vec<String> {
    let commands = plan.commands.iter().map(|command| command_text(state, command));
    let wishes = plan.wishes.iter().map(|wish| {
        let hosts: Vec<String> = wish.guards.iter().map(|guard| name(state, guard.host)).collect();
        let kind = match &wish.kind {
            WishKind::Create(_) => "create".to_owned(),
            WishKind::Power(action) => format!("{action:?}").to_lowercase(),
            WishKind::Destroy => "destroy".to_owned(),
        };
        format!("{} {kind}: {}", wish.account, hosts.join(" "))
    });
    commands.chain(wishes).collect()
}

fn command_text(state: &State, command: &PlanCommand) -> String {
    match command {
        PlanCommand::Advance { guard, to, reason } => {
            format!("{} -> {to:?} ({reason})", name(state, guard.host))
        }
        PlanCommand::Grant { guard, task } => format!("{} may {}", name(state, guard.host), task_text(task)),
        PlanCommand::Revoke { guard } => format!("{} may no longer", name(state, guard.host)),
        PlanCommand::ForgetSwarm { swarm } => format!("forget swarm {swarm}"),
        other => format!("{other:?}"),
    }
}

fn task_text(task: &Task) -> String {
    match task {
        Task::SwarmInit { advertise } => format!("init at {advertise}"),
        Task::SwarmJoin { advertise, managers } => format!("join {managers:?} at {advertise}"),
        Task::SwarmLeave { force } => format!("leave (force {force})"),
        Task::UpdateNodes { changes } => {
            let change = |change: &skep_core::state::NodeChange| {
                let role = change.role.map_or_else(String::new, |role| format!(" becomes {}", role.label()));
                let labels = if change.labels.is_empty() { "" } else { " labels" };
                format!("{}{role}{labels}", change.node)
            };
            format!("update {}", changes.iter().map(change).collect::<Vec<_>>().join(", "))
        }
        Task::RemoveNodes { nodes, force } => {
            let nodes: Vec<String> = nodes.iter().map(ToString::to_string).collect();
            format!("remove {} (force {force})", nodes.join(" "))
        }
    }
}

fn name(state: &State, id: HostId) -> String {
    state.host(id).map_or_else(|| id.to_string(), |host| host.name.to_string())
}
