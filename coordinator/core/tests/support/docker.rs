//! Docker swarms as their engines see them: a list of nodes that only a quorum of managers may change.

use std::collections::{BTreeMap, BTreeSet};

use skep_core::state::{NodeChange, SwarmNode};
use skep_types::{NodeId, NodeRole, NodeState, SwarmId};

use super::driver::InstanceKey;

#[derive(Debug, Clone)]
pub(crate) struct Node {
    /// None for somebody else's machine.
    pub(crate) engine: Option<InstanceKey>,
    pub(crate) role: NodeRole,
    /// A member of the managers' raft.
    pub(crate) manager: bool,
    pub(crate) labelled: bool,
    /// Its engine is in the swarm still.
    pub(crate) active: bool,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct DockerSwarm {
    pub(crate) nodes: BTreeMap<NodeId, Node>,
}

/// All swarms, and which engines are up.
#[derive(Debug, Clone, Default)]
pub(crate) struct Docker {
    pub(crate) swarms: BTreeMap<SwarmId, DockerSwarm>,
    pub(crate) up: BTreeSet<InstanceKey>,
    pub(crate) membership: BTreeMap<InstanceKey, (SwarmId, NodeId)>,
    next: u64,
}

impl Docker {
    /// Makes the swarm, with one foreign worker in it from the start.
    pub(crate) fn init(&mut self, swarm: SwarmId, engine: &InstanceKey) -> NodeId {
        if let Some((_, node)) = self.membership.get(engine) {
            return node.clone();
        }
        let live = self.swarms.get(&swarm).is_some_and(|swarm| {
            swarm.nodes.values().any(|node| {
                node.active && node.engine.as_ref().is_some_and(|e| self.membership.contains_key(e))
            })
        });
        assert!(!live, "invariant 10: a second swarm for {swarm}");
        self.swarms.insert(swarm, DockerSwarm::default());
        self.add(swarm, None, NodeRole::Worker);
        self.add(swarm, Some(engine.clone()), NodeRole::Manager)
    }

    pub(crate) fn join(&mut self, swarm: SwarmId, engine: &InstanceKey) -> Result<NodeId, &'static str> {
        if let Some((_, node)) = self.membership.get(engine) {
            return Ok(node.clone());
        }
        if !self.has_quorum(swarm) {
            return Err("the swarm has no leader");
        }
        let ours = self.swarms[&swarm]
            .nodes
            .values()
            .any(|node| node.active && node.engine.as_ref() == Some(engine));
        assert!(!ours, "invariant 11: a second node for one host");
        Ok(self.add(swarm, Some(engine.clone()), NodeRole::Worker))
    }

    pub(crate) fn leave(&mut self, engine: &InstanceKey, force: bool) -> Result<(), &'static str> {
        let Some((swarm, node)) = self.membership.get(engine).cloned() else {
            return Ok(());
        };
        let record = self.swarms.get_mut(&swarm).and_then(|swarm| swarm.nodes.get_mut(&node));
        if let Some(record) = record {
            if record.manager && !force {
                return Err("the node is a manager");
            }
            record.active = false;
        }
        self.membership.remove(engine);
        Ok(())
    }

    pub(crate) fn update(&mut self, by: &InstanceKey, changes: &[NodeChange]) -> Result<(), &'static str> {
        let swarm = self.acting(by)?;
        for change in changes {
            let quorum = self.quorum(swarm);
            let up = self.swarms[&swarm].nodes.get(&change.node).is_some_and(|node| self.is_up(node));
            let Some(node) = self.swarms.get_mut(&swarm).and_then(|s| s.nodes.get_mut(&change.node)) else {
                continue;
            };
            assert!(node.engine.is_some(), "invariant 11: a foreign node was changed");
            node.labelled |= change.labels.iter().any(|(key, _)| key == "skep-host");
            let Some(role) = change.role else { continue };
            if role == NodeRole::Worker && node.manager {
                let after = quorum.1 - usize::from(up);
                assert!(after > (quorum.0 - 1) / 2, "invariant 10: a demotion took the quorum");
                node.manager = false;
            }
            node.role = role;
        }
        Ok(())
    }

    pub(crate) fn remove(&mut self, by: &InstanceKey, nodes: &[NodeId]) -> Result<(), &'static str> {
        let swarm = self.acting(by)?;
        for id in nodes {
            let Some(swarm) = self.swarms.get_mut(&swarm) else { continue };
            if let Some(node) = swarm.nodes.get(id) {
                assert!(node.engine.is_some(), "invariant 11: a foreign node was removed");
                // As the engine does: also the list a planner looked at may be of before.
                if node.manager {
                    return Err("the node is a manager");
                }
                swarm.nodes.remove(id);
            }
        }
        Ok(())
    }

    /// One promoted node becomes a manager, as some moments after the promotion.
    pub(crate) fn settle(&mut self) {
        let ids: Vec<SwarmId> = self.swarms.keys().copied().collect();
        for swarm in ids {
            if !self.has_quorum(swarm) {
                continue;
            }
            let waiting = |node: &Node| node.role == NodeRole::Manager && !node.manager;
            let promoted: Vec<NodeId> = self.swarms[&swarm]
                .nodes
                .iter()
                .filter(|(_, node)| waiting(node))
                .map(|(id, _)| id.clone())
                .collect();
            assert!(promoted.len() <= 1, "invariant 10: two changes of managers at once");
            for id in promoted {
                let up = self.is_up(&self.swarms[&swarm].nodes[&id]);
                if let Some(node) = self.swarms.get_mut(&swarm).and_then(|s| s.nodes.get_mut(&id)) {
                    node.manager = up && node.active;
                }
            }
        }
    }

    /// What this engine lists, if it is a manager of a swarm that has a leader.
    pub(crate) fn list(&self, by: &InstanceKey) -> Option<(SwarmId, BTreeMap<NodeId, SwarmNode>)> {
        let swarm = self.acting(by).ok()?;
        let nodes = &self.swarms[&swarm].nodes;
        let leader =
            nodes.iter().find(|(_, node)| node.manager && self.is_up(node)).map(|(id, _)| id.clone());
        let listed = |(id, node): (&NodeId, &Node)| {
            let up = self.is_up(node);
            let listed = SwarmNode {
                hostname: String::new(),
                role: Some(node.role),
                state: if up { NodeState::Ready } else { NodeState::Down },
                leader: leader.as_ref() == Some(id),
                reachable: node.manager && up,
                manager: node.manager,
                labelled: node.labelled,
            };
            (id.clone(), listed)
        };
        Some((swarm, nodes.iter().map(listed).collect()))
    }

    pub(crate) fn destroyed(&mut self, engine: &InstanceKey) {
        self.up.remove(engine);
        if let Some((swarm, node)) = self.membership.remove(engine)
            && let Some(node) = self.swarms.get_mut(&swarm).and_then(|swarm| swarm.nodes.get_mut(&node))
        {
            node.active = false;
        }
    }

    fn add(&mut self, swarm: SwarmId, engine: Option<InstanceKey>, role: NodeRole) -> NodeId {
        self.next += 1;
        let id: NodeId = format!("n{:03}", self.next).parse().expect("a node id");
        if let Some(engine) = &engine {
            self.membership.insert(engine.clone(), (swarm, id.clone()));
        }
        let node = Node { engine, role, manager: role == NodeRole::Manager, labelled: false, active: true };
        self.swarms.entry(swarm).or_default().nodes.insert(id.clone(), node);
        id
    }

    fn acting(&self, by: &InstanceKey) -> Result<SwarmId, &'static str> {
        let (swarm, node) = self.membership.get(by).ok_or("not in a swarm")?;
        let manager = self.swarms.get(swarm).and_then(|s| s.nodes.get(node)).is_some_and(|node| node.manager);
        if manager && self.has_quorum(*swarm) { Ok(*swarm) } else { Err("not a manager, or no leader") }
    }

    fn is_up(&self, node: &Node) -> bool {
        node.active && node.engine.as_ref().is_none_or(|engine| self.up.contains(engine))
    }

    fn has_quorum(&self, swarm: SwarmId) -> bool {
        let (all, up) = self.quorum(swarm);
        up > all / 2
    }

    fn quorum(&self, swarm: SwarmId) -> (usize, usize) {
        let nodes = self.swarms.get(&swarm).into_iter().flat_map(|swarm| swarm.nodes.values());
        nodes
            .filter(|node| node.manager)
            .fold((0, 0), |(all, up), node| (all + 1, up + usize::from(self.is_up(node))))
    }
}
