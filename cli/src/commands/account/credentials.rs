//! Credentials on the command line: given, or where they are found.

use std::collections::BTreeMap;
use std::path::Path;

use skep_proto::v1::{CredentialCommand, Driver};

use super::pair;
use crate::context::Context;
use crate::credential_file;
use crate::failure::Failure;

#[derive(clap::Args)]
#[group(skip)]
#[command(next_help_heading = "Credentials")]
pub(super) struct Credentials {
    /// A credential. Everybody on this machine can see it here: prefer --credential-env or --credential-file.
    #[arg(long = "credential", value_name = "KEY=VALUE")]
    values: Vec<String>,
    /// A credential, from an environment variable.
    #[arg(long = "credential-env", value_name = "KEY=VARIABLE")]
    variables: Vec<String>,
    /// A credential, from a file; one line's end at its end is left out.
    #[arg(long = "credential-file", value_name = "KEY=PATH")]
    files: Vec<String>,
    /// A program that prints the credentials, in the folder of skepd's --credential-commands; arguments follow after --.
    #[arg(long = "credential-command", value_name = "NAME", conflicts_with_all = ["values", "variables", "files"])]
    command: Option<String>,
    /// Arguments of the credential command.
    #[arg(last = true, requires = "command", value_name = "ARGUMENT")]
    arguments: Vec<String>,
}

/// Without the values.
impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").field("command", &self.command).finish_non_exhaustive()
    }
}

/// By name, or what prints them.
type Found = (BTreeMap<String, String>, Option<CredentialCommand>);

impl Credentials {
    /// Those that are not given are taken from the variables that the driver names.
    pub(super) fn read(&self, driver: &Driver, context: &Context) -> Result<Found, Failure> {
        if let Some(name) = &self.command {
            let (name, arguments) = (name.clone(), self.arguments.clone());
            return Ok((BTreeMap::new(), Some(CredentialCommand { name, arguments })));
        }
        let variables = &context.surroundings.variables;
        let mut credentials = BTreeMap::new();
        for text in &self.values {
            let (key, value) = pair("credential", text)?;
            add(&mut credentials, key, value.to_owned())?;
        }
        for text in &self.variables {
            let (key, variable) = pair("credential-env", text)?;
            let value = variables.get(variable);
            let value = value.ok_or_else(|| Failure::Usage(format!("the variable {variable} is not set")))?;
            add(&mut credentials, key, value.to_owned())?;
        }
        for text in &self.files {
            let (key, path) = pair("credential-file", text)?;
            add(&mut credentials, key, credential_file::read(Path::new(path))?)?;
        }
        for credential in &driver.credentials {
            if let Some(value) = variables.get(&credential.env) {
                credentials.entry(credential.name.clone()).or_insert_with(|| value.to_owned());
            }
        }
        Ok((credentials, None))
    }
}

fn add(credentials: &mut BTreeMap<String, String>, key: &str, value: String) -> Result<(), Failure> {
    if credentials.insert(key.to_owned(), value).is_some() {
        return Err(Failure::Usage(format!("the credential {key} was given twice")));
    }
    Ok(())
}
