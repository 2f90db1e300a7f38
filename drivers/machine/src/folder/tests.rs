use std::collections::BTreeMap;
use std::os::unix::fs::symlink;

use skep_driver::{Bootstrap, CreateIntent, Slot};
use skep_types::{HostId, IntentId, Secret, Template};

use super::*;

fn kept(files: &[(&str, &str)]) -> Kept {
    let bootstrap =
        Bootstrap { agent_urls: Vec::new(), agent_sha256: String::new(), agent_config: Secret::new("") };
    let slot = Slot { name: "web".into(), host: HostId::new(1, 1), incarnation: 1, bootstrap };
    let template = Template {
        driver: "machine/x".parse().unwrap(),
        account: "x".parse().unwrap(),
        options: BTreeMap::new(),
        labels: BTreeMap::new(),
    };
    let intent = CreateIntent {
        cluster: "c".into(),
        intent: IntentId::new(1, 1),
        token: "t".into(),
        template,
        slots: vec![slot.clone()],
        lost: false,
        inherited: None,
    };
    let mut kept = Kept::new("m1", &intent, &slot);
    kept.files = files.iter().map(|(path, text)| ((*path).to_owned(), STANDARD.encode(text))).collect();
    kept
}

#[test]
fn files_come_back_as_they_were_laid_and_changes_are_seen() {
    let root = tempfile::tempdir().unwrap();
    let shop = Workshop::open(root.path()).unwrap();
    let kept = kept(&[("id_rsa", "key"), ("sub/deep", "x")]);
    let folder = shop.lay(&kept, None).unwrap();
    assert_eq!(folder.files().unwrap(), kept.files);
    std::fs::write(folder.store().join("machines/m1/id_rsa.pub"), "public").unwrap();
    assert_eq!(folder.files().unwrap()["id_rsa.pub"], STANDARD.encode("public"));
    let key = folder.store().join("machines/m1/id_rsa");
    assert_eq!(folder.within(key.to_str().unwrap()).as_deref(), Some("id_rsa"));
    assert_eq!(folder.within("/etc/passwd"), None);
    let path = folder.path().to_owned();
    drop(folder);
    assert!(!path.exists());
}

#[test]
fn links_and_pipes_are_not_followed() {
    let root = tempfile::tempdir().unwrap();
    let shop = Workshop::open(root.path()).unwrap();
    let folder = shop.lay(&kept(&[]), None).unwrap();
    let machine = folder.store().join("machines/m1");
    symlink("/etc/passwd", machine.join("passwd")).unwrap();
    symlink("/etc", machine.join("etc")).unwrap();
    let pipe = rustix::fs::mknodat(
        rustix::fs::CWD,
        machine.join("pipe"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR,
        0,
    );
    pipe.unwrap();
    assert_eq!(folder.files().unwrap(), BTreeMap::new());
    // Nor is the machine's folder itself, once it is a link.
    std::fs::remove_dir_all(&machine).unwrap();
    symlink("/etc", &machine).unwrap();
    assert!(folder.files().is_err());
}

#[test]
fn a_disk_is_refused_by_its_name() {
    let root = tempfile::tempdir().unwrap();
    let shop = Workshop::open(root.path()).unwrap();
    let folder = shop.lay(&kept(&[]), None).unwrap();
    let disk = File::create(folder.store().join("machines/m1/disk.vmdk")).unwrap();
    disk.set_len(1 << 40).unwrap();
    let error = folder.files().unwrap_err();
    assert!(error.to_string().contains("disk.vmdk has 1099511627776 bytes"), "{error}");
}

#[test]
fn paths_that_lead_out_are_not_laid() {
    let root = tempfile::tempdir().unwrap();
    let shop = Workshop::open(root.path()).unwrap();
    for path in ["../out", "/out", "a/../../out"] {
        assert!(shop.lay(&kept(&[(path, "x")]), None).is_err(), "{path}");
    }
}

#[test]
fn what_a_crashed_program_left_is_swept_and_what_another_one_has_is_not() {
    let root = tempfile::tempdir().unwrap();
    let living = Workshop::open(root.path()).unwrap();
    let kept = kept(&[]);
    let folder = living.lay(&kept, None).unwrap();
    std::fs::write(root.path().join("dead.lock"), "").unwrap();
    std::fs::create_dir_all(root.path().join("dead.d/x")).unwrap();
    let _other = Workshop::open(root.path()).unwrap();
    assert!(!root.path().join("dead.d").exists());
    assert!(folder.path().exists());
}
