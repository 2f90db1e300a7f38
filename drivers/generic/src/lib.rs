//! Hosts that are there already: machines adopted over SSH.
//!
//! ```text
//! ensure ──► the machine for this host (pure) ──► one SSH connection ──► marker, agent, bootstrap script
//! list ──► the account's inventory, and what this coordinator adopted ──► marker of each machine
//! observe, restart, destroy, tunnel ──► the machine of the instance ──► only where the marker is the instance's
//! ```
//! Nothing is remembered here: whose a machine is stands in a marker on the machine itself, written in one step, so a
//! lost attempt is found by trying again and no machine is adopted twice. Which machine a host gets follows from the
//! host's name and the list of machines alone, so that a replay cannot choose another.

mod access;
mod adopted;
mod description;
mod driver;
mod ensure;
mod errors;
mod instance;
pub mod inventory;
mod key_files;
mod kind;
mod look;
mod options;
mod reach;
mod restart;
mod tunnel;
mod way;

pub use kind::GenericKind;
