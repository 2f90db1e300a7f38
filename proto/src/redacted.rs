//! Messages that carry secrets print without any of their content, wherever a request is logged.
//!
//! The list here and `REDACTED` in build.rs are one: a message that is only there has no `Debug`, and does not compile.

use std::fmt;

macro_rules! redacted {
    ($($message:ty),* $(,)?) => {
        $(impl fmt::Debug for $message {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($message), " [redacted]"))
            }
        })*
    };
}

redacted!(
    crate::agent::Done,
    crate::agent::EnrolRequest,
    crate::agent::SwarmJoin,
    crate::driver::Bootstrap,
    crate::driver::ConfigureRequest,
    crate::driver::Instance,
    crate::driver::Target,
    crate::store::FrozenBootstrap,
    crate::v1::AddAccountRequest,
    crate::v1::CreateJoinTokenReply,
    crate::v1::JoinReply,
    crate::v1::JoinRequest,
    crate::v1::RotateAccountCredentialsRequest,
);

#[cfg(test)]
mod tests {
    #[test]
    fn a_token_is_not_printed() {
        let request = crate::agent::EnrolRequest { token: "hunter2".to_owned(), ..Default::default() };
        let message = crate::driver::Slot {
            bootstrap: Some(crate::driver::Bootstrap {
                agent_config: "hunter2".to_owned(),
                ..Default::default()
            }),
            ..Default::default()
        };
        let credentials = [("key".to_owned(), "hunter2".to_owned())].into();
        let account = crate::v1::AddAccountRequest { credentials, ..Default::default() };
        assert!(!format!("{request:?} {message:?} {account:?}").contains("hunter2"));
    }
}
