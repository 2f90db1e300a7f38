//! Reads `known_hosts`: which keys, and which authorities, speak for which hosts. Pure.
//!
//! Plain, wildcard, negated and hashed host patterns, and the markers `@cert-authority` and `@revoked`. A line that
//! cannot be read is skipped, as OpenSSH does: files are shared with programs that know more key types.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use russh::keys::PublicKey;

/// The lines of one or more files.
#[derive(Debug, Clone, Default)]
pub struct KnownHosts {
    lines: Vec<Line>,
}

#[derive(Debug, Clone)]
struct Line {
    marker: Marker,
    hosts: Hosts,
    key: PublicKey,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Marker {
    /// A host's own key.
    Key,
    /// Signs certificates of hosts.
    Authority,
    Revoked,
}

#[derive(Debug, Clone)]
enum Hosts {
    Patterns(Vec<String>),
    Hashed { salt: Vec<u8>, hash: Vec<u8> },
}

/// People's files have hundreds of lines; fleets some tens of thousands.
const LINES_MAX: usize = 100_000;

impl KnownHosts {
    pub fn parse(text: &str) -> Self {
        Self { lines: text.lines().take(LINES_MAX).filter_map(line).collect() }
    }

    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    pub(crate) fn keys<'a>(
        &'a self,
        host: &str,
        port: u16,
        marker: Marker,
    ) -> impl Iterator<Item = &'a PublicKey> {
        let name = if port == 22 { host.to_lowercase() } else { format!("[{}]:{port}", host.to_lowercase()) };
        let of_host = move |line: &&Line| line.marker == marker && line.hosts.include(&name);
        self.lines.iter().filter(of_host).map(|line| &line.key)
    }
}

impl Hosts {
    fn include(&self, name: &str) -> bool {
        match self {
            Self::Hashed { salt, hash } => {
                let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, salt);
                hmac::verify(&key, name.as_bytes(), hash).is_ok()
            }
            Self::Patterns(patterns) => {
                let excluded = patterns.iter().filter_map(|pattern| pattern.strip_prefix('!'));
                let included = patterns.iter().filter(|pattern| !pattern.starts_with('!'));
                !excluded.clone().any(|pattern| matches(pattern, name))
                    && included.clone().any(|pattern| matches(pattern, name))
            }
        }
    }
}

fn line(text: &str) -> Option<Line> {
    let text = text.trim();
    if text.is_empty() || text.starts_with('#') {
        return None;
    }
    let (marker, text) = match text.strip_prefix('@') {
        None => (Marker::Key, text),
        Some(marked) => match marked.split_once(char::is_whitespace)? {
            ("cert-authority", rest) => (Marker::Authority, rest.trim_start()),
            ("revoked", rest) => (Marker::Revoked, rest.trim_start()),
            _ => return None,
        },
    };
    let (names, key) = text.split_once(char::is_whitespace)?;
    Some(Line { marker, hosts: hosts(names)?, key: PublicKey::from_openssh(key.trim()).ok()? })
}

fn hosts(names: &str) -> Option<Hosts> {
    let Some(hashed) = names.strip_prefix("|1|") else {
        return Some(Hosts::Patterns(names.to_lowercase().split(',').map(str::to_owned).collect()));
    };
    let (salt, hash) = hashed.split_once('|')?;
    Some(Hosts::Hashed { salt: STANDARD.decode(salt).ok()?, hash: STANDARD.decode(hash).ok()? })
}

/// `*` stands for any number of characters, `?` for one. In linear time and space for each `*`.
pub(crate) fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.as_bytes(), name.as_bytes());
    let (mut p, mut n) = (0, 0);
    // Where the last `*` stands, and how much of the name it has taken.
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        if p < pattern.len() && (pattern[p] == b'?' || (pattern[p] == name[n] && pattern[p] != b'*')) {
            (p, n) = (p + 1, n + 1);
        } else if p < pattern.len() && pattern[p] == b'*' {
            star = Some((p, n));
            p += 1;
        } else if let Some((at, taken)) = star {
            star = Some((at, taken + 1));
            (p, n) = (at + 1, taken + 1);
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests;
