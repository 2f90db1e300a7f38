//! `skep driver install`.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use skep_driver::Driver;
use skep_driver::plugin::variants;

use super::program::{END, Starter, environment};
use crate::context::Context;
use crate::failure::Failure;

const PREFIX: &str = "skep-driver-";
const FOLDER: &str = "/usr/local/lib/skep/drivers";
/// The kernel asks for no more; others may read and run it, and change nothing.
const MODE: u32 = 0o755;
const VARIANTS: Duration = Duration::from_secs(10);

/// The program is asked what it is first. It is copied: what it needs beside its own file must stay where it is. A
/// coordinator of this machine finds it within seconds, and uses it from the next call on: no restart is needed.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A file named skep-driver-NAME.
    program: PathBuf,
    /// Where to; a folder of `skepd run --plugin-path`.
    #[arg(long, value_name = "FOLDER", default_value = FOLDER)]
    to: PathBuf,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<(), Failure> {
    let file_name = args.program.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let name = file_name.strip_prefix(PREFIX).filter(|name| !name.is_empty() && !name.contains('.'));
    let Some(name) = name else {
        return Err(Failure::Usage(format!("{} is not named {PREFIX}NAME", args.program.display())));
    };
    let kinds = kinds(&args.program, name, context).await?;
    let path = args.to.join(file_name);
    copy(&args.program, &path)?;
    context.print(&format!("{}\n", kinds.join("\n")))?;
    context.tell(&format!(
        "installed as {}; a coordinator that looks there has it within about ten seconds, or at once when it gets SIGHUP\n",
        path.display()
    ));
    Ok(())
}

/// The drivers that it serves, each asked for its name.
async fn kinds(program: &Path, name: &str, context: &Context) -> Result<Vec<String>, Failure> {
    let surroundings = &context.surroundings;
    let starter = Starter::new(program, None, surroundings, false)?;
    let variants = variants(&starter.program, &environment(surroundings), VARIANTS).await;
    let Some(variants) = variants else { return Ok(vec![ask(&starter, name).await?]) };
    let mut kinds = Vec::with_capacity(variants.len());
    for variant in variants {
        let starter = Starter::new(program, Some(&variant), surroundings, false)?;
        kinds.push(ask(&starter, &format!("{name}/{variant}")).await?);
    }
    Ok(kinds)
}

async fn ask(starter: &Starter, expected: &str) -> Result<String, Failure> {
    let program = starter.start().await?;
    let name = program.driver.describe().name.to_string();
    program.process.stop(END).await;
    if name == expected {
        Ok(name)
    } else {
        Err(Failure::Program(format!("the program calls itself {name}, by its file it is {expected}")))
    }
}

/// Whoever starts it meanwhile finds the old one or the new one, never a half.
fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    let unwritten = |source| Failure::Write { path: to.to_owned(), source };
    let folder = to.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(unwritten)?;
    let mut new = tempfile::Builder::new().prefix(".new-").tempfile_in(folder).map_err(unwritten)?;
    let mut program = std::fs::File::open(from)
        .map_err(|source| Failure::Config { path: from.to_owned(), source: source.into() })?;
    std::io::copy(&mut program, new.as_file_mut()).map_err(unwritten)?;
    new.as_file().set_permissions(std::fs::Permissions::from_mode(MODE)).map_err(unwritten)?;
    new.as_file().sync_all().map_err(unwritten)?;
    new.persist(to).map_err(|error| unwritten(error.error))?;
    Ok(())
}
