//! `docs/cli.md` is what the program says.

use std::path::Path;

/// Set to write the file instead of comparing.
const WRITE: &str = "SKEP_WRITE_DOCS";

#[test]
fn the_reference_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/cli.md");
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(&path, skep::reference()).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == skep::reference(),
        "docs/cli.md is not what `skep docs` prints; run this test with {WRITE}=1"
    );
}
