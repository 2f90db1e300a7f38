//! Asks before something is deleted.

use crate::context::Context;
use crate::failure::Failure;

/// Ok when the person at the terminal agreed. Where nobody can be asked, silence is no consent.
pub(crate) async fn confirm(context: &Context, question: &str) -> Result<(), Failure> {
    if !context.surroundings.streams.asks {
        return Err(Failure::Usage(
            "nobody is there to be asked: say --yes to delete without a question".to_owned(),
        ));
    }
    if context.surroundings.confirm(question).await? {
        return Ok(());
    }
    Err(Failure::Usage("nothing was deleted".to_owned()))
}
