//! One server, as people write it: `[user@]host[:port]`, `ssh://…`.

/// Where to, as far as it was said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    pub host: String,
    pub port: Option<u16>,
    pub user: Option<String>,
    /// As they stand in the configuration; `~` is the caller's home.
    pub identity_files: Vec<String>,
}

/// Reads one place; says what is wrong with it otherwise.
pub fn parse_place(text: &str) -> Result<Place, String> {
    let trimmed = text.trim();
    let rest = trimmed.strip_prefix("ssh://").map_or(trimmed, |rest| rest.trim_end_matches('/'));
    let (user, rest) = match rest.rsplit_once('@') {
        Some((user, rest)) => (Some(user), rest),
        None => (None, rest),
    };
    let (host, port) = split_port(rest);
    let port = port.map(|port| port.parse().ok().filter(|port| *port > 0)).map_or(Ok(None), |port| {
        port.map(Some).ok_or_else(|| format!("{text:?} has no port between 1 and 65535 after its colon"))
    })?;
    let usable = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_graphic());
    if !usable(host) || host.starts_with('-') || user.is_some_and(|user| !usable(user)) {
        return Err(format!("{text:?} is no [user@]host[:port]"));
    }
    Ok(Place { host: host.to_owned(), port, user: user.map(str::to_owned), identity_files: Vec::new() })
}

/// An IPv6 address with a port stands in brackets, without one it may not.
fn split_port(text: &str) -> (&str, Option<&str>) {
    if let Some((host, after)) = text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return (host, after.strip_prefix(':'));
    }
    match text.split_once(':') {
        Some((host, port)) if !port.contains(':') => (host, Some(port)),
        _ => (text, None),
    }
}
