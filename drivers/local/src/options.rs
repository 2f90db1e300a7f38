//! A template's options, read and checked. Pure.

use skep_driver::{DriverError, ErrorKind, flags};
use skep_types::{FieldViolation, FlagDescription, FlagKind, Template};

pub(crate) const IMAGE: &str = "local-image";
pub(crate) const MEMORY: &str = "local-memory";
pub(crate) const CPUS: &str = "local-cpus";

pub(crate) const DEFAULT_IMAGE: &str = "skep/host:debian-13";

/// systemd, sshd, containerd and an idle engine take 70 to 90 MiB; below this a host does not boot.
const MEMORY_MIN: i64 = 128 << 20;
const NANO: f64 = 1e9;
/// The engine takes whole nanoseconds of a second; a hundredth of a processor is the least it accepts.
const CPUS_MIN: f64 = 0.01;
/// More than any machine has: keeps the conversion to nanoseconds exact.
const CPUS_MAX: f64 = 65_536.0;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) image: String,
    pub(crate) memory_bytes: Option<i64>,
    pub(crate) nano_cpus: Option<i64>,
}

pub(crate) fn flags() -> Vec<FlagDescription> {
    vec![
        flag(IMAGE, "Image the host runs; deploy/host-image.sh makes the default one", DEFAULT_IMAGE),
        flag(MEMORY, "Memory the host may use, such as 512m or 2g; no limit when not given", ""),
        flag(CPUS, "Processors the host may use, such as 2 or 1.5; no limit when not given", ""),
    ]
}

fn flag(name: &str, usage: &str, default: &str) -> FlagDescription {
    FlagDescription {
        name: name.to_owned(),
        kind: FlagKind::String,
        usage: usage.to_owned(),
        default: default.to_owned(),
        env: name.to_ascii_uppercase().replace('-', "_"),
    }
}

impl Options {
    /// The violations name every value that has to be mended, not only the first.
    pub(crate) fn read(template: &Template) -> Result<Self, DriverError> {
        let given = flags::read(&flags(), template)?;
        let mut violations = Vec::new();
        let mut number = |name, parse: fn(&str) -> Result<i64, String>| {
            let text = given.text(name).filter(|text| !text.is_empty())?;
            parse(text).map_err(|description| violations.push(violation(name, description))).ok()
        };
        let memory_bytes = number(MEMORY, memory);
        let nano_cpus = number(CPUS, cpus);
        let image = given.text(IMAGE).filter(|image| !image.is_empty()).unwrap_or(DEFAULT_IMAGE);
        if violations.is_empty() {
            Ok(Self { image: image.to_owned(), memory_bytes, nano_cpus })
        } else {
            Err(refused(violations))
        }
    }
}

fn violation(option: &str, description: String) -> FieldViolation {
    FieldViolation { field: flags::field(option), description }
}

fn refused(violations: Vec<FieldViolation>) -> DriverError {
    DriverError::new(ErrorKind::InvalidSpec { violations }, "the template's options cannot be used")
}

pub(crate) fn missing_image(image: &str) -> DriverError {
    let hint =
        format!("{image:?} is not on this machine's engine; deploy/host-image.sh makes {DEFAULT_IMAGE}");
    flags::invalid(IMAGE, hint)
}

pub(crate) fn too_many_cpus(present: i64) -> DriverError {
    flags::invalid(CPUS, format!("this machine has {present} processors: use at most {present}"))
}

fn memory(text: &str) -> Result<i64, String> {
    let refused = || format!("{text:?} is not a size: use a whole number with b, k, m or g, such as 512m");
    let lower = text.to_ascii_lowercase();
    let digits = lower.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &lower[digits.len()..] {
        "" | "b" => 1,
        "k" | "kb" | "kib" => 1 << 10,
        "m" | "mb" | "mib" => 1 << 20,
        "g" | "gb" | "gib" => 1 << 30,
        _ => return Err(refused()),
    };
    let whole = digits.bytes().all(|b| b.is_ascii_digit());
    let bytes =
        digits.parse::<i64>().ok().filter(|_| whole).and_then(|n| n.checked_mul(unit)).ok_or_else(refused)?;
    if bytes < MEMORY_MIN {
        return Err(format!("{text:?} is too little for a host: use 128m or more"));
    }
    Ok(bytes)
}

fn cpus(text: &str) -> Result<i64, String> {
    let number = text.parse::<f64>().ok().filter(|cpus| (CPUS_MIN..=CPUS_MAX).contains(cpus));
    let cpus = number
        .ok_or_else(|| format!("{text:?} is not a number of processors: use 0.01 or more, such as 1.5"))?;
    #[allow(clippy::cast_possible_truncation, reason = "at most 65,536 × 10⁹, which an i64 holds")]
    Ok((cpus * NANO).round() as i64)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn read(options: &[(&str, &str)]) -> Result<Options, DriverError> {
        Options::read(&Template {
            driver: "local".parse().unwrap(),
            account: "local".parse().unwrap(),
            options: options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            labels: BTreeMap::new(),
        })
    }

    fn fields(options: &[(&str, &str)]) -> Vec<String> {
        let ErrorKind::InvalidSpec { violations } = read(options).unwrap_err().kind else {
            panic!("{options:?}")
        };
        violations.into_iter().map(|violation| violation.field).collect()
    }

    #[test]
    fn without_options_a_host_is_unlimited() {
        let expected = Options { image: DEFAULT_IMAGE.to_owned(), memory_bytes: None, nano_cpus: None };
        assert_eq!(read(&[]).unwrap(), expected);
        assert_eq!(read(&[(MEMORY, ""), (CPUS, ""), (IMAGE, "")]).unwrap(), expected);
    }

    #[test]
    fn sizes_and_processors() {
        let memory = |text| read(&[(MEMORY, text)]).unwrap().memory_bytes.unwrap();
        assert_eq!(memory("1g"), 1 << 30);
        assert_eq!(memory("512M"), 512 << 20);
        assert_eq!(memory("2GiB"), 2 << 30);
        assert_eq!(memory("134217728"), 128 << 20);
        assert_eq!(read(&[(CPUS, "1.5")]).unwrap().nano_cpus, Some(1_500_000_000));
    }

    #[test]
    fn malformed_values_name_their_option() {
        for bad in ["1 g", "-1g", "+1g", "g", "1.5g", "1t", "9223372036854775807g", "1m", "ü"] {
            assert_eq!(fields(&[(MEMORY, bad)]), ["template.options.local-memory"], "{bad}");
        }
        for bad in ["0", "-1", "NaN", "inf", "two", "1e300"] {
            assert_eq!(fields(&[(CPUS, bad)]), ["template.options.local-cpus"], "{bad}");
        }
    }

    #[test]
    fn all_malformed_values_are_named_at_once() {
        let expected = ["template.options.local-memory", "template.options.local-cpus"];
        assert_eq!(fields(&[(MEMORY, "lots"), (CPUS, "many")]), expected);
        assert_eq!(fields(&[("local-color", "red")]), ["template.options.local-color"]);
    }
}
