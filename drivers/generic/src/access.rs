//! What an account of this driver holds: keys and passwords, known host keys, its machines.

use std::path::PathBuf;
use std::sync::Arc;

use skep_driver::{Access, DriverError, ErrorKind};
use skep_ssh::config::SshConfig;
use skep_ssh::known_hosts::KnownHosts;
use skep_ssh::machine::Agents;
use skep_ssh::{Identity, Rsa, Stranger};
use skep_types::{CredentialDescription, FieldViolation, FlagDescription, FlagKind, Secret, chain};

use crate::adopted::Adopted;
use crate::inventory::Inventory;

const STRICT: &str = "generic-strict-host-keys";
const AGENT: &str = "generic-ssh-agent";
const ALLOW_RSA: &str = "generic-allow-rsa";
/// What whoever comes with an RSA key is told.
const REMEDY: &str = "use an ed25519 or ECDSA key, or set generic-allow-rsa=true on the account";

const KEY: &str = "ssh-key";
const PASSPHRASE: &str = "ssh-key-passphrase";
const CERTIFICATE: &str = "ssh-certificate";
const PASSWORD: &str = "ssh-password";
const SUDO_PASSWORD: &str = "sudo-password";
const KNOWN_HOSTS: &str = "known-hosts";
const INVENTORY: &str = "inventory";
const SSH_CONFIG: &str = "ssh-config";

pub(crate) fn flags() -> Vec<FlagDescription> {
    let flag = |name: &str, kind, usage: &str, env: &str| FlagDescription {
        name: name.to_owned(),
        kind,
        usage: usage.to_owned(),
        default: String::new(),
        env: env.to_owned(),
    };
    vec![
        flag(
            STRICT,
            FlagKind::Boolean,
            "Refuse machines whose host key is not known; without it the first key seen is recorded and pinned",
            "GENERIC_STRICT_HOST_KEYS",
        ),
        flag(
            AGENT,
            FlagKind::String,
            "Socket of an ssh-agent on the coordinator whose keys may be used",
            "GENERIC_SSH_AGENT",
        ),
        flag(
            ALLOW_RSA,
            FlagKind::Boolean,
            "Let RSA keys in, with SHA-2: signing with them can leak them to who measures its time closely",
            "GENERIC_ALLOW_RSA",
        ),
    ]
}

pub(crate) fn credentials() -> Vec<CredentialDescription> {
    let credential = |name: &str, usage: &str, env: &str| CredentialDescription {
        name: name.to_owned(),
        usage: usage.to_owned(),
        env: env.to_owned(),
        required: false,
    };
    vec![
        credential(
            KEY,
            "Private key to log in with, in PEM: ed25519, ECDSA, or RSA where it is allowed",
            "GENERIC_SSH_PRIVATE_KEY",
        ),
        credential(PASSPHRASE, "Passphrase of private keys", "GENERIC_SSH_KEY_PASSPHRASE"),
        credential(CERTIFICATE, "OpenSSH certificate of the private key", "GENERIC_SSH_CERTIFICATE"),
        credential(PASSWORD, "Password to log in with, where no key is taken", "GENERIC_SSH_PASSWORD"),
        credential(SUDO_PASSWORD, "Password for sudo, where it asks for one", "GENERIC_SUDO_PASSWORD"),
        credential(KNOWN_HOSTS, "Host keys in the form of known_hosts", "GENERIC_KNOWN_HOSTS"),
        credential(
            INVENTORY,
            "Machines of the account: CSV, YAML or an Ansible inventory; each host takes the machine of its name",
            "GENERIC_INVENTORY",
        ),
        credential(
            SSH_CONFIG,
            "An ~/.ssh/config, for what flags and inventory do not say: HostName, User, Port, IdentityFile, ProxyJump",
            "GENERIC_SSH_CONFIG",
        ),
    ]
}

/// Read once, when the driver is opened; a rotated credential is another opening.
#[derive(Debug)]
pub(crate) struct Account {
    /// In the order in which they are tried.
    pub(crate) identities: Vec<Identity>,
    pub(crate) passphrase: Option<Secret>,
    pub(crate) sudo_password: Option<Secret>,
    pub(crate) known_hosts: Arc<KnownHosts>,
    pub(crate) stranger: Stranger,
    pub(crate) rsa: Rsa,
    pub(crate) ssh_config: SshConfig,
    pub(crate) inventory: Inventory,
    pub(crate) agents: Agents,
    pub(crate) adopted: Adopted,
}

impl Account {
    pub(crate) fn read(access: Access) -> Result<Self, DriverError> {
        let known: Vec<String> = flags().into_iter().map(|flag| flag.name).collect();
        if let Some(unknown) = access.options.keys().find(|name| !known.contains(name)) {
            let why = format!("is no setting of an account; there are {}", known.join(", "));
            return Err(refused(&format!("options.{unknown}"), why));
        }
        let credential = |name: &str| access.credentials.get(name).filter(|value| !value.reveal().is_empty());
        let text = |name: &str| credential(name).map_or("", Secret::reveal);
        let inventory = Inventory::parse(text(INVENTORY))
            .map_err(|error| refused("credentials.inventory", error.to_string()))?;
        let ssh_config = SshConfig::parse(text(SSH_CONFIG))
            .map_err(|error| refused("credentials.ssh-config", error.to_string()))?;
        let stranger = if switch(&access, STRICT)? { Stranger::Refuse } else { Stranger::Record };
        let rsa = if switch(&access, ALLOW_RSA)? { Rsa::Sha2 } else { Rsa::Refused(REMEDY) };
        Ok(Self {
            identities: identities(&access, rsa)?,
            passphrase: credential(PASSPHRASE).cloned(),
            sudo_password: credential(SUDO_PASSWORD).or_else(|| credential(PASSWORD)).cloned(),
            known_hosts: Arc::new(KnownHosts::parse(text(KNOWN_HOSTS))),
            stranger,
            rsa,
            ssh_config,
            inventory,
            agents: Agents::new(access.agents_dir),
            adopted: Adopted::new(&access.state_dir),
        })
    }
}

fn switch(access: &Access, name: &str) -> Result<bool, DriverError> {
    match access.options.get(name).map(String::as_str) {
        None | Some("" | "false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(refused(&format!("options.{name}"), "must be true or false".to_owned())),
    }
}

/// The account's key, the keys of its ssh-agent, its password.
fn identities(access: &Access, rsa: Rsa) -> Result<Vec<Identity>, DriverError> {
    let credential = |name: &str| access.credentials.get(name).filter(|value| !value.reveal().is_empty());
    let mut identities = Vec::new();
    if let Some(pem) = credential(KEY) {
        let unusable =
            |name: &str, error: skep_ssh::Error| refused(&format!("credentials.{name}"), chain(&error));
        let key = Identity::key(KEY, pem, credential(PASSPHRASE)).map_err(|error| unusable(KEY, error))?;
        if let Some(why) = key.refusal(rsa) {
            return Err(refused(&format!("credentials.{KEY}"), why));
        }
        let certified = match credential(CERTIFICATE) {
            Some(text) => key.certified(text.reveal()).map_err(|error| unusable(CERTIFICATE, error))?,
            None => key,
        };
        identities.push(certified);
    }
    if let Some(socket) = access.options.get(AGENT).filter(|socket| !socket.is_empty()) {
        identities.push(Identity::Agent { socket: PathBuf::from(socket) });
    }
    identities.extend(credential(PASSWORD).cloned().map(Identity::Password));
    Ok(identities)
}

fn refused(field: &str, why: String) -> DriverError {
    let violations = vec![FieldViolation { field: field.to_owned(), description: why.clone() }];
    DriverError::new(ErrorKind::InvalidSpec { violations }, format!("{field}: {why}"))
}
