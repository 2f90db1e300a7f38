//! `skep person put`.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use skep_proto::v1::cluster_client::ClusterClient;
use skep_proto::v1::{IssueCertificateRequest, PersonRole, PutPersonRequest};
use skep_tls::{Key, write_private};

use crate::config::{Config, File};
use crate::context::Context;
use crate::failure::Failure;
use crate::mutation::{Asking, Waiting, finish};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A DNS label.
    name: String,
    /// What this person may do.
    #[arg(long, value_enum)]
    role: Role,
    /// Make all certificates given to this person before worthless.
    #[arg(long)]
    dismiss_certificates: bool,
    /// Also write a configuration for this person, with a key and a certificate of its own, to a new folder.
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["no_wait", "dry_run"])]
    write_config: Option<PathBuf>,
    #[command(flatten)]
    asking: Asking,
    #[command(flatten)]
    waiting: Waiting,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Role {
    /// Everything.
    Admin,
    /// Make, change and delete hosts and swarms.
    Operator,
    /// Look.
    Viewer,
}

impl From<Role> for PersonRole {
    fn from(role: Role) -> Self {
        match role {
            Role::Admin => Self::Admin,
            Role::Operator => Self::Operator,
            Role::Viewer => Self::Viewer,
        }
    }
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<(), Failure> {
    if let Some(folder) = &args.write_config {
        make(folder)?;
    }
    let request = PutPersonRequest {
        mutation: Some(args.asking.mutation()),
        name: args.name.clone(),
        role: PersonRole::from(args.role).into(),
        dismiss_certificates: args.dismiss_certificates,
    };
    let operation = context
        .client()
        .await?
        .call(
            request,
            |channel, request| async move { ClusterClient::new(channel).put_person(request).await },
        )
        .await?;
    finish(context, operation, &args.asking, &args.waiting).await?;
    match &args.write_config {
        Some(folder) => write_config(context, &args.name, folder).await,
        None => Ok(()),
    }
}

/// Before anything is asked for, and never over somebody else's: a folder that exists is refused.
fn make(folder: &Path) -> Result<(), Failure> {
    let made = DirBuilder::new().mode(0o700).create(folder);
    made.map_err(|source| Failure::Write { path: folder.to_owned(), source })
}

/// The key is made here: whoever hands the folder over can read it until its person renews with a key of its own.
async fn write_config(context: &Context, person: &str, folder: &Path) -> Result<(), Failure> {
    let coordinators = Config::load(&context.config_path()?)?.file;
    let key = Key::generate()?;
    let request = IssueCertificateRequest {
        person: person.to_owned(),
        signing_request: key.signing_request_der()?.into(),
    };
    let reply = context
        .client()
        .await?
        .call(request, |channel, request| async move {
            ClusterClient::new(channel).issue_certificate(request).await
        })
        .await?;
    let file = File {
        ca: "ca.pem".into(),
        certificate: "person.pem".into(),
        key: "person.key".into(),
        ..coordinators
    };
    let text = toml::to_string(&file).map_err(|error| Failure::Answer(error.to_string()))?;
    key.save(&folder.join("person.key"))?;
    write_private(&folder.join("person.pem"), reply.certificate.as_bytes())?;
    write_private(&folder.join("ca.pem"), reply.control_ca.as_bytes())?;
    write_private(&folder.join("config.toml"), text.as_bytes())?;
    Ok(())
}
