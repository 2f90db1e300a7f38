use std::fs;
use std::os::unix::fs::PermissionsExt;

use skep_tls::WallTime;
use tempfile::TempDir;

use super::*;

fn folder(programs: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, script) in programs {
        let path = folder.path().join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    folder
}

async fn printed(script: &str, arguments: &[&str]) -> Result<Credentials, DriverError> {
    let folder = folder(&[("sign-in", script)]);
    let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
    run(Some(folder.path()), "sign-in", &arguments).await
}

#[tokio::test]
async fn what_it_prints_is_read() {
    let script = r#"echo "{\"credentials\": {\"key\": \"$1\"}, \"expires_at\": \"1970-01-01T00:01:40Z\"}""#;
    let read = printed(script, &["hunter2"]).await.unwrap();
    assert_eq!((read.values["key"].reveal(), read.expires_at), ("hunter2", Some(100)));
    assert!(read.expired(WallTime(100)) && !read.expired(WallTime(99)));
    let read = printed(r#"echo '{"credentials": {}}'"#, &[]).await.unwrap();
    assert_eq!((read.values.len(), read.expires_at), (0, None));
    assert!(!read.expired(WallTime(u64::MAX)));
}

/// More than its pipe holds.
#[tokio::test]
async fn it_may_complain_at_length() {
    let script = r#"head -c 100000 /dev/zero >&2 || exit 5
echo '{"credentials": {"key": "hunter2"}}'"#;
    let read = printed(script, &[]).await.unwrap();
    assert_eq!(read.values["key"].reveal(), "hunter2");
}

#[tokio::test]
async fn its_environment_is_our_own() {
    let script = r#"env | grep -qv -e '^PATH=' -e '^PWD=' -e '^_=' -e '^SHLVL=' -e '^OLDPWD=' && exit 3
echo '{"credentials": {}}'"#;
    printed(script, &[]).await.unwrap();
}

#[tokio::test]
async fn what_goes_wrong_is_told_without_what_was_printed() {
    for (script, told) in [
        ("echo nobody is signed in >&2; exit 4", "nobody is signed in"),
        ("echo hunter2", "no JSON"),
        (r#"echo '{"credentials": {"key": 2}, "x": "hunter2"}'"#, "no JSON"),
        (r#"echo '{"credentials": {}, "expires_at": "hunter2"}'"#, "expires_at"),
        ("head -c 3000000 /dev/zero", "sign-in"),
    ] {
        let error = printed(script, &[]).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Auth);
        assert!(error.message.contains(told) && !error.message.contains("hunter2"), "{error}");
    }
}

#[tokio::test]
async fn only_programs_of_the_folder_are_run() {
    let error = run(None, "sign-in", &[]).await.unwrap_err();
    assert!(error.message.contains("--credential-commands"), "{error}");
    let folder = folder(&[]);
    std::os::unix::fs::symlink("/bin/true", folder.path().join("linked")).unwrap();
    for name in ["linked", "missing", "../x", "."] {
        let error = run(Some(folder.path()), name, &[]).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unavailable, "{name}");
    }
}
