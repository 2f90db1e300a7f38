use super::*;

fn marker() -> Marker {
    Marker {
        cluster: "c1".into(),
        host: "h1-42".into(),
        incarnation: 2,
        intent: "i1-7".into(),
        name: "web-1".into(),
        place: String::new(),
    }
}

fn machine(address: &str) -> Machine {
    Machine { address: address.to_owned(), ..Machine::default() }
}

#[test]
fn an_id_says_which_host_and_where() {
    for (address, text) in [("10.0.0.5", "h1-42.2@10.0.0.5:22"), ("2001:db8::1", "h1-42.2@[2001:db8::1]:22")]
    {
        let provider_id = Id::of(&marker(), &machine(address)).unwrap();
        assert_eq!(provider_id.as_str(), text);
        let id = Id::parse(&provider_id).unwrap();
        assert_eq!((id.address.as_str(), id.port), (address, 22));
        assert!(id.marker("c1", "web-1").is_same_host(&marker()));
    }
    for other in ["skep-never-was", "h1-42@a:22", "h1-42.x@a:22", "h1-42.1@a"] {
        assert_eq!(Id::parse(&other.parse().unwrap()), None, "{other}");
    }
    assert!(Id::of(&marker(), &machine(&"x".repeat(200))).is_err());
    let adopted = Marker { place: place(&machine("web")), ..marker() };
    let renamed = Id::of(&adopted, &machine("web.example.com")).unwrap();
    assert_eq!(
        renamed.as_str(),
        "h1-42.2@web:22",
        "another word for a machine makes no other instance of it"
    );
}

#[test]
fn what_was_kept_comes_back_and_the_inventory_knows_better() {
    let provider_id = Id::of(&marker(), &machine("10.0.0.5")).unwrap();
    let id = Id::parse(&provider_id).unwrap();
    let target = |kept: Option<&Kept>| Target {
        instance: InstanceRef { provider_id: provider_id.clone(), name: "web-1".into() },
        kept: kept.and_then(Kept::secret),
    };
    let pins = vec![Pin { address: "10.0.0.5:22".into(), key: "ssh-ed25519 AAAA".into() }];
    let old = Machine { user: Some("old".into()), key: Some("/k".into()), ..machine("10.0.0.5") };
    let kept = Kept { machine: old, pins };
    let back = Kept::of(&target(Some(&kept)), &id, &Inventory::default());
    assert_eq!((back.machine.user.as_deref(), back.machine.port), (Some("old"), None));
    assert_eq!(back.pins, kept.pins);

    let inventory = Inventory::parse("address,user\n10.0.0.5,new\n").unwrap();
    let newer = Kept::of(&target(Some(&kept)), &id, &inventory);
    assert_eq!((newer.machine.user.as_deref(), newer.machine.key.as_deref()), (Some("new"), Some("/k")));
    assert_eq!(Kept::of(&target(None), &id, &Inventory::default()).machine.address, "10.0.0.5");
}

#[test]
fn two_sites_may_have_the_same_addresses_behind_other_jump_hosts() {
    let id = Id::parse(&Id::of(&marker(), &machine("10.0.0.5")).unwrap()).unwrap();
    let by = |name: &str, kept: Option<&str>, inventory: &str| {
        let kept = kept.map(|jump| Kept::new(Machine { jumps: vec![jump.into()], ..machine("10.0.0.5") }));
        let instance = InstanceRef { provider_id: "h1-42.2@10.0.0.5:22".parse().unwrap(), name: name.into() };
        let target = Target { instance, kept: kept.as_ref().and_then(Kept::secret) };
        Kept::of(&target, &id, &Inventory::parse(inventory).unwrap()).machine.jumps.join(",")
    };
    let both = "name,address,jump\na-1,10.0.0.5,gate-a\nb-1,10.0.0.5,gate-b\n";
    assert_eq!(by("b-1", Some("gate-b"), both), "gate-b");
    assert_eq!(by("b-1", None, both), "gate-b");
    assert_eq!(by("b-1", Some("gate-old"), both), "gate-b", "what the list says of its own name counts");
    assert_eq!(by("web-1", Some("gate-b"), both), "gate-b");
    assert_eq!(by("web-1", Some("gate-c"), both), "gate-c");

    let unnamed = "address,jump\n10.0.0.5,gate-a\n10.0.0.5,gate-b\n";
    assert_eq!(by("web-2", Some("gate-old"), unnamed), "gate-b");
    let one = "name,address,jump\na-1,10.0.0.5,gate-a\n";
    assert_eq!(by("web-1", Some("gate-b"), one), "gate-b");
    assert_eq!(by("web-1", None, one), "gate-a", "nothing else is known of it");
}
