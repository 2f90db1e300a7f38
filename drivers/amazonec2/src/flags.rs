//! The flags of a template and of an account, and those of Docker Machine's driver that mean nothing here.

mod refused;

use skep_types::{CredentialDescription, FieldViolation, FlagDescription, FlagKind};

use refused::{REFUSED, Refused};

/// Everything about an instance. Defaults that a launch template may bring stand in [`crate::options`].
const FLAGS: &[(&str, FlagKind, &str, &str, &str)] = {
    use FlagKind::{Boolean, Integer, String, StringList};
    &[
        (
            "ami",
            String,
            "",
            "AWS_AMI",
            "machine image: ami-…, or ssm:/PATH of a public parameter that names one",
        ),
        (
            "image-name",
            String,
            "",
            "",
            "machine image by name: the newest of its owner that fits, * stands for anything",
        ),
        (
            "image-owner",
            String,
            "",
            "",
            "owner of the images that image-name looks among: an account id, amazon or self",
        ),
        (
            "instance-type",
            StringList,
            "",
            "AWS_INSTANCE_TYPE",
            "instance types, the first preferred; t3.micro if none",
        ),
        (
            "zone",
            StringList,
            "",
            "AWS_ZONE",
            "zones (a or us-east-1a), the first preferred; EC2 chooses if none",
        ),
        ("subnet-id", StringList, "", "AWS_SUBNET_ID", "subnets, the first preferred; instead of zone"),
        ("vpc-id", String, "", "AWS_VPC_ID", "network whose subnets are used; the default one if none"),
        (
            "launch-template",
            String,
            "",
            "",
            "launch template that the rest stands on: NAME or lt-…, with :VERSION",
        ),
        ("market", StringList, "", "", "on-demand, spot, or both, the first preferred; on-demand if none"),
        ("request-spot-instance", Boolean, "", "", "the same as --amazonec2-market spot"),
        (
            "spot-price",
            String,
            "",
            "",
            "most to pay for an hour of spot, in dollars; the on-demand price if none",
        ),
        (
            "security-group",
            StringList,
            "",
            "AWS_SECURITY_GROUP",
            "ids or names of groups of yours, instead of one made by skep",
        ),
        (
            "security-group-readonly",
            Boolean,
            "",
            "AWS_SECURITY_GROUP_READONLY",
            "make and change no security group",
        ),
        ("open-port", StringList, "", "", "ports to open to open-cidr: 22, 2376/tcp, 30000-30100/udp"),
        ("open-cidr", StringList, "", "", "networks that open-port opens to"),
        ("private-address-only", Boolean, "", "", "give instances no public address"),
        ("ipv6-address-count", Integer, "", "", "IPv6 addresses of each instance"),
        ("root-size", Integer, "", "AWS_ROOT_SIZE", "size of the root volume in GB; 16 if none"),
        ("volume-type", String, "", "AWS_VOLUME_TYPE", "gp3, gp2, io1 or io2; gp3 if none"),
        ("volume-iops", Integer, "", "", "operations a second of the root volume"),
        ("volume-throughput", Integer, "", "", "throughput of a gp3 root volume in MiB/s"),
        (
            "kms-key",
            String,
            "",
            "AWS_KMS_KEY",
            "key that volumes are encrypted with; the account's own if none",
        ),
        ("device-name", String, "", "AWS_DEVICE_NAME", "root device, where the image does not tell"),
        ("iam-instance-profile", String, "", "AWS_INSTANCE_PROFILE", "name or ARN of an instance profile"),
        (
            "keypair-name",
            String,
            "",
            "AWS_KEYPAIR_NAME",
            "key pair for people to log in with; none is needed",
        ),
        ("tags", String, "", "AWS_TAGS", "further tags: key1,value1,key2,value2"),
        ("monitoring", Boolean, "", "", "detailed monitoring"),
        ("use-ebs-optimized-instance", Boolean, "", "", "for types that are not EBS-optimized anyway"),
        (
            "metadata-token-response-hop-limit",
            Integer,
            "",
            "",
            "hops a metadata token may travel: 2 lets containers ask; 1 if none",
        ),
    ]
};

pub(crate) const PREFIX: &str = "amazonec2-";

pub(crate) const REGION: &str = "amazonec2-region";
pub(crate) const ENDPOINT: &str = "amazonec2-endpoint";
pub(crate) const INSECURE: &str = "amazonec2-insecure-transport";
pub(crate) const CERTIFICATES: &str = "amazonec2-identity-certificates";
pub(crate) const ACCOUNT_ID: &str = "amazonec2-account-id";
pub(crate) const ACCESS_KEY: &str = "access-key";
pub(crate) const SECRET_KEY: &str = "secret-key";
pub(crate) const SESSION_TOKEN: &str = "session-token";

fn flag(name: &str, kind: FlagKind, default: &str, env: &str, usage: &str) -> FlagDescription {
    FlagDescription {
        name: name.to_owned(),
        kind,
        usage: usage.to_owned(),
        default: default.to_owned(),
        env: env.to_owned(),
    }
}

pub(crate) fn of_template() -> Vec<FlagDescription> {
    let full = |(name, kind, default, env, usage): &(&str, FlagKind, &str, &str, &str)| {
        flag(&format!("{PREFIX}{name}"), *kind, default, env, usage)
    };
    // Described as well, or those who set them would hear of a flag that is not known, and of a variable nothing at all.
    let refused = |refused: &Refused| {
        let usage = format!("refused: {}", refused.advice);
        flag(&format!("{PREFIX}{}", refused.name), refused.kind, "", refused.variable, &usage)
    };
    FLAGS.iter().map(full).chain(REFUSED.iter().map(refused)).collect()
}

pub(crate) fn of_account() -> Vec<FlagDescription> {
    vec![
        flag(REGION, FlagKind::String, "us-east-1", "AWS_DEFAULT_REGION", "region"),
        flag(
            ENDPOINT,
            FlagKind::String,
            "",
            "AWS_ENDPOINT",
            "address of the EC2 API, where it is not Amazon's own",
        ),
        flag(
            INSECURE,
            FlagKind::Boolean,
            "",
            "AWS_INSECURE_TRANSPORT",
            "talk to a named endpoint without TLS",
        ),
        flag(
            CERTIFICATES,
            FlagKind::String,
            "",
            "",
            "PEM of AWS's RSA-2048 certificate for the region: hosts then prove by their instance's identity document which they are",
        ),
        flag(
            ACCOUNT_ID,
            FlagKind::String,
            "",
            "",
            "twelve digits: only identity documents of this AWS account are believed",
        ),
    ]
}

/// None of them is required: without any the coordinator's own instance role is used.
pub(crate) fn credentials() -> Vec<CredentialDescription> {
    let described = |name: &str, usage: &str, env: &str| CredentialDescription {
        name: name.to_owned(),
        usage: usage.to_owned(),
        env: env.to_owned(),
        required: false,
    };
    vec![
        described(
            ACCESS_KEY,
            "access key id; without one the coordinator's instance role acts",
            "AWS_ACCESS_KEY_ID",
        ),
        described(SECRET_KEY, "secret access key", "AWS_SECRET_ACCESS_KEY"),
        described(SESSION_TOKEN, "session token of temporary credentials", "AWS_SESSION_TOKEN"),
    ]
}

/// What to do instead of `option`, where it is one that Docker Machine knew and skep refuses.
pub(crate) fn instead_of(option: &str) -> Option<FieldViolation> {
    let name = option.strip_prefix(PREFIX)?;
    let refused = REFUSED.iter().find(|refused| refused.name == name)?;
    let description = match refused.variable {
        "" => refused.advice.to_owned(),
        variable => format!("{}; the same goes for {variable} in the environment", refused.advice),
    };
    Some(FieldViolation { field: skep_driver::flags::field(option), description })
}

#[cfg(test)]
mod tests;
