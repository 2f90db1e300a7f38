//! `skep driver test`: the conformance suite against any program.

mod rules;
mod subject;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use skep_driver::conformance;
use skep_driver::{Access, Driver};
use skep_types::{AccountName, DriverDescription, Secret, Template};

use super::program::{Starter, private_folder};
use crate::context::Context;
use crate::credential_file;
use crate::failure::Failure;
use crate::pair::pair;
use crate::surroundings::Variables;
use subject::{Subject, Way, agent};

/// One line for each rule: kept, not tried (why not), or BROKEN (what was seen). Makes and destroys about a hundred
/// instances in the account that it is given, in clusters of its own.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// Its file.
    program: PathBuf,
    /// One of those that `PROGRAM variants` prints.
    #[arg(long, value_name = "NAME")]
    variant: Option<String>,
    /// What a host takes; may be given several times.
    #[arg(long, value_name = "NAME=VALUE", value_parser = named)]
    template_option: Vec<(String, String)>,
    /// What the account takes; may be given several times.
    #[arg(long, value_name = "NAME=VALUE", value_parser = named)]
    option: Vec<(String, String)>,
    /// A secret of the account; @FILE reads it. Else its variable is read.
    #[arg(long, value_name = "NAME=VALUE", value_parser = named)]
    credential: Vec<(String, String)>,
    /// A setting in place of --option's, with which fewer hosts can be made than a call asks for (three, where the driver
    /// takes as many): for the rule about shortfalls. May be given several times.
    #[arg(long, value_name = "NAME=VALUE", value_parser = named)]
    short_option: Vec<(String, String)>,
    /// The same in place of --template-option's.
    #[arg(long, value_name = "NAME=VALUE", value_parser = named)]
    short_template_option: Vec<(String, String)>,
    /// The agent that instances are given. Needed by drivers that bring it themselves.
    #[arg(long, value_name = "FILE")]
    agent: Option<PathBuf>,
    /// Processes that act for the account in turn, as those of several coordinators would.
    #[arg(long, value_name = "NUMBER", default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=5))]
    processes: u8,
    /// Show everything the program logs, not only its trouble.
    #[arg(long)]
    logs: bool,
}

fn named(text: &str) -> Result<(String, String), &'static str> {
    let (name, value) = pair(text).ok_or("it takes NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<(), Failure> {
    let surroundings = &context.surroundings;
    let starter = Starter::new(&args.program, args.variant.as_deref(), surroundings, args.logs)?;
    let first = starter.start().await?;
    let description = first.driver.describe().clone();
    context.tell(&format!("{} as {}\n", args.program.display(), description.name));
    let mut unkept = rules::of_program(first, context).await?;

    let folder = private_folder()?;
    let access = access(&args, &description, &surroundings.variables, folder.path())?;
    let bootstrap = agent(args.agent.as_deref(), &access.agents_dir)?;
    let template = template(&args, &description, &access.account);
    let short = short(&args, &access, &template);
    let way = Way { access, template };
    let subject = Subject::start(starter, way, short, bootstrap, args.processes).await?;
    let tried = tokio::select! {
        tried = conformance::run(subject.clone()) => Some(tried),
        () = surroundings.interrupt.cancelled() => None,
    };
    subject.stop().await;
    let report = tried.ok_or(Failure::Interrupted)?;
    context.print(&report.to_string())?;
    unkept += report.broken().len();
    match unkept {
        0 => Ok(()),
        1 => Err(Failure::Program("the driver breaks a rule".to_owned())),
        count => Err(Failure::Program(format!("the driver breaks {count} rules"))),
    }
}

fn access(
    args: &Args,
    description: &DriverDescription,
    variables: &Variables,
    folder: &Path,
) -> Result<Access, Failure> {
    let (state_dir, agents_dir) = (folder.join("state"), folder.join("agents"));
    for path in [&state_dir, &agents_dir] {
        std::fs::create_dir(path).map_err(|source| Failure::Write { path: path.clone(), source })?;
    }
    Ok(Access {
        account: account(),
        options: args.option.iter().cloned().collect(),
        credentials: credentials(args, description, variables)?,
        state_dir,
        agents_dir,
    })
}

fn account() -> AccountName {
    #[expect(clippy::expect_used, reason = "a literal that is a DNS label")]
    "test".parse().expect("a valid account name")
}

fn credentials(
    args: &Args,
    description: &DriverDescription,
    variables: &Variables,
) -> Result<BTreeMap<String, Secret>, Failure> {
    let named = description.credentials.iter();
    let set = named.filter_map(|known| Some((known.name.clone(), Secret::new(variables.get(&known.env)?))));
    let mut credentials: BTreeMap<String, Secret> = set.collect();
    for (name, value) in &args.credential {
        let secret = match value.strip_prefix('@') {
            Some(path) => credential_file::read(Path::new(path))?,
            None => value.clone(),
        };
        credentials.insert(name.clone(), Secret::new(secret));
    }
    Ok(credentials)
}

/// None where nothing was given that provokes a shortfall.
fn short(args: &Args, access: &Access, template: &Template) -> Option<Way> {
    if args.short_option.is_empty() && args.short_template_option.is_empty() {
        return None;
    }
    let (mut access, mut template) = (access.clone(), template.clone());
    access.options.extend(args.short_option.iter().cloned());
    template.options.extend(args.short_template_option.iter().cloned());
    Some(Way { access, template })
}

fn template(args: &Args, description: &DriverDescription, account: &AccountName) -> Template {
    Template {
        driver: description.name.clone(),
        account: account.clone(),
        options: args.template_option.iter().cloned().collect(),
        labels: BTreeMap::new(),
    }
}
