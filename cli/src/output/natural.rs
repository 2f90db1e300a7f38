//! Order as people count: web-2 before web-10.

use std::cmp::Ordering;

pub(crate) fn compare(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a, b);
    while !left.is_empty() && !right.is_empty() {
        let (left_part, left_rest) = part(left);
        let (right_part, right_rest) = part(right);
        let order = match (number(left_part), number(right_part)) {
            (Some(left), Some(right)) => left.cmp(&right),
            _ => left_part.cmp(right_part),
        };
        if order.is_ne() {
            return order;
        }
        (left, right) = (left_rest, right_rest);
    }
    left.len().cmp(&right.len()).then_with(|| a.cmp(b))
}

/// The longest start that is all digits, or all something else.
fn part(text: &str) -> (&str, &str) {
    let digits = text.starts_with(|c: char| c.is_ascii_digit());
    let end = text.find(|c: char| c.is_ascii_digit() != digits).unwrap_or(text.len());
    text.split_at(end)
}

/// Names are at most 63 characters: numbers that do not fit are compared as text.
fn number(part: &str) -> Option<u64> {
    part.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_count_as_numbers() {
        let mut names = ["web-10", "web-2", "db", "web-1", "web", "web-01", "a2b", "a10"];
        names.sort_by(|a, b| compare(a, b));
        assert_eq!(names, ["a2b", "a10", "db", "web", "web-01", "web-1", "web-2", "web-10"]);
    }
}
