//! What the suite found, rule by rule.

use std::fmt;

use crate::Rule;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Kept,
    Broken {
        seen: String,
    },
    /// The rule does not concern this driver, or its account could not be brought into the state it needs.
    NotTried {
        why: &'static str,
    },
}

/// Prints one line a rule, with what was seen where it was broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    pub outcomes: Vec<(Rule, Outcome)>,
}

impl Report {
    /// The report itself is the error, so that `expect` prints it.
    pub fn into_result(self) -> Result<Self, Self> {
        if self.broken().is_empty() { Ok(self) } else { Err(self) }
    }

    pub fn broken(&self) -> Vec<Rule> {
        let broken = self.outcomes.iter().filter(|(_, outcome)| matches!(outcome, Outcome::Broken { .. }));
        broken.map(|(rule, _)| *rule).collect()
    }

    pub fn not_tried(&self) -> Vec<Rule> {
        let not_tried =
            self.outcomes.iter().filter(|(_, outcome)| matches!(outcome, Outcome::NotTried { .. }));
        not_tried.map(|(rule, _)| *rule).collect()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (rule, outcome) in &self.outcomes {
            match outcome {
                Outcome::Kept => writeln!(f, "kept       {rule}")?,
                Outcome::NotTried { why } => writeln!(f, "not tried  {rule}: {why}")?,
                Outcome::Broken { seen } => {
                    writeln!(f, "BROKEN     {rule}: {seen}\n           {}", rule.text())?
                }
            }
        }
        Ok(())
    }
}
