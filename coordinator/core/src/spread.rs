//! Which of a request's templates each of its hosts is made from.
//!
//! A share is a failure domain: an account, a zone, a type. Managers go round the shares evenly, whatever these weigh, so
//! that losing one share takes as few of them as can be; all hosts together follow the weights, up to each share's cap.

use skep_types::Refusal;

use crate::command::Share;

/// One index of `shares` for each host: the managers' first, then the workers'.
pub(crate) fn turns(shares: &[Share], managers: u32, count: u32) -> Result<Vec<usize>, Refusal> {
    check_room(shares, count)?;
    let mut given = vec![0_u32; shares.len()];
    let mut turns = Vec::with_capacity(count as usize);
    for host in 0..count {
        let weigh = |share: &Share| if host < managers { 1 } else { share.weight.max(1) };
        let Some(next) = next(shares, &given, weigh) else { break };
        given[next] += 1;
        turns.push(next);
    }
    Ok(turns)
}

/// The share with room that has the least for its weight.
fn next(shares: &[Share], given: &[u32], weigh: impl Fn(&Share) -> u32) -> Option<usize> {
    let mut best: Option<(usize, u64, u64)> = None;
    for (index, share) in shares.iter().enumerate() {
        if share.max.is_some_and(|max| given[index] >= max) {
            continue;
        }
        let (had, weight) = (u64::from(given[index]) + 1, u64::from(weigh(share)));
        // had / weight < best_had / best_weight, without fractions.
        if best.is_none_or(|(_, best_had, best_weight)| had * best_weight < best_had * weight) {
            best = Some((index, had, weight));
        }
    }
    best.map(|(index, ..)| index)
}

fn check_room(shares: &[Share], count: u32) -> Result<(), Refusal> {
    if shares.is_empty() {
        return Err(Refusal::field("template", "is missing; it names at least the driver"));
    }
    let room = shares.iter().try_fold(0_u64, |room, share| Some(room + u64::from(share.max?)));
    match room {
        Some(room) if room < u64::from(count) => Err(Refusal::field(
            "spread",
            format!("takes {room} hosts at most, and {count} are asked for: raise a share's max"),
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
