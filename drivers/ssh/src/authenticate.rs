//! Logs in with one identity after the other, and remembers what was tried.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use russh::client::{AuthResult, Handle, KeyboardInteractiveAuthResponse};
use russh::keys::agent::AgentIdentity;
use russh::keys::agent::client::AgentClient;
use russh::keys::ssh_key::{Algorithm, HashAlg, PrivateKey};
use russh::keys::{PrivateKeyWithHashAlg, ssh_key::Certificate};
use russh::{MethodKind, MethodSet};
use skep_types::Secret;
use tokio::net::UnixStream;
use tokio::time::timeout;

use crate::connect::{Client, Notes, protocol};
use crate::{Error, Hop, Identity, Kind};

const LOGGING_IN: &str = "logging in";
/// OpenSSH hangs up at the sixth failure.
const TRIES_MAX: usize = 6;
/// Questions that a password is given to; more is a second factor, which nobody here can answer.
const ROUNDS_MAX: usize = 3;
/// An ssh-agent is on this machine and lists its keys from memory.
const AGENT_ANSWERS: Duration = Duration::from_secs(5);

struct Attempt<'a> {
    handle: &'a mut Handle<Client>,
    hop: &'a Hop,
    notes: &'a Notes,
    tried: Vec<String>,
    /// Keys and ssh-agents that were not tried, and why.
    left_out: Vec<String>,
    /// What the server takes, as far as it said.
    takes: Option<MethodSet>,
}

pub(crate) async fn log_in(handle: &mut Handle<Client>, hop: &Hop, notes: &Notes) -> Result<(), Error> {
    let mut attempt = Attempt { handle, hop, notes, tried: Vec::new(), left_out: Vec::new(), takes: None };
    for identity in &hop.login.identities {
        if attempt.tried.len() >= TRIES_MAX || attempt.handle.is_closed() {
            break;
        }
        let let_in = match identity {
            Identity::Key { name, key, certificate } => match identity.refusal(hop.rsa) {
                None => attempt.key(name, key, certificate.as_deref()).await?,
                Some(why) => attempt.leave_out(format!("key {name} ({why})")),
            },
            Identity::Absent { .. } => attempt.leave_out(identity.to_string()),
            Identity::Agent { socket } => attempt.agent(socket).await?,
            Identity::Password(password) => attempt.password(password).await?,
        };
        if let_in {
            return Ok(());
        }
    }
    Err(attempt.failure())
}

impl Attempt<'_> {
    /// False: it lets nobody in.
    fn leave_out(&mut self, what: String) -> bool {
        self.left_out.push(what);
        false
    }

    fn failure(self) -> Error {
        let (address, user) = (self.hop.to_string(), self.hop.login.user.clone());
        let tried: Vec<String> = self.tried.into_iter().chain(self.left_out).collect();
        if tried.is_empty() {
            return Kind::NothingToTry { address, user }.into();
        }
        let takes = self.takes.iter().flat_map(|methods| methods.iter());
        let mut takes: Vec<String> = takes.map(String::from).collect();
        if self.handle.is_closed() {
            takes = vec![format!("no more tries{}", after_comma(&self.notes.goodbye()))];
        }
        Kind::AuthFailed { address, user, tried, takes }.into()
    }

    fn broken(&self, error: russh::Error) -> Error {
        protocol(&self.hop.to_string(), LOGGING_IN, self.notes, error)
    }

    fn takes(&self, method: MethodKind) -> bool {
        self.takes.as_ref().is_none_or(|takes| takes.contains(&method))
    }

    fn note(&mut self, tried: String, answer: AuthResult) -> bool {
        match answer {
            AuthResult::Success => true,
            AuthResult::Failure { remaining_methods, partial_success } => {
                let half = if partial_success { " (accepted, but not enough)" } else { "" };
                self.tried.push(format!("{tried}{half}"));
                self.takes = Some(remaining_methods);
                false
            }
        }
    }

    async fn key(
        &mut self,
        name: &str,
        key: &Arc<PrivateKey>,
        certificate: Option<&Certificate>,
    ) -> Result<bool, Error> {
        if !self.takes(MethodKind::PublicKey) {
            return Ok(false);
        }
        let user = self.hop.login.user.clone();
        let what = format!("key {name} ({} {})", key.algorithm(), key.fingerprint(HashAlg::Sha256));
        if let Some(certificate) = certificate {
            let answer = self
                .handle
                .authenticate_openssh_cert(&user, Arc::clone(key), certificate.clone())
                .await
                .map_err(|error| self.broken(error))?;
            if self.note(format!("certificate {:?} of {what}", certificate.key_id()), answer) {
                return Ok(true);
            }
        }
        let hash = self.rsa_hash(&key.algorithm()).await?;
        let answer = self
            .handle
            .authenticate_publickey(&user, PrivateKeyWithHashAlg::new(Arc::clone(key), hash))
            .await
            .map_err(|error| self.broken(error))?;
        Ok(self.note(what, answer))
    }

    /// SHA-2 always: a server that knows only SHA-1 gets a signature it refuses.
    async fn rsa_hash(&mut self, algorithm: &Algorithm) -> Result<Option<HashAlg>, Error> {
        if !matches!(algorithm, Algorithm::Rsa { .. }) {
            return Ok(None);
        }
        let best = self.handle.best_supported_rsa_hash().await.map_err(|error| self.broken(error))?;
        Ok(Some(best.flatten().unwrap_or(HashAlg::Sha256)))
    }

    async fn agent(&mut self, socket: &Path) -> Result<bool, Error> {
        if !self.takes(MethodKind::PublicKey) {
            return Ok(false);
        }
        let late = || format!("it does not answer within {} s", AGENT_ANSWERS.as_secs());
        let asked = timeout(AGENT_ANSWERS, self.keys_of(socket)).await;
        let (mut agent, keys) = match asked.unwrap_or_else(|_| Err(late())) {
            Ok(found) => found,
            // Another identity may do.
            Err(why) => return Ok(self.leave_out(format!("ssh-agent {} ({why})", socket.display()))),
        };
        for key in keys {
            if self.tried.len() >= TRIES_MAX || self.handle.is_closed() {
                break;
            }
            if self.agent_key(&mut agent, key).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Or why there are none.
    async fn keys_of(&self, socket: &Path) -> Result<(AgentClient<UnixStream>, Vec<AgentIdentity>), String> {
        let mut agent = AgentClient::connect_uds(socket)
            .await
            .map_err(|error| format!("nobody answers there: {error}"))?;
        if let Some(binding) = self.handle.agent_session_binding() {
            // Agents that do not know it refuse, and lend their keys all the same.
            let _optional = agent.bind_session(binding, false).await;
        }
        let keys = agent.request_identities().await;
        let keys = keys.map_err(|error| format!("it does not list its keys: {error}"))?;
        Ok((agent, keys))
    }

    async fn agent_key(
        &mut self,
        agent: &mut AgentClient<UnixStream>,
        key: AgentIdentity,
    ) -> Result<bool, Error> {
        let user = self.hop.login.user.clone();
        let public = key.public_key().into_owned();
        let what = format!("ssh-agent's key {} {}", key.comment(), public.fingerprint(HashAlg::Sha256));
        if let Some(why) = self.hop.rsa.refusal(&public.algorithm()) {
            return Ok(self.leave_out(format!("{what} ({why})")));
        }
        let hash = self.rsa_hash(&public.algorithm()).await?;
        let answer = match key {
            AgentIdentity::PublicKey { key, .. } => {
                self.handle.authenticate_publickey_with(&user, key, hash, agent).await
            }
            AgentIdentity::Certificate { certificate, .. } => {
                self.handle.authenticate_certificate_with(&user, certificate, hash, agent).await
            }
        };
        match answer {
            Ok(answer) => Ok(self.note(what, answer)),
            // The agent asked its person, who declined: the next key may do.
            Err(declined) => {
                self.tried.push(format!("{what} (the ssh-agent did not sign: {declined})"));
                Ok(false)
            }
        }
    }

    async fn password(&mut self, password: &Secret) -> Result<bool, Error> {
        let user = self.hop.login.user.clone();
        if self.takes(MethodKind::Password) {
            let answer = self
                .handle
                .authenticate_password(&user, password.reveal())
                .await
                .map_err(|error| self.broken(error))?;
            if self.note("password".to_owned(), answer) {
                return Ok(true);
            }
        }
        if self.takes(MethodKind::KeyboardInteractive) && !self.handle.is_closed() {
            return self.questions(&user, password).await;
        }
        Ok(false)
    }

    /// The password as the answer to the one question that is not shown while it is typed.
    async fn questions(&mut self, user: &str, password: &Secret) -> Result<bool, Error> {
        use KeyboardInteractiveAuthResponse as Response;
        let begun = self.handle.authenticate_keyboard_interactive_start(user, None::<String>).await;
        let mut response = begun.map_err(|error| self.broken(error))?;
        for _ in 0..ROUNDS_MAX {
            let prompts = match response {
                Response::Success => return Ok(true),
                Response::Failure { remaining_methods, partial_success } => {
                    let answer = AuthResult::Failure { remaining_methods, partial_success };
                    return Ok(self.note("password, as an answer".to_owned(), answer));
                }
                Response::InfoRequest { prompts, .. } => prompts,
            };
            let answers = match prompts.as_slice() {
                [] => Vec::new(),
                [one] if !one.echo => vec![password.reveal().to_owned()],
                _ => break,
            };
            let next = self.handle.authenticate_keyboard_interactive_respond(answers).await;
            response = next.map_err(|error| self.broken(error))?;
        }
        self.tried.push("password (the server asks for more than that)".to_owned());
        Ok(false)
    }
}

fn after_comma(said: &str) -> String {
    if said.is_empty() { String::new() } else { format!(", and said {said:?}") }
}
