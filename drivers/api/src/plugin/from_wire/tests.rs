//! However much a driver program says, no more is taken of it than a replicated state can keep.

use super::*;

/// More than any name, and any message.
fn long() -> String {
    "\u{fc}".repeat(limits::GRPC_MESSAGE_BYTES / 4)
}

fn instance_ref(name: &str) -> pb::InstanceRef {
    pb::InstanceRef { provider_id: "i-1".to_owned(), name: name.to_owned() }
}

fn found() -> pb::Instance {
    let mut found =
        pb::Instance { r#ref: Some(instance_ref("web-1")), zone: "a".to_owned(), ..Default::default() };
    found.set_state(pb::InstanceState::Running);
    found
}

#[test]
fn an_answer_with_a_name_that_is_too_long_is_refused_by_its_field() {
    let longest = "x".repeat(limits::LABEL_BYTES);
    let named = pb::Instance { r#ref: Some(instance_ref(&longest)), zone: longest, ..found() };
    assert!(instance(named).is_ok());

    let id = pb::InstanceRef { provider_id: "x".repeat(1 << 20), ..instance_ref("web-1") };
    for (spoilt, field) in [
        (pb::Instance { zone: long(), ..found() }, "instance.zone"),
        (pb::Instance { r#ref: Some(instance_ref(&long())), ..found() }, "instance.name"),
        (pb::Instance { r#ref: Some(id), ..found() }, "instance.provider_id"),
        (pb::Instance { kept: long(), ..found() }, "instance.kept"),
    ] {
        let listed = listed(pb::ListReply { instances: vec![found(), spoilt], ..Default::default() });
        let error = listed.unwrap_err();
        assert_eq!(error.field, field);
        assert!(error.problem.len() < limits::MESSAGE_BYTES, "{field}: {} bytes", error.problem.len());
    }
    assert_eq!(
        attested(pb::AttestReply { instance: Some(instance_ref(&long())), error: None }).unwrap_err().field,
        "instance.name"
    );
}

#[test]
fn what_an_error_says_is_cut() {
    let text = "x".repeat(2 * limits::MESSAGE_BYTES);
    let violation = pb::Violation { field: text.clone(), description: text };
    let mut said = pb::Error { message: long(), violations: vec![violation; 100], ..Default::default() };
    said.set_kind(pb::ErrorKind::InvalidSpec);
    let error = error(said);
    let ErrorKind::InvalidSpec { violations } = error.kind else { panic!("{:?}", error.kind) };
    assert_eq!((error.message.len(), violations.len()), (limits::MESSAGE_BYTES, limits::OPTIONS));
    for violation in violations {
        let lengths = (violation.field.len(), violation.description.len());
        assert_eq!(lengths, (limits::MESSAGE_BYTES, limits::MESSAGE_BYTES));
    }
}

#[test]
fn a_description_is_bounded_as_well() {
    let flag = || {
        let mut flag = pb::Flag { name: "lab-size".to_owned(), ..Default::default() };
        flag.set_kind(pb::FlagKind::String);
        flag
    };
    let of = |flag: pb::Flag, credential: pb::Credential| {
        let mut description = pb::Description { name: "lab".to_owned(), ..Default::default() };
        description.set_idempotency(pb::Idempotency::None);
        super::description(pb::Description {
            flags: vec![flag],
            credentials: vec![credential],
            ..description
        })
    };
    let credential = pb::Credential::default;
    for (flag, credential, field) in [
        (pb::Flag { name: long(), ..flag() }, credential(), "description.flags.name"),
        (pb::Flag { env: long(), ..flag() }, credential(), "description.flags.env"),
        (pb::Flag { default_value: long(), ..flag() }, credential(), "description.flags.default_value"),
        (flag(), pb::Credential { name: long(), ..credential() }, "description.credentials.name"),
        (flag(), pb::Credential { env: long(), ..credential() }, "description.credentials.env"),
    ] {
        assert_eq!(of(flag, credential).unwrap_err().field, field);
    }
    let told =
        of(pb::Flag { usage: long(), ..flag() }, pb::Credential { usage: long(), ..credential() }).unwrap();
    let lengths = (told.flags[0].usage.len(), told.credentials[0].usage.len());
    assert_eq!(lengths, (limits::MESSAGE_BYTES, limits::MESSAGE_BYTES));
}
