use std::collections::BTreeSet;

use super::*;

/// Of Docker Machine 0.16.2, without their prefix, and their variables.
const DOCKER_MACHINE: [(&str, &str); 32] = [
    ("access-key", "AWS_ACCESS_KEY_ID"),
    ("secret-key", "AWS_SECRET_ACCESS_KEY"),
    ("session-token", "AWS_SESSION_TOKEN"),
    ("ami", "AWS_AMI"),
    ("region", "AWS_DEFAULT_REGION"),
    ("vpc-id", "AWS_VPC_ID"),
    ("zone", "AWS_ZONE"),
    ("subnet-id", "AWS_SUBNET_ID"),
    ("security-group-readonly", "AWS_SECURITY_GROUP_READONLY"),
    ("security-group", "AWS_SECURITY_GROUP"),
    ("open-port", ""),
    ("tags", "AWS_TAGS"),
    ("instance-type", "AWS_INSTANCE_TYPE"),
    ("device-name", "AWS_DEVICE_NAME"),
    ("root-size", "AWS_ROOT_SIZE"),
    ("volume-type", "AWS_VOLUME_TYPE"),
    ("iam-instance-profile", "AWS_INSTANCE_PROFILE"),
    ("ssh-port", "AWS_SSH_PORT"),
    ("ssh-user", "AWS_SSH_USER"),
    ("request-spot-instance", ""),
    ("spot-price", ""),
    ("block-duration-minutes", ""),
    ("private-address-only", ""),
    ("use-private-address", ""),
    ("monitoring", ""),
    ("use-ebs-optimized-instance", ""),
    ("ssh-keypath", "AWS_SSH_KEYPATH"),
    ("keypair-name", "AWS_KEYPAIR_NAME"),
    ("retries", ""),
    ("endpoint", "AWS_ENDPOINT"),
    ("insecure-transport", "AWS_INSECURE_TRANSPORT"),
    ("userdata", "AWS_USERDATA"),
];

#[test]
fn every_flag_of_docker_machine_is_known_or_refused_with_advice() {
    let kept: BTreeSet<&str> = FLAGS.iter().map(|flag| flag.0).collect();
    for (name, _) in DOCKER_MACHINE {
        let refused = instead_of(&format!("{PREFIX}{name}")).is_some();
        assert!(kept.contains(name) != refused, "{name}: kept and refused, or neither");
    }
}

#[test]
fn a_variable_goes_with_the_flag_that_it_went_with() {
    for (name, variable) in DOCKER_MACHINE {
        let Some(kept) = FLAGS.iter().find(|flag| flag.0 == name) else { continue };
        assert_eq!(kept.3, variable, "{name}");
    }
}

#[test]
fn a_refused_flags_variable_is_refused_like_the_flag_or_the_accounts_now() {
    let described = of_template();
    let accounts: BTreeSet<String> = of_account().into_iter().map(|flag| flag.env).collect();
    let credentials: BTreeSet<String> = credentials().into_iter().map(|credential| credential.env).collect();
    let accounts: BTreeSet<String> = accounts.union(&credentials).cloned().collect();
    for (name, variable) in DOCKER_MACHINE {
        if let (Some(advice), false) = (instead_of(&format!("{PREFIX}{name}")), variable.is_empty()) {
            let refused =
                described.iter().any(|flag| flag.env == variable) && advice.description.contains(variable);
            assert!(
                refused != accounts.contains(variable),
                "{variable}: refused and the account's, or neither"
            );
        }
    }
    for flag in described.iter().filter(|flag| !flag.env.is_empty()) {
        assert!(!accounts.contains(&flag.env), "{}", flag.env);
    }
}

#[test]
fn no_flag_is_both_kept_and_refused() {
    for (name, ..) in FLAGS {
        assert_eq!(instead_of(&format!("{PREFIX}{name}")), None, "{name}");
    }
}
