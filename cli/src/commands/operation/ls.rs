//! `skep operation ls`.

use skep_proto::v1::operations_client::OperationsClient;
use skep_proto::v1::{ListOperationsRequest, Operation};

use crate::client::Client;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{Format, age, json, table};

const HEADINGS: [&str; 8] = ["ID", "KIND", "SUBJECT", "STATE", "DONE", "FAILED", "AGE", "TOOK"];

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only those that have not finished.
    #[arg(long)]
    running: bool,
    /// How to print.
    #[arg(long, short, value_enum, default_value = "table")]
    output: Format,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<(), Failure> {
    let operations = list(context.client().await?, args.running).await?;
    context.print(&match args.output {
        Format::Json => json::list(&operations, json::operation),
        Format::Table => table::table(&HEADINGS, operations.iter().map(row)),
    })
}

async fn list(client: &Client, running_only: bool) -> Result<Vec<Operation>, Failure> {
    let mut operations = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = ListOperationsRequest { page_size: 0, page_token, running_only };
        let page = client
            .call(
                request,
                |channel, request| async move { OperationsClient::new(channel).list(request).await },
            )
            .await?;
        let empty = page.operations.is_empty();
        operations.extend(page.operations);
        // An empty page that promises more would have us ask for ever.
        if page.next_page_token.is_empty() || empty {
            return Ok(operations);
        }
        page_token = page.next_page_token;
    }
}

fn row(operation: &Operation) -> Vec<String> {
    vec![
        operation.id.clone(),
        operation.kind.clone(),
        operation.subject.clone(),
        operation.state.clone(),
        format!("{}/{}", operation.items_done, operation.items),
        operation.items_failed.to_string(),
        age::short(operation.age_ms),
        if operation.took_ms == 0 { String::new() } else { age::took(operation.took_ms) },
    ]
}
