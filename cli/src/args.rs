//! The command line as clap sees it: the commands by name. Each one's own arguments stand with its code.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::commands::{
    account, cluster, config, create, driver, env, events, explain, inspect, ip, ls, operation, person,
    power, rm, status, swarm, url,
};

/// Fleets of Docker hosts and swarms, made and kept by a cluster of coordinators.
#[derive(Debug, Parser)]
#[command(name = "skep", version, max_term_width = 100, arg_required_else_help = true)]
pub(crate) struct Cli {
    /// The configuration file; else SKEP_CONFIG, else ~/.config/skep/config.toml.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make one host, or many of one shape.
    Create(create::Args),
    /// List hosts.
    Ls(ls::Args),
    /// Show everything about hosts, as JSON.
    Inspect(inspect::Args),
    /// Print the phase of hosts.
    Status(status::Args),
    /// Print the addresses of hosts.
    Ip(ip::Args),
    /// Print the addresses of hosts' Docker Engines.
    Url(url::Args),
    /// Print what points `docker` at a host or a swarm, for the shell to evaluate.
    Env(env::Args),
    /// Print the flags that point `docker` at a host.
    Config(config::Args),
    /// Start stopped hosts.
    Start(power::Args),
    /// Stop hosts.
    Stop(power::Args),
    /// Restart hosts.
    Restart(power::Args),
    /// Switch hosts off without asking their systems.
    Kill(power::Args),
    /// Delete hosts.
    Rm(rm::Args),
    /// Say why hosts are where they are, and what they wait for.
    Explain(explain::Args),
    /// Make, list and delete swarms.
    #[command(subcommand)]
    Swarm(swarm::Command),
    /// List operations, or watch them go on.
    #[command(subcommand)]
    Operation(operation::Command),
    /// Print what happens, as it happens.
    Events(events::Args),
    /// The coordinators: start, join, look.
    #[command(subcommand)]
    Cluster(cluster::Command),
    /// The people that may use the cluster.
    #[command(subcommand)]
    Person(person::Command),
    /// What can make hosts here.
    #[command(subcommand)]
    Driver(driver::Command),
    /// What drivers act with: credentials, endpoints and limits.
    #[command(subcommand)]
    Account(account::Command),
    /// Print the versions of this program and of the cluster.
    Version,
    /// Print the reference of all commands, as Markdown.
    #[command(hide = true)]
    Docs,
}
