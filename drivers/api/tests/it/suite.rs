//! The suite passes a correct driver, and finds each defect by the rule it breaks.

use std::sync::Arc;

use async_trait::async_trait;
use skep_driver::conformance::{self, DriverUnderTest, Report, Short};
use skep_driver::{Driver, Rule};
use skep_types::Template;

use crate::toy::{Account, Defect, TOO_LARGE, Toy, template};

struct Subject {
    defect: Defect,
    account: Arc<Account>,
    /// Without it, only a template can run short.
    room_is_set: bool,
}

#[async_trait]
impl DriverUnderTest for Subject {
    async fn driver(&self) -> Arc<dyn Driver> {
        Arc::new(Toy::new(self.defect, Arc::clone(&self.account)))
    }

    fn template(&self) -> Template {
        template()
    }

    fn prefix(&self) -> String {
        "toy-run".to_owned()
    }

    async fn set_room(&self, room: Option<u32>) -> bool {
        if self.room_is_set {
            self.account.set_room(room);
        }
        self.room_is_set
    }

    async fn short(&self) -> Result<Short, &'static str> {
        let mut template = template();
        template.options.insert("toy-size".to_owned(), TOO_LARGE.to_owned());
        Ok(Short { driver: self.driver().await, template })
    }
}

async fn report(defect: Defect) -> Report {
    conformance::run(Subject { defect, account: Arc::default(), room_is_set: true }).await
}

#[tokio::test(start_paused = true)]
async fn a_correct_driver_keeps_every_rule() {
    let report = report(Defect::Nothing).await.into_result().expect("a correct driver");
    assert_eq!(report.not_tried(), []);
}

/// Where nobody can set an account's room, something else may run short.
#[tokio::test(start_paused = true)]
async fn a_shortfall_is_provoked_by_a_template_as_well() {
    let by_template = |defect| Subject { defect, account: Arc::default(), room_is_set: false };
    let report =
        conformance::run(by_template(Defect::Nothing)).await.into_result().expect("a correct driver");
    assert_eq!(report.not_tried(), []);
    let report = conformance::run(by_template(Defect::HidesShortfall)).await;
    assert_eq!(report.broken(), [Rule::ShortfallIsFinal], "{report}");
}

#[tokio::test(start_paused = true)]
async fn each_defect_is_found_by_its_rule() {
    for (defect, rule) in [
        (Defect::FlagWithoutPrefix, Rule::SoundDescription),
        (Defect::TakesAnyOption, Rule::CheckNamesUnknownOptions),
        (Defect::CheckMakesSomething, Rule::CheckChangesNothing),
        (Defect::ForgetsIntents, Rule::EnsureMakesEverySlot),
        (Defect::ReplayMakesMore, Rule::EnsureRepeatedMakesNoMore),
        (Defect::InheritedMakesMore, Rule::EnsureRepeatedMakesNoMore),
        (Defect::ReplayMakesMore, Rule::LostReplyIsFound),
        (Defect::LooksBeforeItLeaps, Rule::ConcurrentEnsureMakesNoDoubles),
        (Defect::HidesShortfall, Rule::ShortfallIsFinal),
        (Defect::ListsEverybody, Rule::ForeignIsUntouched),
        (Defect::PagesOverlap, Rule::ListIsExact),
        (Defect::DestroysAnything, Rule::ForeignIsUntouched),
        (Defect::TakesForeignForGone, Rule::ForeignIsUntouched),
        (Defect::FindsByNameAlone, Rule::NamesAreNotIdentity),
        (Defect::ObserveDropsUnknown, Rule::ObserveAnswersEach),
        (Defect::StopTwiceFails, Rule::PowerIsIdempotent),
        (Defect::StartGivesNewAddress, Rule::PowerIsIdempotent),
        (Defect::DestroyTwiceFails, Rule::DestroyIsIdempotent),
        (Defect::DestroyOnlyHides, Rule::DestroyIsIdempotent),
        (Defect::NamesByItself, Rule::InstancesAreNamed),
        (Defect::NoZone, Rule::InstancesArePlaced),
        (Defect::EndlessConsole, Rule::ConsoleIsBounded),
    ] {
        let report = report(defect).await;
        assert!(report.broken().contains(&rule), "{defect:?} should break {rule}:\n{report}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_broken_rule_is_printed_with_its_number_its_text_and_what_was_seen() {
    let report = report(Defect::NoZone).await;
    assert_eq!(report.broken(), [Rule::InstancesArePlaced]);
    let printed = report.to_string();
    assert!(printed.contains("BROKEN     rule 16 (InstancesArePlaced): toy-"), "{printed}");
    assert!(printed.contains("has no zone") && printed.contains("Every instance says its zone"), "{printed}");
}
