//! Which variants a program has on this machine.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::time::timeout;

use super::Environment;
use super::group::Group;

/// More kinds than this nobody chooses from, and each is asked what it is when a coordinator starts.
const VARIANTS: usize = 128;
const OUTPUT_BYTES: u64 = 16 * 1024;

/// What `PROGRAM variants` prints, one a line; None for a program that does not know the word, or does not end in time.
pub async fn variants(program: &Path, environment: &Environment, patience: Duration) -> Option<Vec<String>> {
    let output = timeout(patience, ask(program, environment)).await.ok().flatten()?;
    let lines = output.lines().map(str::trim).filter(|line| !line.is_empty());
    Some(lines.take(VARIANTS).map(str::to_owned).collect())
}

async fn ask(program: &Path, environment: &Environment) -> Option<String> {
    let mut command = environment.command(program);
    command.arg("variants").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.process_group(0).kill_on_drop(true).spawn().ok()?;
    let _group = Group::of(child.id()?);
    let mut output = String::new();
    child.stdout.take()?.take(OUTPUT_BYTES).read_to_string(&mut output).await.ok()?;
    child.wait().await.ok()?.success().then_some(output)
}
