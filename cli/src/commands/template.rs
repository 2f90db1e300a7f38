//! The shape of hosts, as `create` and `swarm create` take it.

mod spread;

use std::collections::BTreeMap;

use skep_proto::v1::{OnFailure, Policy, Share, Template};

use crate::context::Context;
use crate::driver_flags;
use crate::failure::Failure;
use crate::mutation::{Asking, Waiting};
use crate::pair::pair;

/// What `create` and `swarm create` both take.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub(crate) struct Making {
    /// What counts as success; a swarm's managers are always needed.
    #[arg(long, value_enum, default_value = "best-effort")]
    policy: PolicyArg,
    /// What becomes of hosts that failed.
    #[arg(long, value_enum, default_value = "keep")]
    on_failure: OnFailureArg,
    #[command(flatten)]
    pub(crate) template: Shape,
    #[command(flatten)]
    pub(crate) asking: Asking,
    #[command(flatten)]
    pub(crate) waiting: Waiting,
}

impl Making {
    pub(crate) fn policy(&self) -> i32 {
        Policy::from(self.policy).into()
    }

    pub(crate) fn on_failure(&self) -> i32 {
        OnFailure::from(self.on_failure).into()
    }
}

#[derive(Debug, clap::Args)]
#[group(skip)]
#[command(next_help_heading = "Template")]
pub(crate) struct Shape {
    /// What makes the hosts; else SKEP_DRIVER, else local. Its own flags begin with its name: see `skep driver ls NAME`.
    #[arg(long, value_name = "DRIVER")]
    driver: Option<String>,
    /// The account to use; without --driver, of whichever driver it is. Else the driver's own.
    #[arg(long, value_name = "ACCOUNT")]
    account: Option<String>,
    /// Hosts of several shapes: this driver's share of them, with weight=N, max=N, account=NAME and flags of the driver
    /// as KEY=VALUE, such as amazonec2,weight=2,amazonec2-zone=b. Managers go round the shares. May be given several times.
    #[arg(long, value_name = "DRIVER[,KEY=VALUE...]", conflicts_with_all = ["driver", "account"])]
    spread: Vec<String>,
    /// A label of the hosts and of their swarm nodes.
    #[arg(long = "label", value_name = "KEY=VALUE")]
    labels: Vec<String>,
}

impl Shape {
    /// The template of all hosts, unless they are spread.
    pub(crate) async fn template(&self, context: &Context) -> Result<Option<Template>, Failure> {
        if !self.spread.is_empty() {
            return Ok(None);
        }
        let name = match (&self.driver, &self.account) {
            (None, Some(account)) => {
                driver_flags::of_account(context.drivers().await?, account)?.name.clone()
            }
            (driver, _) => driver_flags::driver_name(driver.as_deref(), &context.surroundings.variables),
        };
        let account = self.account.clone().unwrap_or_default();
        self.of(name, account, &context.options, context).await.map(Some)
    }

    /// The shares they are spread over.
    pub(crate) async fn spread(&self, context: &Context) -> Result<Vec<Share>, Failure> {
        let mut shares = Vec::with_capacity(self.spread.len());
        for text in &self.spread {
            let wanted = spread::read(text)?;
            let driver = driver_flags::find(context.drivers().await?, &wanted.driver)?;
            driver_flags::check_known(driver, wanted.options.keys())?;
            let mut given = context.options.clone();
            given.extend(wanted.options);
            let template = self.of(wanted.driver, wanted.account, &given, context).await?;
            shares.push(Share { template: Some(template), weight: wanted.weight, max: wanted.max });
        }
        Ok(shares)
    }

    /// With the driver's own flags, and the environment variables that stand for those not given.
    async fn of(
        &self,
        driver: String,
        account: String,
        given: &BTreeMap<String, String>,
        context: &Context,
    ) -> Result<Template, Failure> {
        let labels = self.labels.iter().map(|label| label_of(label)).collect::<Result<_, _>>()?;
        let described = driver_flags::find(context.drivers().await?, &driver)?;
        let options = driver_flags::complete(given, described, &context.surroundings.variables)?;
        Ok(Template { driver, account, options: options.into_iter().collect(), labels })
    }
}

fn label_of(text: &str) -> Result<(String, String), Failure> {
    let (key, value) = pair(text).ok_or_else(|| Failure::Usage("--label takes KEY=VALUE".to_owned()))?;
    Ok((key.to_owned(), value.to_owned()))
}

/// What counts as success.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum PolicyArg {
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
enum OnFailureArg {
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
