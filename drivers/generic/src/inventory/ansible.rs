//! Ansible's groups, and the YAML forms of an inventory: its own, and a plain list of machines.

use std::collections::{BTreeMap, BTreeSet};

use super::tree::Node;
use super::{InventoryError, MACHINES_MAX, Machine, range};

pub(super) type Variables = BTreeMap<String, String>;

/// Hosts and variables under one name.
#[derive(Debug, Default)]
pub(super) struct Group {
    pub(super) hosts: Vec<(String, Variables)>,
    pub(super) variables: Variables,
    pub(super) children: Vec<String>,
}

/// In the order in which they were named.
#[derive(Debug, Default)]
pub(super) struct Groups(Vec<(String, Group)>);

/// Of everything.
const ALL: &str = "all";

impl Groups {
    pub(super) fn group(&mut self, name: &str) -> &mut Group {
        let at = self.0.iter().position(|(known, _)| known == name).unwrap_or_else(|| {
            self.0.push((name.to_owned(), Group::default()));
            self.0.len() - 1
        });
        &mut self.0[at].1
    }

    /// Every host once, with the variables of all its groups: the host's own win, then its nearest group's.
    pub(super) fn machines(&self) -> Result<Vec<Machine>, InventoryError> {
        let mut order: Vec<&str> = Vec::new();
        let mut known = BTreeSet::new();
        for (name, _) in self.0.iter().flat_map(|(_, group)| &group.hosts) {
            if known.insert(name.as_str()) {
                order.push(name);
            }
        }
        if order.len() > MACHINES_MAX {
            let why = format!("{} machines are more than {MACHINES_MAX}", order.len());
            return Err(InventoryError { place: "the inventory".to_owned(), why });
        }
        let parents = self.parents();
        order.into_iter().map(|name| self.machine(name, &parents)).collect()
    }

    fn machine(&self, name: &str, parents: &BTreeMap<&str, Vec<&str>>) -> Result<Machine, InventoryError> {
        let mut variables = Variables::new();
        let own = self.0.iter().flat_map(|(_, group)| &group.hosts).filter(|(host, _)| host == name);
        for (word, value) in own.flat_map(|(_, own)| own) {
            variables.insert(word.clone(), value.clone());
        }
        let member = |group: &Group| group.hosts.iter().any(|(host, _)| host == name);
        let mut near: Vec<&str> =
            self.0.iter().filter(|(_, group)| member(group)).map(|(name, _)| name.as_str()).collect();
        let mut seen = BTreeSet::new();
        while let Some(group) = near.first().copied() {
            near.remove(0);
            if group != ALL && seen.insert(group) {
                self.inherit(group, &mut variables);
                near.extend(parents.get(group).into_iter().flatten());
            }
        }
        self.inherit(ALL, &mut variables);
        machine(name, &variables).map_err(|why| InventoryError { place: format!("host {name}"), why })
    }

    fn inherit(&self, group: &str, variables: &mut Variables) {
        let group = self.0.iter().find(|(name, _)| name == group);
        for (word, value) in group.into_iter().flat_map(|(_, group)| &group.variables) {
            variables.entry(word.clone()).or_insert_with(|| value.clone());
        }
    }

    fn parents(&self) -> BTreeMap<&str, Vec<&str>> {
        let mut parents: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (name, group) in &self.0 {
            for child in &group.children {
                parents.entry(child).or_default().push(name);
            }
        }
        parents
    }
}

/// A host without an address is reached by its name.
fn machine(name: &str, variables: &Variables) -> Result<Machine, String> {
    let mut machine = Machine::default();
    machine.place(name)?;
    machine.name = Some(machine.address.clone());
    for (word, value) in variables {
        machine.set(word, value)?;
    }
    Ok(machine)
}

/// A list of machines, `machines:` with such a list, or Ansible's groups.
pub(super) fn parse(root: &Node) -> Result<Vec<Machine>, InventoryError> {
    match root {
        Node::Nothing => Ok(Vec::new()),
        Node::Sequence(items) => listed(items),
        Node::Mapping(entries) => match entries.as_slice() {
            [(key, Node::Sequence(items))] if key == "machines" => listed(items),
            entries => grouped(entries),
        },
        Node::Scalar(_) => Err(error("the inventory", "is neither a list nor groups of machines")),
    }
}

fn listed(items: &[Node]) -> Result<Vec<Machine>, InventoryError> {
    let one = |(index, item): (usize, &Node)| {
        let place = format!("machine {}", index + 1);
        let wrong = |why: String| InventoryError { place: place.clone(), why };
        let mut machine = Machine::default();
        match item {
            Node::Scalar(text) => machine.place(text).map_err(wrong)?,
            Node::Mapping(entries) => {
                for (word, value) in entries {
                    let value = value.text().ok_or_else(|| wrong(format!("{word} is no plain value")))?;
                    if !machine.set(word, &value).map_err(wrong)? {
                        return Err(wrong(format!("there is no {word:?}")));
                    }
                }
            }
            _ => return Err(wrong("is neither an address nor a set of values".to_owned())),
        }
        if machine.address.is_empty() { Err(wrong("has no address".to_owned())) } else { Ok(machine) }
    };
    items.iter().enumerate().map(one).collect()
}

fn grouped(entries: &[(String, Node)]) -> Result<Vec<Machine>, InventoryError> {
    let mut groups = Groups::default();
    for (name, node) in entries {
        group(&mut groups, name, node)?;
    }
    groups.machines()
}

/// As deep as the document, which is bounded.
fn group(groups: &mut Groups, name: &str, node: &Node) -> Result<(), InventoryError> {
    groups.group(name);
    let entries = match node {
        Node::Nothing => return Ok(()),
        Node::Mapping(entries) => entries,
        _ => return Err(error(&format!("group {name}"), "is no set of hosts, vars and children")),
    };
    for (key, value) in entries {
        let Some(inner) = value.entries() else {
            return Err(error(&format!("group {name}"), &format!("{key} is no set")));
        };
        match key.as_str() {
            "hosts" => hosts(groups.group(name), inner)?,
            "vars" => groups.group(name).variables.extend(variables(inner)),
            "children" => {
                for (child, node) in inner {
                    groups.group(name).children.push(child.clone());
                    group(groups, child, node)?;
                }
            }
            other => {
                return Err(error(
                    &format!("group {name}"),
                    &format!("has {other:?}, not hosts, vars or children"),
                ));
            }
        }
    }
    Ok(())
}

fn hosts(group: &mut Group, entries: &[(String, Node)]) -> Result<(), InventoryError> {
    for (pattern, node) in entries {
        let own = variables(node.entries().unwrap_or_default());
        let names = range::expand(pattern).map_err(|why| error(pattern, &why))?;
        group.hosts.extend(names.into_iter().map(|name| (name, own.clone())));
    }
    Ok(())
}

/// Plain values only: other ones are for Ansible's roles.
fn variables(entries: &[(String, Node)]) -> Variables {
    entries.iter().filter_map(|(word, value)| Some((word.clone(), value.text()?))).collect()
}

fn error(place: &str, why: &str) -> InventoryError {
    InventoryError { place: place.to_owned(), why: why.to_owned() }
}
