use super::*;

const CONFIG: &str = r#"
# People's own.
IdentityFile ~/.ssh/everywhere

Host web-* !web-9
    HostName %h.example.com
    User=deploy
    Port 2222
    IdentityFile "~/.ssh/my key"   # with a space
    ProxyJump bastion

host web-1
    User somebody
    IdentityFile none

Host bastion
    HostName 192.0.2.7
    ProxyJump ops@outer:2200,[2001:db8::1]:22

Match exec "true"
    User never

Match all
    User fallback
    ForwardAgent yes
"#;

fn config() -> SshConfig {
    SshConfig::parse(CONFIG).unwrap()
}

fn place(host: &str) -> Place {
    Place { host: host.to_owned(), ..Place::default() }
}

#[test]
fn the_first_value_wins_and_identity_files_add_up() {
    let web = config().place(&place("web-1"));
    assert_eq!(web.host, "web-1.example.com");
    assert_eq!(web.user.as_deref(), Some("deploy"));
    assert_eq!(web.port, Some(2222));
    assert_eq!(web.identity_files, ["~/.ssh/everywhere", "~/.ssh/my key"]);
}

#[test]
fn hosts_that_are_excluded_or_unknown_get_what_is_for_all() {
    for host in ["web-9", "db"] {
        let other = config().place(&place(host));
        assert_eq!((other.host.as_str(), other.user.as_deref()), (host, Some("fallback")));
        assert_eq!(other.port, None);
    }
}

#[test]
fn what_is_given_wins() {
    let given = Place { user: Some("me".into()), port: Some(22), ..place("WEB-2") };
    let web = config().place(&given);
    assert_eq!((web.user.as_deref(), web.port), (Some("me"), Some(22)));
    assert_eq!(web.host, "WEB-2.example.com");
}

#[test]
fn jumps_are_followed_to_the_first() {
    let way = config().way(&place("web-1"), &[]).unwrap();
    assert_eq!(way.target.host, "web-1.example.com");
    let way = way.jumps;
    let hosts: Vec<&str> = way.iter().map(|jump| jump.host.as_str()).collect();
    assert_eq!(hosts, ["outer", "2001:db8::1", "192.0.2.7"]);
    assert_eq!((way[0].user.as_deref(), way[0].port), (Some("ops"), Some(2200)));
    assert_eq!(way[2].user.as_deref(), Some("fallback"));
    assert_eq!(config().way(&place("db"), &[]).unwrap().jumps, []);
    let given = config().way(&place("web-1"), &[place("bastion"), place("db")]).unwrap().jumps;
    let hosts: Vec<&str> = given.iter().map(|jump| jump.host.as_str()).collect();
    assert_eq!(
        hosts,
        ["outer", "2001:db8::1", "192.0.2.7", "db"],
        "what is given wins, and is known all the same"
    );
}

#[test]
fn circles_are_refused_and_none_is_no_jump() {
    let circle = SshConfig::parse("Host a\nProxyJump b\nHost b\nProxyJump a\n").unwrap();
    assert_eq!(circle.way(&place("a"), &[]).unwrap_err(), "the way to a has more than 8 jump hosts");
    let none = SshConfig::parse("Host a\nProxyJump none\nHost *\nProxyJump b\n").unwrap();
    assert_eq!(none.way(&place("a"), &[]).unwrap().jumps, []);
}

#[test]
fn a_command_is_not_run_and_only_matters_where_it_is_needed() {
    let text = "Host a\nProxyCommand nc %h 22\nHost b\nProxyCommand none\nHost b c\nProxyJump d\n";
    let config = SshConfig::parse(text).unwrap();
    assert!(config.way(&place("a"), &[]).unwrap_err().contains("reaches a by a ProxyCommand"));
    assert_eq!(config.way(&place("a"), &[place("d")]).unwrap().jumps.len(), 1, "as with ssh -J");
    assert_eq!(config.way(&place("b"), &[]).unwrap().jumps, []);
    assert_eq!(config.way(&place("c"), &[]).unwrap().jumps.len(), 1);
}

#[test]
fn lines_that_cannot_be_meant_are_named() {
    let why = |text: &str| SshConfig::parse(text).unwrap_err();
    assert_eq!(why("Host a\nPort many\n").line, 2);
    assert_eq!(why("Port 0").line, 1);
    assert_eq!(why("User").to_string(), "line 1 of the SSH configuration: user has no value");
    assert_eq!(why("IdentityFile \"x").line, 1);
    assert!(
        why("Host a\n\nInclude ~/.ssh/more\n")
            .to_string()
            .starts_with("line 3 of the SSH configuration: Include")
    );
    assert!(why("ProxyJump a,-oProxyCommand=x").why.contains("no [user@]host[:port]"));
}

#[test]
fn places() {
    let read = |text: &str| parse_place(text).map(|place| (place.user, place.host, place.port));
    assert_eq!(read("a"), Ok((None, "a".into(), None)));
    assert_eq!(read(" ssh://u@a:2/ "), Ok((Some("u".into()), "a".into(), Some(2))));
    assert_eq!(read("u@dom@a"), Ok((Some("u@dom".into()), "a".into(), None)));
    assert_eq!(read("2001:db8::1"), Ok((None, "2001:db8::1".into(), None)));
    assert_eq!(read("[2001:db8::1]"), Ok((None, "2001:db8::1".into(), None)));
    for bad in ["", "a:0", "a:70000", "a:x", "u@", "-x", "a b", "@a"] {
        assert!(read(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn nothing_makes_it_panic() {
    for text in ["\"", "=", "Host", "Host =\"", "Match", "ProxyJump ,", "ü ü", "Port=\u{a0}22"] {
        let _either = SshConfig::parse(text).map(|config| config.place(&place("x")));
    }
}
