//! `skep docs`: the reference that stands in `docs/cli.md`.

use crate::context::Context;
use crate::failure::Failure;
use crate::reference::reference;

pub(crate) fn run(context: &Context) -> Result<(), Failure> {
    context.print(&reference())
}
