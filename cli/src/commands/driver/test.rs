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
    #[arg(long, value_name = "NAME=VALUE")]
    template_option: Vec<String>,
    /// What the account takes; may be given several times.
    #[arg(long, value_name = "NAME=VALUE")]
    option: Vec<String>,
    /// A secret of the account; @FILE reads it. Else its variable is read.
    #[arg(long, value_name = "NAME=VALUE")]
    credential: Vec<String>,
    /// A setting in place of --option's, with which fewer hosts can be made than a call asks for (three, where the driver
    /// takes as many): for the rule about shortfalls. May be given several times.
    #[arg(long, value_name = "NAME=VALUE")]
    short_option: Vec<String>,
    /// The same in place of --template-option's.
    #[arg(long, value_name = "NAME=VALUE")]
    short_template_option: Vec<String>,
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

type Named = BTreeMap<String, String>;

/// What the flags give.
#[derive(Debug)]
struct Given {
    template_options: Named,
    options: Named,
    credentials: BTreeMap<String, Secret>,
    short_options: Named,
    short_template_options: Named,
}

impl Args {
    fn given(&self) -> Result<Given, Failure> {
        let credentials = named("credential", &self.credential)?.into_iter();
        Ok(Given {
            template_options: named("template-option", &self.template_option)?,
            options: named("option", &self.option)?,
            credentials: credentials
                .map(|(name, value)| Ok((name, secret(value)?)))
                .collect::<Result<_, Failure>>()?,
            short_options: named("short-option", &self.short_option)?,
            short_template_options: named("short-template-option", &self.short_template_option)?,
        })
    }
}

/// Not by clap, which repeats what it does not understand.
fn named(flag: &str, given: &[String]) -> Result<Named, Failure> {
    let wrong = || Failure::Usage(format!("--{flag} takes NAME=VALUE"));
    let one = |text: &String| {
        let (name, value) = pair(text).ok_or_else(wrong)?;
        Ok((name.to_owned(), value.to_owned()))
    };
    given.iter().map(one).collect()
}

fn secret(value: String) -> Result<Secret, Failure> {
    Ok(Secret::new(match value.strip_prefix('@') {
        Some(path) => credential_file::read(Path::new(path))?,
        None => value,
    }))
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<(), Failure> {
    let given = args.given()?;
    let surroundings = &context.surroundings;
    let starter = Starter::new(&args.program, args.variant.as_deref(), surroundings, args.logs)?;
    let first = starter.start().await?;
    let description = first.driver.describe().clone();
    context.tell(&format!("{} as {}\n", args.program.display(), description.name));
    let mut unkept = rules::of_program(first, context).await?;

    let folder = private_folder()?;
    let access = access(&given, &description, &surroundings.variables, folder.path())?;
    let bootstrap = agent(args.agent.as_deref(), &access.agents_dir)?;
    let template = template(&given, &description, &access.account);
    let short = short(&given, &access, &template);
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
    given: &Given,
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
        options: given.options.clone(),
        credentials: credentials(given, description, variables),
        state_dir,
        agents_dir,
    })
}

fn account() -> AccountName {
    #[expect(clippy::expect_used, reason = "a literal that is a DNS label")]
    "test".parse().expect("a valid account name")
}

fn credentials(
    given: &Given,
    description: &DriverDescription,
    variables: &Variables,
) -> BTreeMap<String, Secret> {
    let named = description.credentials.iter();
    let set = named.filter_map(|known| Some((known.name.clone(), Secret::new(variables.get(&known.env)?))));
    let mut credentials: BTreeMap<String, Secret> = set.collect();
    credentials.extend(given.credentials.clone());
    credentials
}

/// None where nothing was given that provokes a shortfall.
fn short(given: &Given, access: &Access, template: &Template) -> Option<Way> {
    if given.short_options.is_empty() && given.short_template_options.is_empty() {
        return None;
    }
    let (mut access, mut template) = (access.clone(), template.clone());
    access.options.extend(given.short_options.clone());
    template.options.extend(given.short_template_options.clone());
    Some(Way { access, template })
}

fn template(given: &Given, description: &DriverDescription, account: &AccountName) -> Template {
    Template {
        driver: description.name.clone(),
        account: account.clone(),
        options: given.template_options.clone(),
        labels: BTreeMap::new(),
    }
}
