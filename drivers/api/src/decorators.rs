//! What is put around a driver: bounds that every driver gets, and faults that tests want.
//!
//! Each is an [`Around`]: it says what happens around one call, whichever that is, and `on` a driver makes one that does so
//! for all of them.

mod around;
mod deadline;
mod faults;
mod in_flight;
mod throttle;

pub use around::Around;
pub(crate) use around::decorate;
pub use deadline::Deadline;
pub use faults::{CallPhase, CallSite, Faults};
pub use in_flight::MaxInFlight;
pub use throttle::{Begin, Throttle};
