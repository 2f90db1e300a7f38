use super::*;
use crate::api::fixture::Lab;

fn named(lab: &Lab, filters: &[&str]) -> Vec<String> {
    let filters: Vec<String> = filters.iter().map(|text| (*text).to_owned()).collect();
    let filter = Filter::read(&filters).unwrap();
    let matching = lab.state.hosts.values().filter(|host| filter.matches(host, &lab.state));
    matching.map(|host| host.name.to_string()).collect()
}

#[test]
fn every_key_selects_and_all_must_match() {
    let mut lab = Lab::new();
    let operation = lab.hosts("web", 2).to_string();
    lab.swarm("demo", 1, 1);
    lab.ready("web-2");
    let swarm = lab.state.find_swarm("demo").unwrap().id.to_string();
    assert_eq!(named(&lab, &[]).len(), 4);
    assert_eq!(named(&lab, &["name=web-1"]), ["web-1"]);
    assert_eq!(named(&lab, &["name=*-1"]), ["web-1", "demo-manager-1", "demo-worker-1"]);
    assert_eq!(named(&lab, &["phase=Ready"]), ["web-2"]);
    assert_eq!(named(&lab, &["phase=P*", "name=web*"]), ["web-1"]);
    assert_eq!(named(&lab, &["driver=lab"]).len(), 4);
    assert_eq!(named(&lab, &["driver=other"]).len(), 0);
    assert_eq!(named(&lab, &["swarm=demo", "role=manager"]), ["demo-manager-1"]);
    assert_eq!(named(&lab, &[&format!("swarm={swarm}")]).len(), 2);
    assert_eq!(named(&lab, &[&format!("operation={operation}")]), ["web-1", "web-2"]);
    assert_eq!(named(&lab, &["label=tier"]).len(), 4);
    assert_eq!(named(&lab, &["label=tier=w*b"]).len(), 4);
    assert_eq!(named(&lab, &["label=tier=db"]).len(), 0);
    assert_eq!(named(&lab, &["label=other"]).len(), 0);
}

#[test]
fn a_filter_that_can_match_nothing_is_refused_with_a_hint() {
    for (filter, hint) in [
        ("phase=Redy", "none of Pending, Provisioning"),
        ("role=boss", "none of manager, worker"),
        ("size=3", "use one of name, phase"),
        ("web", "not KEY=VALUE"),
        ("operation=web", "op1-42"),
    ] {
        let refusal = Filter::read(&["name=a".to_owned(), filter.to_owned()]).unwrap_err();
        assert_eq!(refusal.violations[0].field, "filters[1]", "{filter}");
        assert!(refusal.violations[0].description.contains(hint), "{refusal}");
    }
    assert!(Filter::read(&vec!["name=a".to_owned(); 65]).is_err());
}

#[test]
fn globs() {
    let matches = |pattern: &str, text: &str| Glob(pattern.to_owned()).matches(text);
    for (pattern, text) in [
        ("", ""),
        ("*", ""),
        ("*", "abc"),
        ("a*", "a"),
        ("a*c", "abc"),
        ("*b*", "abc"),
        ("a*b*c", "aXbYbc"),
        ("a**c", "abc"),
        ("*.de", "x.de.de"),
        ("a*a", "aa"),
    ] {
        assert!(matches(pattern, text), "{pattern} {text}");
    }
    for (pattern, text) in
        [("", "a"), ("a", "ab"), ("a*", "ba"), ("*a", "ab"), ("a*b*c", "acb"), ("a*a", "a")]
    {
        assert!(!matches(pattern, text), "{pattern} {text}");
    }
}

#[test]
fn every_phase_can_be_asked_for() {
    let lab = Lab::new();
    for phase in PHASES {
        assert_eq!(named(&lab, &[&format!("phase={phase}")]).len(), 0);
    }
}
