//! KEY=VALUE on the command line.

/// None for anything else. What is not understood may be a secret, in whichever flag it was typed: whoever says that it is
/// wrong does not repeat it, nor lets clap do so.
pub(crate) fn pair(text: &str) -> Option<(&str, &str)> {
    text.split_once('=').filter(|(key, _)| !key.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_equals_sign_counts() {
        assert_eq!(pair("a=b=c"), Some(("a", "b=c")));
        assert_eq!(pair("a="), Some(("a", "")));
        assert_eq!((pair("a"), pair("=b"), pair("")), (None, None, None));
    }
}
