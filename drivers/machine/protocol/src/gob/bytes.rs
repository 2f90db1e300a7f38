//! Numbers and byte strings. Pure.

use super::GobError;

/// Below this an unsigned number is one byte, itself; else the byte says how many follow, negated.
const SMALL: u64 = 128;

/// The bytes of a message that are not read yet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn len(self) -> usize {
        self.0.len()
    }

    pub(super) fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], GobError> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(GobError::Truncated)?;
        self.0 = rest;
        Ok(taken)
    }

    pub(super) fn uint(&mut self) -> Result<u64, GobError> {
        let first = self.take(1)?[0];
        match uint_bytes(first) {
            None => Ok(u64::from(first)),
            Some(count) if count <= 8 => {
                let number = |sum: u64, byte: &u8| (sum << 8) | u64::from(*byte);
                Ok(self.take(count)?.iter().fold(0, number))
            }
            Some(_) => Err(GobError::LongNumber),
        }
    }

    /// The lowest bit says that the others are inverted.
    pub(super) fn int(&mut self) -> Result<i64, GobError> {
        let bits = self.uint()?;
        let half = (bits >> 1).cast_signed();
        Ok(if bits & 1 == 1 { !half } else { half })
    }

    /// A count of what follows: each takes at least a byte, so no more can be true.
    pub(super) fn count(&mut self) -> Result<usize, GobError> {
        let count = usize::try_from(self.uint()?).map_err(|_| GobError::OutOfRange)?;
        if count > self.len() { Err(GobError::Truncated) } else { Ok(count) }
    }

    pub(super) fn bytes(&mut self) -> Result<&'a [u8], GobError> {
        let count = self.count()?;
        self.take(count)
    }

    /// Go's strings are bytes; what is not UTF-8 is replaced.
    pub(super) fn text(&mut self) -> Result<String, GobError> {
        Ok(String::from_utf8_lossy(self.bytes()?).into_owned())
    }
}

/// How many bytes follow the first byte of an unsigned number; None when it is the number itself.
pub(crate) fn uint_bytes(first: u8) -> Option<usize> {
    (u64::from(first) >= SMALL).then(|| 256 - usize::from(first))
}

pub(super) fn put_uint(out: &mut Vec<u8>, number: u64) {
    if number < SMALL {
        out.push(number.to_be_bytes()[7]);
        return;
    }
    let bytes = number.to_be_bytes();
    let skipped = bytes.iter().take_while(|byte| **byte == 0).count();
    let significant = &bytes[skipped..];
    // Eight at most, so that the negated count is 248 to 255.
    out.push(u8::MAX - u8::try_from(significant.len() - 1).unwrap_or(u8::MAX));
    out.extend_from_slice(significant);
}

pub(super) fn put_int(out: &mut Vec<u8>, number: i64) {
    let bits = if number < 0 { (!number).cast_unsigned() << 1 | 1 } else { number.cast_unsigned() << 1 };
    put_uint(out, bits);
}

pub(super) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_uint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn uint(number: u64) -> Vec<u8> {
        let mut out = Vec::new();
        put_uint(&mut out, number);
        out
    }

    #[test]
    fn numbers_are_written_as_go_writes_them() {
        assert_eq!(uint(0), [0]);
        assert_eq!(uint(127), [127]);
        assert_eq!(uint(128), [0xff, 128]);
        assert_eq!(uint(256), [0xfe, 1, 0]);
        let signed = |number| {
            let mut out = Vec::new();
            put_int(&mut out, number);
            out
        };
        assert_eq!(signed(-1), [1]);
        assert_eq!(signed(-65), [0xff, 0x81]);
        assert_eq!(signed(64), [0xff, 0x80]);
    }

    #[test]
    fn a_number_of_nine_bytes_and_one_cut_short_are_refused() {
        assert_eq!(Cursor::new(&[0xf7; 10]).uint(), Err(GobError::LongNumber));
        assert_eq!(Cursor::new(&[0xfe, 1]).uint(), Err(GobError::Truncated));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(unsigned: u64, signed: i64, bytes: Vec<u8>) {
            let mut out = uint(unsigned);
            put_int(&mut out, signed);
            put_bytes(&mut out, &bytes);
            let mut cursor = Cursor::new(&out);
            prop_assert_eq!(cursor.uint(), Ok(unsigned));
            prop_assert_eq!(cursor.int(), Ok(signed));
            prop_assert_eq!(cursor.bytes(), Ok(&bytes[..]));
            prop_assert!(cursor.is_empty());
        }
    }
}
