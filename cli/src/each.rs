//! Commands that take several names go through all of them, whatever one says.

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;

/// What was got for the names, in their order, and how the command should end once that is printed.
///
/// Where there are several names, each failure is told here; the last word is then only how many there were.
pub(crate) async fn each<T>(
    context: &Context,
    names: &[String],
    get: impl AsyncFn(&str) -> Result<T, Failure>,
) -> (Vec<T>, Result<(), Failure>) {
    let mut found = Vec::with_capacity(names.len());
    let mut failed: Vec<Exit> = Vec::new();
    for name in names {
        match get(name).await {
            Ok(one) => found.push(one),
            Err(failure) if names.len() == 1 || hopeless(&failure) => return (found, Err(failure)),
            Err(failure) => {
                context.tell(&failure.text());
                failed.push(failure.exit());
            }
        }
    }
    let result = match failed.first() {
        None => Ok(()),
        Some(exit) => Err(Failure::Several { count: failed.len(), of: names.len(), exit: *exit }),
    };
    (found, result)
}

/// The other names would fare no better.
fn hopeless(failure: &Failure) -> bool {
    matches!(failure.exit(), Exit::Unavailable | Exit::Detached | Exit::Forbidden)
        || matches!(failure, Failure::Output(_))
}
