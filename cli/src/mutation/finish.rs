//! From a coordinator's first answer to the command's end.

use skep_proto::v1::Operation;

use super::watch::{finished, watch};
use super::{Asking, Waiting};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::progress;

/// Prints the plan of a dry run, or the id for those who do not wait; else stays to the end and tells it.
pub(crate) async fn finish(
    context: &Context,
    operation: Operation,
    asking: &Asking,
    waiting: &Waiting,
) -> Result<(), Failure> {
    if asking.dry_run {
        let lines: Vec<String> = operation.plan.iter().map(|line| format!("{line}\n")).collect();
        return context.print(&lines.concat());
    }
    if waiting.no_wait {
        return context.print(&format!("{}\n", operation.id));
    }
    end(context, operation).await
}

/// As [`finish`], for commands that made several requests.
pub(crate) async fn finish_all(
    context: &Context,
    operations: Vec<Operation>,
    asking: &Asking,
    waiting: &Waiting,
) -> Result<(), Failure> {
    let of = operations.len();
    let mut count = 0;
    for operation in operations {
        match finish(context, operation, asking, waiting).await {
            Err(failure @ Failure::Operation { .. }) if of > 1 => {
                context.tell(&failure.text());
                count += 1;
            }
            result => result?,
        }
    }
    if count > 0 { Err(Failure::Several { count, of, exit: Exit::Failed }) } else { Ok(()) }
}

/// Stays with the operation to its end, and tells that.
pub(crate) async fn end(context: &Context, operation: Operation) -> Result<(), Failure> {
    let operation = if finished(&operation) { operation } else { watch(context, &operation.id).await? };
    context.tell(&progress::summary(&operation));
    if operation.state == "Succeeded" {
        return Ok(());
    }
    Err(Failure::Operation { id: operation.id, state: operation.state })
}
