//! Which hosts a list shows.

use skep_core::State;
use skep_core::state::Host;
use skep_types::{OperationId, Refusal};

const KEYS: &str = "use one of name, phase, driver, swarm, role, operation, label";
const PHASES: [&str; 15] = [
    "Pending",
    "Provisioning",
    "Booting",
    "Installing",
    "Joining",
    "Ready",
    "Maintaining",
    "Stopping",
    "Stopped",
    "Starting",
    "Demoting",
    "Leaving",
    "Deleting",
    "Failed",
    "Quarantined",
];
/// One per key would be enough for nearly everybody.
const FILTERS: usize = 64;
const FILTER_BYTES: usize = 1024;

/// All of its parts must match.
#[derive(Debug)]
pub(super) struct Filter(Vec<Part>);

#[derive(Debug)]
enum Part {
    Name(Glob),
    Phase(Glob),
    Driver(Glob),
    Swarm(Glob),
    Role(Glob),
    Operation(OperationId),
    Label { key: String, value: Option<Glob> },
}

impl Filter {
    pub(super) fn read(filters: &[String]) -> Result<Self, Refusal> {
        if filters.len() > FILTERS {
            return Err(Refusal::field("filters", format!("are {}; at most {FILTERS}", filters.len())));
        }
        let part = |(at, text): (usize, &String)| {
            Part::read(text).map_err(|error| Refusal::field(format!("filters[{at}]"), error))
        };
        filters.iter().enumerate().map(part).collect::<Result<_, _>>().map(Self)
    }

    pub(super) fn matches(&self, host: &Host, state: &State) -> bool {
        self.0.iter().all(|part| part.matches(host, state))
    }
}

impl Part {
    fn read(text: &str) -> Result<Self, String> {
        if text.len() > FILTER_BYTES {
            return Err(format!("is longer than {FILTER_BYTES} bytes"));
        }
        let (key, value) =
            text.split_once('=').ok_or_else(|| format!("is {text:?}, not KEY=VALUE; {KEYS}"))?;
        let glob = Glob(value.to_owned());
        Ok(match key {
            "name" => Self::Name(glob),
            "phase" => Self::Phase(glob.one_of(&PHASES)?),
            "driver" => Self::Driver(glob),
            "swarm" => Self::Swarm(glob),
            "role" => Self::Role(glob.one_of(&["manager", "worker"])?),
            "operation" => Self::Operation(value.parse().map_err(|error| format!("{error}"))?),
            "label" => match value.split_once('=') {
                Some((key, value)) => {
                    Self::Label { key: key.to_owned(), value: Some(Glob(value.to_owned())) }
                }
                None => Self::Label { key: value.to_owned(), value: None },
            },
            _ => return Err(format!("has the unknown key {key:?}; {KEYS}")),
        })
    }

    fn matches(&self, host: &Host, state: &State) -> bool {
        match self {
            Self::Name(glob) => glob.matches(host.name.as_str()),
            Self::Phase(glob) => glob.matches(host.phase.label()),
            Self::Driver(glob) => glob.matches(host.template.driver.as_str()),
            Self::Swarm(glob) => in_swarm(host, state, glob),
            Self::Role(glob) => host.role().is_some_and(|role| glob.matches(role.label())),
            Self::Operation(id) => host.created_by == *id || host.item_of == Some(*id),
            Self::Label { key, value } => {
                let label = host.template.labels.get(key);
                label.is_some_and(|label| value.as_ref().is_none_or(|glob| glob.matches(label)))
            }
        }
    }
}

/// By the swarm's name or id.
fn in_swarm(host: &Host, state: &State, glob: &Glob) -> bool {
    let Some(id) = host.membership.as_ref().map(|membership| membership.swarm) else {
        return false;
    };
    let named = state.swarms.get(&id).is_some_and(|swarm| glob.matches(swarm.name.as_str()));
    named || glob.matches(&id.to_string())
}

/// A text in which '*' stands for any run of characters.
#[derive(Debug)]
struct Glob(String);

impl Glob {
    /// Refused when it can match none of the words there are.
    fn one_of(self, words: &[&str]) -> Result<Self, String> {
        if words.iter().any(|word| self.matches(word)) {
            return Ok(self);
        }
        Err(format!("asks for {:?}, which is none of {}", self.0, words.join(", ")))
    }

    /// Linear in the text for every '*': takes the first place each part fits, and the last part at the end.
    fn matches(&self, text: &str) -> bool {
        let Some((first, rest)) = self.0.split_once('*') else {
            return self.0 == text;
        };
        let Some(mut text) = text.strip_prefix(first) else {
            return false;
        };
        let mut parts = rest.split('*').peekable();
        while let Some(part) = parts.next() {
            if parts.peek().is_none() {
                return text.ends_with(part);
            }
            let Some(at) = text.find(part) else {
                return false;
            };
            text = &text[at + part.len()..];
        }
        true
    }
}

#[cfg(test)]
mod tests;
