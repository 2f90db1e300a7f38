//! Flags that mean nothing here, with what to do instead.

/// Of Docker Machine and its forks; each with what to do instead.
pub(super) const REFUSED: &[(&str, &str)] = &[
    ("access-key", "belongs to the account: skep account add, credential access-key"),
    ("secret-key", "belongs to the account: skep account add, credential secret-key"),
    ("session-token", "belongs to the account: skep account add, credential session-token"),
    ("region", "belongs to the account: one account a region"),
    ("endpoint", "belongs to the account"),
    ("insecure-transport", "belongs to the account"),
    ("retries", "calls are repeated as the account's limits allow; leave it out"),
    ("ssh-port", "nothing is done over SSH; leave it out"),
    ("ssh-user", "nothing is done over SSH; leave it out"),
    ("ssh-keypath", "no key is needed; name a key pair of yours by amazonec2-keypair-name to log in"),
    ("block-duration-minutes", "spot blocks were withdrawn by AWS; use amazonec2-market"),
    (
        "use-private-address",
        "agents dial out, and members of a swarm always use private addresses; leave it out",
    ),
    (
        "userdata",
        "user-data carries the agent; bake an image and name it by amazonec2-ami or amazonec2-image-name",
    ),
    ("encrypt-ebs-volume", "volumes are always encrypted; leave it out, or give amazonec2-kms-key"),
    ("volume-encrypted", "volumes are always encrypted; leave it out, or give amazonec2-kms-key"),
    ("volume-kms-key", "is called amazonec2-kms-key here"),
    ("metadata-token", "metadata is always asked for with a token; leave it out"),
    ("http-tokens", "metadata is always asked for with a token; leave it out"),
    ("http-endpoint", "the metadata endpoint is always on: the agent proves by it which instance it is"),
    ("http-protocol-ipv6", "set it in a launch template, and name that by amazonec2-launch-template"),
    ("enable-primary-ipv6", "set it in a launch template, and name that by amazonec2-launch-template"),
    ("ipv6-address-only", "a swarm's members need IPv4 addresses"),
];
