//! Creates that do not go as asked: want of room, other images, lost replies.

use std::num::NonZeroU64;
use std::time::Duration;

use aws_sdk_ec2::types::Filter;
use skep_driver::{CreateIntent, ErrorKind};
use skep_tests_ec2::{Behaviour, World};

use crate::support::{CLUSTER, driver, ids, intent, listed, somebody};

const WAYS: &[(&str, &str)] = &[("instance-type", "c7g.large,m7g.large"), ("zone", "a,b")];

/// No c7g at all, and one m7g in the first zone.
fn scarce() -> Behaviour {
    let mut behaviour = Behaviour::default();
    behaviour.room_of.insert("c7g.large".to_owned(), 0);
    behaviour.room_of.insert("m7g.large/us-east-1a".to_owned(), 1);
    behaviour
}

#[tokio::test]
async fn what_one_type_and_zone_lack_others_give() {
    let world = World::start(scarce()).await.unwrap();
    let driver = driver(&world).await;
    let intent = intent(1, 3, WAYS);
    let placed = driver.ensure(&intent).await.unwrap();
    assert!(placed.shortfall.is_none(), "{placed:?}");
    let mut zones: Vec<&str> = placed.instances.iter().map(|i| i.zone.as_str()).collect();
    zones.sort_unstable();
    assert_eq!(zones, ["us-east-1a", "us-east-1b", "us-east-1b"]);
    assert_eq!(world.seen().requests_of("RunInstances"), 4);
    let again = driver.ensure(&intent).await.unwrap();
    assert_eq!(ids(&again.instances), ids(&placed.instances));
    assert_eq!(world.seen().made, 3);
}

#[tokio::test]
async fn a_successor_takes_what_its_predecessor_made_even_when_there_is_room_again() {
    let world = World::start(scarce()).await.unwrap();
    let intent = intent(1, 3, WAYS);
    let placed = driver(&world).await.ensure(&intent).await.unwrap();
    world.behave(|behaviour| *behaviour = Behaviour::default());
    let inherited = CreateIntent { inherited: NonZeroU64::new(2), ..intent };
    let found = driver(&world).await.ensure(&inherited).await.unwrap();
    assert_eq!(ids(&found.instances), ids(&placed.instances));
    assert_eq!(world.seen().made, 3);
}

/// Late enough to be missed at first, and visible within the settle window.
const LATE: Duration = Duration::from_millis(700);

#[tokio::test]
async fn a_successor_that_was_opened_long_before_waits_for_what_it_cannot_see_yet() {
    let world = World::start(Behaviour { visible_after: LATE, ..scarce() }).await.unwrap();
    // As one that attests and explains, while another one owns the account.
    let successor = driver(&world).await;
    let intent = intent(1, 3, WAYS);
    // Waits itself, for longer than the successor would from its opening.
    let placed = driver(&world).await.ensure(&intent).await.unwrap();
    world.behave(|behaviour| *behaviour = Behaviour { visible_after: LATE, ..Behaviour::default() });
    let inherited = CreateIntent { inherited: NonZeroU64::new(2), ..intent };
    let found = successor.ensure(&inherited).await.unwrap();
    assert_eq!(world.seen().made, 3);
    assert_eq!(ids(&found.instances), ids(&placed.instances));
}

#[tokio::test]
async fn an_owner_that_gets_an_intent_back_goes_by_what_another_made_of_it_meanwhile() {
    let world = World::start(Behaviour { visible_after: LATE, ..scarce() }).await.unwrap();
    let owner = driver(&world).await;
    let first = intent(1, 3, WAYS);
    // It knows of the first way that nothing came of it, and of no other.
    world.behave(|behaviour| behaviour.lost_percent = 100);
    assert_eq!(owner.ensure(&first).await.unwrap_err().kind, ErrorKind::Ambiguous);
    world.behave(|behaviour| *behaviour = Behaviour { visible_after: LATE, ..Behaviour::default() });
    let inherited = CreateIntent { inherited: NonZeroU64::new(2), ..first };
    let made = driver(&world).await.ensure(&inherited).await.unwrap();
    let known = owner.ensure(&inherited).await.unwrap();
    assert_eq!(ids(&known.instances), ids(&made.instances));
}

#[tokio::test]
async fn what_nobody_has_is_a_shortfall_of_capacity() {
    let mut behaviour = scarce();
    behaviour.room_of.insert("m7g.large".to_owned(), 1);
    let world = World::start(behaviour).await.unwrap();
    let placed = driver(&world).await.ensure(&intent(1, 3, WAYS)).await.unwrap();
    assert_eq!(placed.instances.len(), 1);
    assert_eq!(placed.shortfall.unwrap().kind, ErrorKind::Capacity);
}

#[tokio::test]
async fn a_newer_image_does_not_make_a_create_another_one() {
    let world = World::start(Behaviour::default()).await.unwrap();
    let publish = async |name: &str| {
        let request = somebody(&world).register_image().name(name).root_device_name("/dev/xvda");
        request.send().await.unwrap().image_id().unwrap().to_owned()
    };
    publish("golden-1").await;
    let intent = intent(1, 2, &[("image-name", "golden-*"), ("image-owner", "self")]);
    let placed = driver(&world).await.ensure(&intent).await.unwrap();
    publish("golden-2").await;
    let found = driver(&world).await.ensure(&intent).await.unwrap();
    assert!(found.shortfall.is_none(), "{found:?}");
    assert_eq!(ids(&found.instances), ids(&placed.instances));
    assert_eq!(world.seen().made, 2);
}

#[tokio::test]
async fn an_image_that_is_not_there_is_named() {
    let world = World::start(Behaviour::default()).await.unwrap();
    let driver = driver(&world).await;
    let error = driver.ensure(&intent(1, 1, &[("ami", "ami-00000000")])).await.unwrap_err();
    let ErrorKind::InvalidSpec { violations } = error.kind else { panic!("{error:?}") };
    assert_eq!(violations[0].field, "template.options.amazonec2-ami");
    assert_eq!(world.seen().made, 0);
}

#[tokio::test]
async fn replies_that_are_lost_are_ambiguous_and_lose_nothing() {
    let world = World::start(Behaviour::default()).await.unwrap();
    let driver = driver(&world).await;
    driver.ensure(&intent(1, 1, &[])).await.unwrap();
    world.behave(|behaviour| behaviour.lost_percent = 100);
    let intent = intent(2, 5, &[]);
    for _ in 0..3 {
        assert_eq!(driver.ensure(&intent).await.unwrap_err().kind, ErrorKind::Ambiguous);
    }
    world.behave(|behaviour| behaviour.lost_percent = 0);
    assert_eq!(driver.ensure(&intent).await.unwrap().instances.len(), 5);
    assert_eq!(listed(&driver).await.len(), 6);
}

#[tokio::test]
async fn the_clusters_group_is_made_once_and_closed_to_the_world() {
    let world = World::start(Behaviour::default()).await.unwrap();
    let opened = [("open-port", "22"), ("open-cidr", "192.0.2.0/24")];
    for number in 1..=2 {
        driver(&world).await.ensure(&intent(number, 1, &[])).await.unwrap();
        driver(&world).await.ensure(&intent(number + 10, 1, &opened)).await.unwrap();
    }
    let cluster = Filter::builder().name("tag:skep-cluster").values(CLUSTER).build();
    let found = somebody(&world).describe_security_groups().filters(cluster).send().await.unwrap();
    let shown = |name: &str| {
        let group = found.security_groups().iter().find(|group| group.group_name() == Some(name)).unwrap();
        let worlds = group.ip_permissions().iter().flat_map(|rule| rule.ip_ranges()).count();
        let members = group.ip_permissions().iter().flat_map(|rule| rule.user_id_group_pairs()).count();
        (members, worlds)
    };
    assert_eq!(shown(&format!("skep-{CLUSTER}")), (4, 0));
    assert_eq!(found.security_groups().len(), 2);
    assert_eq!(world.seen().requests_of("CreateSecurityGroup"), 2);
}
