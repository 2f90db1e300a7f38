//! What `skepd` is told on its command line, and in its environment.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use skep_coordinator::liveness::Graces;
use skep_coordinator::run::Tuning;
use skep_coordinator::telemetry;
use skep_types::{PersonName, limits};

/// One coordinator of a skep cluster.
#[derive(Debug, Parser)]
#[command(name = "skepd", version)]
pub(crate) struct Options {
    #[command(subcommand)]
    pub(crate) action: Action,
    /// What to log, as in RUST_LOG: a level, or target=level pairs
    #[arg(long, global = true, env = "SKEP_LOG", default_value = "info,openraft=error")]
    log: String,
    #[arg(long, global = true, env = "SKEP_LOG_FORMAT", default_value = "text")]
    log_format: LogFormat,
    /// Where spans are sent (OTLP over gRPC), such as http://127.0.0.1:4317
    #[arg(long, global = true, env = "OTEL_EXPORTER_OTLP_ENDPOINT")]
    otlp_endpoint: Option<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum LogFormat {
    Text,
    Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Action {
    /// Make a new cluster, with this machine as its first coordinator
    Init(InitOptions),
    /// Make this machine one more coordinator of a cluster
    Join(JoinOptions),
    /// Run the coordinator that `init` or `join` made
    Run(RunOptions),
}

#[derive(Debug, Args)]
pub(crate) struct FolderOptions {
    /// The coordinator's folder
    #[arg(long, env = "SKEP_DATA", default_value = "/var/lib/skepd")]
    pub(crate) data: PathBuf,
    /// The file with the cluster key; beside the folder, as FOLDER.cluster-key, unless given
    #[arg(long, env = "SKEP_CLUSTER_KEY")]
    pub(crate) cluster_key: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct AddressOptions {
    /// Where people and agents are listened for
    #[arg(long, default_value = "0.0.0.0:7443")]
    pub(crate) listen: String,
    /// HOST:PORT they reach it by; the same unless given. Needed where that is every address of the machine
    #[arg(long)]
    pub(crate) advertise: Option<String>,
    /// Where other coordinators are listened for
    #[arg(long, default_value = "0.0.0.0:7444")]
    pub(crate) raft_listen: String,
    /// HOST:PORT they reach it by; the same unless given. Needed where that is every address of the machine
    #[arg(long)]
    pub(crate) raft_advertise: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct InitOptions {
    #[command(flatten)]
    pub(crate) folder: FolderOptions,
    #[command(flatten)]
    pub(crate) addresses: AddressOptions,
    /// The first admin
    #[arg(long, default_value = "admin")]
    pub(crate) admin: PersonName,
    /// The admin's client configuration to write; certificate and key go beside it
    #[arg(long)]
    pub(crate) operator_config: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct JoinOptions {
    #[command(flatten)]
    pub(crate) folder: FolderOptions,
    #[command(flatten)]
    pub(crate) addresses: AddressOptions,
    /// The one-time token of `skep cluster token`. Everybody on this machine can see it here: prefer --token-file
    #[arg(long, env = "SKEP_JOIN_TOKEN", hide_env_values = true, conflicts_with = "token_file")]
    pub(crate) token: Option<String>,
    /// A file that holds the token
    #[arg(long)]
    pub(crate) token_file: Option<PathBuf>,
    /// Control address of any coordinator, HOST:PORT
    #[arg(long)]
    pub(crate) peer: String,
}

#[derive(Debug, Args)]
pub(crate) struct RunOptions {
    #[command(flatten)]
    pub(crate) folder: FolderOptions,
    /// The static agent that hosts are given; beside skepd unless given
    #[arg(long, env = "SKEP_AGENT_BINARY")]
    pub(crate) agent_binary: Option<PathBuf>,
    /// The engine that the local driver makes hosts on
    #[arg(long, default_value = "/var/run/docker.sock")]
    pub(crate) docker_socket: PathBuf,
    /// The Unix socket of a driver program that is running; may be given several times
    #[arg(long)]
    pub(crate) driver_socket: Vec<PathBuf>,
    /// The folder of programs that may print the credentials of accounts; without it none is run. Whoever may write there
    /// decides what this coordinator runs
    #[arg(long, env = "SKEP_CREDENTIAL_COMMANDS")]
    pub(crate) credential_commands: Option<PathBuf>,
    /// Folders with driver programs (skep-driver-NAME), separated by colons; of one name the first is taken [default:
    /// the folder of skepd, /usr/local/lib/skep/drivers and /usr/lib/skep/drivers]
    #[arg(long, env = "SKEP_PLUGIN_PATH", value_delimiter = ':')]
    plugin_path: Option<Vec<PathBuf>>,
    /// Seconds an owner may call its driver after the leader last answered it
    #[arg(long, default_value_t = limits::OWNER_LEASE.as_secs())]
    owner_lease: u64,
    /// Seconds one driver call may take. An owner that died is followed after its lease and this
    #[arg(long, default_value_t = limits::DRIVER_CALL.as_secs())]
    driver_call: u64,
    /// Seconds without a heartbeat before a host's agent counts as not connected
    #[arg(long, default_value_t = limits::AGENT_GRACE.as_secs())]
    agent_grace: u64,
    /// Seconds between two searches for instances that no host owns
    #[arg(long, default_value_t = 60)]
    orphan_search: u64,
    /// Seconds an agent is given to dial in before this coordinator dials it
    #[arg(long, default_value_t = limits::DIALS_IN.as_secs())]
    dial_after: u64,
    /// Entries between two snapshots of the state
    #[arg(long, default_value_t = 10_000)]
    snapshot_every: u64,
}

impl Options {
    pub(crate) fn telemetry(&self) -> telemetry::Options {
        telemetry::Options {
            filter: self.log.clone(),
            json: matches!(self.log_format, LogFormat::Json),
            otlp_endpoint: self.otlp_endpoint.clone(),
        }
    }
}

/// Where `skep driver install` and packages put driver programs.
const PLUGIN_FOLDERS: [&str; 2] = ["/usr/local/lib/skep/drivers", "/usr/lib/skep/drivers"];

impl RunOptions {
    /// As given; else the folder of skepd and those of [`PLUGIN_FOLDERS`].
    pub(crate) fn plugin_path(&self, beside: Option<PathBuf>) -> Vec<PathBuf> {
        let usual = || beside.into_iter().chain(PLUGIN_FOLDERS.map(PathBuf::from)).collect();
        self.plugin_path.clone().unwrap_or_else(usual)
    }

    pub(crate) fn graces(&self) -> Graces {
        Graces {
            agent: Duration::from_secs(self.agent_grace),
            owner_lease: Duration::from_secs(self.owner_lease),
            driver_call: Duration::from_secs(self.driver_call),
        }
    }

    pub(crate) fn orphan_search(&self) -> Duration {
        Duration::from_secs(self.orphan_search)
    }

    pub(crate) fn dial_after(&self) -> Duration {
        Duration::from_secs(self.dial_after)
    }

    pub(crate) fn tuning(&self) -> Tuning {
        Tuning { snapshot_every: self.snapshot_every }
    }
}
