use super::*;

fn machines(text: &str) -> Vec<Machine> {
    Inventory::parse(text).unwrap().machines
}

fn error(text: &str) -> String {
    Inventory::parse(text).unwrap_err().to_string()
}

fn machine(name: &str, address: &str) -> Machine {
    Machine { name: Some(name.to_owned()), address: address.to_owned(), ..Machine::default() }
}

#[test]
fn csv_with_a_head() {
    let text = "# ours\nName,address,port,user,jump,zone\nweb-1,10.0.0.1,,,,a\n\"web-2\", 10.0.0.2 ,2222,\"de\"\"ploy\",\"x y@z\",\n";
    let expected = [
        Machine { zone: Some("a".into()), ..machine("web-1", "10.0.0.1") },
        Machine {
            port: Some(2222),
            user: Some("de\"ploy".into()),
            jumps: vec!["x".into(), "y@z".into()],
            ..machine("web-2", "10.0.0.2")
        },
    ];
    assert_eq!(machines(text), expected);
}

#[test]
fn csv_without_a_head() {
    let found = machines("deploy@10.0.0.1:2222\n\n[2001:db8::1]:22\n");
    assert_eq!((found[0].address.as_str(), found[0].port), ("10.0.0.1", Some(2222)));
    assert_eq!(found[1].address, "2001:db8::1");
    assert_eq!(machines("web-1,10.0.0.1\n"), [machine("web-1", "10.0.0.1")]);
    assert_eq!(machines("\n# nothing\n"), []);
}

#[test]
fn csv_that_cannot_be_meant() {
    assert_eq!(error("name,colour\nx,red\n"), "line 1: there is no column \"colour\"");
    assert_eq!(error("name,address\nx,\n"), "line 2: there is no address");
    assert_eq!(error("address,port\nx,many\n"), "line 2: \"many\" is no port");
    assert_eq!(error("address\nx,22\n"), "line 2: 2 values are more than 1 columns");
    assert_eq!(error("address\n\"x\n"), "line 2: a quote is not closed");
    assert_eq!(error("name,address\na,x\na,y\n"), "the inventory: the name \"a\" stands there twice");
    assert!(error("address,host_key\nx,MD5:1\n").contains("no fingerprint"));
}

const INI: &str = r#"
lonely ansible_host=10.0.0.9

[web]
web-[01:02].example.com ansible_port=2222   # two of them
10.0.0.3 ansible_user="de ploy"

[web:vars]
ansible_user=deploy
ansible_ssh_common_args='-o ProxyJump=bastion -o X=y'

[db]
db-a

[site:children]
web
db

[site:vars]
ansible_ssh_private_key_file=~/.ssh/site
ansible_user=nobody

[all:vars]
ansible_python_interpreter=/usr/bin/python3
ansible_port=22
"#;

#[test]
fn ansible_in_ini() {
    let found = machines(INI);
    let names: Vec<&str> = found.iter().map(|machine| machine.name.as_deref().unwrap()).collect();
    assert_eq!(names, ["lonely", "web-01.example.com", "web-02.example.com", "10.0.0.3", "db-a"]);
    assert_eq!(
        (found[0].address.as_str(), found[0].user.as_deref(), found[0].port),
        ("10.0.0.9", None, Some(22))
    );
    let web = &found[1];
    assert_eq!(
        (web.port, web.user.as_deref(), web.jumps.as_slice()),
        (Some(2222), Some("deploy"), &["bastion".to_owned()][..])
    );
    assert_eq!(web.key.as_deref(), Some("~/.ssh/site"));
    assert_eq!(found[3].user.as_deref(), Some("de ploy"));
    assert_eq!(found[4].user.as_deref(), Some("nobody"));
    assert_eq!(error("[web:hosts]\n"), "line 1: a group has no \"hosts\"");
    assert_eq!(error("[web]\na b=\"c\n"), "line 2: a quote is not closed");
    assert_eq!(error("[web]\na[1:99999]\n"), "line 2: \"a[1:99999]\" is more than 10000 machines");
}

#[test]
fn ansible_in_yaml() {
    let text = "
all:
  vars: { ansible_user: deploy }
  hosts:
    lonely:
  children:
    web:
      hosts:
        web[1:2]:
          ansible_host: 10.0.0.1
          ansible_port: 0022
          packages: { a: b }
      vars:
        ansible_user: www
";
    let found = machines(text);
    assert_eq!(found.len(), 3);
    assert_eq!((found[0].address.as_str(), found[0].user.as_deref()), ("lonely", Some("deploy")));
    assert_eq!((found[2].name.as_deref(), found[2].address.as_str()), (Some("web2"), "10.0.0.1"));
    assert_eq!((found[2].port, found[2].user.as_deref()), (Some(22), Some("www")));
    assert!(error("all:\n  hsots: {}\n").contains("has \"hsots\""));
}

#[test]
fn plain_lists_in_yaml() {
    let expected = [machine("web-1", "10.0.0.1")];
    assert_eq!(machines("- name: web-1\n  address: 10.0.0.1\n"), expected);
    assert_eq!(machines("machines:\n- { name: web-1, host: 10.0.0.1, port: ~ }\n"), expected);
    assert_eq!(machines("- 10.0.0.1\n- deploy@10.0.0.2\n").len(), 2);
    assert_eq!(error("- name: x\n"), "machine 1: has no address");
    assert_eq!(error("- address: x\n  colour: red\n"), "machine 1: there is no \"colour\"");
}

#[test]
fn yaml_that_makes_much_of_little_is_refused() {
    assert!(error("a: &a [x, x]\nb: [*a, *a]\n").contains("aliases"));
    assert!(error(&format!("a: {}\n", "[".repeat(100))).contains("nested too deeply"));
    assert!(error("a: b: c: [\n").contains("no YAML"));
}

#[test]
fn ranges() {
    let expand = |pattern: &str| range::expand(pattern).unwrap().join(" ");
    assert_eq!(expand("web"), "web");
    assert_eq!(expand("w[08:10]x"), "w08x w09x w10x");
    assert_eq!(expand("w[1:9:4]"), "w1 w5 w9");
    assert_eq!(expand("[a:c]-[1:2]"), "a-1 a-2 b-1 b-2 c-1 c-2");
    for bad in ["w[1:]", "w[2:1]", "w[1", "w[1:9:0]", "w[A:C]", "w[1:99999]", "[1:999][1:999]"] {
        assert!(range::expand(bad).is_err(), "{bad}");
    }
}

#[test]
fn machines_without_names_are_counted() {
    let inventory = Inventory::parse("10.0.0.1\n10.0.0.2\n").unwrap();
    let of = |name: &str| inventory.of(name).map(|machine| machine.address.as_str());
    assert_eq!(of("web-2"), Some("10.0.0.2"));
    assert_eq!(of("web-01"), Some("10.0.0.1"));
    for none in ["web-3", "web-0", "web", "2-web", "web-99999999999999999999999"] {
        assert_eq!(of(none), None, "{none}");
    }
}

#[test]
fn a_circle_of_groups_ends() {
    assert_eq!(
        machines("[a]\nx\n[a:children]\nb\n[b:children]\na\n[b:vars]\nansible_user=u\n")[0].user.as_deref(),
        Some("u")
    );
}
