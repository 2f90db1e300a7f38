//! An image for containers of tests: one static program, so that nothing has to be pulled.

use std::process::Command;

use skep_tests::processes::run;

/// A tar for `docker import`, with /busybox.
pub(crate) fn image() -> Vec<u8> {
    let path = run(Command::new("sh").args(["-c", "command -v busybox"]));
    let folder = std::path::Path::new(path.trim()).parent().unwrap();
    let output = Command::new("tar").arg("-C").arg(folder).args(["-ch", "busybox"]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    output.stdout
}
