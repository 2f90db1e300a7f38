//! Looks at a machine before anything is changed, and judges whether it can be a host.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use super::{Architecture, said, said_all};
use crate::exec::{Output, Script};
use crate::sudo::Sudo;
use crate::{Connection, Error, Kind};

const LOOK: Script = Script::new(include_str!("look.sh"), "looking at the machine", Duration::from_secs(30));
/// Of each place, beside the agent itself: configuration, units, keys, data, and room to write them anew.
pub(super) const RESERVE_KIB: u64 = 4096;
/// What is written to, in the words of the scripts; the agent comes to the first one.
const PLACES: [&str; 3] = ["/usr/local/bin", "/etc/skep", "/var/lib/skep"];

/// What a machine says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Looked {
    /// As `uname -m` says it.
    pub machine: String,
    /// Its own address, as this connection reached it.
    pub address: Option<IpAddr>,
    /// SHA-256 of the agent it has, in hex.
    pub agent: Option<String>,
    systemd: bool,
    missing: Vec<String>,
    /// By place.
    free_kib: BTreeMap<String, u64>,
    pub(crate) sudo: Sudo,
}

impl Looked {
    fn parse(output: &Output) -> Option<Self> {
        said(output, "end")?;
        Some(Self {
            machine: said(output, "machine")?.to_owned(),
            address: said(output, "address").and_then(|text| text.parse().ok()),
            agent: said(output, "agent").map(str::to_owned),
            systemd: said(output, "init") == Some("systemd"),
            missing: said_all(output, "missing").map(str::to_owned).collect(),
            // The tables' heads say no number.
            free_kib: said_all(output, "free_kib").filter_map(free).collect(),
            sudo: Sudo::parse(said(output, "sudo")?)?,
        })
    }

    /// Whether it can take an agent of `bytes` bytes, made for `architecture`. Pure.
    pub fn judge(&self, address: &str, architecture: Architecture, bytes: u64) -> Result<(), Kind> {
        let address = address.to_owned();
        if Architecture::of_machine(&self.machine) != Some(architecture) {
            let (machine, agent) = (self.machine.clone(), architecture.to_string());
            return Err(Kind::WrongArchitecture { address, machine, agent });
        }
        if !self.systemd {
            return Err(Kind::NoSystemd { address });
        }
        if !self.missing.is_empty() {
            return Err(Kind::MissingPrograms { address, programs: self.missing.clone() });
        }
        let brought_kib = [bytes.div_ceil(1024), 0, 0];
        for (place, brought_kib) in PLACES.into_iter().zip(brought_kib) {
            let free_kib = self.free_kib.get(place).copied().unwrap_or(0);
            let needed_kib = brought_kib + RESERVE_KIB;
            if free_kib < needed_kib {
                return Err(Kind::DiskFull { address, place: place.to_owned(), free_kib, needed_kib });
            }
        }
        Ok(())
    }
}

/// `KIB PLACE`
pub(super) fn free(said: &str) -> Option<(String, u64)> {
    let (kib, place) = said.split_once(' ')?;
    Some((place.to_owned(), kib.parse().ok()?))
}

impl Connection {
    /// One round trip; changes nothing.
    pub async fn look(&self) -> Result<Looked, Error> {
        let output = self.run(LOOK, Vec::new()).await?;
        let unexpected = || Kind::Unexpected { address: self.address().to_owned(), what: LOOK.what() };
        Looked::parse(&output).ok_or_else(|| unexpected().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "Welcome!\nskep:address=10.0.0.7\nskep:machine=x86_64\nskep:init=systemd\n\
        skep:free_kib=Available /usr/local/bin\nskep:free_kib=900000 /usr/local/bin\n\
        skep:free_kib=900001 /etc/skep\nskep:free_kib=900002 /var/lib/skep\nskep:agent=ab\nskep:sudo=free\nskep:end=yes\n";

    fn looked(stdout: &str) -> Option<Looked> {
        Looked::parse(&Output { status: 0, stdout: stdout.to_owned(), stderr: String::new() })
    }

    fn verdict(stdout: &str) -> Result<(), Kind> {
        looked(stdout).unwrap().judge("web:22", Architecture::X86_64, 6 << 20)
    }

    #[test]
    fn a_good_machine_is_read_among_whatever_its_login_prints() {
        let looked = looked(GOOD).unwrap();
        assert_eq!(looked.address, Some("10.0.0.7".parse().unwrap()));
        assert_eq!(looked.agent.as_deref(), Some("ab"));
        assert_eq!(looked.sudo, Sudo::Free);
        assert_eq!(verdict(GOOD), Ok(()));
    }

    #[test]
    fn what_keeps_a_machine_from_being_a_host_is_said() {
        let wrong = verdict(&GOOD.replace("x86_64", "armv7l")).unwrap_err().to_string();
        assert_eq!(wrong, "web:22 is armv7l, the agent is made for x86_64");
        let without = verdict(&GOOD.replace("skep:init=systemd\n", "")).unwrap_err();
        assert!(matches!(without, Kind::NoSystemd { .. }), "{without}");
        let lacks = verdict(&format!("skep:missing=cmp\n{GOOD}")).unwrap_err().to_string();
        assert_eq!(lacks, "web:22 lacks the programs cmp");
        for (free, place, needed) in [
            ("900000", "/usr/local/bin", 10_240),
            ("900001", "/etc/skep", 4096),
            ("900002", "/var/lib/skep", 4096),
        ] {
            let full = verdict(&GOOD.replace(free, "100")).unwrap_err().to_string();
            let said = format!("100 KiB are free for {place}, {needed} KiB are needed");
            assert_eq!(full, format!("the disk of web:22 is full: {said}"));
        }
    }

    #[test]
    fn an_answer_that_was_cut_off_is_none() {
        assert_eq!(looked(&GOOD.replace("skep:end=yes\n", "")), None);
        assert_eq!(looked("This account is currently not available.\n"), None);
    }
}
