//! The benchmarks' program: `tests/bench.sh` builds what it starts, and runs it.

use std::io;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use skep_tests::bench::{AgentOptions, BulkOptions, Figures, agent, bulk};

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

fn main() -> io::Result<()> {
    match Options::parse().bench {
        Bench::Bulk(arguments) => run_bulk(&arguments),
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
