//! A credential that stands in a file.

use std::io::Read;
use std::path::Path;

use skep_types::limits;

use crate::failure::Failure;

/// Without one line's end at its end. Not more than a credential may have: the path may be of anything.
pub(crate) fn read(path: &Path) -> Result<String, Failure> {
    let failed = |source: std::io::Error| Failure::Config { path: path.to_owned(), source: source.into() };
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(failed)?;
    file.take(limits::CREDENTIAL_BYTES as u64 + 2).read_to_string(&mut text).map_err(failed)?;
    if text.ends_with('\n') {
        text.pop();
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_end_is_left_out_and_the_rest_is_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        std::fs::write(&path, "key\n\n").unwrap();
        assert_eq!(read(&path).unwrap(), "key\n");
        std::fs::write(&path, "x".repeat(1_000_000)).unwrap();
        assert_eq!(read(&path).unwrap().len(), limits::CREDENTIAL_BYTES + 2);
        assert!(read(folder.path()).is_err());
    }
}
