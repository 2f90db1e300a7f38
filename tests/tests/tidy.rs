//! Rules that a tool keeps, over every file that git knows. One function a rule, and a sample that breaks it.
//!
//! ```text
//! git ls-files ─► Repo ─► rule ─► what is wrong: nothing
//! ```

#[path = "tidy/form.rs"]
mod form;
#[path = "tidy/imports.rs"]
mod imports;
#[path = "tidy/manifests.rs"]
mod manifests;
#[path = "tidy/prose.rs"]
mod prose;
#[path = "tidy/repo.rs"]
mod repo;

use repo::Repo;

type Rule = fn(&Repo) -> Vec<String>;

/// The rule holds here, and would notice each of these files.
fn check(rule: Rule, samples: &[&[(&str, &str)]]) {
    let wrong = rule(&Repo::here());
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    for sample in samples {
        assert!(!rule(&Repo::of(sample)).is_empty(), "nothing is found wrong with {sample:?}");
    }
}
