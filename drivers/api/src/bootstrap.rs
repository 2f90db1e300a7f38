//! Renders a [`Bootstrap`] into one POSIX script that makes a fresh instance a host.
//!
//! The script is the static text of `bootstrap.sh`. What differs from host to host follows it as comment lines of
//! base64, which the script decodes into files and quoted variables: nothing is interpolated into shell text, so no
//! configuration can become a command.

mod units;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use skep_types::Secret;

use crate::Bootstrap;

/// EC2 takes at most 16 KiB of user-data; nobody takes less.
pub const SCRIPT_BYTES_MAX: usize = 16 * 1024;
/// More addresses than coordinators make no sense, and each takes room in the script.
const URLS_MAX: usize = 16;

/// Where a driver with a way of its own lays the agent before it runs the script of [`render_laid`].
pub const LAID: &str = "/usr/local/bin/skep-agent.laid";

const SCRIPT: &str = include_str!("bootstrap/bootstrap.sh");

/// Why a [`Bootstrap`] cannot become a script.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    #[error("agent_urls has {count} entries, there must be 1 to {URLS_MAX}")]
    Urls { count: usize },
    #[error("an entry of agent_urls is not an https:// address of printable ASCII")]
    Url,
    #[error("agent_sha256 is not 64 digits of lower-case hex")]
    Digest,
    #[error("the script would have {bytes} bytes, at most {SCRIPT_BYTES_MAX} are taken")]
    TooLarge { bytes: usize },
}

/// The script, to be run as root: once by cloud-init, or any number of times by hand. Holds the enrolment token.
pub fn render(bootstrap: &Bootstrap) -> Result<Secret, RenderError> {
    validate_urls(bootstrap)?;
    script(bootstrap, &bootstrap.agent_urls, None)
}

/// The same for an instance that can prove which one it is: what `gather`, a shell script of the driver's own, prints
/// is the evidence that its agent enrols with. It fails by printing nothing, and has to end by itself.
pub fn render_with_evidence(bootstrap: &Bootstrap, gather: &'static str) -> Result<Secret, RenderError> {
    validate_urls(bootstrap)?;
    script(bootstrap, &bootstrap.agent_urls, Some(gather))
}

/// The same for a machine where the agent was laid at [`LAID`] already, or is in place: nothing is downloaded.
pub fn render_laid(bootstrap: &Bootstrap) -> Result<Secret, RenderError> {
    script(bootstrap, &[], None)
}

fn script(
    bootstrap: &Bootstrap,
    urls: &[String],
    gather: Option<&'static str>,
) -> Result<Secret, RenderError> {
    validate_digest(bootstrap)?;
    let mut script = String::from(SCRIPT);
    payload(&mut script, "sha256", &bootstrap.agent_sha256);
    for url in urls {
        payload(&mut script, "url", url);
    }
    if let Some(gather) = gather {
        payload(&mut script, "gather", gather);
    }
    payload(&mut script, "config", bootstrap.agent_config.reveal());
    for (name, text) in units::UNITS {
        payload(&mut script, &format!("unit.{name}"), text);
    }
    payload(&mut script, "enable", units::ENABLED);
    if script.len() > SCRIPT_BYTES_MAX {
        return Err(RenderError::TooLarge { bytes: script.len() });
    }
    Ok(Secret::new(script))
}

fn validate_urls(bootstrap: &Bootstrap) -> Result<(), RenderError> {
    let count = bootstrap.agent_urls.len();
    if count == 0 || count > URLS_MAX {
        return Err(RenderError::Urls { count });
    }
    let usable = |url: &String| url.starts_with("https://") && url.bytes().all(|b| b.is_ascii_graphic());
    if !bootstrap.agent_urls.iter().all(usable) {
        return Err(RenderError::Url);
    }
    Ok(())
}

fn validate_digest(bootstrap: &Bootstrap) -> Result<(), RenderError> {
    let digest = bootstrap.agent_sha256.as_bytes();
    let hex = |b: &u8| b.is_ascii_digit() || (b'a'..=b'f').contains(b);
    if digest.len() != 64 || !digest.iter().all(hex) {
        return Err(RenderError::Digest);
    }
    Ok(())
}

/// One comment line: the key is ours, the value base64.
fn payload(script: &mut String, key: &str, value: &str) {
    script.push_str("#skep ");
    script.push_str(key);
    script.push(' ');
    STANDARD.encode_string(value, script);
    script.push('\n');
}

#[cfg(test)]
mod tests;
