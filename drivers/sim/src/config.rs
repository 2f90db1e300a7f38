//! What a simulated cloud is like: what it declares, and how it behaves.

use std::net::Ipv4Addr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use skep_types::{FieldViolation, Idempotency, SlotNaming, limits};

/// One world. Read from TOML by `skep-sim --config`; every field has a default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SimConfig {
    /// The same seed draws the same latencies and the same losses for the same sequence of calls.
    pub seed: u64,
    pub idempotency: IdempotencyClass,
    pub token_retention_ms: u64,
    pub naming: Naming,
    pub batch_max: u32,
    pub calls_in_flight_max: u32,
    /// Instances of one page of `list`.
    pub page_size: usize,
    pub zones: Vec<String>,
    /// The first instance's address; the following ones count up. Worlds of one cluster need ranges of their own.
    pub first_address: Ipv4Addr,
    pub behaviour: Behaviour,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IdempotencyClass {
    Token,
    UniqueName,
    None,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Naming {
    Named,
    Interchangeable,
}

/// What can also be chosen by template, so that one world can mix. 0 means none of it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Behaviour {
    /// From the request for an instance to its existence and the reply, on average; single ones differ by 20 %.
    pub latency_ms: u64,
    /// From an instance's existence, or its start, to running.
    pub boot_ms: u64,
    /// From the request to stop to stopped.
    pub power_ms: u64,
    /// How long a new instance is neither listed nor observed. Also the settle time the driver declares.
    pub visibility_ms: u64,
    /// Instances that can live at once.
    pub capacity: Option<u32>,
    /// Of all callers together, with bursts of one second's worth.
    pub calls_per_second: Option<u32>,
    pub lost_replies_percent: u8,
    pub late_replies_percent: u8,
    /// How late a late reply comes.
    pub late_reply_ms: u64,
    /// Creates that make only half of what was asked.
    pub partial_percent: u8,
    /// Instances run, but nothing in them starts.
    pub boot_fails: bool,
}

impl Default for SimConfig {
    fn default() -> Self {
        Self {
            seed: 1,
            idempotency: IdempotencyClass::Token,
            token_retention_ms: 24 * 60 * 60 * 1000,
            naming: Naming::Named,
            batch_max: 100,
            calls_in_flight_max: 32,
            page_size: limits::PAGE_SIZE,
            zones: vec!["sim-a".to_owned(), "sim-b".to_owned(), "sim-c".to_owned()],
            first_address: Ipv4Addr::new(127, 64, 0, 1),
            behaviour: Behaviour::default(),
        }
    }
}

/// Fields of a [`SimConfig`] that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", listed(.0))]
pub struct ConfigError(pub Vec<FieldViolation>);

fn listed(violations: &[FieldViolation]) -> String {
    let lines: Vec<String> = violations.iter().map(|v| format!("{} {}", v.field, v.description)).collect();
    lines.join("; ")
}

impl SimConfig {
    /// Names every field that cannot be, at once.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let unnamed =
            self.idempotency == IdempotencyClass::UniqueName && self.naming == Naming::Interchangeable;
        let behaviour = &self.behaviour;
        let percents = [
            ("behaviour.lost_replies_percent", behaviour.lost_replies_percent),
            ("behaviour.late_replies_percent", behaviour.late_replies_percent),
            ("behaviour.partial_percent", behaviour.partial_percent),
        ];
        let mut wrong = Vec::new();
        let mut require = |holds: bool, field: &str, description: &str| {
            if !holds {
                wrong.push(FieldViolation { field: field.to_owned(), description: description.to_owned() });
            }
        };
        require(!unnamed, "naming", "must be named where idempotency is unique-name");
        require(self.batch_max > 0, "batch_max", "must be at least 1");
        require(self.calls_in_flight_max > 0, "calls_in_flight_max", "must be at least 1");
        require(self.page_size > 0, "page_size", "must be at least 1");
        require(!self.zones.is_empty(), "zones", "must name at least one zone");
        require(!self.zones.iter().any(String::is_empty), "zones", "must not contain an empty name");
        require(self.first_address.is_loopback(), "first_address", "must be in 127.0.0.0/8");
        require(behaviour.calls_per_second != Some(0), "behaviour.calls_per_second", "must be at least 1");
        for (field, percent) in percents {
            require(percent <= 100, field, "must be from 0 to 100");
        }
        if wrong.is_empty() { Ok(()) } else { Err(ConfigError(wrong)) }
    }

    pub(crate) fn declared_idempotency(&self) -> Idempotency {
        match self.idempotency {
            IdempotencyClass::Token => {
                Idempotency::Token { retention: Duration::from_millis(self.token_retention_ms) }
            }
            IdempotencyClass::UniqueName => Idempotency::UniqueName,
            IdempotencyClass::None => Idempotency::None,
        }
    }

    pub(crate) fn declared_naming(&self) -> SlotNaming {
        match self.naming {
            Naming::Named => SlotNaming::Named,
            Naming::Interchangeable => SlotNaming::Interchangeable,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_valid_and_survives_toml() {
        let config = SimConfig::default();
        assert_eq!(config.validate(), Ok(()));
        let text = toml::to_string(&config).unwrap();
        assert_eq!(toml::from_str::<SimConfig>(&text).unwrap(), config);
    }

    #[test]
    fn wrong_fields_are_named_all_at_once() {
        let mut config = SimConfig { batch_max: 0, zones: vec![], ..SimConfig::default() };
        config.behaviour.partial_percent = 101;
        config.first_address = Ipv4Addr::new(10, 0, 0, 1);
        let ConfigError(wrong) = config.validate().unwrap_err();
        let fields: Vec<&str> = wrong.iter().map(|v| v.field.as_str()).collect();
        assert_eq!(fields, ["batch_max", "zones", "first_address", "behaviour.partial_percent"]);
    }

    #[test]
    fn a_field_that_does_not_exist_is_named() {
        let error = toml::from_str::<SimConfig>("[behaviour]\nlatency_s = 10\n").unwrap_err();
        assert!(error.to_string().contains("latency_s"), "{error}");
    }
}
