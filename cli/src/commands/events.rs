//! `skep events`: what happened, then what happens.

use std::ops::ControlFlow;

use skep_proto::v1::events_client::EventsClient;
use skep_proto::v1::{Event, WatchEventsRequest};
use tonic::transport::Channel;
use tonic::{Response, Status, Streaming};

use crate::client::Follower;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::table::one_line;
use crate::output::{Format, json};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only of this host, swarm or operation: its name or id.
    subject: Option<String>,
    /// Go on with what happens from now on; the default.
    #[arg(long, overrides_with = "no_follow")]
    follow: bool,
    /// End when all that is there now has been printed.
    #[arg(long, overrides_with = "follow")]
    no_follow: bool,
    /// Only those after this revision; else all that are kept.
    #[arg(long, value_name = "REVISION")]
    after: Option<String>,
    /// How to print; as JSON, one object a line.
    #[arg(long, short, value_enum, default_value = "table")]
    output: Format,
}

struct Printer<'a> {
    context: &'a Context,
    args: Args,
    /// The revision of the newest event seen.
    seen: Option<String>,
}

impl Follower for Printer<'_> {
    type Message = Event;
    type Seen = ();

    async fn open(&self, channel: Channel) -> Result<Response<Streaming<Event>>, Status> {
        let after = self.seen.as_ref().or(self.args.after.as_ref()).cloned();
        let request = WatchEventsRequest {
            history: after.is_none(),
            after_revision: after.unwrap_or_default(),
            subject: self.args.subject.clone().unwrap_or_default(),
            no_follow: self.args.no_follow,
        };
        EventsClient::new(channel).watch(request).await
    }

    fn message(&mut self, event: Event) -> Result<ControlFlow<()>, Failure> {
        self.context.print(&match self.args.output {
            Format::Json => format!("{}\n", json::event(&event)),
            Format::Table => line(&event, (self.context.surroundings.now)()),
        })?;
        self.seen = Some(event.revision);
        Ok(ControlFlow::Continue(()))
    }

    fn ended(&mut self) -> ControlFlow<()> {
        if self.args.no_follow { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<(), Failure> {
    let client = context.client().await?;
    client.follow(&mut Printer { context, args, seen: None }).await
}

/// "2026-01-02T03:04:05Z  host/web-1  Ready: all is well".
fn line(event: &Event, now: jiff::Timestamp) -> String {
    let age = jiff::SignedDuration::from_millis(i64::try_from(event.age_ms).unwrap_or(i64::MAX));
    // An age beyond all dates: said as now, rather than not at all.
    let when = now.checked_sub(age).unwrap_or(now);
    let message = match event.message.as_str() {
        "" => String::new(),
        message => format!(": {}", one_line(message)),
    };
    format!("{when:.0}  {}/{}  {}{message}\n", event.subject_kind, event.subject_name, event.reason)
}
