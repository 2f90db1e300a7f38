//! The cloud's API: what a create makes once, what it refuses and how, what it loses, and who is let in.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use skep_sim::{Behaviour, Cloud, CloudError, IdempotencyClass, NoSoftware, SimConfig, SimWorld};
use skep_types::Secret;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, DropGuard};

/// Nothing here takes a tenth of it.
const PATIENCE: Duration = Duration::from_secs(20);

const HERE: &str = "127.0.0.1:0";

struct Serving {
    world: Arc<SimWorld>,
    address: String,
    _until: DropGuard,
}

/// A status, its headers, and a body that may have been cut off.
#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    body: Option<Value>,
}

fn world(config: SimConfig) -> Arc<SimWorld> {
    SimWorld::new(config, Arc::new(NoSoftware)).unwrap()
}

async fn serve(behaviour: Behaviour, key: Option<&str>) -> Serving {
    let world = world(SimConfig { behaviour, page_size: 2, batch_max: 5, ..SimConfig::default() });
    let cloud = Cloud::bind(HERE.parse().unwrap(), key.map(Secret::new), &world).await.unwrap();
    let address = cloud.endpoint().unwrap().strip_prefix("http://").unwrap().to_owned();
    let shutdown = CancellationToken::new();
    tokio::spawn(cloud.serve(shutdown.clone()));
    Serving { world, address, _until: shutdown.drop_guard() }
}

impl Serving {
    async fn ask(&self, action: &str, body: &Value) -> Answer {
        self.send(action, "", &body.to_string()).await
    }

    /// By hand, so that a connection that breaks off is seen as it is.
    async fn send(&self, action: &str, headers: &str, body: &str) -> Answer {
        let mut stream = TcpStream::connect(&self.address).await.unwrap();
        let length = body.len();
        let head = format!(
            "POST /v1/{action} HTTP/1.1\r\nhost: cloud\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        // A body that is refused need not be taken to its end.
        let _ = stream.write_all(body.as_bytes()).await;
        let mut text = Vec::new();
        let _ = timeout(PATIENCE, stream.read_to_end(&mut text)).await.unwrap();
        let text = String::from_utf8(text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default();
        Answer { status, head: head.to_owned(), body: serde_json::from_str(body).ok() }
    }
}

impl Answer {
    fn body(&self) -> &Value {
        self.body.as_ref().unwrap()
    }

    fn code(&self) -> &str {
        self.body()["error"]["code"].as_str().unwrap()
    }

    fn ids(&self) -> Vec<&str> {
        let instances = self.body()["instances"].as_array().unwrap();
        instances.iter().map(|instance| instance["id"].as_str().unwrap()).collect()
    }
}

fn create(token: &str, instances: u64) -> Value {
    let instance = |n: u64| {
        let tags = json!({"skep-host": format!("h1-{n}"), "skep-incarnation": "1"});
        json!({"name": format!("{token}-{n}"), "tags": tags, "user_data": ""})
    };
    json!({
        "token": token,
        "tags": {"skep-cluster": "c", "skep-intent": "i1-7"},
        "options": {},
        "instances": (0..instances).map(instance).collect::<Vec<_>>(),
    })
}

#[tokio::test]
async fn a_token_makes_its_instances_once() {
    let cloud = serve(Behaviour::default(), None).await;
    let first = cloud.ask("create", &create("a", 3)).await;
    let again = cloud.ask("create", &create("a", 3)).await;
    assert_eq!((first.status, first.ids().len()), (200, 3));
    assert_eq!(first.ids(), again.ids());
    assert_eq!(cloud.world.live().len(), 3);

    let other = cloud.ask("create", &create("a", 2)).await;
    assert_eq!((other.status, other.code()), (400, "invalid"));
    assert_eq!(other.body()["error"]["violations"][0]["field"], "token");
    assert_eq!(cloud.world.live().len(), 3);
}

#[tokio::test]
async fn instances_are_shown_switched_and_ended_by_their_ids() {
    let cloud = serve(Behaviour::default(), None).await;
    let made = cloud.ask("create", &create("a", 3)).await;
    let instance = &made.body()["instances"][0];
    let tags =
        json!({"skep-cluster": "c", "skep-intent": "i1-7", "skep-host": "h1-0", "skep-incarnation": "1"});
    assert_eq!((&instance["tags"], &instance["name"]), (&tags, &json!("a-0")));

    let listed = cloud.ask("list", &json!({"tags": {"skep-cluster": "c"}})).await;
    assert_eq!(listed.ids(), made.ids()[..2]);
    let next = json!({"tags": {"skep-cluster": "c"}, "page": listed.body()["next"]});
    let rest = cloud.ask("list", &next).await;
    assert_eq!((rest.ids().as_slice(), &rest.body()["next"]), (&made.ids()[2..], &Value::Null));
    assert!(cloud.ask("list", &json!({"tags": {"skep-cluster": "d"}})).await.ids().is_empty());

    let those = json!({"ids": [made.ids()[0], "sim-000099"]});
    let killed = cloud.ask("power", &json!({"ids": those["ids"], "action": "kill"})).await;
    assert_eq!(killed.body()["results"][0], json!({}));
    assert_eq!(killed.body()["results"][1]["error"]["code"], "not_found");
    let seen = cloud.ask("describe", &those).await;
    assert_eq!(seen.body()["results"][0]["instance"]["state"], "stopped");
    assert_eq!(seen.body()["results"][1]["error"]["code"], "not_found");
    let told = cloud.ask("console", &json!({"id": made.ids()[0]})).await;
    assert!(told.body()["output"].as_str().unwrap().contains("stopped"), "{told:?}");

    for _ in 0..2 {
        let ended = cloud.ask("terminate", &json!({"ids": made.ids()})).await;
        assert_eq!(ended.body()["results"], json!([{}, {}, {}]));
    }
    assert!(cloud.world.live().is_empty());
}

#[tokio::test]
async fn one_that_throttles_says_when_to_come_again() {
    let cloud = serve(Behaviour { calls_per_second: Some(1), ..Behaviour::default() }, None).await;
    let check = json!({"options": {}});
    assert_eq!(cloud.ask("check", &check).await.status, 200);
    let throttled = cloud.ask("check", &check).await;
    assert_eq!((throttled.status, throttled.code()), (429, "throttled"));
    let ms = throttled.body()["error"]["retry_after_ms"].as_u64().unwrap();
    assert!((1..=1000).contains(&ms), "{throttled:?}");
    assert!(throttled.head.contains("retry-after: 1"), "{throttled:?}");
    tokio::time::sleep(Duration::from_millis(ms)).await;
    assert_eq!(cloud.ask("check", &check).await.status, 200);
}

#[tokio::test]
async fn a_shortfall_says_why_and_a_lost_answer_says_nothing() {
    let cloud = serve(Behaviour::default(), None).await;
    let short = Value::Object([("sim-capacity".to_owned(), json!("2"))].into_iter().collect());
    let few = cloud.ask("create", &json_with(create("a", 3), "options", short)).await;
    assert_eq!((few.ids().len(), &few.body()["shortfall"]["code"]), (2, &json!("capacity")));

    cloud.world.set_behaviour(|behaviour| behaviour.lost_replies_percent = 100);
    let lost = cloud.ask("create", &create("b", 2)).await;
    assert!(lost.body.is_none(), "{lost:?}");
    cloud.world.set_behaviour(|behaviour| behaviour.lost_replies_percent = 0);
    let found = cloud.ask("create", &create("b", 2)).await;
    assert_eq!((found.ids().len(), cloud.world.live().len()), (2, 4));
}

fn json_with(mut object: Value, field: &str, value: Value) -> Value {
    object[field] = value;
    object
}

#[tokio::test]
async fn what_cannot_be_is_refused_by_name_and_makes_nothing() {
    let cloud = serve(Behaviour::default(), None).await;
    let wrong = [
        (json_with(create("a", 1), "token", json!("t".repeat(65))), "token"),
        (json_with(create("a", 1), "tags", json!({"skep-cluster": "c"})), "tags.skep-intent"),
        (json_with(create("a", 1), "options", json!({"sim-zone": "mars"})), "options.sim-zone"),
        (create("a", 0), "instances"),
        (create("a", 6), "instances"),
        (json_with(create("a", 1), "instances", long_user_data()), "instances.0.user_data"),
    ];
    for (request, field) in wrong {
        let refused = cloud.ask("create", &request).await;
        assert_eq!((refused.status, refused.code()), (400, "invalid"), "{field}: {refused:?}");
        assert_eq!(refused.body()["error"]["violations"][0]["field"], field);
    }
    let ids: Vec<String> = (0..=1000).map(|n| format!("sim-{n:06}")).collect();
    assert_eq!(cloud.ask("terminate", &json!({"ids": ids})).await.code(), "invalid");
    assert_eq!(cloud.ask("create", &json!({"flavour": "large"})).await.code(), "invalid");
    assert_eq!(cloud.ask("explode", &json!({})).await.status, 404);
    let longest = " ".repeat(4 * 1024 * 1024 + 1);
    assert_ne!(cloud.send("create", "", &longest).await.status, 200);
    assert!(cloud.world.instances().is_empty());
}

fn long_user_data() -> Value {
    let mut instances = create("a", 1)["instances"].clone();
    instances[0]["user_data"] = json!("x".repeat(16 * 1024 + 1));
    instances
}

#[tokio::test]
async fn a_cloud_with_a_key_lets_in_who_bears_it() {
    let cloud = serve(Behaviour::default(), Some("open sesame")).await;
    for headers in ["", "authorization: Bearer sesame\r\n", "authorization: open sesame\r\n"] {
        let refused = cloud.send("check", headers, "{}").await;
        assert_eq!((refused.status, refused.code()), (401, "auth"), "{headers}");
    }
    assert_eq!(cloud.send("check", "authorization: Bearer open sesame\r\n", "{}").await.status, 200);
}

#[tokio::test]
async fn it_is_for_this_machine_and_for_tokens() {
    let anywhere: SocketAddr = "0.0.0.0:0".parse().unwrap();
    let token = world(SimConfig::default());
    assert!(matches!(Cloud::bind(anywhere, None, &token).await, Err(CloudError::Open(_))));
    assert!(Cloud::bind(anywhere, Some(Secret::new("k")), &token).await.is_ok());
    let named = world(SimConfig { idempotency: IdempotencyClass::UniqueName, ..SimConfig::default() });
    assert!(matches!(Cloud::bind(HERE.parse().unwrap(), None, &named).await, Err(CloudError::Unfit)));
}
