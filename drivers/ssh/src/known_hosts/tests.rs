use super::*;

const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ";
const OTHER: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILIG2T/B0l0gaqj3puu510tu9N1OkQ4znY3LYuEm5zCF";

fn found(text: &str, host: &str, port: u16, marker: Marker) -> usize {
    KnownHosts::parse(text).keys(host, port, marker).count()
}

fn known(text: &str, host: &str, port: u16) -> bool {
    found(text, host, port, Marker::Key) == 1
}

#[test]
fn names_ports_and_patterns() {
    let text = format!(
        "# a comment\n\nweb,192.0.2.7 {KEY} of web\n[db]:2222 {OTHER}\n*.example.com,!bad.example.com {KEY}\n"
    );
    assert!(known(&text, "web", 22) && known(&text, "192.0.2.7", 22) && known(&text, "WEB", 22));
    assert!(!known(&text, "web", 2222) && !known(&text, "db", 22) && known(&text, "db", 2222));
    assert!(known(&text, "a.example.com", 22) && !known(&text, "bad.example.com", 22));
}

#[test]
fn hashed_names() {
    // Of example.com, by ssh-keygen -H.
    let text = format!("|1|O33ESRMWPVkMYIwJ1Uw+n877jTo=|nuuC5vEqXlEZ/8BXQR7m619W6Ak= {OTHER}\n");
    assert!(known(&text, "example.com", 22));
    assert!(!known(&text, "example.org", 22));
}

#[test]
fn markers() {
    let text = format!("@cert-authority *.example.com {KEY}\n@revoked * {OTHER}\n@unheard x {KEY}\n");
    assert_eq!(found(&text, "a.example.com", 22, Marker::Authority), 1);
    assert_eq!(found(&text, "a.example.com", 22, Marker::Revoked), 1);
    assert_eq!(found(&text, "a.example.com", 22, Marker::Key), 0);
    assert_eq!(found(&text, "x", 22, Marker::Key), 0);
}

#[test]
fn lines_that_cannot_be_read_are_skipped() {
    let text = format!("web\nweb ssh-ed25519\nweb ssh-new AAAA\n|1|x|y {KEY}\n|1| {KEY}\nweb {KEY}");
    assert!(known(&text, "web", 22));
    assert!(KnownHosts::parse("\n#\n").is_empty());
}

#[test]
fn stars_take_any_number_of_characters() {
    for (pattern, name) in
        [("*", ""), ("a*c", "abbc"), ("*b*b", "abab"), ("a?c", "abc"), ("**", "x"), ("", "")]
    {
        assert!(matches(pattern, name), "{pattern:?} {name:?}");
    }
    for (pattern, name) in [("a*c", "ab"), ("?", ""), ("a", "ab"), ("*b", "ba"), ("", "x")] {
        assert!(!matches(pattern, name), "{pattern:?} {name:?}");
    }
}
