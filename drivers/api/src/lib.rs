//! What every driver is: one trait, a numbered contract, and a suite that checks it.

mod driver;
mod error;

pub use driver::{Bootstrap, CreateIntent, Driver, Instance, InstanceState, Page, Placed, Slot};
pub use error::{DriverError, ErrorKind};
