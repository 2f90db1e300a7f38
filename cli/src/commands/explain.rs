//! `skep explain`: where a host is, what it waits for and until when.

use skep_proto::v1::hosts_client::HostsClient;
use skep_proto::v1::{Condition, Explanation, GetHostRequest};

use crate::context::Context;
use crate::each::each;
use crate::failure::Failure;
use crate::output::table::{one_line, table};
use crate::output::{Format, age, json};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Names or ids.
    #[arg(required = true, value_name = "HOST")]
    hosts: Vec<String>,
    /// How to print.
    #[arg(long, short, value_enum, default_value = "table")]
    output: Format,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<(), Failure> {
    let client = context.client().await?;
    let (found, result) = each(context, &args.hosts, async |name| {
        let request = GetHostRequest { host: name.to_owned() };
        client
            .call(request, |channel, request| async move { HostsClient::new(channel).explain(request).await })
            .await
    })
    .await;
    for explanation in &found {
        context.print(&match args.output {
            Format::Json => json::text(&json::explanation(explanation)),
            Format::Table => text(explanation)?,
        })?;
    }
    result
}

fn text(explanation: &Explanation) -> Result<String, Failure> {
    let host = explanation
        .host
        .as_ref()
        .ok_or_else(|| Failure::Answer("an explanation without a host".to_owned()))?;
    let mut text =
        format!("{} ({}): {} for {}", host.name, host.id, host.phase, age::short(host.phase_age_ms));
    if !host.phase_message.is_empty() {
        text.push_str(&format!(", {}", one_line(&host.phase_message)));
    }
    text.push('\n');
    text.push_str(&next(explanation));
    text.push_str("conditions:\n");
    text.push_str(&indented(&table(&[], host.conditions.iter().map(row))));
    text.push_str("events:\n");
    text.push_str(
        &explanation.events.iter().map(|event| format!("  {}\n", one_line(event))).collect::<String>(),
    );
    if !explanation.console.is_empty() {
        text.push_str("console:\n");
        text.push_str(
            &explanation.console.lines().map(|line| format!("  {}\n", one_line(line))).collect::<String>(),
        );
    }
    Ok(text)
}

/// "waits: Reason: sentence (at most 3m more)".
fn next(explanation: &Explanation) -> String {
    let verb = match explanation.step.as_str() {
        "wait" => "waits",
        "act" => "next",
        _ => return "nothing to do\n".to_owned(),
    };
    let until = match explanation.deadline_ms {
        0 => String::new(),
        ms => format!(" (for at most {} more)", age::short(ms)),
    };
    let message = match explanation.message.as_str() {
        "" => String::new(),
        message => format!(": {}", one_line(message)),
    };
    format!("{verb}: {}{message}{until}\n", explanation.reason)
}

fn row(condition: &Condition) -> Vec<String> {
    vec![
        condition.kind.clone(),
        json::condition_status(condition.status()).to_owned(),
        age::short(condition.since_ms),
        condition.reason.clone(),
        condition.message.clone(),
    ]
}

fn indented(text: &str) -> String {
    text.lines().filter(|line| !line.is_empty()).map(|line| format!("  {line}\n")).collect()
}
