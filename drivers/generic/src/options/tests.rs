use std::collections::BTreeMap;

use skep_driver::ErrorKind;

use super::*;

fn read(options: &[(&str, &str)]) -> Result<Options, DriverError> {
    Options::read(&Template {
        driver: "generic".parse().unwrap(),
        account: "office".parse().unwrap(),
        options: options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        labels: BTreeMap::new(),
    })
}

fn field(result: Result<Options, DriverError>) -> String {
    let ErrorKind::InvalidSpec { violations } = result.unwrap_err().kind else { panic!() };
    violations[0].field.clone()
}

#[test]
fn docker_machines_flags_keep_their_names_variables_and_defaults() {
    let flags = flags();
    let known = |name: &str| {
        let flag = flags.iter().find(|flag| flag.name == name).unwrap();
        (flag.env.as_str(), flag.default.as_str())
    };
    assert_eq!(known("generic-ip-address"), ("GENERIC_IP_ADDRESS", ""));
    assert_eq!(known("generic-ssh-user"), ("GENERIC_SSH_USER", "root"));
    assert_eq!(known("generic-ssh-key"), ("GENERIC_SSH_KEY", ""));
    assert_eq!(known("generic-ssh-port"), ("GENERIC_SSH_PORT", "22"));
    assert_eq!(known("generic-engine-port"), ("GENERIC_ENGINE_PORT", "2376"));
}

#[test]
fn one_machine_by_its_address() {
    let options =
        read(&[(ADDRESS, "admin@10.0.0.5"), (PORT, "2222"), (KEY, "/k"), (JUMP, "a,b@c:22")]).unwrap();
    let machine = options.machine("any", &Inventory::default()).unwrap();
    assert_eq!(machine.address, "10.0.0.5");
    assert_eq!((machine.user.as_deref(), machine.port), (Some("admin"), Some(2222)));
    assert_eq!((machine.key.as_deref(), machine.jumps.len()), (Some("/k"), 2));
}

#[test]
fn machines_are_taken_by_the_hosts_name_and_never_by_chance() {
    let account = Inventory::parse("name,address,user\nweb-1,10.0.0.1,\nweb-2,10.0.0.2,deploy\n").unwrap();
    let options = read(&[]).unwrap();
    let of = |name: &str| options.machine(name, &account).map(|machine| (machine.address, machine.user));
    assert_eq!(of("web-2").unwrap(), ("10.0.0.2".to_owned(), Some("deploy".to_owned())));
    assert_eq!(of("web-1").unwrap(), ("10.0.0.1".to_owned(), None), "a default is nothing that was said");
    assert!(of("web-3").unwrap_err().message.contains("no machine is listed for the host \"web-3\""));
    let own = read(&[(MACHINES, "10.0.0.8\n10.0.0.9\n")]).unwrap();
    assert_eq!(own.machine("web-2", &account).unwrap().address, "10.0.0.9");
}

#[test]
fn what_cannot_be_meant_names_its_option() {
    let path = |name: &str| format!("template.options.{name}");
    for (name, value) in [
        (ADDRESS, "a b"),
        (ADDRESS, "a/b"),
        (PORT, "0"),
        (ENGINE_PORT, "2377"),
        (HOST_KEY, "MD5:00"),
        (JUMP, "-oProxyCommand=x"),
        (MACHINES, "name,colour\nx,red\n"),
        ("generic-colour", "red"),
    ] {
        assert_eq!(field(read(&[(name, value)])), path(name), "{value}");
    }
    let none = (Inventory::default(), SshConfig::default());
    assert!(read(&[]).unwrap().check(&none.0, &none.1).is_err());
    let config = SshConfig::parse("Host odd\nProxyCommand nc %h %p\n").unwrap();
    let odd = read(&[(ADDRESS, "odd")]).unwrap();
    assert_eq!(field(odd.check(&none.0, &config).map(|()| odd.clone())), path(ADDRESS));
    read(&[(ADDRESS, "odd"), (JUMP, "gate")]).unwrap().check(&none.0, &config).unwrap();
}
