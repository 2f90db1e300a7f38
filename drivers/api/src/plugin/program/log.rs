//! How a program logs: one JSON object a line on standard error, which its coordinator reads.

use tracing_subscriber::EnvFilter;

/// Once per process. `filter` is as in `RUST_LOG`.
pub fn log_as_json(filter: &str) {
    let lines = tracing_subscriber::fmt().json().with_env_filter(EnvFilter::new(filter));
    lines.with_writer(std::io::stderr).init();
}
