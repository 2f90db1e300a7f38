//! Lists of machines: CSV, YAML, and Ansible's inventories in INI and YAML. Pure.
//!
//! Which of them a text is shows in the text. All are read into the same [`Machine`]s; a value that cannot be meant is
//! an error that names its place, and whatever else an Ansible inventory says is left out.

mod ansible;
mod csv;
mod ini;
pub(crate) mod machine;
mod range;
mod tree;

pub use machine::{Machine, server};

/// Machines in the order of their list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inventory {
    pub machines: Vec<Machine>,
}

/// What is wrong with a list, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {why}")]
pub struct InventoryError {
    pub place: String,
    pub why: String,
}

/// More machines than one account's SSH could look after.
pub(crate) const MACHINES_MAX: usize = 10_000;

impl Inventory {
    pub fn parse(text: &str) -> Result<Self, InventoryError> {
        let machines = match format(text) {
            Format::Csv => csv::parse(text)?,
            Format::Ini => ini::parse(text)?,
            Format::Yaml => ansible::parse(&tree::parse(text)?)?,
        };
        if machines.len() > MACHINES_MAX {
            let why = format!("{} machines are more than {MACHINES_MAX}", machines.len());
            return Err(InventoryError { place: "the inventory".to_owned(), why });
        }
        let mut names: Vec<&str> = machines.iter().filter_map(|machine| machine.name.as_deref()).collect();
        names.sort_unstable();
        if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            let why = format!("the name {:?} stands there twice", twice[0]);
            return Err(InventoryError { place: "the inventory".to_owned(), why });
        }
        Ok(Self { machines })
    }

    /// The machine for the host `name`: the one of that name; where machines have no names, the one at the place that
    /// the name's last digits say, counted from 1. The same for ever, as long as the list is the same.
    pub fn of(&self, name: &str) -> Option<&Machine> {
        let named = self.machines.iter().find(|machine| machine.name.as_deref() == Some(name));
        named.or_else(|| {
            if self.machines.iter().any(|machine| machine.name.is_some()) {
                return None;
            }
            let digits = name.rsplit(|c: char| !c.is_ascii_digit()).next()?;
            let place = digits.parse::<usize>().ok()?.checked_sub(1)?;
            self.machines.get(place)
        })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Csv,
    Ini,
    Yaml,
}

/// By the first line that says something, or by a variable of Ansible's.
fn format(text: &str) -> Format {
    let mut lines =
        text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with(['#', ';']));
    let Some(first) = lines.next() else { return Format::Csv };
    let key = |line: &str| line.ends_with(':') || line.contains(": ");
    let head = |line: &str| line.starts_with('[') && line.ends_with(']');
    if head(first) {
        Format::Ini
    } else if first == "---"
        || first == "-"
        || first.starts_with("- ")
        || first.starts_with('{')
        || key(first)
    {
        Format::Yaml
    } else if text.lines().any(|line| head(line.trim()) || line.contains(" ansible_")) {
        Format::Ini
    } else {
        Format::Csv
    }
}

#[cfg(test)]
mod tests;
