//! `skep-agent`: reads the configuration, sets up logging, and runs the agent or the Docker front door.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use clap::{Parser, Subcommand, ValueEnum};
use skep_agent::{
    Called, Deps, DiskStore, Docker, Ended, ProcFacts, Proxy, ProxyLimits, ProxySettings, Settings, Timing,
    hickory, run,
};
use skep_types::AgentConfig;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::info;
use tracing_subscriber::EnvFilter;

/// Ended for good: the unit does not start the agent again (RestartPreventExitStatus).
const DISMISSED: u8 = 77;
/// A configuration is a few kilobytes, most of it the root's certificate.
const CONFIG_BYTES: u64 = 256 * 1024;
/// Files are all that a current-thread runtime hands to other threads, one at a time.
const BLOCKING_THREADS: usize = 2;

/// The process on each host of a skep cluster.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// What to log, as in `info` or `skep_agent=debug,info`.
    #[arg(long, global = true, env = "SKEP_LOG", default_value = "info")]
    log: EnvFilter,
    #[arg(long, global = true, env = "SKEP_LOG_FORMAT", default_value = "text")]
    log_format: LogFormat,
}

#[derive(Subcommand)]
enum Command {
    /// Enrols this host and does what its coordinators assign.
    Run {
        #[arg(long, default_value = AgentConfig::PATH)]
        config: PathBuf,
    },
    /// The Docker front door: mTLS before the engine's socket.
    Proxy {
        #[arg(long, default_value = AgentConfig::PATH)]
        config: PathBuf,
    },
    /// Prints the version.
    Version,
}

#[derive(Clone, Copy, ValueEnum)]
enum LogFormat {
    Text,
    Json,
}

fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    let logs = tracing_subscriber::fmt().with_env_filter(arguments.log).with_writer(std::io::stderr);
    match arguments.log_format {
        LogFormat::Text => logs.with_ansi(false).init(),
        LogFormat::Json => logs.json().init(),
    }
    skep_tls::install_provider();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(BLOCKING_THREADS)
        .build()
        .context("cannot start the runtime")?;
    match arguments.command {
        Command::Run { config } => runtime.block_on(agent(load(&config)?)),
        Command::Proxy { config } => runtime.block_on(proxy(load(&config)?)),
        Command::Version => {
            version();
            Ok(ExitCode::SUCCESS)
        }
    }
}

#[allow(clippy::print_stdout, reason = "it is what the command is for")]
fn version() {
    println!("skep-agent {}", env!("CARGO_PKG_VERSION"));
}

fn load(path: &Path) -> anyhow::Result<AgentConfig> {
    let shown = path.display();
    let size = std::fs::metadata(path).with_context(|| format!("cannot read {shown}"))?.len();
    anyhow::ensure!(size <= CONFIG_BYTES, "{shown} has {size} bytes, more than {CONFIG_BYTES}");
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {shown}"))?;
    // The parser's own text would quote the line at fault, and that line may hold the token.
    toml::from_str(&text).map_err(|error| anyhow::anyhow!("{shown} is not usable: {}", error.message()))
}

async fn agent(config: AgentConfig) -> anyhow::Result<ExitCode> {
    let store = DiskStore::open(&config.data_dir).context("cannot make the data folder")?;
    let deps = Deps {
        store: Arc::new(store),
        engine: Arc::new(Docker::new(&config.docker_socket, config.docker_port)),
        facts: Arc::new(ProcFacts::new()),
        resolve: Some(hickory()),
        called: Some(Called::listen(&config.data_dir).context("cannot make the session socket")?),
    };
    let version = env!("CARGO_PKG_VERSION").to_owned();
    let settings = Settings { config, timing: Timing::default(), local_address: None, version };
    info!(version = settings.version, cluster = settings.config.cluster, "agent started");
    match run(settings, deps, until_signalled()?).await? {
        Ended::Shutdown => Ok(ExitCode::SUCCESS),
        Ended::Dismissed { reason } => {
            info!(reason, "this host is dismissed");
            Ok(ExitCode::from(DISMISSED))
        }
    }
}

async fn proxy(config: AgentConfig) -> anyhow::Result<ExitCode> {
    let shutdown = until_signalled()?;
    let store = Arc::new(DiskStore::open(&config.data_dir).context("cannot make the data folder")?);
    let settings = ProxySettings {
        docker_socket: config.docker_socket,
        session_socket: Called::path(&config.data_dir),
        limits: ProxyLimits::default(),
    };
    let listener = listen(config.docker_port).await?;
    info!(port = config.docker_port, "front door open");
    Proxy::new(settings, store).run(listener, shutdown).await;
    Ok(ExitCode::SUCCESS)
}

/// On every address; a host without IPv6 has no place for the first.
async fn listen(port: u16) -> anyhow::Result<TcpListener> {
    match TcpListener::bind((Ipv6Addr::UNSPECIFIED, port)).await {
        Ok(listener) => Ok(listener),
        Err(_) => {
            let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).await;
            listener.with_context(|| format!("cannot listen on port {port}"))
        }
    }
}

fn until_signalled() -> anyhow::Result<CancellationToken> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for signals")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for signals")?;
    let token = CancellationToken::new();
    let signalled = token.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        signalled.cancel();
    });
    Ok(token)
}
