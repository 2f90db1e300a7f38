//! Ansible's inventory in INI: hosts in groups, variables of hosts and of groups.

use super::ansible::{Group, Groups, Variables};
use super::{InventoryError, Machine, range};

enum Section {
    Hosts(String),
    Variables(String),
    Children(String),
}

pub(super) fn parse(text: &str) -> Result<Vec<Machine>, InventoryError> {
    let mut groups = Groups::default();
    let mut section = Section::Hosts("ungrouped".to_owned());
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        let error = |why: String| InventoryError { place: format!("line {}", index + 1), why };
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(head) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = head_of(head).map_err(error)?;
            continue;
        }
        match &section {
            Section::Hosts(group) => host(groups.group(group), line).map_err(error)?,
            Section::Variables(group) => {
                let (word, value) =
                    line.split_once('=').ok_or_else(|| error("a variable has no `=`".to_owned()))?;
                groups.group(group).variables.insert(word.trim().to_owned(), unquoted(value.trim()));
            }
            Section::Children(group) => groups.group(group).children.push(line.to_owned()),
        }
    }
    groups.machines()
}

fn head_of(head: &str) -> Result<Section, String> {
    match head.split_once(':') {
        None => Ok(Section::Hosts(head.to_owned())),
        Some((group, "vars")) => Ok(Section::Variables(group.to_owned())),
        Some((group, "children")) => Ok(Section::Children(group.to_owned())),
        Some((_, other)) => Err(format!("a group has no {other:?}")),
    }
}

/// `web[1:3] ansible_user=deploy ansible_ssh_common_args="-J bastion"`.
fn host(group: &mut Group, line: &str) -> Result<(), String> {
    let words = words(line.split(" #").next().unwrap_or(line))?;
    let Some((pattern, assigned)) = words.split_first() else { return Ok(()) };
    let mut variables = Variables::new();
    for word in assigned {
        let (word, value) = word.split_once('=').ok_or_else(|| format!("{word:?} is no variable"))?;
        variables.insert(word.to_owned(), value.to_owned());
    }
    for name in range::expand(pattern)? {
        group.hosts.push((name, variables.clone()));
    }
    Ok(())
}

/// By spaces, except within quotes, which go.
fn words(line: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quote = None;
    for c in line.chars() {
        match quote {
            Some(open) if c == open => quote = None,
            None if c == '"' || c == '\'' => quote = Some(c),
            None if c.is_whitespace() => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            _ => word.push(c),
        }
    }
    if quote.is_some() {
        return Err("a quote is not closed".to_owned());
    }
    if !word.is_empty() {
        words.push(word);
    }
    Ok(words)
}

fn unquoted(value: &str) -> String {
    let inner = |quote| value.strip_prefix(quote).and_then(|rest: &str| rest.strip_suffix(quote));
    inner('"').or_else(|| inner('\'')).unwrap_or(value).to_owned()
}
