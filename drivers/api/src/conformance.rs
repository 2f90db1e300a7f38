//! The suite that every driver passes: each rule of the contract, tried against a real account of the driver's.
//!
//! ```text
//!  run ─► for each Rule: Scope (a cluster of its own) ─► rule ─► Outcome ─► sweep: destroy what is left
//! ```
//! Rules do not depend on each other, and a driver that breaks one is still tried with the others.

mod create;
mod describe;
mod identity;
mod life;
mod patient;
mod report;
mod scope;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use skep_types::{InstanceRef, Secret, Template};

use crate::{Bootstrap, Driver, Rule};

pub use report::{Outcome, Report};
use scope::{Broken, Scope};

/// One rule may take this long: a handful of creates, each as long as a call may take, would hide a driver that
/// hangs for an hour otherwise.
const RULE_TIME: Duration = Duration::from_secs(300);

/// What the suite has to know about the driver it tries, and about the account behind it.
#[async_trait]
pub trait DriverUnderTest: Send + Sync {
    /// The driver, as one more coordinator would hold it: called several times, all must see one account.
    async fn driver(&self) -> Arc<dyn Driver>;

    /// A small template that works.
    fn template(&self) -> Template;

    /// A DNS label of at most 20 characters that no other run uses: clusters and hosts are named after it.
    fn prefix(&self) -> String;

    /// What instances are given. Nothing waits for its agent.
    fn bootstrap(&self) -> Bootstrap {
        Bootstrap {
            agent_urls: vec!["https://192.0.2.1/agent".to_owned()],
            agent_sha256: "0".repeat(64),
            agent_config: Secret::new(""),
        }
    }

    /// Lets at most this many more instances be made, or any number again. False where that cannot be arranged.
    async fn set_room(&self, _room: Option<u32>) -> bool {
        false
    }

    /// Where else an intent of three slots falls short, if the account's room cannot be set; or why it does nowhere.
    async fn short(&self) -> Result<Short, &'static str> {
        Err("the account's room cannot be set")
    }

    /// Makes something in the account that skep has not made. None where that cannot be arranged.
    async fn make_foreign(&self) -> Option<InstanceRef> {
        None
    }

    /// Whether what [`Self::make_foreign`] made is still as it was.
    async fn foreign_is_untouched(&self, _foreign: &InstanceRef) -> bool {
        true
    }

    /// A well-formed reference to an instance that never was.
    fn unknown(&self) -> InstanceRef {
        InstanceRef { provider_id: scope::never_was(), name: format!("{}-unknown", self.prefix()) }
    }
}

/// A way to the account by which fewer instances can be made than an intent has slots.
#[derive(Debug)]
pub struct Short {
    pub driver: Arc<dyn Driver>,
    pub template: Template,
}

/// Tries every rule. What a rule made is destroyed afterwards, also when it failed.
pub async fn run(subject: impl DriverUnderTest) -> Report {
    let mut outcomes = Vec::new();
    for rule in Rule::ALL {
        outcomes.push((*rule, one(&subject, *rule).await));
    }
    Report { outcomes }
}

async fn one(subject: &dyn DriverUnderTest, rule: Rule) -> Outcome {
    let scope = Scope::new(subject, rule).await;
    let result = tokio::time::timeout(RULE_TIME, Box::pin(check(&scope, rule))).await;
    let late = || Err(Broken::Failed(format!("no end after {} s", RULE_TIME.as_secs())));
    let outcome = match result.unwrap_or_else(|_| late()) {
        Ok(()) => Outcome::Kept,
        Err(Broken::Failed(seen)) => Outcome::Broken { seen },
        Err(Broken::NotTried(why)) => Outcome::NotTried { why },
    };
    scope.sweep().await;
    outcome
}

async fn check(scope: &Scope<'_>, rule: Rule) -> Result<(), Broken> {
    match rule {
        Rule::SoundDescription => describe::sound_description(scope),
        Rule::CheckNamesUnknownOptions => describe::check_names_unknown_options(scope).await,
        Rule::CheckChangesNothing => describe::check_changes_nothing(scope).await,
        Rule::EnsureMakesEverySlot => create::ensure_makes_every_slot(scope).await,
        Rule::EnsureRepeatedMakesNoMore => create::ensure_repeated_makes_no_more(scope).await,
        Rule::LostReplyIsFound => create::lost_reply_is_found(scope).await,
        Rule::ConcurrentEnsureMakesNoDoubles => create::concurrent_ensure_makes_no_doubles(scope).await,
        Rule::ShortfallIsFinal => create::shortfall_is_final(scope).await,
        Rule::ListIsExact => identity::list_is_exact(scope).await,
        Rule::ForeignIsUntouched => identity::foreign_is_untouched(scope).await,
        Rule::NamesAreNotIdentity => identity::names_are_not_identity(scope).await,
        Rule::ObserveAnswersEach => identity::observe_answers_each(scope).await,
        Rule::PowerIsIdempotent => life::power_is_idempotent(scope).await,
        Rule::DestroyIsIdempotent => life::destroy_is_idempotent(scope).await,
        Rule::InstancesAreNamed => identity::instances_are_named(scope).await,
        Rule::InstancesArePlaced => life::instances_are_placed(scope).await,
        Rule::ConsoleIsBounded => life::console_is_bounded(scope).await,
    }
}
