//! `skepd`: one coordinator. The only place that names concrete drivers.

mod options;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Parser;
use skep_coordinator::agent_binaries::AgentBinaries;
use skep_coordinator::clock::BootClock;
use skep_coordinator::context::Drivers;
use skep_coordinator::layout::{Addresses, Layout};
use skep_coordinator::plugins::{self, Plugins};
use skep_coordinator::raft::Unwatched;
use skep_coordinator::{found, join, run, telemetry};
use skep_driver::plugin::{Attached, Environment};
use skep_driver::{Kind, Shared};
use skep_driver_generic::GenericKind;
use skep_driver_local::{LocalConfig, LocalDriver};
use skep_types::Secret;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::{self, error::TrySendError};
use tokio_util::sync::CancellationToken;

use options::{Action, AddressOptions, InitOptions, JoinOptions, Options, RunOptions};

fn main() -> ExitCode {
    skep_tls::install_provider();
    match start(Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Before logging is there, and for people in any case.
            #[allow(clippy::print_stderr, reason = "the program's last word")]
            {
                eprintln!("skepd: {error:#}");
            }
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn start(options: Options) -> anyhow::Result<()> {
    let _telemetry = telemetry::install(&options.telemetry())?;
    match options.action {
        Action::Init(init) => make(init).await,
        Action::Join(join) => enter(join).await,
        Action::Run(run) => serve(run).await,
    }
}

async fn make(init: InitOptions) -> anyhow::Result<()> {
    let options = found::Options {
        layout: Layout::new(&init.folder.data, init.folder.cluster_key),
        addresses: addresses(init.addresses)?,
        admin: init.admin,
        operator_config: init.operator_config,
    };
    let member = Box::pin(found::found(options)).await?;
    tracing::info!(cluster = %member.cluster, coordinator = %member.coordinator, "cluster made");
    Ok(())
}

async fn enter(options: JoinOptions) -> anyhow::Result<()> {
    let token = match (options.token, options.token_file) {
        (Some(token), _) => token,
        (None, Some(path)) => std::fs::read_to_string(&path)
            .with_context(|| format!("cannot read the token file {}", path.display()))?,
        (None, None) => anyhow::bail!("give --token-file, or --token"),
    };
    let join = join::Options {
        layout: Layout::new(&options.folder.data, options.folder.cluster_key),
        addresses: addresses(options.addresses)?,
        token: Secret::new(token.trim()),
        peer: options.peer,
    };
    let member = Box::pin(join::join(join)).await?;
    tracing::info!(cluster = %member.cluster, coordinator = %member.coordinator, "joined");
    Ok(())
}

async fn serve(options: RunOptions) -> anyhow::Result<()> {
    let layout = Layout::new(&options.folder.data, options.folder.cluster_key.clone());
    let member = layout.member()?;
    let listeners = run::Listeners {
        control: bind(&member.addresses.listen).await?,
        raft: std::net::TcpListener::bind(&member.addresses.raft_listen)
            .with_context(|| format!("cannot listen on {}", member.addresses.raft_listen))?,
    };
    let agent = AgentBinaries::keep(&options.folder.data.join("agents"), &agent_binary(&options)?)?;
    let (ask, asked) = mpsc::channel(1);
    // From now on it does not end this process; whoever asks before somebody looks is heard then.
    let hangup = signal(SignalKind::hangup())?;
    let plugins = plugins(&options).await?;
    let linked = linked(&options).await?;
    let drivers = Drivers::new([]);
    show(&drivers, &linked, &plugins);
    let run = run::Options {
        layout,
        drivers: drivers.clone(),
        credential_commands: options.credential_commands.clone(),
        agent,
        clock: Arc::new(BootClock),
        graces: options.graces(),
        orphan_search: options.orphan_search(),
        dial_after: options.dial_after(),
        raft: options.tuning(),
        checkpoint: Arc::new(Unwatched),
    };
    let shutdown = CancellationToken::new();
    tokio::spawn(stop_on_signal(shutdown.clone()));
    let ended = CancellationToken::new();
    let follow = plugins.follow(asked, ended.clone(), |plugins| show(&drivers, &linked, plugins));
    let asking = ended.run_until_cancelled(ask_on_hangup(hangup, ask));
    let run = async {
        let _over = ended.drop_guard_ref();
        Box::pin(run::run(run, listeners, shutdown)).await
    };
    let (outcome, (), _) = tokio::join!(run, follow, asking);
    plugins.stop().await;
    Ok(outcome?)
}

/// The driver programs of this machine; not before the ports are ours, and with them the folder.
async fn plugins(options: &RunOptions) -> anyhow::Result<Plugins> {
    let beside = std::env::current_exe().ok().and_then(|path| path.parent().map(PathBuf::from));
    let settings = plugins::Settings {
        path: options.plugin_path(beside),
        run: options.folder.data.join("programs"),
        environment: Environment::out_of(|name| std::env::var_os(name)),
        timing: plugins::Timing::default(),
    };
    Ok(Plugins::find(settings).await?)
}

async fn bind(address: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))
}

fn addresses(options: AddressOptions) -> anyhow::Result<Addresses> {
    Ok(Addresses {
        advertise: advertised(options.advertise, &options.listen, "--advertise")?,
        raft_advertise: advertised(options.raft_advertise, &options.raft_listen, "--raft-advertise")?,
        listen: options.listen,
        raft_listen: options.raft_listen,
    })
}

/// The address to be dialled: the one that is listened on, unless that is every address of this machine.
fn advertised(given: Option<String>, listen: &str, flag: &str) -> anyhow::Result<String> {
    let everywhere = listen.starts_with("0.0.0.0:") || listen.starts_with("[::]:");
    match given {
        Some(address) => Ok(address),
        None if everywhere => {
            anyhow::bail!("{listen} can be listened on, but not dialled: give {flag} HOST:PORT")
        }
        None => Ok(listen.to_owned()),
    }
}

/// A file beside `skepd`, unless it is named.
fn agent_binary(options: &RunOptions) -> anyhow::Result<PathBuf> {
    let beside = || Some(std::env::current_exe().ok()?.with_file_name("skep-agent"));
    options.agent_binary.clone().or_else(beside).context("give --agent-binary")
}

/// Drivers that stay as they are while this coordinator runs.
async fn linked(options: &RunOptions) -> anyhow::Result<Vec<Arc<dyn Kind>>> {
    let local = LocalDriver::connect("local".parse()?, LocalConfig { socket: options.docker_socket.clone() });
    let mut kinds: Vec<Arc<dyn Kind>> =
        vec![Arc::new(Shared(Arc::new(local))), Arc::new(GenericKind::new()?)];
    for socket in &options.driver_socket {
        let attached = Attached::connect(socket)
            .await
            .with_context(|| format!("no driver answers on {}", socket.display()))?;
        kinds.push(Arc::new(attached));
    }
    Ok(kinds)
}

fn show(drivers: &Drivers, linked: &[Arc<dyn Kind>], plugins: &Plugins) {
    let programs = plugins.kinds().into_iter();
    // A program that was started by hand comes before one of the same name that was found.
    drivers.replace(programs.chain(linked.iter().cloned()), &plugins.broken());
}

/// SIGHUP: somebody has put a driver program there, and does not want to wait.
async fn ask_on_hangup(mut hangup: Signal, ask: mpsc::Sender<()>) {
    while hangup.recv().await.is_some() {
        tracing::info!("asked to look for driver programs");
        // One that waits to be heard is enough.
        if let Err(TrySendError::Closed(())) = ask.try_send(()) {
            return;
        }
    }
}

async fn stop_on_signal(shutdown: CancellationToken) {
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return;
    };
    tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
    tracing::info!("stopping");
    shutdown.cancel();
}
