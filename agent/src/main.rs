//! `skep-agent`.
fn main() {}
