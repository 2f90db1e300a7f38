use std::collections::BTreeMap;
use std::sync::Arc;

use skep_types::Template;

use super::*;

fn share(weight: u32, max: Option<u32>) -> Share {
    let template = Template {
        driver: "sim".parse().unwrap(),
        account: "sim".parse().unwrap(),
        options: BTreeMap::new(),
        labels: BTreeMap::new(),
    };
    Share { template: Arc::new(template), weight, max }
}

fn counts(shares: &[Share], managers: u32, count: u32) -> Vec<usize> {
    let turns = turns(shares, managers, count).unwrap();
    assert_eq!(turns.len(), count as usize);
    (0..shares.len()).map(|share| turns.iter().filter(|turn| **turn == share).count()).collect()
}

#[test]
fn one_share_takes_all() {
    assert_eq!(counts(&[share(1, None)], 3, 100), [100]);
}

#[test]
fn hosts_follow_the_weights() {
    assert_eq!(counts(&[share(1, None), share(2, None), share(3, None)], 0, 60), [10, 20, 30]);
    assert_eq!(counts(&[share(1, None), share(1, None)], 0, 5), [3, 2]);
}

#[test]
fn what_a_cap_turns_away_goes_to_the_others() {
    assert_eq!(counts(&[share(1, Some(4)), share(1, None), share(1, Some(3))], 0, 30), [4, 23, 3]);
}

#[test]
fn managers_go_round_whatever_the_weights() {
    let shares = [share(1, None), share(100, None), share(1, None)];
    assert_eq!(turns(&shares, 3, 3).unwrap(), [0, 1, 2]);
    assert_eq!(counts(&shares, 3, 102), [1, 100, 1]);
}

#[test]
fn too_little_room_is_refused_with_both_numbers() {
    let refusal = turns(&[share(1, Some(2)), share(1, Some(3))], 0, 6).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "the request is invalid; spread: takes 5 hosts at most, and 6 are asked for: raise a share's max"
    );
    assert!(turns(&[], 0, 1).is_err());
}
