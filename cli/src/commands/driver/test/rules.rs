//! What a program has to keep beside the contract of its driver: how it is held.

use std::os::unix::fs::PermissionsExt;

use crate::commands::driver::program::{END, Program};
use crate::context::Context;
use crate::failure::Failure;

const OTHERS: u32 = 0o077;

/// Prints one line for each, and ends the program. How many it breaks.
pub(super) async fn of_program(program: Program, context: &Context) -> Result<usize, Failure> {
    let mode = std::fs::metadata(program.process.socket()).map(|about| about.permissions().mode() & 0o777);
    let socket = match mode {
        Ok(mode) if mode & OTHERS == 0 => Ok(()),
        Ok(mode) => Err(format!("its mode is {mode:o}")),
        Err(error) => Err(error.to_string()),
    };
    let ended = if program.process.let_go(END).await {
        Ok(())
    } else {
        Err(format!("it still ran {} s after its input had ended", END.as_secs()))
    };
    let rules =
        [("its socket can be opened by its user alone", socket), ("it ends when its input does", ended)];
    let mut broken = 0;
    for (rule, kept) in rules {
        let line = match kept {
            Ok(()) => format!("kept       program: {rule}\n"),
            Err(seen) => {
                broken += 1;
                format!("BROKEN     program: {rule}: {seen}\n")
            }
        };
        context.print(&line)?;
    }
    Ok(broken)
}
