//! The shape of hosts, as `create` and `swarm create` take it.

use skep_proto::v1::{OnFailure, Policy, Template};

use crate::context::Context;
use crate::driver_flags;
use crate::failure::Failure;

#[derive(Debug, clap::Args)]
#[group(skip)]
#[command(next_help_heading = "Template")]
pub(crate) struct Shape {
    /// What makes the hosts; else SKEP_DRIVER, else local. Its own flags begin with its name: see `skep driver ls NAME`.
    #[arg(long, value_name = "DRIVER")]
    driver: Option<String>,
    /// The account of the driver to use, where it has several.
    #[arg(long, value_name = "ACCOUNT")]
    account: Option<String>,
    /// A label of the hosts and of their swarm nodes.
    #[arg(long = "label", value_name = "KEY=VALUE")]
    labels: Vec<String>,
}

impl Shape {
    /// With the driver's own flags, and the environment variables that stand for those not given.
    pub(crate) async fn template(&self, context: &Context) -> Result<Template, Failure> {
        let variables = &context.surroundings.variables;
        let labels = self.labels.iter().map(|label| pair(label)).collect::<Result<_, _>>()?;
        let name = driver_flags::driver_name(self.driver.as_deref(), variables);
        let driver = driver_flags::find(context.drivers().await?, &name)?;
        let options = driver_flags::complete(&context.options, driver, variables)?;
        Ok(Template {
            driver: name,
            account: self.account.clone().unwrap_or_default(),
            options: options.into_iter().collect(),
            labels,
        })
    }
}

fn pair(label: &str) -> Result<(String, String), Failure> {
    match label.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err(Failure::Usage(format!("--label takes KEY=VALUE, not {label:?}"))),
    }
}

/// What counts as success.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum PolicyArg {
    /// All hosts, or none.
    AllOrNothing,
    /// As many as can be made.
    BestEffort,
}

impl From<PolicyArg> for Policy {
    fn from(policy: PolicyArg) -> Self {
        match policy {
            PolicyArg::AllOrNothing => Self::AllOrNothing,
            PolicyArg::BestEffort => Self::BestEffort,
        }
    }
}

/// What becomes of hosts that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum OnFailureArg {
    /// They stay, to be looked at.
    Keep,
    /// They are deleted.
    Delete,
}

impl From<OnFailureArg> for OnFailure {
    fn from(on_failure: OnFailureArg) -> Self {
        match on_failure {
            OnFailureArg::Keep => Self::Keep,
            OnFailureArg::Delete => Self::Delete,
        }
    }
}
