//! What a plugin's flags make of the driver's description. Pure.

use std::time::Duration;

use skep_machine_protocol::{CreateFlag, FlagValue};
use skep_types::{
    Batch, CredentialDescription, DriverDescription, DriverName, FlagDescription, FlagKind, Idempotency,
    Limits, PowerActions, SlotNaming, WayIn, limits,
};

/// Each is a process that talks to its cloud for minutes.
const CALLS_IN_FLIGHT: u32 = 16;
/// A plugin does not tell which of its flags are secret. A text without a default whose name has one of these words
/// is taken for one: as a credential of the account it is sealed, and never part of a template.
const SECRET_WORDS: [&str; 9] =
    ["token", "secret", "password", "passwd", "passphrase", "credential", "apikey", "secretkey", "accesskey"];
const SECRET_PAIRS: [[&str; 2]; 6] = [
    ["api", "key"],
    ["access", "key"],
    ["secret", "key"],
    ["private", "key"],
    ["auth", "key"],
    ["encoded", "json"],
];

pub(crate) fn description(name: DriverName, flags: &[CreateFlag]) -> DriverDescription {
    let (secrets, open): (Vec<_>, Vec<_>) = flags.iter().partition(|flag| is_secret(flag));
    // What an account cannot hold any more is better given in a template than not at all.
    let (credentials, rest) = secrets.split_at(secrets.len().min(limits::CREDENTIALS));
    let mut described: Vec<FlagDescription> =
        open.into_iter().chain(rest.iter().copied()).map(flag).collect();
    described.truncate(limits::OPTIONS);
    DriverDescription {
        name,
        flags: described,
        account_flags: Vec::new(),
        credentials: credentials.iter().copied().map(credential).collect(),
        way_in: WayIn::Ssh,
        idempotency: Idempotency::None,
        batch: Batch { max: 1, naming: SlotNaming::Named },
        calls_in_flight_max: CALLS_IN_FLIGHT,
        limits: Limits::default(),
        // The shelf knows of a create before its plugin does.
        settle: Duration::ZERO,
        power: PowerActions::All,
        adopts: false,
        attests: false,
        tunnels: true,
        addresses_change: true,
        console: false,
    }
}

pub(crate) fn is_secret(flag: &CreateFlag) -> bool {
    if flag.default != FlagValue::Text(String::new()) {
        return false;
    }
    let words: Vec<&str> = flag.name.split('-').collect();
    let secret =
        |word: &&str| SECRET_WORDS.iter().any(|secret| [*word, word.trim_end_matches('s')].contains(secret));
    words.iter().any(secret) || words.windows(2).any(|pair| SECRET_PAIRS.iter().any(|secret| secret == pair))
}

fn flag(flag: &CreateFlag) -> FlagDescription {
    let (kind, default) = match &flag.default {
        FlagValue::Text(text) => (FlagKind::String, text.clone()),
        FlagValue::Int(number) => (FlagKind::Integer, number.to_string()),
        FlagValue::Bool(_) => (FlagKind::Boolean, String::new()),
        FlagValue::List(items) => (FlagKind::StringList, items.join(",")),
    };
    FlagDescription { name: flag.name.clone(), kind, usage: usage(flag), default, env: flag.env.clone() }
}

fn credential(flag: &CreateFlag) -> CredentialDescription {
    CredentialDescription {
        name: flag.name.clone(),
        usage: usage(flag),
        env: flag.env.clone(),
        // The plugin itself says which it cannot do without, and only when it is configured.
        required: false,
    }
}

fn usage(flag: &CreateFlag) -> String {
    if flag.usage.is_empty() {
        "The plugin does not say what this is for".to_owned()
    } else {
        flag.usage.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(name: &str, default: &str) -> CreateFlag {
        let default = FlagValue::Text(default.to_owned());
        CreateFlag { name: name.to_owned(), usage: String::new(), env: String::new(), default }
    }

    /// Names of flags of the drivers that Docker Machine and its forks bring.
    #[test]
    fn secrets_are_told_by_their_names() {
        for name in [
            "amazonec2-access-key",
            "amazonec2-secret-key",
            "amazonec2-session-token",
            "azure-client-secret",
            "digitalocean-access-token",
            "exoscale-api-secret-key",
            "google-auth-encoded-json",
            "openstack-password",
            "openstack-application-credential-secret",
            "softlayer-api-key",
            "vmwarevsphere-password",
        ] {
            assert!(is_secret(&text(name, "")), "{name}");
        }
        for name in [
            "amazonec2-keypair-name",
            "amazonec2-ssh-keypath",
            "azure-client-id",
            "digitalocean-ssh-key-fingerprint",
            "openstack-keypair-name",
            "google-project",
        ] {
            assert!(!is_secret(&text(name, "")), "{name}");
        }
        // "Whether the metadata token is required or optional"
        assert!(!is_secret(&text("amazonec2-metadata-token", "optional")));
    }

    #[test]
    fn secrets_are_credentials_and_all_else_is_flags() {
        let int = CreateFlag { default: FlagValue::Int(22), ..text("x-ssh-port", "") };
        let list = CreateFlag { default: FlagValue::List(vec!["a".into(), "b".into()]), ..text("x-tag", "") };
        let description = description(
            "machine/x".parse().unwrap(),
            &[text("x-api-key", ""), int, list, text("x-size", "s")],
        );
        let names: Vec<&str> = description.credentials.iter().map(|c| c.name.as_str()).collect();
        assert_eq!(names, ["x-api-key"]);
        let flags: Vec<(&str, FlagKind, &str)> =
            description.flags.iter().map(|f| (f.name.as_str(), f.kind, f.default.as_str())).collect();
        assert_eq!(
            flags,
            [
                ("x-ssh-port", FlagKind::Integer, "22"),
                ("x-tag", FlagKind::StringList, "a,b"),
                ("x-size", FlagKind::String, "s")
            ]
        );
    }
}
