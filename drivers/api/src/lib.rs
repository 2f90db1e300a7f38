//! What every driver is: one trait, a numbered contract, and a suite that checks it.
//!
//! - [`Kind`] opens a [`Driver`] for an account; [`Driver`] is the trait; [`Rule`] its contract, in numbered rules; [`conformance`] the suite that checks them.
//! - [`flags`] reads a template's options by the driver's own description of its flags.
//! - [`bootstrap`] renders what an instance needs to become a host into one script.
//! - [`decorators`] bound a driver, or break it on purpose.
//! - [`plugin`] takes a driver into a process of its own.
//!
//! Drivers know nothing of coordinators, of the log, or of swarms.

pub mod bootstrap;
pub mod conformance;
mod contract;
pub mod decorators;
mod driver;
mod error;
pub mod flags;
mod kind;
mod method;
pub mod plugin;
mod routed;
mod tunnel;

pub use contract::Rule;
pub use driver::{Bootstrap, CreateIntent, Driver, Instance, InstanceState, Page, Placed, Slot, Target};
pub use error::{DriverError, ErrorKind};
pub use kind::{Access, Kind, Shared};
pub use method::Method;
pub use routed::{Call, Route, Routed};
pub use tunnel::{ByteStream, Tunnel};
