//! One look along the plugin path: which programs there are, what each says it is, and what is different from before.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use futures::StreamExt;
use skep_types::DriverName;

use super::handshake::{self, Failed};
use super::{Broken, Candidate, Host, Supervised, scan};

/// Programs that are asked at once what they are.
const HANDSHAKES: usize = 4;

/// Whom a look asks, of those that may be started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whom {
    All,
    /// Those that did not say what they are, when they were asked last.
    Failed,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Found {
    pub(super) kinds: BTreeMap<DriverName, Arc<Supervised>>,
    pub(super) broken: Vec<Broken>,
    /// Programs that, when they were asked last, did not say what they are, or what one of their variants is.
    failed: Vec<Candidate>,
}

pub(super) async fn look(host: &Arc<Host>, path: &[PathBuf], before: &Found, whom: Whom) -> Found {
    let Some(scanned) = scan::away(path, scan::scan).await else { return before.clone() };
    let is_known = |candidate: &Candidate| whom == Whom::Failed && before.knows(candidate);
    let (known, asked): (Vec<_>, Vec<_>) = scanned.candidates.into_iter().partition(is_known);
    let mut found = Found { broken: scanned.refused, ..Found::default() };
    for kind in known.iter().flat_map(|candidate| before.of(candidate)) {
        found.add(kind);
    }
    let asked = asked.into_iter().map(|candidate| handshake::ask(host, candidate));
    let asked: Vec<_> = futures::stream::iter(asked).buffered(HANDSHAKES).collect().await;
    for answer in asked.into_iter().flatten() {
        match answer {
            Ok(kind) => found.add(Arc::new(kind)),
            Err(failed) => found.add_failed(failed, before),
        }
    }
    found
}

impl Found {
    /// Whether somebody is to be asked again.
    pub(super) fn has_failed(&self) -> bool {
        !self.failed.is_empty()
    }

    /// What this file, unchanged, has said.
    fn of(&self, candidate: &Candidate) -> impl Iterator<Item = Arc<Supervised>> {
        self.kinds.values().filter(|kind| kind.is_of(candidate)).cloned()
    }

    fn knows(&self, candidate: &Candidate) -> bool {
        self.of(candidate).next().is_some() && !self.failed.contains(candidate)
    }

    fn add(&mut self, kind: Arc<Supervised>) {
        self.kinds.insert(kind.name().clone(), kind);
    }

    /// A machine that is too busy to start a program in time says nothing about the program: as long as its file is the
    /// same, so is what it said before.
    fn add_failed(&mut self, failed: Failed, before: &Self) {
        let Failed { candidate, variant, broken } = failed;
        // One that did not even say which variants it has still has them all.
        let is_meant = |kind: &Arc<Supervised>| variant.is_none() || kind.variant() == variant.as_deref();
        let kept: Vec<_> = before.of(&candidate).filter(is_meant).collect();
        if kept.is_empty() {
            self.broken.push(broken);
        } else {
            let program = broken.program.display();
            tracing::warn!(driver = %broken.name, %program, reason = %broken.reason, "driver program does not say what it is, and is taken for what it was: its file is the same");
            kept.into_iter().for_each(|kind| self.add(kind));
        }
        self.failed.push(candidate);
    }

    /// Whether nothing is different, for whoever uses it.
    pub(super) fn is(&self, before: &Self) -> bool {
        let kept = |(name, kind): (&DriverName, &Arc<Supervised>)| {
            before.kinds.get(name).is_some_and(|same| Arc::ptr_eq(same, kind))
        };
        self.kinds.len() == before.kinds.len() && self.kinds.iter().all(kept) && self.broken == before.broken
    }

    /// With those of `before` that are still what they were: whoever has opened one keeps it. Says what is different.
    pub(super) fn since(mut self, before: &Self) -> Self {
        for (name, kind) in &mut self.kinds {
            let program = kind.program().display();
            match before.kinds.get(name) {
                Some(same) if same.is(kind) => *kind = Arc::clone(same),
                Some(_) => {
                    tracing::info!(driver = %name, %program, "driver program has changed: the next call of each account starts it")
                }
                None => tracing::info!(driver = %name, %program, "driver program found"),
            }
        }
        for (name, gone) in before.kinds.iter().filter(|(name, _)| !self.kinds.contains_key(*name)) {
            let program = gone.program().display();
            tracing::warn!(driver = %name, %program, "driver program is gone: accounts that have it open keep it until it ends");
        }
        for each in self.broken.iter().filter(|each| !before.broken.contains(each)) {
            tracing::warn!(driver = %each.name, program = %each.program.display(), reason = %each.reason, "driver program refused");
        }
        self
    }
}
