//! Secrets that must not leave in a plugin's words.
//!
//! A plugin tells a secret as it is, line by line, or within JSON: each of these is hidden. What it encodes otherwise,
//! such as in base64, is not known.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// Shorter ones would hide half of every text, and are no secrets.
const SHORTEST: usize = 4;
/// Of a line of a longer secret; shorter ones are its braces.
const SHORTEST_LINE: usize = 8;
const IN_PLACE: &str = "[secret]";

/// Replaces secrets wherever they stand in a text.
#[derive(Clone, Default)]
pub struct Mask(Arc<[String]>);

impl Mask {
    pub fn new(secrets: impl IntoIterator<Item = String>) -> Self {
        let mut forms: Vec<String> = secrets.into_iter().flat_map(|secret| forms(&secret)).collect();
        forms.sort_unstable();
        forms.dedup();
        Self(forms.into())
    }

    pub fn apply(&self, text: &str) -> String {
        self.front(text, text.len())
    }

    /// At most the first `bytes` of `text`, and nothing of a secret that goes on after them.
    pub fn front(&self, text: &str, bytes: usize) -> String {
        let front = &text[..text.floor_char_boundary(bytes)];
        let mut hidden: Vec<Range<usize>> = Vec::new();
        for secret in self.0.iter() {
            hidden.extend(front.match_indices(secret).map(|(at, found)| at..at + found.len()));
        }
        if front.len() < text.len() {
            hidden.extend(self.begun_at_the_end_of(front));
        }
        hidden.sort_unstable_by_key(|range| range.start);
        without(front, &hidden)
    }

    fn begun_at_the_end_of(&self, text: &str) -> Option<Range<usize>> {
        let begun = |secret: &String| {
            let mut lengths = (SHORTEST..secret.len()).rev();
            lengths.find(|length| secret.get(..*length).is_some_and(|begun| text.ends_with(begun)))
        };
        self.0.iter().filter_map(begun).max().map(|length| text.len() - length..text.len())
    }
}

/// `hidden` in order; where ranges overlap, what they cover is hidden as one.
fn without(text: &str, hidden: &[Range<usize>]) -> String {
    let (mut shown, mut end) = (String::new(), 0);
    for range in hidden {
        if range.start >= end {
            shown.push_str(&text[end..range.start]);
            shown.push_str(IN_PLACE);
        }
        end = end.max(range.end);
    }
    shown.push_str(&text[end..]);
    shown
}

/// All that one secret may be told as.
fn forms(secret: &str) -> Vec<String> {
    // A key within JSON has its line breaks written out.
    let broken = secret.replace("\\n", "\n");
    let lines = broken.split(['\n', '\r']).map(str::trim).filter(|line| line.len() >= SHORTEST_LINE);
    let whole = [secret, secret.trim()].into_iter().filter(|whole| whole.len() >= SHORTEST);
    lines.chain(whole).flat_map(|text| [text.to_owned(), json(text, false), json(text, true)]).collect()
}

/// As it stands between quotes, and as Go writes that: so that it could stand in HTML.
fn json(text: &str, for_html: bool) -> String {
    let mut escaped = String::new();
    for character in text.chars() {
        match character {
            '"' | '\\' => escaped.extend(['\\', character]),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            '<' | '>' | '&' if for_html => escaped.push_str(&format!("\\u{:04x}", u32::from(character))),
            other if other < ' ' => escaped.push_str(&format!("\\u{:04x}", u32::from(other))),
            other => escaped.push(other),
        }
    }
    escaped
}

impl fmt::Debug for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mask({} forms of secrets)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(secrets: &[&str]) -> Mask {
        Mask::new(secrets.iter().map(|secret| (*secret).to_owned()))
    }

    #[test]
    fn secrets_are_hidden_whole_and_are_not_printed() {
        let mask = mask(&["hunter", "hunter2", "abc", "2-is-next"]);
        assert_eq!(mask.apply("key hunter2, user hunter, abc"), "key [secret], user [secret], abc");
        // One ends where another begins, or after that.
        assert_eq!(mask.apply("hunterhunter hunter2-is-next."), "[secret][secret] [secret].");
        assert_eq!(format!("{mask:?}"), "Mask(3 forms of secrets)");
    }

    #[test]
    fn a_secret_of_many_lines_is_hidden_line_by_line() {
        let mask = mask(&["-----BEGIN KEY-----\r\nMIIEvQIB\r\nQUI=\r\n", "pass\n"]);
        assert_eq!(mask.apply("MIIEvQIB and -----BEGIN KEY-----"), "[secret] and [secret]");
        assert_eq!(mask.apply("my pass, QUI="), "my [secret], QUI=");
        // The key within a file of JSON, as its reader has it.
        let mask = self::mask(&["{\n  \"key\": \"-----BEGIN KEY-----\\nMIIEvQIB\\n\"\n}\n"]);
        assert_eq!(mask.apply("MIIEvQIB"), "[secret]");
        assert_eq!(mask.apply(r#"  "key": "-----BEGIN KEY-----\nMIIEvQIB\n""#), r#"  [secret]\n[secret]\n""#);
    }

    #[test]
    fn a_secret_is_hidden_as_json_has_it_too() {
        let mask = mask(&["a\"b\\c\td<e>", "one line\nanother line"]);
        assert_eq!(mask.apply(r#"{"x":"a\"b\\c\td<e>"}"#), r#"{"x":"[secret]"}"#);
        assert_eq!(mask.apply(r#"{"x":"a\"b\\c\td\u003ce\u003e"}"#), r#"{"x":"[secret]"}"#);
        assert_eq!(mask.apply(r#"{"x":"one line\nanother line"}"#), r#"{"x":"[secret]"}"#);
    }

    #[test]
    fn the_front_of_a_text_has_no_front_of_a_secret() {
        let mask = mask(&["hunter2-is-long", "hunter"]);
        let text = "key hunter2-is-long";
        for bytes in 8..text.len() {
            assert_eq!(mask.front(text, bytes), "key [secret]", "{bytes}");
        }
        assert_eq!(mask.front(text, 3), "key");
        assert_eq!(mask.front("aé", 2), "a");
        // Nothing was cut off.
        assert_eq!(mask.front("key hunt", 8), "key hunt");
    }
}
