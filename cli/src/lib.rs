//! The command line of skep.
//!
//! ```text
//! arguments ─► driver_flags (asks the cluster which there are) ─► args (clap) ─► commands/* ─► client ─► a coordinator
//!                                                                                   │
//!                                                       stdout: results ◄── output/* ┴─► stderr: progress, questions
//! ```
//!
//! One file per command. What a command touches outside the cluster comes in [`Surroundings`], so that tests run the
//! same code against a cluster of their own.

mod access;
mod args;
mod client;
mod commands;
mod config;
mod confirm;
mod context;
mod credential_file;
mod driver_flags;
mod each;
mod exit;
mod failure;
mod hosts;
mod mutation;
mod output;
mod pair;
mod reference;
mod surroundings;

use std::ffi::OsString;

use clap::Parser;
use clap::error::ErrorKind;

pub use client::Dial;
pub use exit::Exit;
pub use reference::reference;
pub use surroundings::{Streams, Surroundings, Variables};

use args::Cli;
use context::Context;
use failure::Failure;

/// Does what `arguments` (the program's name first) ask, and says so on the streams.
pub async fn run(arguments: Vec<OsString>, surroundings: Surroundings) -> Exit {
    let streams = surroundings.streams.clone();
    match execute(arguments, surroundings).await {
        Ok(()) => Exit::Done,
        Err(Failure::CommandLine(help)) if !help.use_stderr() => match streams.print(&help.to_string()) {
            Ok(()) => Exit::Done,
            Err(error) => Failure::Output(error).exit(),
        },
        Err(failure) => {
            streams.tell(&failure.text());
            failure.exit()
        }
    }
}

async fn execute(arguments: Vec<OsString>, surroundings: Surroundings) -> Result<(), Failure> {
    let mut context = Context::new(surroundings);
    let (arguments, options) = driver_flags::take(arguments, &mut context).await?;
    let cli = match Cli::try_parse_from(&arguments) {
        Err(help) if help.kind() == ErrorKind::DisplayHelp => {
            let text = driver_flags::help(&help, &arguments, &mut context).await;
            return context.print(&text);
        }
        parsed => parsed?,
    };
    context.config = cli.config;
    context.options = options;
    commands::run(cli.command, &context).await
}
