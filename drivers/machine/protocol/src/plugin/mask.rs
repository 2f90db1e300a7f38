//! Secrets that must not leave in a plugin's words.

use std::fmt;
use std::sync::Arc;

/// Shorter ones would hide half of every text, and are no secrets.
const SHORTEST: usize = 4;
const IN_PLACE: &str = "[secret]";

/// Replaces secrets wherever they stand in a text.
#[derive(Clone, Default)]
pub struct Mask(Arc<[String]>);

impl Mask {
    pub fn new(secrets: impl IntoIterator<Item = String>) -> Self {
        let mut secrets: Vec<String> = secrets.into_iter().filter(|s| s.len() >= SHORTEST).collect();
        // A secret within another one goes after it.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        Self(secrets.into())
    }

    pub fn apply(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, secret| text.replace(secret, IN_PLACE))
    }
}

impl fmt::Debug for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mask({} secrets)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_go_the_longest_first_and_are_not_printed() {
        let mask = Mask::new(["hunter".to_owned(), "hunter2".to_owned(), "abc".to_owned()]);
        assert_eq!(mask.apply("key hunter2, user hunter, abc"), "key [secret], user [secret], abc");
        assert_eq!(format!("{mask:?}"), "Mask(2 secrets)");
    }
}
