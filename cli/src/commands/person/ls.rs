//! `skep person ls`.

use skep_proto::v1::cluster_client::ClusterClient;
use skep_proto::v1::{ListPeopleRequest, Person};

use crate::context::Context;
use crate::failure::Failure;
use crate::output::{Format, json, table};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How to print.
    #[arg(long, short, value_enum, default_value = "table")]
    output: Format,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<(), Failure> {
    let mut people = context
        .client()
        .await?
        .call(ListPeopleRequest {}, |channel, request| async move {
            ClusterClient::new(channel).list_people(request).await
        })
        .await?
        .people;
    people.sort_by(|a, b| a.name.cmp(&b.name));
    context.print(&match args.output {
        Format::Json => json::list(&people, json::person),
        Format::Table => table::table(&["NAME", "ROLE", "CERTIFICATES"], people.iter().map(row)),
    })
}

fn row(person: &Person) -> Vec<String> {
    vec![
        person.name.clone(),
        json::role(person.role()).to_owned(),
        format!("generation {}", person.certificate_generation),
    ]
}
