//! The command line that every driver program understands.

use std::ffi::OsString;
use std::path::PathBuf;

pub(super) const USAGE: &str = "usage: PROGRAM --socket PATH [--variant NAME] | PROGRAM variants";

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Words {
    Serve { socket: PathBuf, variant: Option<String> },
    Variants,
}

impl Words {
    pub(super) fn read(words: impl Iterator<Item = OsString>) -> Result<Self, String> {
        let mut words = words;
        let mut socket = None;
        let mut variant = None;
        let mut asked = false;
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| USAGE.to_owned());
            match word.to_str() {
                Some("variants") => asked = true,
                Some("--socket") => socket = Some(PathBuf::from(value()?)),
                Some("--variant") => variant = Some(value()?.into_string().map_err(|_| USAGE.to_owned())?),
                _ => return Err(USAGE.to_owned()),
            }
        }
        match socket {
            None if asked && variant.is_none() => Ok(Self::Variants),
            Some(socket) if !asked => Ok(Self::Serve { socket, variant }),
            _ => Err(USAGE.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Words, String> {
        Words::read(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn a_socket_a_variant_or_the_list_of_them() {
        let serve = |variant: Option<&str>| {
            Ok(Words::Serve { socket: "/run/s".into(), variant: variant.map(str::to_owned) })
        };
        assert_eq!(read("--socket /run/s"), serve(None));
        assert_eq!(read("--variant hetzner --socket /run/s"), serve(Some("hetzner")));
        assert_eq!(read("variants"), Ok(Words::Variants));
        for wrong in ["", "--socket", "--variant a", "variants --socket /run/s", "--sockets /run/s"] {
            assert_eq!(read(wrong), Err(USAGE.to_owned()), "{wrong}");
        }
    }
}
