//! The file at a machine that says whose it is.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Whose host a machine is. Written once, when it is adopted; gone when it is released.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marker {
    /// The cluster's id.
    pub cluster: String,
    /// The host's id, such as `h1-42`.
    pub host: String,
    pub incarnation: u32,
    /// The intent's id, such as `i1-7`.
    pub intent: String,
    /// The host's name.
    pub name: String,
    /// `HOST:PORT`, as the machine was called when it was adopted; empty where nobody wants it back.
    pub place: String,
}

/// Whoever wrote it; ours are a fifth of this.
const BYTES_MAX: usize = 4096;

impl Marker {
    /// What `release`, `reboot` and `power off` go by: the intent is the driver's affair.
    pub fn is_same_host(&self, other: &Self) -> bool {
        (&self.cluster, &self.host, self.incarnation) == (&other.cluster, &other.host, other.incarnation)
    }

    /// One base64 line, as it travels to scripts.
    pub(crate) fn encode(&self) -> String {
        let Self { cluster, host, incarnation, intent, name, place } = self;
        let text = format!(
            "cluster={cluster}\nhost={host}\nincarnation={incarnation}\nintent={intent}\nname={name}\nplace={place}\n"
        );
        STANDARD.encode(text)
    }

    /// Lines that are not known are left to those who know them.
    pub(crate) fn decode(line: &str) -> Option<Self> {
        let bytes = STANDARD.decode(line.trim()).ok().filter(|bytes| bytes.len() <= BYTES_MAX)?;
        let text = String::from_utf8(bytes).ok()?;
        let value = |key: &str| {
            let pairs = text.lines().filter_map(|line| line.split_once('='));
            pairs.filter(|(name, _)| *name == key).map(|(_, value)| value.to_owned()).next()
        };
        Some(Self {
            cluster: value("cluster")?,
            host: value("host")?,
            incarnation: value("incarnation")?.parse().ok()?,
            intent: value("intent")?,
            name: value("name")?,
            // A later addition.
            place: value("place").unwrap_or_default(),
        })
    }
}

impl fmt::Display for Marker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cluster, host, incarnation, intent, name, .. } = self;
        write!(f, "host {name:?} ({host}, incarnation {incarnation}, intent {intent}) of cluster {cluster}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marker() -> Marker {
        Marker {
            cluster: "c1".into(),
            host: "h1-42".into(),
            incarnation: 2,
            intent: "i1-7".into(),
            name: "web-1".into(),
            place: "web:22".into(),
        }
    }

    #[test]
    fn markers_come_back_as_they_were_written() {
        assert_eq!(Marker::decode(&marker().encode()), Some(marker()));
        assert_eq!(Marker::decode("bm90aGluZw=="), None);
        assert_eq!(Marker::decode("%"), None);
    }

    #[test]
    fn a_host_is_the_same_whichever_intent_asks() {
        let other = Marker { intent: "i1-9".into(), ..marker() };
        assert!(marker().is_same_host(&other));
        assert!(!marker().is_same_host(&Marker { incarnation: 3, ..marker() }));
        assert!(!marker().is_same_host(&Marker { cluster: "c2".into(), ..marker() }));
    }
}
