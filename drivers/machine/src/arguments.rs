//! The command line of `skep-driver-machine`.

use std::ffi::OsString;
use std::path::PathBuf;
use std::str::FromStr;

use clap::Parser;
use skep_driver_machine::{Settings, UserRange};

/// Where programs are when nobody says so.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Serves driver plugins of Docker Machine as drivers of skep: `machine/hetzner` is docker-machine-driver-hetzner.
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) struct Arguments {
    /// Folders to look for plugins in; plugins look for programs there too.
    #[arg(long, env = "PATH", default_value = PATH, hide_env_values = true)]
    path: OsString,
    /// Numbers of users, one for each running plugin, such as 60600-61099, or `none`: plugins run as this program
    /// does. Where this program is not root there is no choice [default for root: 60600-61099].
    #[arg(long)]
    plugin_users: Option<PluginUsers>,
    /// Where plugins work; their users must be able to walk there [default: /run/skep-driver-machine with users of
    /// their own, else the account's folder].
    #[arg(long)]
    work: Option<PathBuf>,
    /// What every driver program is told, after all else: `--socket PATH --variant NAME`, or `variants`.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
    pub(crate) words: Vec<OsString>,
}

#[derive(Debug, Clone, Copy)]
enum PluginUsers {
    None,
    Range(UserRange),
}

impl FromStr for PluginUsers {
    type Err = <UserRange as FromStr>::Err;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "none" { Ok(Self::None) } else { text.parse().map(Self::Range) }
    }
}

impl Arguments {
    pub(crate) fn settings(&self) -> Settings {
        let users = match self.plugin_users {
            Some(PluginUsers::Range(range)) => Some(range),
            Some(PluginUsers::None) => None,
            None => rustix::process::geteuid().is_root().then(UserRange::default),
        };
        Settings { work: self.work.clone(), ..Settings::new(self.path.clone(), users) }
    }
}
