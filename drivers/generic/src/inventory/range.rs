//! Ansible's ranges in names: `web[01:50].example.com`, `db-[a:c]`, `[1:9:2]`.

use super::MACHINES_MAX;

/// Every name that the pattern stands for.
pub(super) fn expand(pattern: &str) -> Result<Vec<String>, String> {
    let Some((before, rest)) = pattern.split_once('[') else { return Ok(vec![pattern.to_owned()]) };
    let not = || format!("{pattern:?} has no range like [01:50] between its brackets");
    let (range, after) = rest.split_once(']').ok_or_else(not)?;
    let parts: Vec<&str> = range.split(':').collect();
    let values = match parts[..] {
        [from, to] => values(from, to, 1),
        [from, to, step] => {
            step.parse().ok().filter(|step| *step > 0).and_then(|step| values(from, to, step))
        }
        _ => None,
    }
    .ok_or_else(not)?;
    let tails = expand(after)?;
    if values.len().saturating_mul(tails.len()) > MACHINES_MAX {
        return Err(format!("{pattern:?} is more than {MACHINES_MAX} machines"));
    }
    let named =
        |value: &String| tails.iter().map(|tail| format!("{before}{value}{tail}")).collect::<Vec<_>>();
    Ok(values.iter().flat_map(named).collect())
}

fn values(from: &str, to: &str, step: usize) -> Option<Vec<String>> {
    if let (Ok(first), Ok(last)) = (from.parse::<u32>(), to.parse::<u32>()) {
        let width = if from.starts_with('0') { from.len() } else { 0 };
        // One more than is allowed tells that it is too many.
        let numbers = (first..=last).step_by(step).take(MACHINES_MAX + 1);
        return (first <= last).then(|| numbers.map(|number| format!("{number:0width$}")).collect());
    }
    let letter = |text: &str| match *text.as_bytes() {
        [letter] if letter.is_ascii_lowercase() => Some(letter),
        _ => None,
    };
    let (first, last) = (letter(from)?, letter(to)?);
    (first <= last)
        .then(|| (first..=last).step_by(step).map(|letter| char::from(letter).to_string()).collect())
}
