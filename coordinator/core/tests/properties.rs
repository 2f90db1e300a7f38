//! Properties over many seeded runs.

mod liveness;
mod total;
