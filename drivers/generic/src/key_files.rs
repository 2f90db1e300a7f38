//! Private keys in files of this coordinator: those that were named for a machine, and those of `~/.ssh/config`.

use std::io::{Error as IoError, ErrorKind as IoKind};
use std::path::Path;

use skep_driver::{DriverError, ErrorKind};
use skep_ssh::{Identity, Rsa};
use skep_types::Secret;
use tokio::fs;

use crate::errors;
use crate::way::Server;

/// A key file is a few KiB; whatever else the path names is no key.
const KEY_BYTES_MAX: u64 = 64 * 1024;

/// With the certificate that stands beside it, if one does. What was named has to be there.
pub(crate) async fn named(
    file: &str,
    passphrase: Option<&Secret>,
    rsa: Rsa,
) -> Result<Identity, DriverError> {
    let unreadable = |error: IoError| {
        let message = format!("the private key {file} cannot be read on this coordinator");
        DriverError::new(ErrorKind::Auth, message).caused_by(error)
    };
    let pem = read(Path::new(file)).await.map_err(unreadable)?;
    let key = Identity::key(file, &pem, passphrase).map_err(errors::before)?;
    if let Some(why) = key.refusal(rsa) {
        return Err(DriverError::new(ErrorKind::Auth, format!("the private key {file}: {why}")));
    }
    match fs::read_to_string(format!("{file}-cert.pub")).await {
        Ok(certificate) => key.certified(&certificate).map_err(errors::before),
        Err(_) => Ok(key),
    }
}

/// The keys that the SSH configuration names for a server. As with OpenSSH one that is not there is passed over; it is
/// told when none of the others lets in.
pub(crate) async fn configured(server: &Server, passphrase: Option<&Secret>, rsa: Rsa) -> Vec<Identity> {
    let home = std::env::home_dir();
    let mut identities = Vec::with_capacity(server.identity_files.len());
    for said in &server.identity_files {
        let home = home.as_deref().and_then(Path::to_str);
        let identity = match expand(said, server, home) {
            Err(why) => Err(why),
            Ok(file) => match fs::metadata(&file).await {
                Err(error) if error.kind() == IoKind::NotFound => {
                    Err(format!("this coordinator has no file {file}"))
                }
                _ => named(&file, passphrase, rsa).await.map_err(|error| error.message),
            },
        };
        identities.push(identity.unwrap_or_else(|why| Identity::Absent { name: said.clone(), why }));
    }
    identities
}

async fn read(path: &Path) -> Result<Secret, IoError> {
    if fs::metadata(path).await?.len() > KEY_BYTES_MAX {
        return Err(IoError::new(IoKind::FileTooLarge, "it is too large for a private key"));
    }
    fs::read_to_string(path).await.map(Secret::new)
}

/// `~` and the tokens of OpenSSH that say something about the server. The home is the coordinator's own.
fn expand(file: &str, server: &Server, home: Option<&str>) -> Result<String, String> {
    let homeless = || "the coordinator's user has no home".to_owned();
    let mut path = String::new();
    let mut rest = file;
    if let Some(after) = rest.strip_prefix("~/") {
        path = format!("{}/", home.ok_or_else(homeless)?);
        rest = after;
    }
    while let Some((before, after)) = rest.split_once('%') {
        path.push_str(before);
        let Some(token) = after.chars().next() else { return Err("it ends with a lone %".to_owned()) };
        match token {
            'd' => path.push_str(home.ok_or_else(homeless)?),
            'h' => path.push_str(&server.host),
            'p' => path.push_str(&server.port.to_string()),
            'r' => path.push_str(&server.user),
            '%' => path.push('%'),
            other => return Err(format!("%{other} is not known here")),
        }
        rest = &after[token.len_utf8()..];
    }
    path.push_str(rest);
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_looked_for_in_the_coordinators_home() {
        let server = Server {
            host: "web.internal".into(),
            port: 2222,
            user: "deploy".into(),
            identity_files: Vec::new(),
        };
        let expand = |file: &str| expand(file, &server, Some("/var/lib/skepd"));
        assert_eq!(expand("~/.ssh/web").unwrap(), "/var/lib/skepd/.ssh/web");
        assert_eq!(expand("%d/keys/%r@%h-%p").unwrap(), "/var/lib/skepd/keys/deploy@web.internal-2222");
        assert_eq!(expand("/keys/100%%").unwrap(), "/keys/100%");
        assert!(expand("/keys/%u").unwrap_err().contains("%u is not known"));
        assert!(expand("/keys/%").is_err());
        assert!(super::expand("~/x", &server, None).unwrap_err().contains("no home"));
    }
}
