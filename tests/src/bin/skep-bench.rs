//! The benchmarks' program: `tests/bench.sh` builds what it starts, and runs it.

use std::io;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use skep_tests::bench::{AgentOptions, BulkOptions, Ec2Options, Figures, SshOptions, agent, bulk, ec2, ssh};

/// Prints figures, one JSON object a line.
#[derive(Debug, Parser)]
#[command(name = "bench.sh")]
struct Options {
    #[command(subcommand)]
    bench: Bench,
}

#[derive(Debug, Subcommand)]
enum Bench {
    /// Many simulated hosts from one request
    Bulk(BulkArguments),
    /// Many instances of an emulated EC2, until each host has its own
    Ec2(Ec2Arguments),
    /// Machines that are there already, adopted over SSH
    Ssh(SshArguments),
}

#[derive(Debug, Args)]
struct BulkArguments {
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    hosts: u32,
    /// How long the driver takes for a create, ± 20 %
    #[arg(long, default_value_t = 10_000)]
    create_ms: u64,
    /// From an instance's existence to running
    #[arg(long, default_value_t = 100)]
    boot_ms: u64,
    /// Seconds after which not being Ready is a failure
    #[arg(long, default_value_t = 300)]
    bound_s: u64,
    /// Leave out the one real host, whose agent idles for a minute
    #[arg(long)]
    skip_agent: bool,
    #[arg(long, default_value_t = 60)]
    idle_s: u64,
}

#[derive(Debug, Args)]
struct SshArguments {
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=90))]
    machines: u32,
}

#[derive(Debug, Args)]
struct Ec2Arguments {
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    instances: u32,
    /// How many of the replies to changes are lost
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=50))]
    lost_percent: u8,
    /// Kill the account's owner when a third of the instances are known
    #[arg(long)]
    kill_owner: bool,
    /// Seconds after which not having an instance is a failure
    #[arg(long, default_value_t = 300)]
    bound_s: u64,
}

fn main() -> io::Result<()> {
    match Options::parse().bench {
        Bench::Bulk(arguments) => run_bulk(&arguments),
        Bench::Ec2(arguments) => run_ec2(&arguments),
        Bench::Ssh(arguments) => {
            ssh(&SshOptions { machines: arguments.machines }, &mut Figures::new("ssh", io::stdout()))
        }
    }
}

fn run_bulk(arguments: &BulkArguments) -> io::Result<()> {
    let mut figures = Figures::new("bulk", io::stdout());
    let options = BulkOptions {
        hosts: arguments.hosts,
        create: Duration::from_millis(arguments.create_ms),
        boot: Duration::from_millis(arguments.boot_ms),
        bound: Duration::from_secs(arguments.bound_s),
    };
    let measured = bulk(&options);
    let operation = &measured.operation;
    assert_eq!(operation.items_done, options.hosts, "all hosts are Ready: {operation:?}");
    measured.print(&mut figures)?;
    if arguments.skip_agent {
        return Ok(());
    }
    agent(&AgentOptions { idle: Duration::from_secs(arguments.idle_s) }, &mut figures)
}

fn run_ec2(arguments: &Ec2Arguments) -> io::Result<()> {
    let options = Ec2Options {
        instances: arguments.instances,
        lost_percent: arguments.lost_percent,
        kill_owner: arguments.kill_owner,
        bound: Duration::from_secs(arguments.bound_s),
    };
    ec2(&options).print(&mut Figures::new("ec2", io::stdout()))
}
