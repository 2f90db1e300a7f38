//! The suite passes a correct driver, and finds each defect by the rule it breaks.

use std::sync::Arc;

use async_trait::async_trait;
use skep_driver::conformance::{self, DriverUnderTest, Report};
use skep_driver::{Driver, Rule};
use skep_types::Template;

use crate::toy::{Account, Defect, Toy, template};

struct Subject {
    defect: Defect,
    account: Arc<Account>,
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
        self.account.set_room(room);
        true
    }
}

async fn report(defect: Defect) -> Report {
    conformance::run(Subject { defect, account: Arc::default() }).await
}

#[tokio::test(start_paused = true)]
async fn a_correct_driver_keeps_every_rule() {
    let report = report(Defect::Nothing).await.into_result().expect("a correct driver");
    assert_eq!(report.not_tried(), []);
}

#[tokio::test(start_paused = true)]
async fn each_defect_is_found_by_its_rule() {
    for (defect, rule) in [
        (Defect::FlagWithoutPrefix, Rule::SoundDescription),
        (Defect::TakesAnyOption, Rule::CheckNamesUnknownOptions),
        (Defect::CheckMakesSomething, Rule::CheckChangesNothing),
        (Defect::ForgetsIntents, Rule::EnsureMakesEverySlot),
        (Defect::ReplayMakesMore, Rule::EnsureRepeatedMakesNoMore),
        (Defect::ReplayMakesMore, Rule::LostReplyIsFound),
        (Defect::LooksBeforeItLeaps, Rule::ConcurrentEnsureMakesNoDoubles),
        (Defect::HidesShortfall, Rule::ShortfallIsFinal),
        (Defect::ListsEverybody, Rule::ForeignIsUntouched),
        (Defect::PagesOverlap, Rule::ListIsExact),
        (Defect::DestroysAnything, Rule::ForeignIsUntouched),
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
