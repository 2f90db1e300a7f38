//! Ways to make instances, and what becomes of hosts that were made in a way of their own.

use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::{InstanceLifecycleType, InstanceType, RequestLaunchTemplateData};
use skep_driver::{ErrorKind, Instance};
use skep_tests_ec2::{Behaviour, World};
use skep_types::PowerAction;

use crate::support::{CLUSTER, driver, ids, intent, somebody, targets};

const IMAGE: &str = "ami-12c6146b";

async fn described(somebody: &Client, made: &[Instance]) -> Vec<aws_sdk_ec2::types::Instance> {
    let ids = made.iter().map(|instance| instance.instance.name.clone()).collect();
    let asked = somebody.describe_instances().set_instance_ids(Some(ids)).send().await.unwrap();
    asked.reservations().iter().flat_map(|reservation| reservation.instances().to_vec()).collect()
}

#[tokio::test]
async fn what_spot_lacks_is_made_on_demand() {
    let mut behaviour = Behaviour::default();
    behaviour.room_of.insert("spot".to_owned(), 1);
    let world = World::start(behaviour).await.unwrap();
    let placed = driver(&world).await.ensure(&intent(1, 3, &[("market", "spot,on-demand")])).await.unwrap();
    assert!(placed.shortfall.is_none(), "{placed:?}");
    assert_eq!(ids(&placed.instances).len(), 3);
    let made = described(&somebody(&world), &placed.instances).await;
    let spot = made.iter().filter(|one| one.instance_lifecycle() == Some(&InstanceLifecycleType::Spot));
    assert_eq!((made.len(), spot.count()), (3, 1));
    assert_eq!(world.seen().requests_of("RunInstances"), 2);
}

#[tokio::test]
async fn while_one_way_only_lacks_capacity_the_create_is_worth_another_try() {
    let mut behaviour = Behaviour::default();
    behaviour.room_of.insert("c7g.large".to_owned(), 0);
    behaviour.quota_spent.extend(["m7g.large".to_owned(), "r7g.large".to_owned()]);
    let world = World::start(behaviour).await.unwrap();
    let driver = driver(&world).await;
    for (number, (types, kind)) in (1..).zip([
        ("c7g.large,m7g.large", ErrorKind::Capacity),
        ("m7g.large,c7g.large", ErrorKind::Capacity),
        ("m7g.large,r7g.large", ErrorKind::Quota),
    ]) {
        let intent = intent(number, 1, &[("instance-type", types)]);
        // Asked again, it says the same of ways that are not tried again.
        for _ in 0..2 {
            let placed = driver.ensure(&intent).await.unwrap();
            assert_eq!(placed.shortfall.unwrap().kind, kind, "{types}");
        }
    }
    assert_eq!(world.seen().requests_of("RunInstances"), 6);
}

#[tokio::test]
async fn a_spot_host_is_never_stopped_but_restarted_and_destroyed() {
    let world = World::start(Behaviour::default()).await.unwrap();
    let driver = driver(&world).await;
    let mut made = driver.ensure(&intent(1, 1, &[("market", "spot")])).await.unwrap().instances;
    made.extend(driver.ensure(&intent(2, 1, &[])).await.unwrap().instances);
    let targets = targets(&made);
    for action in [PowerAction::Stop, PowerAction::Kill] {
        let results = driver.power(CLUSTER, action, &targets).await.unwrap();
        let error = results[0].as_ref().unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unsupported, "{action:?}");
        assert!(error.message.contains("skep rm") && error.message.contains("one-time"), "{error}");
        assert!(results[1].is_ok(), "{action:?}: {results:?}");
    }
    for result in driver.power(CLUSTER, PowerAction::Restart, &targets[..1]).await.unwrap() {
        result.unwrap();
    }
    for result in driver.destroy(CLUSTER, &targets).await.unwrap() {
        result.unwrap();
    }
}

#[tokio::test]
async fn who_cannot_be_stopped_costs_the_others_one_request_more() {
    let world = World::start(Behaviour::default()).await.unwrap();
    let driver = driver(&world).await;
    let stopped = async |made: &[Instance]| {
        let before = world.seen().requests_of("StopInstances");
        let results = driver.power(CLUSTER, PowerAction::Stop, &targets(made)).await.unwrap();
        let stopped = results.iter().filter(|result| result.is_ok()).count();
        (stopped, world.seen().requests_of("StopInstances") - before)
    };
    let spot = driver.ensure(&intent(1, 60, &[("market", "spot")])).await.unwrap().instances;
    let mut mixed = driver.ensure(&intent(2, 39, &[])).await.unwrap().instances;
    mixed.push(spot[0].clone());
    assert_eq!(stopped(&mixed).await, (39, 2));
    let (none, requests) = stopped(&spot).await;
    // EC2 names one a time.
    assert!(none == 0 && requests <= 60, "{requests} requests");
}

#[tokio::test]
async fn a_launch_template_goes_with_a_security_group_by_name() {
    let world = World::start(Behaviour::default()).await.unwrap();
    let somebody = somebody(&world);
    let group = somebody.create_security_group().group_name("front").description("of theirs").send();
    let group = group.await.unwrap().group_id().unwrap().to_owned();
    let data =
        RequestLaunchTemplateData::builder().image_id(IMAGE).instance_type(InstanceType::T3Small).build();
    let template = somebody.create_launch_template().launch_template_name("web").launch_template_data(data);
    template.send().await.unwrap();
    let options = [("launch-template", "web"), ("security-group", "front")];
    let placed = driver(&world).await.ensure(&intent(1, 2, &options)).await.unwrap();
    for one in described(&somebody, &placed.instances).await {
        let groups: Vec<_> = one.security_groups().iter().filter_map(|group| group.group_id()).collect();
        assert_eq!((groups, one.instance_type()), (vec![group.as_str()], Some(&InstanceType::T3Small)));
    }
    assert_eq!(world.seen().requests_of("CreateSecurityGroup"), 1);
}
