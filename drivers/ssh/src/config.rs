//! Reads `~/.ssh/config`: Host, HostName, User, Port, IdentityFile and ProxyJump. Pure.
//!
//! As in OpenSSH the first value wins, and identity files add up. Other settings are left out, and `Match` blocks other
//! than `Match all` are skipped. What would silently lead elsewhere is refused: `Include`, because only the text is here,
//! and `ProxyCommand` for the servers that need it, because nobody's command is run.

mod place;

use crate::known_hosts::matches;

pub use place::{Place, parse_place};

/// A configuration, block by block.
#[derive(Debug, Clone, Default)]
pub struct SshConfig {
    blocks: Vec<Block>,
}

#[derive(Debug, Clone)]
struct Block {
    /// Patterns of `Host`; None for what stands before the first block, and for `Match all`.
    patterns: Option<Vec<String>>,
    settings: Vec<Setting>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Setting {
    HostName(String),
    User(String),
    Port(u16),
    IdentityFile(String),
    ProxyJump(Vec<Place>),
    /// Anything but `none`.
    ProxyCommand,
}

/// From here to a server, each place as the configuration knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// First one first.
    pub jumps: Vec<Place>,
    pub target: Place,
}

/// A line that cannot be meant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the SSH configuration: {why}")]
pub struct ConfigError {
    pub line: usize,
    pub why: String,
}

/// People's files have tens of blocks.
const LINES_MAX: usize = 50_000;
/// More jump hosts than this is a circle.
const JUMPS_MAX: usize = 8;

impl SshConfig {
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let mut blocks = vec![Block { patterns: None, settings: Vec::new() }];
        for (index, line) in text.lines().take(LINES_MAX).enumerate() {
            let error = |why: String| ConfigError { line: index + 1, why };
            let Some((keyword, arguments)) = words(line).map_err(error)? else { continue };
            match keyword.as_str() {
                "host" => blocks.push(Block { patterns: Some(arguments), settings: Vec::new() }),
                "match" => {
                    let all = arguments.first().is_some_and(|word| word.eq_ignore_ascii_case("all"));
                    let patterns = if all { None } else { Some(Vec::new()) };
                    blocks.push(Block { patterns, settings: Vec::new() });
                }
                _ => {
                    let value = arguments.first().map_or("", String::as_str);
                    if let (Some(setting), Some(block)) =
                        (setting(&keyword, value).map_err(error)?, blocks.last_mut())
                    {
                        block.settings.push(setting);
                    }
                }
            }
        }
        Ok(Self { blocks })
    }

    /// What the configuration says of `place`; what the caller gave wins.
    pub fn place(&self, place: &Place) -> Place {
        let mut found = Place { host: String::new(), ..place.clone() };
        for setting in self.of(&place.host) {
            match setting {
                Setting::HostName(name) if found.host.is_empty() => {
                    found.host = name.replace("%h", &place.host).replace("%%", "%");
                }
                Setting::User(user) => found.user = found.user.or_else(|| Some(user.clone())),
                Setting::Port(port) => found.port = found.port.or(Some(*port)),
                Setting::IdentityFile(file) if !found.identity_files.contains(file) => {
                    found.identity_files.push(file.clone());
                }
                _ => {}
            }
        }
        if found.host.is_empty() {
            found.host.clone_from(&place.host);
        }
        found
    }

    /// The way to `place`, through `jumps` if there are any, else through those of the configuration; the first of them
    /// may have jump hosts of its own.
    pub fn way(&self, place: &Place, jumps: &[Place]) -> Result<Way, String> {
        let mut next = if jumps.is_empty() { self.jumps_of(&place.host)? } else { jumps.to_vec() };
        let mut way = Vec::new();
        while let Some(first) = next.first().map(|first| first.host.clone()) {
            if way.len() + next.len() > JUMPS_MAX {
                return Err(format!("the way to {} has more than {JUMPS_MAX} jump hosts", place.host));
            }
            way.splice(0..0, next.iter().map(|jump| self.place(jump)));
            next = self.jumps_of(&first)?;
        }
        Ok(Way { jumps: way, target: self.place(place) })
    }

    fn jumps_of(&self, host: &str) -> Result<Vec<Place>, String> {
        let decides = |setting: &&Setting| matches!(setting, Setting::ProxyJump(_) | Setting::ProxyCommand);
        match self.of(host).find(decides) {
            Some(Setting::ProxyJump(jumps)) => Ok(jumps.clone()),
            Some(_) => Err(format!(
                "the SSH configuration reaches {host} by a ProxyCommand, and none is run here; ProxyJump is followed"
            )),
            None => Ok(Vec::new()),
        }
    }

    fn of<'a>(&'a self, host: &str) -> impl Iterator<Item = &'a Setting> {
        let host = host.to_lowercase();
        self.blocks.iter().filter(move |block| block.is_for(&host)).flat_map(|block| &block.settings)
    }
}

impl Block {
    fn is_for(&self, host: &str) -> bool {
        let Some(patterns) = &self.patterns else { return true };
        let matching = |pattern: &str| matches(&pattern.to_lowercase(), host);
        let excluded = patterns.iter().filter_map(|pattern| pattern.strip_prefix('!'));
        !excluded.clone().any(matching)
            && patterns.iter().filter(|pattern| !pattern.starts_with('!')).any(|pattern| matching(pattern))
    }
}

fn setting(keyword: &str, value: &str) -> Result<Option<Setting>, String> {
    let setting = match keyword {
        "hostname" => Setting::HostName(value.to_owned()),
        "user" => Setting::User(value.to_owned()),
        "port" => {
            let port = value.parse().ok().filter(|port| *port > 0);
            Setting::Port(port.ok_or_else(|| format!("{value:?} is no port"))?)
        }
        "identityfile" if value.eq_ignore_ascii_case("none") => return Ok(None),
        "identityfile" => Setting::IdentityFile(value.to_owned()),
        "proxycommand" if value.eq_ignore_ascii_case("none") => Setting::ProxyJump(Vec::new()),
        "proxycommand" => Setting::ProxyCommand,
        "include" => {
            return Err("Include is not followed, only this text is here: put those lines in".to_owned());
        }
        "proxyjump" if value.eq_ignore_ascii_case("none") => Setting::ProxyJump(Vec::new()),
        "proxyjump" => Setting::ProxyJump(value.split(',').map(parse_place).collect::<Result<_, _>>()?),
        _ => return Ok(None),
    };
    if value.is_empty() {
        return Err(format!("{keyword} has no value"));
    }
    Ok(Some(setting))
}

/// The keyword in lower case and its arguments: `Port 22`, `port=22`, `IdentityFile "my key"`. None for no line.
fn words(line: &str) -> Result<Option<(String, Vec<String>)>, String> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let end = line.find(|c: char| c.is_whitespace() || c == '=').unwrap_or(line.len());
    let keyword = line[..end].to_lowercase();
    let rest = line[end..].trim_start();
    let rest = rest.strip_prefix('=').unwrap_or(rest);
    Ok(Some((keyword, arguments(rest)?)))
}

fn arguments(text: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() && !rest.starts_with('#') {
        let (word, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').ok_or("a quote is not closed")?,
            None => rest.split_once(char::is_whitespace).unwrap_or((rest, "")),
        };
        words.push(word.to_owned());
        rest = after.trim_start();
    }
    Ok(words)
}

#[cfg(test)]
mod tests;
