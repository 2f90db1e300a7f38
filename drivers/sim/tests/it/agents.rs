//! Running instances hold real agents, which dial from their instance's address; stopped ones hold none.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::asking::{agent_config, intent};
use skep_driver::{Driver, Instance, Target};
use skep_sim::{Agents, SimConfig, SimDriver, SimWorld};
use skep_types::PowerAction;
use tokio::net::TcpListener;
use tokio::time::timeout;

/// Nothing here takes a tenth of it.
const PATIENCE: Duration = Duration::from_secs(20);

struct Cloud {
    /// Stands for a coordinator: agents dial it, and get no further.
    listener: TcpListener,
    agents: Arc<Agents>,
    driver: SimDriver,
}

impl Cloud {
    async fn new() -> Self {
        skep_tls::install_provider();
        let agents = Agents::new(Agents::timing());
        let world = SimWorld::new(SimConfig::default(), agents.clone()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self { listener, agents, driver: SimDriver::new(world) }
    }

    async fn make(&self, agent_config: String) -> Instance {
        self.driver.ensure(&intent(1, 1, &agent_config)).await.unwrap().instances.remove(0)
    }

    async fn dialled_from(&self) -> IpAddr {
        timeout(PATIENCE, self.listener.accept()).await.unwrap().unwrap().1.ip()
    }

    async fn until_running(&self, agents: usize) {
        let there = async {
            while self.agents.running() != agents {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(PATIENCE, there).await.unwrap();
    }

    async fn power(&self, action: PowerAction, instance: &Instance) {
        let target = [Target::from(instance)];
        assert!(self.driver.power("c", action, &target).await.unwrap()[0].is_ok());
    }
}

#[tokio::test]
async fn an_agent_dials_from_its_instance_and_follows_its_power() {
    let cloud = Cloud::new().await;
    let instance = cloud.make(agent_config(&cloud.listener)).await;
    assert_eq!(Some(cloud.dialled_from().await), instance.private_address);
    for action in [PowerAction::Stop, PowerAction::Kill] {
        cloud.power(action, &instance).await;
        cloud.until_running(0).await;
        cloud.power(PowerAction::Start, &instance).await;
        cloud.until_running(1).await;
        assert_eq!(Some(cloud.dialled_from().await), instance.private_address);
    }
    cloud.driver.destroy("c", &[Target::from(&instance)]).await.unwrap();
    cloud.until_running(0).await;
}

#[tokio::test]
async fn a_configuration_that_is_none_starts_no_agent_and_harms_no_one() {
    let cloud = Cloud::new().await;
    cloud.make("token = 'unclosed".to_owned()).await;
    cloud.until_running(0).await;
}

#[tokio::test]
async fn all_agents_end_together() {
    let cloud = Cloud::new().await;
    cloud.make(agent_config(&cloud.listener)).await;
    cloud.until_running(1).await;
    timeout(PATIENCE, cloud.agents.end()).await.unwrap();
    assert_eq!(cloud.agents.running(), 0);
}
