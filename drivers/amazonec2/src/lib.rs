//! The driver `amazonec2`: instances of Amazon EC2, a hundred a request.
//!
//! ```text
//!  template ─► options ─► resolve: image, places, groups ─► plan: attempts ─► request ─► RunInstances
//!                                                                   ▲ tried: what earlier tries did
//!  observe, power, destroy ─► looks: one describe for all who ask ─► changes: batches, a result for each
//!  evidence.sh, on the instance ─► attest: which instance it proves
//! ```
//! Deciding stands apart from doing: `options`, `plan`, `request`, `tags`, `instance`, `attest`, `errors::codes` and the
//! rules of `groups` are pure. A program of its own, because the SDK behind it takes minutes to build.

mod attest;
mod changes;
mod client;
mod create;
mod driver;
mod errors;
mod flags;
mod groups;
mod instance;
mod kind;
mod looks;
mod options;
mod plan;
mod recent;
mod request;
mod resolve;
mod tags;
mod tried;

pub use kind::AmazonEc2;
