//! From a machine, as it was named, to the servers on the way to it: what was said of it, then what `~/.ssh/config` says
//! of it, then what holds for all. Pure.

use skep_ssh::config::{Place, SshConfig, parse_place};

use crate::inventory::Machine;
use crate::options::{DEFAULT_PORT, DEFAULT_USER};

/// The way to a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Way {
    /// First one first.
    pub(crate) jumps: Vec<Server>,
    pub(crate) target: Server,
}

/// One SSH server on the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Server {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) user: String,
    /// Of the SSH configuration, with their tokens, in the order in which they are tried.
    pub(crate) identity_files: Vec<String>,
}

/// The error is a sentence for people.
pub(crate) fn way(config: &SshConfig, machine: &Machine) -> Result<Way, String> {
    let place = Place {
        host: machine.address.clone(),
        port: machine.port,
        user: machine.user.clone(),
        identity_files: Vec::new(),
    };
    let jumps = machine.jumps.iter().map(|jump| parse_place(jump)).collect::<Result<Vec<_>, _>>()?;
    let way = config.way(&place, &jumps)?;
    let target = server(way.target, DEFAULT_USER);
    // Who has one name at the machine mostly has the same one on the way to it.
    let jumps = way.jumps.into_iter().map(|jump| server(jump, &target.user)).collect();
    Ok(Way { jumps, target })
}

fn server(place: Place, user: &str) -> Server {
    Server {
        host: place.host,
        port: place.port.unwrap_or(DEFAULT_PORT),
        user: place.user.unwrap_or_else(|| user.to_owned()),
        identity_files: place.identity_files,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = "
Host web-*
    HostName %h.internal
    User deploy
    Port 2222
    IdentityFile ~/.ssh/web
    ProxyJump gate
Host gate
    HostName gate.example.com
    Port 2200
    IdentityFile ~/.ssh/gate
Host odd
    ProxyCommand nc %h %p
";

    fn of(machine: &Machine) -> Result<Way, String> {
        way(&SshConfig::parse(CONFIG).unwrap(), machine)
    }

    fn named(address: &str) -> Machine {
        Machine { address: address.to_owned(), ..Machine::default() }
    }

    fn told(server: &Server) -> String {
        format!("{}@{}:{} {}", server.user, server.host, server.port, server.identity_files.join(" "))
    }

    #[test]
    fn the_configuration_fills_in_what_was_not_said() {
        let web = of(&named("web-1")).unwrap();
        assert_eq!(told(&web.target), "deploy@web-1.internal:2222 ~/.ssh/web");
        let jumps: Vec<String> = web.jumps.iter().map(told).collect();
        assert_eq!(jumps, ["deploy@gate.example.com:2200 ~/.ssh/gate"]);
        assert_eq!(told(&of(&named("10.0.0.5")).unwrap().target), "root@10.0.0.5:22 ");
    }

    #[test]
    fn what_was_said_wins() {
        let said = Machine {
            user: Some("admin".into()),
            port: Some(22),
            jumps: vec!["ops@other:23".into()],
            ..named("web-1")
        };
        let web = of(&said).unwrap();
        assert_eq!(told(&web.target), "admin@web-1.internal:22 ~/.ssh/web");
        assert_eq!(web.jumps.iter().map(told).collect::<Vec<_>>(), ["ops@other:23 "]);
        let known = of(&Machine { jumps: vec!["gate".into()], ..named("db") }).unwrap();
        assert_eq!(told(&known.jumps[0]), "root@gate.example.com:2200 ~/.ssh/gate");
    }

    #[test]
    fn what_cannot_be_gone_is_said() {
        assert!(of(&named("odd")).unwrap_err().contains("by a ProxyCommand, and none is run here"));
    }
}
