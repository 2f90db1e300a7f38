//! Which machines a program is made for, by its ELF header. Pure.

use std::fmt;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Architecture {
    X86_64,
    Aarch64,
}

impl Architecture {
    /// Of a 64-bit little-endian ELF file: what Linux machines run today.
    pub fn of_program(bytes: &[u8]) -> Option<Self> {
        let header = bytes.get(..20)?;
        if !header.starts_with(b"\x7fELF\x02\x01") {
            return None;
        }
        match u16::from_le_bytes([header[18], header[19]]) {
            62 => Some(Self::X86_64),
            183 => Some(Self::Aarch64),
            _ => None,
        }
    }

    /// As `uname -m` says it.
    pub fn of_machine(machine: &str) -> Option<Self> {
        match machine {
            "x86_64" => Some(Self::X86_64),
            "aarch64" => Some(Self::Aarch64),
            _ => None,
        }
    }
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::X86_64 => "x86_64",
            Self::Aarch64 => "aarch64",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_say_what_they_are_made_for() {
        let header = |machine: u8| {
            let mut bytes = b"\x7fELF\x02\x01".to_vec();
            bytes.resize(20, 0);
            bytes[18] = machine;
            bytes
        };
        assert_eq!(Architecture::of_program(&header(62)), Some(Architecture::X86_64));
        assert_eq!(Architecture::of_program(&header(183)), Some(Architecture::Aarch64));
        assert_eq!(Architecture::of_program(&header(3)), None);
        assert_eq!(Architecture::of_program(b"#!/bin/sh\n"), None);
        assert_eq!(Architecture::of_machine("x86_64").unwrap().to_string(), "x86_64");
        assert_eq!(Architecture::of_machine("armv7l"), None);
    }
}
