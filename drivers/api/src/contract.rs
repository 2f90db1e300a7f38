//! The contract of every driver, as numbered rules. The conformance suite reports by these numbers.
//!
//! Beside what a rule can check, a driver keeps no state that matters, may be called by several coordinators at
//! once, may see any call dropped at any await, and writes no secret into a message, a tag or a log.

use std::fmt;

macro_rules! rules {
    ($($(#[doc = $doc:literal])+ $number:literal $name:ident;)+) => {
        /// One rule of the contract. Its documentation is its text.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Rule {
            $($(#[doc = $doc])+ $name = $number,)+
        }

        impl Rule {
            pub const ALL: &[Self] = &[$(Self::$name),+];

            pub fn number(self) -> u8 {
                self as u8
            }

            /// The rule in full, as it stands in the documentation.
            pub fn text(self) -> &'static str {
                match self {
                    $(Self::$name => concat!($($doc),+).trim_ascii_start(),)+
                }
            }
        }
    };
}

rules! {
    /// The description is sound: flags are prefixed with the driver's name, a call takes at least one instance, and
    /// a class that tells instances apart by name names its slots.
    1 SoundDescription;
    /// `check` refuses options it does not know as InvalidSpec, with the option as `template.options.NAME`.
    2 CheckNamesUnknownOptions;
    /// `check` accepts a template that works, and changes nothing.
    3 CheckChangesNothing;
    /// `ensure` makes one instance a slot, each with its own provider id and the tag of its intent, or says why not.
    4 EnsureMakesEverySlot;
    /// Token, UniqueName: the identical `ensure` again finds the same instances and makes no more, also where another
    /// coordinator has inherited it, however often.
    5 EnsureRepeatedMakesNoMore;
    /// After a lost reply, what was made is found: by the identical call for Token and UniqueName; for None by its
    /// intent's tag in `list`, and by the call that says it is lost, which makes nothing.
    6 LostReplyIsFound;
    /// Token, UniqueName: identical `ensure` calls at the same time make together no more than one would.
    7 ConcurrentEnsureMakesNoDoubles;
    /// A shortfall says which kind, comes with what was made, and nothing more appears afterwards.
    8 ShortfallIsFinal;
    /// `list` shows, over all its pages, exactly the instances of the cluster, each once, with its intent.
    9 ListIsExact;
    /// Instances of another cluster are neither listed nor observed, and power and destroy refuse to touch them; where
    /// instances are made, destroy of a driver with idempotency not with NotFound, which would be believed.
    10 ForeignIsUntouched;
    /// `ensure` never takes over an instance of another cluster or another intent because of its name.
    11 NamesAreNotIdentity;
    /// `observe` answers every instance in order, and an unknown one with NotFound.
    12 ObserveAnswersEach;
    /// Power actions keep the instance, its id and its private address, and are idempotent; a driver without power
    /// answers Unsupported.
    13 PowerIsIdempotent;
    /// Destroying twice is success, and the instance is gone from `list` and `observe`.
    14 DestroyIsIdempotent;
    /// Drivers that name their slots use the slot's name; all others give each instance a name of its own.
    15 InstancesAreNamed;
    /// Every instance says its zone, and a running one an address.
    16 InstancesArePlaced;
    /// `console` answers at most 64 KiB for its own instances, Unsupported without the ability, and refuses others.
    17 ConsoleIsBounded;
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rule {} ({self:?})", self.number())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_numbered_without_gaps_and_have_a_text() {
        for (index, rule) in Rule::ALL.iter().enumerate() {
            assert_eq!(usize::from(rule.number()), index + 1);
            assert!(rule.text().ends_with('.') && !rule.text().contains("  "), "{rule}: {:?}", rule.text());
        }
    }
}
