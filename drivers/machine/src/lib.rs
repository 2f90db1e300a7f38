//! Hosts by every driver plugin of Docker Machine: one kind, `machine/NAME`, for each plugin that is found.
//!
//! ```text
//! driver call ─► resolve: what is kept of the machine, from the caller or the shelf (newest wins)
//!                  │ lock of the machine
//!                  ▼
//!             session: folder laid out ─► plugin, as a user of its own ─► SetConfigRaw
//!                  │ Create, GetState, Stop, Remove …
//!                  ▼
//!             GetConfigRaw + files read back ─► kept ─► shelf, and the caller
//! ```
//! - [`Machines`] is all that `find` finds; [`MachineKind`] asks one what it is and opens drivers for accounts.
//! - `description`, `values`: the plugin's flags as ours, and ours as the plugin's.
//! - `kept`, `portable`: what is kept of a machine, as one text that means the same on every coordinator.
//! - `folder`, `users`, `session`: where a plugin runs, as whom, and with what.
//! - `shelf`: what this coordinator knows; a create that was cut off is found again there.
//! - `jobs`: creates under way. `create`, `life`: the calls. [`WayIn`]: how the agent comes to a machine.
//!
//! The protocol has no idempotency, no listing and no cancelling. So a create is made once, goes on while its caller
//! asks for it, and is written down before it begins.

mod create;
mod description;
mod driver;
mod errors;
mod family;
mod find;
mod folder;
mod jobs;
mod kept;
mod kind;
mod life;
mod locks;
mod naming;
mod portable;
mod session;
mod shelf;
mod ssh;
mod tunnel;
mod users;
mod values;
mod way_in;

pub use family::Machines;
pub use kind::{DiscoverError, MachineKind, Settings};
pub use ssh::SshWayIn;
pub use users::UserRange;
pub use way_in::{Door, Newcomer, WayIn};
