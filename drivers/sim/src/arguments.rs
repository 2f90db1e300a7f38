//! The command line of `skep-sim`, over its configuration file.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use anyhow::Context;
use clap::{Parser, ValueEnum};
use skep_sim::{IdempotencyClass, Naming, SimConfig};
use skep_types::Secret;

/// A simulated cloud: instances in memory, with real agent sessions, behind a driver socket, an HTTP API, or both.
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) struct Arguments {
    /// The Unix socket to serve the driver on.
    #[arg(long, required_unless_present = "cloud")]
    pub(crate) socket: Option<PathBuf>,
    /// Where to serve the world over HTTP, as a provider does: for drivers in other languages. Port 0 takes any.
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) cloud: Option<SocketAddr>,
    /// A secret that every request to --cloud has to bear. Without one, only loopback addresses are served.
    #[arg(long, value_name = "FILE", requires = "cloud")]
    cloud_key_file: Option<PathBuf>,
    /// TOML; the flags below win over it.
    #[arg(long)]
    config: Option<PathBuf>,
    /// Draws the same latencies and losses again.
    #[arg(long)]
    seed: Option<u64>,
    #[arg(long)]
    idempotency: Option<ClassArgument>,
    #[arg(long)]
    naming: Option<NamingArgument>,
    /// Instances of one create call.
    #[arg(long)]
    batch_max: Option<u32>,
    /// The first instance's address, in 127.0.0.0/8.
    #[arg(long)]
    first_address: Option<Ipv4Addr>,
    /// How long a create takes on average; single ones differ by 20 %.
    #[arg(long)]
    latency_ms: Option<u64>,
    /// From an instance's existence to running.
    #[arg(long)]
    boot_ms: Option<u64>,
    /// Instances that can live at once.
    #[arg(long)]
    capacity: Option<u32>,
    /// Of all callers together.
    #[arg(long)]
    calls_per_second: Option<u32>,
    /// Calls with an effect whose reply gets lost.
    #[arg(long)]
    lost_replies_percent: Option<u8>,
    /// A file to write at the end: what was made and how long that took, as JSON.
    #[arg(long)]
    pub(crate) report: Option<PathBuf>,
    /// What to log, as in `info` or `skep_sim=debug,warn`.
    #[arg(long, env = "SKEP_LOG", default_value = "error,skep_sim=info")]
    pub(crate) log: String,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ClassArgument {
    Token,
    UniqueName,
    None,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum NamingArgument {
    Named,
    Interchangeable,
}

impl Arguments {
    /// The file's configuration, or the default one, with what the command line says instead.
    pub(crate) fn config(&self) -> anyhow::Result<SimConfig> {
        let mut config = match &self.config {
            Some(path) => {
                let shown = path.display();
                let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {shown}"))?;
                toml::from_str(&text).with_context(|| format!("{shown} is not a usable configuration"))?
            }
            None => SimConfig::default(),
        };
        self.apply(&mut config);
        Ok(config)
    }

    pub(crate) fn cloud_key(&self) -> anyhow::Result<Option<Secret>> {
        let Some(path) = &self.cloud_key_file else { return Ok(None) };
        let shown = path.display();
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {shown}"))?;
        let key = text.trim();
        anyhow::ensure!(!key.is_empty(), "{shown} holds no key");
        Ok(Some(Secret::new(key)))
    }

    fn apply(&self, config: &mut SimConfig) {
        set(&mut config.seed, self.seed);
        set(&mut config.idempotency, self.idempotency.map(Into::into));
        set(&mut config.naming, self.naming.map(Into::into));
        set(&mut config.batch_max, self.batch_max);
        set(&mut config.first_address, self.first_address);
        let behaviour = &mut config.behaviour;
        set(&mut behaviour.latency_ms, self.latency_ms);
        set(&mut behaviour.boot_ms, self.boot_ms);
        behaviour.capacity = self.capacity.or(behaviour.capacity);
        behaviour.calls_per_second = self.calls_per_second.or(behaviour.calls_per_second);
        set(&mut behaviour.lost_replies_percent, self.lost_replies_percent);
    }
}

fn set<T>(field: &mut T, given: Option<T>) {
    if let Some(given) = given {
        *field = given;
    }
}

impl From<ClassArgument> for IdempotencyClass {
    fn from(argument: ClassArgument) -> Self {
        match argument {
            ClassArgument::Token => Self::Token,
            ClassArgument::UniqueName => Self::UniqueName,
            ClassArgument::None => Self::None,
        }
    }
}

impl From<NamingArgument> for Naming {
    fn from(argument: NamingArgument) -> Self {
        match argument {
            NamingArgument::Named => Self::Named,
            NamingArgument::Interchangeable => Self::Interchangeable,
        }
    }
}
