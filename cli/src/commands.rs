//! The commands, one file each.

pub(crate) mod account;
pub(crate) mod cluster;
pub(crate) mod config;
pub(crate) mod create;
mod docs;
pub(crate) mod driver;
pub(crate) mod env;
pub(crate) mod events;
pub(crate) mod explain;
pub(crate) mod inspect;
pub(crate) mod ip;
pub(crate) mod ls;
pub(crate) mod operation;
pub(crate) mod person;
pub(crate) mod power;
pub(crate) mod rm;
pub(crate) mod status;
pub(crate) mod swarm;
mod template;
pub(crate) mod url;
pub(crate) mod version;

use skep_proto::v1::PowerAction;

use crate::args::Command;
use crate::context::Context;
use crate::failure::Failure;

pub(crate) async fn run(command: Command, context: &Context) -> Result<(), Failure> {
    match command {
        Command::Create(args) => create::run(args, context).await,
        Command::Ls(args) => ls::run(args, context).await,
        Command::Inspect(args) => inspect::run(args, context).await,
        Command::Status(args) => status::run(args, context).await,
        Command::Ip(args) => ip::run(args, context).await,
        Command::Url(args) => url::run(args, context).await,
        Command::Env(args) => env::run(args, context).await,
        Command::Config(args) => config::run(args, context).await,
        Command::Start(args) => power::run(args, PowerAction::Start, context).await,
        Command::Stop(args) => power::run(args, PowerAction::Stop, context).await,
        Command::Restart(args) => power::run(args, PowerAction::Restart, context).await,
        Command::Kill(args) => power::run(args, PowerAction::Kill, context).await,
        Command::Rm(args) => rm::run(args, context).await,
        Command::Explain(args) => explain::run(args, context).await,
        Command::Swarm(command) => swarm::run(command, context).await,
        Command::Operation(command) => operation::run(command, context).await,
        Command::Events(args) => events::run(args, context).await,
        Command::Cluster(command) => cluster::run(command, context).await,
        Command::Person(command) => person::run(command, context).await,
        Command::Driver(command) => driver::run(command, context).await,
        Command::Account(command) => account::run(command, context).await,
        Command::Version => version::run(context).await,
        Command::Docs => docs::run(context),
    }
}
