//! What is put around a driver: bounds that every driver gets, and faults that tests want.
//!
//! Each is an [`Around`]: it says what happens around one call, whichever that is, and `on` a driver makes one that does so
//! for all of them. What outlives a driver is made with `new`, put around the next one with [`decorate`], and changed in place.

mod around;
mod deadline;
mod faults;
mod in_flight;
mod throttle;

pub use around::{Around, decorate};
pub use deadline::Deadline;
pub use faults::{CallPhase, CallSite, Faults};
pub use in_flight::MaxInFlight;
pub use throttle::{Begin, Throttle};
