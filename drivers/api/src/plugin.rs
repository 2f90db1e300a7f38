//! A driver in a process of its own.
//!
//! ```text
//! coordinator: Process::start ─► PluginDriver ──skep/driver/v1 over a Unix socket──► program: main ─► serve ─► Kind
//! ```
//! [`main`] or [`Program`] is the program's side, [`Process`] starts one, [`PluginDriver`] calls it; [`Attached`] is a
//! program that somebody else has started. The generated types are named in this module only: `to_wire` and
//! `from_wire` convert, once each way.

mod attached;
mod carry;
mod client;
mod from_wire;
mod introduction;
mod process;
mod program;
mod server;
mod texts;
mod to_wire;

pub use attached::Attached;
pub use client::PluginDriver;
pub use from_wire::WireError;
pub use introduction::{IntroductionError, Patience, introduce};
pub use process::{Environment, Launch, LogLine, LogSink, Process, StartError, variants};
pub use program::{Family, Only, Program, ProgramError, log_as_json, main, until_told};
pub use server::{ServeError, serve};

/// The version of `driver.proto` that both sides must mean.
pub const PROTOCOL: u32 = 1;
