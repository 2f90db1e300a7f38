//! EC2's error codes, and what each means. Pure.

use std::time::Duration;

use skep_driver::ErrorKind;
use skep_driver::flags::field;
use skep_types::FieldViolation;

use super::{Effect, lost};

/// EC2 does not say when it will take a request again. Its smallest bucket, that of creates, gains two a second, and calls
/// are paced: one that is refused came a moment early.
const RETRY_AFTER: Duration = Duration::from_millis(100);

const THROTTLED: [&str; 5] = [
    "RequestLimitExceeded",
    "Throttling",
    "ThrottlingException",
    "EC2ThrottledException",
    "RequestThrottled",
];

/// Another type, zone or market may have what this one has not.
const CAPACITY: [&str; 8] = [
    "InsufficientInstanceCapacity",
    "InsufficientHostCapacity",
    "InsufficientReservedInstanceCapacity",
    "InsufficientCapacityOnHost",
    "InsufficientCapacity",
    "InsufficientFreeAddressesInSubnet",
    "SpotMaxPriceTooLow",
    "UnfulfillableCapacity",
];

/// Of a create: this type, in this zone. Of anything else: never for this instance, as a stop of spot.
const UNSUPPORTED: [&str; 2] = ["Unsupported", "UnsupportedOperation"];

const QUOTA: [&str; 6] = [
    "InstanceLimitExceeded",
    "VcpuLimitExceeded",
    "MaxSpotInstanceCountExceeded",
    "VolumeLimitExceeded",
    "SecurityGroupLimitExceeded",
    "ResourceLimitExceeded",
];

const AUTH: [&str; 12] = [
    "UnauthorizedOperation",
    "AuthFailure",
    "InvalidClientTokenId",
    "SignatureDoesNotMatch",
    "MissingAuthenticationToken",
    "ExpiredToken",
    "RequestExpired",
    "OptInRequired",
    "PendingVerification",
    "Blocked",
    "AccessDenied",
    "UnauthorizedAccess",
];

/// What a template names and EC2 does not have, with the option that names it.
const SPEC: &[(&str, &str)] = &[
    ("InvalidAMIID", "amazonec2-ami"),
    ("InvalidAMIName", "amazonec2-image-name"),
    ("InvalidSubnetID", "amazonec2-subnet-id"),
    ("InvalidSubnet", "amazonec2-subnet-id"),
    ("InvalidVpcID", "amazonec2-vpc-id"),
    ("VPCIdNotSpecified", "amazonec2-vpc-id"),
    ("InvalidZone", "amazonec2-zone"),
    ("InvalidGroup", "amazonec2-security-group"),
    ("InvalidGroupId", "amazonec2-security-group"),
    ("InvalidSecurityGroupID", "amazonec2-security-group"),
    ("InvalidKeyPair", "amazonec2-keypair-name"),
    ("InvalidInstanceType", "amazonec2-instance-type"),
    ("InvalidLaunchTemplateId", "amazonec2-launch-template"),
    ("InvalidLaunchTemplateName", "amazonec2-launch-template"),
    ("InvalidLaunchTemplateVersion", "amazonec2-launch-template"),
    ("InvalidIamInstanceProfileArn", "amazonec2-iam-instance-profile"),
    ("NoSuchEntity", "amazonec2-iam-instance-profile"),
    ("KMSKeyNotAccessibleFault", "amazonec2-kms-key"),
    ("InvalidKMSKey", "amazonec2-kms-key"),
    ("InvalidBlockDeviceMapping", "amazonec2-device-name"),
    ("SpotMaxPriceInvalid", "amazonec2-spot-price"),
];

/// Not one option by itself.
const SPEC_AS_A_WHOLE: [&str; 9] = [
    "InvalidParameterValue",
    "InvalidParameterCombination",
    "InvalidParameter",
    "InvalidInput",
    "MissingParameter",
    "MissingInput",
    "ValidationError",
    "InvalidUserData",
    "InvalidTagKey",
];

/// The kind of a refusal that EC2 answered with `code` and the HTTP `status`.
pub(crate) fn kind_of(code: &str, status: u16, effect: Effect) -> ErrorKind {
    // Codes have parts, as in InvalidAMIID.NotFound; the first names the thing.
    let thing = code.split('.').next().unwrap_or(code);
    let among = |codes: &[&str]| codes.contains(&thing);
    if among(&THROTTLED) {
        return ErrorKind::Throttled { retry_after: RETRY_AFTER };
    }
    if among(&CAPACITY) {
        return ErrorKind::Capacity;
    }
    if among(&UNSUPPORTED) {
        return if effect == Effect::Makes { ErrorKind::Capacity } else { ErrorKind::Unsupported };
    }
    if among(&QUOTA) {
        return ErrorKind::Quota;
    }
    if among(&AUTH) {
        return ErrorKind::Auth;
    }
    if thing == "InvalidInstanceID" {
        return ErrorKind::NotFound;
    }
    if let Some((_, option)) = SPEC.iter().find(|(known, _)| *known == thing) {
        return invalid(&field(option), code);
    }
    if among(&SPEC_AS_A_WHOLE) {
        return invalid("template.options", code);
    }
    match thing {
        // An instance between two states takes the call later.
        "IncorrectInstanceState" | "IncorrectState" | "Unavailable" | "ServiceUnavailable" => {
            ErrorKind::Unavailable
        }
        // An earlier request with this token was taken: what it made is found by its tags.
        "IdempotentParameterMismatch" | "IdempotentInstanceTerminated" => ErrorKind::Ambiguous,
        _ if status >= 500 || status == 0 => lost(effect),
        _ => ErrorKind::Internal,
    }
}

fn invalid(field: &str, code: &str) -> ErrorKind {
    let violation =
        FieldViolation { field: field.to_owned(), description: format!("EC2 refuses it: {code}") };
    ErrorKind::InvalidSpec { violations: vec![violation] }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(code: &str) -> ErrorKind {
        kind_of(code, 400, Effect::Changes)
    }

    #[test]
    fn codes_become_kinds() {
        let throttled = ErrorKind::Throttled { retry_after: RETRY_AFTER };
        for (code, expected) in [
            ("RequestLimitExceeded", throttled),
            ("InsufficientInstanceCapacity", ErrorKind::Capacity),
            ("InsufficientFreeAddressesInSubnet", ErrorKind::Capacity),
            ("UnsupportedOperation", ErrorKind::Unsupported),
            ("InstanceLimitExceeded", ErrorKind::Quota),
            ("VcpuLimitExceeded", ErrorKind::Quota),
            ("UnauthorizedOperation", ErrorKind::Auth),
            ("AuthFailure", ErrorKind::Auth),
            ("InvalidInstanceID.NotFound", ErrorKind::NotFound),
            ("InvalidInstanceID.Malformed", ErrorKind::NotFound),
            ("IncorrectInstanceState", ErrorKind::Unavailable),
            ("IdempotentParameterMismatch", ErrorKind::Ambiguous),
            ("SomethingNew", ErrorKind::Internal),
        ] {
            assert_eq!(kind(code), expected, "{code}");
        }
    }

    #[test]
    fn what_one_way_to_make_instances_does_not_support_another_may() {
        for code in UNSUPPORTED {
            assert_eq!(kind_of(code, 400, Effect::Makes), ErrorKind::Capacity, "{code}");
            assert_eq!(kind_of(code, 400, Effect::Changes), ErrorKind::Unsupported, "{code}");
        }
    }

    #[test]
    fn a_missing_thing_names_the_option_that_names_it() {
        for (code, option) in [
            ("InvalidAMIID.NotFound", "template.options.amazonec2-ami"),
            ("InvalidSubnetID.NotFound", "template.options.amazonec2-subnet-id"),
            ("InvalidKeyPair.NotFound", "template.options.amazonec2-keypair-name"),
            ("InvalidParameterValue", "template.options"),
        ] {
            let ErrorKind::InvalidSpec { violations } = kind(code) else { panic!("{code}") };
            assert_eq!(violations[0].field, option);
        }
    }

    #[test]
    fn a_servers_failure_is_unknown_only_where_something_may_have_changed() {
        assert_eq!(kind_of("InternalError", 500, Effect::Changes), ErrorKind::Ambiguous);
        assert_eq!(kind_of("InternalError", 500, Effect::Makes), ErrorKind::Ambiguous);
        assert_eq!(kind_of("InternalError", 500, Effect::Reads), ErrorKind::Unavailable);
    }

    #[test]
    fn no_code_is_in_two_tables() {
        let mut all: Vec<&str> = SPEC.iter().map(|(code, _)| *code).collect();
        all.extend(
            THROTTLED
                .iter()
                .chain(&CAPACITY)
                .chain(&UNSUPPORTED)
                .chain(&QUOTA)
                .chain(&AUTH)
                .chain(&SPEC_AS_A_WHOLE),
        );
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    }
}
