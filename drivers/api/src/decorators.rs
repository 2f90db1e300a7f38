//! Drivers around drivers: [`MaxInFlight`] and [`Deadline`] bound one, [`Faults`] breaks one on purpose.

mod deadline;
mod faults;
mod in_flight;

pub use deadline::Deadline;
pub use faults::{CallPhase, CallSite, Faults};
pub use in_flight::MaxInFlight;
