//! Flags that mean nothing here, with what to do instead.

use skep_types::FlagKind;

/// A flag of Docker Machine or its forks.
pub(super) struct Refused {
    pub(super) name: &'static str,
    /// Whether it takes a value.
    pub(super) kind: FlagKind,
    /// Docker Machine's variable for it; not where an account's setting has that variable now.
    pub(super) variable: &'static str,
    /// What to do instead.
    pub(super) advice: &'static str,
}

const fn text(name: &'static str, advice: &'static str) -> Refused {
    Refused { name, kind: FlagKind::String, variable: "", advice }
}

const fn switch(name: &'static str, advice: &'static str) -> Refused {
    Refused { name, kind: FlagKind::Boolean, variable: "", advice }
}

impl Refused {
    const fn or(self, variable: &'static str) -> Self {
        Self { variable, ..self }
    }
}

const ENCRYPTED: &str = "volumes are always encrypted, unless a launch template describes them; leave it out, or give \
     amazonec2-kms-key";

pub(super) const REFUSED: &[Refused] = &[
    text("access-key", "belongs to the account: skep account add, credential access-key"),
    text("secret-key", "belongs to the account: skep account add, credential secret-key"),
    text("session-token", "belongs to the account: skep account add, credential session-token"),
    text("region", "belongs to the account: one account a region"),
    text("endpoint", "belongs to the account"),
    switch("insecure-transport", "belongs to the account"),
    text("retries", "calls are repeated as the account's limits allow; leave it out"),
    text("ssh-port", "nothing is done over SSH; leave it out").or("AWS_SSH_PORT"),
    text("ssh-user", "nothing is done over SSH; leave it out").or("AWS_SSH_USER"),
    text("ssh-keypath", "no key is needed; name a key pair of yours by amazonec2-keypair-name to log in")
        .or("AWS_SSH_KEYPATH"),
    text("block-duration-minutes", "spot blocks were withdrawn by AWS; use amazonec2-market"),
    switch(
        "use-private-address",
        "agents dial out, and members of a swarm always use private addresses; leave it out",
    ),
    text(
        "userdata",
        "user-data carries the agent; bake an image and name it by amazonec2-ami or amazonec2-image-name",
    )
    .or("AWS_USERDATA"),
    switch("encrypt-ebs-volume", ENCRYPTED),
    switch("volume-encrypted", ENCRYPTED),
    text("volume-kms-key", "is called amazonec2-kms-key here"),
    text("metadata-token", "metadata is always asked for with a token; leave it out"),
    text("http-tokens", "metadata is always asked for with a token; leave it out"),
    text("http-endpoint", "the metadata endpoint is always on: the agent proves by it which instance it is"),
    text("http-protocol-ipv6", "set it in a launch template, and name that by amazonec2-launch-template"),
    switch("enable-primary-ipv6", "set it in a launch template, and name that by amazonec2-launch-template"),
    switch("ipv6-address-only", "a swarm's members need IPv4 addresses"),
];
