//! In which order a create is tried: markets, instance types and places, the preferred first. Pure.

use aws_lc_rs::digest;
use skep_driver::DriverError;
use skep_driver::flags::invalid;

use crate::options::{Market, Options};

/// Each may cost a request of a bucket that gains two a second, while somebody waits.
const ATTEMPTS_MAX: usize = 32;

/// Where instances are put.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Place {
    /// EC2, or the launch template, chooses.
    Any,
    Zone(String),
    Subnet(String),
}

/// One way to make instances.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Attempt {
    pub(crate) market: Market,
    /// None where the launch template has it.
    pub(crate) instance_type: Option<String>,
    pub(crate) place: Place,
}

/// At least one. A preferred type is tried everywhere before the next one is.
pub(crate) fn attempts(options: &Options, places: &[Place]) -> Result<Vec<Attempt>, DriverError> {
    let types: Vec<Option<String>> = match options.instance_types.as_slice() {
        [] => vec![None],
        types => types.iter().cloned().map(Some).collect(),
    };
    let count = options.markets.len() * types.len() * places.len();
    if count > ATTEMPTS_MAX {
        let rule = format!(
            "times zones or subnets times markets are {count} ways; at most {ATTEMPTS_MAX} are tried"
        );
        return Err(invalid("amazonec2-instance-type", rule));
    }
    let mut attempts = Vec::with_capacity(count);
    for market in &options.markets {
        for instance_type in &types {
            for place in places {
                let (instance_type, place) = (instance_type.clone(), place.clone());
                attempts.push(Attempt { market: *market, instance_type, place });
            }
        }
    }
    Ok(attempts)
}

/// The client token of an attempt: the intent's own for the first. EC2 binds a token to the parameters it came with,
/// also when it made nothing, so another way needs another token, and always the same one.
pub(crate) fn client_token(intent: &str, attempt: usize) -> String {
    match attempt {
        0 => intent.to_owned(),
        // 64 digits, the most that EC2 takes.
        _ => hex::encode(digest::digest(&digest::SHA256, format!("{intent}/{attempt}").as_bytes())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::tests_support::options;

    fn shown(given: &[(&str, &str)], places: &[Place]) -> Vec<String> {
        let attempts = attempts(&options(given), places).unwrap();
        attempts
            .iter()
            .map(|a| format!("{:?} {} {:?}", a.market, a.instance_type.as_deref().unwrap_or("-"), a.place))
            .collect()
    }

    #[test]
    fn a_preferred_type_is_tried_everywhere_before_the_next() {
        let places = [Place::Zone("a".into()), Place::Zone("b".into())];
        let tried = shown(&[("instance-type", "c7g,m7g"), ("market", "spot,on-demand")], &places);
        assert_eq!(tried.len(), 8);
        assert_eq!(tried[..3], ["Spot c7g Zone(\"a\")", "Spot c7g Zone(\"b\")", "Spot m7g Zone(\"a\")"]);
        assert_eq!(tried[4], "OnDemand c7g Zone(\"a\")");
    }

    #[test]
    fn a_launch_template_leaves_one_way() {
        assert_eq!(shown(&[("launch-template", "web")], &[Place::Any]), ["OnDemand - Any"]);
    }

    #[test]
    fn more_ways_than_anybody_waits_for_are_refused() {
        let places: Vec<Place> = (0..33).map(|n| Place::Subnet(n.to_string())).collect();
        let error = attempts(&options(&[]), &places).unwrap_err();
        assert!(error.message.contains("33 ways"), "{error}");
    }

    #[test]
    fn tokens_are_the_same_each_time_and_differ_by_attempt() {
        assert_eq!(client_token("abc-i1-7", 0), "abc-i1-7");
        let second = client_token("abc-i1-7", 1);
        assert_eq!(second.len(), 64);
        assert_eq!(second, client_token("abc-i1-7", 1));
        assert_ne!(second, client_token("abc-i1-7", 2));
    }
}
