//! Lines that are redrawn: a heading, then one per phase.

use std::collections::BTreeMap;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use skep_proto::v1::Operation;

use super::text;
use crate::output::age;

/// A person sees no more changes a second.
const FRAMES_PER_SECOND: u8 = 10;

#[derive(Debug)]
pub(crate) struct Live {
    lines: MultiProgress,
    heading: ProgressBar,
    phases: BTreeMap<String, ProgressBar>,
}

impl Live {
    pub(crate) fn new() -> Self {
        Self::on(ProgressDrawTarget::stderr_with_hz(FRAMES_PER_SECOND))
    }

    fn on(target: ProgressDrawTarget) -> Self {
        let lines = MultiProgress::with_draw_target(target);
        let heading = lines.add(line());
        Self { lines, heading, phases: BTreeMap::new() }
    }

    pub(crate) fn show(&mut self, operation: &Operation) {
        self.heading.set_message(format!("{}  {}", text::heading(operation), age::short(operation.age_ms)));
        let phases = text::phases(operation);
        self.drop_all_but(&phases);
        let mut above = self.heading.clone();
        for (phase, count) in phases {
            let bar = self
                .phases
                .entry(phase.to_owned())
                .or_insert_with(|| self.lines.insert_after(&above, line()));
            bar.set_message(format!("  {phase:<13}{count:>7}"));
            above = bar.clone();
        }
    }

    fn drop_all_but(&mut self, phases: &[(&str, u32)]) {
        self.phases.retain(|phase, bar| {
            let stays = phases.iter().any(|(current, _)| current == phase);
            if !stays {
                bar.finish_and_clear();
                self.lines.remove(bar);
            }
            stays
        });
    }

    pub(crate) fn clear(self) {
        // An Err says that the terminal is gone, and with it what was to be cleared.
        let _ = self.lines.clear();
    }
}

fn line() -> ProgressBar {
    // The template is a constant that parses; the default style would draw a bar.
    let style = ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new_spinner().with_style(style)
}

#[cfg(test)]
mod tests {
    use indicatif::InMemoryTerm;

    use super::*;

    fn operation(phases: &[(&str, u32)], done: u32) -> Operation {
        Operation {
            kind: "create-hosts".into(),
            subject: "web".into(),
            items: 3,
            items_done: done,
            phases: phases.iter().map(|(phase, count)| ((*phase).to_owned(), *count)).collect(),
            age_ms: 2_000,
            ..Operation::default()
        }
    }

    #[test]
    fn one_line_per_phase_in_the_order_of_life_and_none_at_the_end() {
        let screen = InMemoryTerm::new(10, 60);
        let mut live = Live::on(ProgressDrawTarget::term_like(Box::new(screen.clone())));
        live.show(&operation(&[("Booting", 3)], 0));
        live.show(&operation(&[("Ready", 1), ("Provisioning", 2)], 1));
        assert_eq!(
            screen.contents(),
            "create-hosts web: 1/3 done  2s\n  Provisioning       2\n  Ready              1"
        );
        live.clear();
        assert_eq!(screen.contents(), "");
    }
}
