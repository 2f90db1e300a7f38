//! One look along the plugin path: which programs there are, what each says it is, and what is different from before.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use futures::StreamExt;
use skep_types::DriverName;

use super::{Broken, Host, Supervised, handshake, scan};

/// Programs that are asked at once what they are.
const HANDSHAKES: usize = 4;

#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) kinds: BTreeMap<DriverName, Arc<Supervised>>,
    pub(super) broken: Vec<Broken>,
}

/// Every program is asked, but for those that may not be started.
pub(super) async fn look(host: &Arc<Host>, path: &[PathBuf]) -> Found {
    let scanned = scan::scan(path);
    let asked = scanned.candidates.into_iter().map(|candidate| handshake::ask(host, candidate));
    let asked: Vec<_> = futures::stream::iter(asked).buffered(HANDSHAKES).collect().await;
    let mut found = Found { kinds: BTreeMap::new(), broken: scanned.refused };
    for answer in asked.into_iter().flatten() {
        match answer {
            Ok(kind) => drop(found.kinds.insert(kind.name().clone(), Arc::new(kind))),
            Err(broken) => found.broken.push(broken),
        }
    }
    found
}

impl Found {
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
