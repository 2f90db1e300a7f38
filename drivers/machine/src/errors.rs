//! A plugin's failures, as the kinds that decide what happens next.

use skep_driver::{DriverError, ErrorKind};
use skep_machine_protocol::PluginError;
use skep_types::FieldViolation;

/// Before anything could have been changed.
pub(crate) fn starting(error: PluginError) -> DriverError {
    DriverError::new(ErrorKind::Internal, "the plugin cannot be used").caused_by(error)
}

/// The driver looked at its flags. What it refuses, a person has to mend.
pub(crate) fn configuring(error: PluginError) -> DriverError {
    match &error {
        PluginError::Refused(text) => {
            let violation =
                FieldViolation { field: "template.options".to_owned(), description: text.clone() };
            let kind = ErrorKind::InvalidSpec { violations: vec![violation] };
            DriverError::new(kind, "the plugin refuses its options").caused_by(error)
        }
        _ => starting(error),
    }
}

pub(crate) fn reading(machine: &str) -> impl Fn(PluginError) -> DriverError {
    move |error| {
        let kind = match error {
            // What its cloud does not tell now it may tell later.
            PluginError::Refused(_) | PluginError::Died { .. } | PluginError::Hung { .. } => {
                ErrorKind::Unavailable
            }
            _ => ErrorKind::Internal,
        };
        DriverError::new(kind, format!("the plugin did not say how {machine} is")).caused_by(error)
    }
}

pub(crate) fn acting(machine: &str, what: &str) -> impl Fn(PluginError) -> DriverError {
    move |error| {
        let kind = match error {
            PluginError::Refused(_) | PluginError::Argument(_) | PluginError::Start { .. } => {
                ErrorKind::Internal
            }
            // It may have happened before the plugin ended.
            _ => ErrorKind::Ambiguous,
        };
        DriverError::new(kind, format!("the plugin did not {what} {machine}")).caused_by(error)
    }
}

pub(crate) fn not_found(machine: &str) -> DriverError {
    DriverError::new(ErrorKind::NotFound, format!("{machine} is no machine of this cluster"))
}
