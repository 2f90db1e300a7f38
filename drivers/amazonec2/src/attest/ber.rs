//! Just enough of ASN.1's basic encoding rules (X.690) to read a small message of indefinite lengths, as EC2 writes it.
//!
//! The crates that read PKCS#7 read DER alone. Tags above 30 and lengths above 64 KiB are in no message here.

/// Nested elements of indefinite length: EC2 writes six.
const DEPTH: u8 = 12;
const END_OF_CONTENTS: [u8; 2] = [0, 0];
const CONSTRUCTED: u8 = 0x20;
const INDEFINITE: u8 = 0x80;

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is no well-formed ASN.1")]
pub(crate) struct Malformed;

/// One element, with all that is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Element<'a> {
    pub(super) tag: u8,
    pub(super) body: &'a [u8],
    /// Tag and length included; None where the length is indefinite.
    pub(super) definite: Option<&'a [u8]>,
}

/// Reads elements that stand one after the other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Of what is in the next element, which has this tag.
    pub(super) fn within(&mut self, tag: u8) -> Result<Self, Malformed> {
        self.expect(tag).map(|element| Self(element.body))
    }

    pub(super) fn expect(&mut self, tag: u8) -> Result<Element<'a>, Malformed> {
        self.optional(tag)?.ok_or(Malformed)
    }

    /// None, and nothing was read, where the next element has another tag.
    pub(super) fn optional(&mut self, tag: u8) -> Result<Option<Element<'a>>, Malformed> {
        if self.0.first() != Some(&tag) {
            return Ok(None);
        }
        let (element, rest) = split(self.0, DEPTH)?;
        self.0 = rest;
        Ok(Some(element))
    }

    pub(super) fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn end(self) -> Result<(), Malformed> {
        if self.is_empty() { Ok(()) } else { Err(Malformed) }
    }
}

fn split(bytes: &[u8], depth: u8) -> Result<(Element<'_>, &[u8]), Malformed> {
    let [tag, length, rest @ ..] = bytes else { return Err(Malformed) };
    if tag & 0x1f == 0x1f || [*tag, *length] == END_OF_CONTENTS {
        return Err(Malformed);
    }
    if *length == INDEFINITE {
        return indefinite(*tag, rest, depth);
    }
    let (length, rest) = match (*length, rest) {
        (length @ 0..=0x7f, rest) => (usize::from(length), rest),
        (0x81, [one, rest @ ..]) => (usize::from(*one), rest),
        (0x82, [one, two, rest @ ..]) => (usize::from(u16::from_be_bytes([*one, *two])), rest),
        _ => return Err(Malformed),
    };
    let (body, rest) = rest.split_at_checked(length).ok_or(Malformed)?;
    let definite = &bytes[..bytes.len() - rest.len()];
    Ok((Element { tag: *tag, body, definite: Some(definite) }, rest))
}

/// Up to the end that belongs to this element.
fn indefinite(tag: u8, from: &[u8], depth: u8) -> Result<(Element<'_>, &[u8]), Malformed> {
    if tag & CONSTRUCTED == 0 || depth == 0 {
        return Err(Malformed);
    }
    let mut rest = from;
    loop {
        if let Some(after) = rest.strip_prefix(&END_OF_CONTENTS) {
            let body = &from[..from.len() - rest.len()];
            return Ok((Element { tag, body, definite: None }, after));
        }
        rest = split(rest, depth - 1)?.1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(bytes: &[u8]) -> Result<Element<'_>, Malformed> {
        split(bytes, DEPTH).map(|(element, _)| element)
    }

    #[test]
    fn lengths_are_short_long_or_told_by_their_end() {
        assert_eq!(one(&[4, 2, 7, 8, 9]).unwrap().body, [7, 8]);
        assert_eq!(one(&[4, 0x81, 2, 7, 8]).unwrap().body, [7, 8]);
        assert_eq!(one(&[4, 0x82, 0, 2, 7, 8]).unwrap().body, [7, 8]);
        let nested = [0x30, 0x80, 0x30, 0x80, 4, 2, 0, 0, 0, 0, 5, 0, 0, 0, 9];
        let outer = one(&nested).unwrap();
        assert_eq!((outer.body, outer.definite), (&nested[2..12], None));
    }

    #[test]
    fn what_ends_too_early_or_never_is_malformed() {
        for bytes in [
            &[][..],
            &[4],
            &[4, 1],
            &[4, 0x82, 1],
            &[4, 0x83, 0, 0, 1, 7],
            &[4, 0x80, 0, 0],
            &[0x30, 0x80, 4, 0],
            &[0x1f, 0],
            &[0, 0],
        ] {
            assert_eq!(one(bytes), Err(Malformed), "{bytes:?}");
        }
        let deep: Vec<u8> = [0x30, 0x80].repeat(8_000);
        assert_eq!(one(&deep), Err(Malformed));
    }
}
