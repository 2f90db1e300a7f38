//! Limits on the command line: `--limit create=60/min,burst=10`.

use std::collections::BTreeMap;

use skep_proto::v1::{AccountLimits, Bucket};

use crate::failure::Failure;

#[derive(Debug, clap::Args)]
#[group(skip)]
#[command(next_help_heading = "Limits")]
pub(super) struct Limits {
    /// Calls of a class (read, create, power or destroy) that may be made, and how many at once after a rest. May be given
    /// several times.
    #[arg(long = "limit", value_name = "CLASS=N/min,burst=N")]
    calls: Vec<String>,
    /// The same for the instances that calls of a class are about.
    #[arg(long = "instance-limit", value_name = "CLASS=N/min,burst=N")]
    instances: Vec<String>,
    /// Create, power and destroy calls that may be under way at once.
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..))]
    max_in_flight: Option<u32>,
}

impl Limits {
    pub(super) fn read(&self) -> Result<AccountLimits, Failure> {
        Ok(AccountLimits {
            calls: buckets("limit", &self.calls)?,
            instances: buckets("instance-limit", &self.instances)?,
            calls_in_flight_max: self.max_in_flight.unwrap_or_default(),
        })
    }
}

fn buckets(flag: &str, given: &[String]) -> Result<BTreeMap<String, Bucket>, Failure> {
    let mut buckets = BTreeMap::new();
    for text in given {
        let form = || Failure::Usage(format!("--{flag} takes CLASS=N/min,burst=N, not {text:?}"));
        let (class, bucket) = read(text).ok_or_else(form)?;
        if buckets.insert(class.clone(), bucket).is_some() {
            return Err(Failure::Usage(format!("--{flag} was given twice for {class}")));
        }
    }
    Ok(buckets)
}

/// Without a burst, nothing is saved up: it is 1.
fn read(text: &str) -> Option<(String, Bucket)> {
    let (class, rest) = text.split_once('=')?;
    let (rate, burst) = rest.split_once(",burst=").unwrap_or((rest, "1"));
    let (number, span) = rate.split_once('/')?;
    let number: u32 = number.parse().ok()?;
    let per_minute = match span {
        "min" | "m" => Some(number),
        "s" => number.checked_mul(60),
        _ => None,
    };
    Some((class.to_owned(), Bucket { per_minute: per_minute?, burst: burst.parse().ok()? }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_a_rate_and_a_burst() {
        let bucket = |text| read(text).map(|(class, bucket)| (class, bucket.per_minute, bucket.burst));
        assert_eq!(bucket("create=60/min,burst=10"), Some(("create".to_owned(), 60, 10)));
        assert_eq!(bucket("read=2/s"), Some(("read".to_owned(), 120, 1)));
        for wrong in ["create", "create=60", "create=60/h", "create=x/min", "create=6/min,burst=", "=1/min,4"]
        {
            assert_eq!(bucket(wrong), None, "{wrong}");
        }
    }
}
