//! Properties over many seeded runs.

mod liveness;
mod total;

use proptest::prelude::ProptestConfig;

/// A third of what proptest would do: a run is a whole life, and all of them together take less than a minute. More with
/// `PROPTEST_CASES`.
fn config() -> ProptestConfig {
    let config = ProptestConfig::default();
    ProptestConfig { cases: config.cases / 3, failure_persistence: None, ..config }
}
