//! A driver behind a socket is the same driver.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use skep_driver::conformance::{self, DriverUnderTest};
use skep_driver::decorators::{CallPhase, Faults};
use skep_driver::plugin::{Attached, PluginDriver, serve};
use skep_driver::{Access, Driver, DriverError, ErrorKind, Kind, Method, Shared, Target};
use skep_types::{InstanceRef, PowerAction, Template};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixListener;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::toy::{Account, Defect, Toy, intent, template};

/// Nothing here takes a tenth of it.
const PATIENCE: Duration = Duration::from_secs(20);

/// A plugin process, but for the process.
struct Plugin {
    dir: TempDir,
    shutdown: CancellationToken,
    task: JoinHandle<()>,
}

impl Plugin {
    fn start(driver: Arc<dyn Driver>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (shutdown, task) = Self::serve(driver, &dir.path().join("socket"));
        Self { dir, shutdown, task }
    }

    fn serve(driver: Arc<dyn Driver>, socket: &Path) -> (CancellationToken, JoinHandle<()>) {
        let listener = UnixListener::bind(socket).unwrap();
        let shutdown = CancellationToken::new();
        let task = tokio::spawn({
            let shutdown = shutdown.clone();
            async move { serve(Arc::new(Shared(driver)), listener, shutdown).await.unwrap() }
        });
        (shutdown, task)
    }

    fn socket(&self) -> PathBuf {
        self.dir.path().join("socket")
    }

    async fn stop(&mut self) {
        self.shutdown.cancel();
        (&mut self.task).await.unwrap();
        std::fs::remove_file(self.socket()).unwrap();
    }

    fn start_again(&mut self, driver: Arc<dyn Driver>) {
        (self.shutdown, self.task) = Self::serve(driver, &self.socket());
    }
}

fn toy(account: &Arc<Account>) -> Arc<dyn Driver> {
    Arc::new(Toy::new(Defect::Nothing, Arc::clone(account)))
}

async fn configured(socket: &Path) -> Arc<dyn Driver> {
    let access = Access::plain("toy".parse().unwrap());
    Attached::connect(socket).await.unwrap().open(access).await.unwrap()
}

struct Subject {
    plugin: Plugin,
    account: Arc<Account>,
}

#[async_trait]
impl DriverUnderTest for Subject {
    async fn driver(&self) -> Arc<dyn Driver> {
        configured(&self.plugin.socket()).await
    }

    fn template(&self) -> Template {
        template()
    }

    fn prefix(&self) -> String {
        "toy-run".to_owned()
    }

    async fn set_room(&self, room: Option<u32>) -> bool {
        self.account.set_room(room);
        true
    }
}

#[tokio::test]
async fn a_plugin_keeps_the_contract_and_its_description() {
    let account = Arc::<Account>::default();
    let plugin = Plugin::start(toy(&account));
    let driver = configured(&plugin.socket()).await;
    assert_eq!(driver.describe(), toy(&account).describe());
    conformance::run(Subject { plugin, account }).await.into_result().expect("the toy is correct");
}

#[tokio::test]
async fn errors_cross_the_socket_with_kind_fields_and_causes() {
    let account = Arc::default();
    let throttled = Faults::on(toy(&account), |site| async move {
        let kind = ErrorKind::Throttled { retry_after: Duration::from_millis(1500) };
        match site.method {
            Method::List => Err(DriverError::new(kind, "too fast").caused_by("RequestLimitExceeded")),
            _ => Ok(()),
        }
    });
    let plugin = Plugin::start(throttled);
    let driver = configured(&plugin.socket()).await;

    let error = driver.list("c", None).await.unwrap_err();
    let retry_after = Duration::from_millis(1500);
    assert_eq!(error.kind, ErrorKind::Throttled { retry_after });
    assert_eq!(error.message, "too fast: RequestLimitExceeded");

    let mut wrong = template();
    wrong.options.insert("toy-colour".to_owned(), "red".to_owned());
    let ErrorKind::InvalidSpec { violations } = driver.check(&wrong).await.unwrap_err().kind else {
        panic!()
    };
    assert_eq!(violations[0].field, "template.options.toy-colour");
}

#[tokio::test]
async fn a_plugin_that_is_down_is_unavailable_and_comes_back() {
    let account = Arc::default();
    let mut plugin = Plugin::start(toy(&account));
    let driver = configured(&plugin.socket()).await;
    plugin.stop().await;
    // The first call may still meet the old connection; a second one finds nobody to connect to.
    let _ = driver.ensure(&intent(1, 1)).await;
    let error = driver.ensure(&intent(1, 1)).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unavailable, "{error:?}");
    assert_eq!(account.count(), 0);
    plugin.start_again(toy(&account));
    driver.ensure(&intent(1, 1)).await.unwrap();
    assert_eq!(account.count(), 1);
}

#[tokio::test]
async fn a_plugin_that_dies_in_a_call_leaves_it_ambiguous_only_where_it_had_an_effect() {
    let account = Arc::default();
    for method in [Method::Ensure, Method::List] {
        let (reached, mut reach) = tokio::sync::mpsc::channel(1);
        let hangs = Faults::on(toy(&account), move |site| {
            let reached = reached.clone();
            async move {
                if site.phase == CallPhase::After {
                    reached.send(()).await.unwrap();
                    std::future::pending::<()>().await;
                }
                Ok(())
            }
        });
        let dir = tempfile::tempdir().unwrap();
        // With its runtime go its sockets, as with a process.
        let process = Runtime::new().unwrap();
        process.spawn({
            let _within = process.enter();
            serve(
                Arc::new(Shared(hangs)),
                UnixListener::bind(dir.path().join("socket")).unwrap(),
                Default::default(),
            )
        });
        let driver = configured(&dir.path().join("socket")).await;
        let calling = async {
            match method {
                Method::Ensure => driver.ensure(&intent(1, 1)).await.unwrap_err(),
                _ => driver.list("c", None).await.unwrap_err(),
            }
        };
        let dying = async {
            reach.recv().await.unwrap();
            process.shutdown_background();
        };
        let (error, ()) = timeout(PATIENCE, async { tokio::join!(calling, dying) }).await.unwrap();
        let wanted = if method.has_effect() { ErrorKind::Ambiguous } else { ErrorKind::Unavailable };
        assert_eq!(error.kind, wanted, "{method}: {error:?}");
    }
}

#[tokio::test]
async fn evidence_crosses_the_socket_and_says_whose_it_is() {
    let account = Arc::default();
    let plugin = Plugin::start(toy(&account));
    let driver = configured(&plugin.socket()).await;
    let made = driver.ensure(&intent(1, 1)).await.unwrap().instances.remove(0);
    assert_eq!(driver.attest("c", b"toy-1").await.unwrap(), Some(made.instance));
    assert_eq!(driver.attest("c", b"").await.unwrap(), None);
    assert_eq!(driver.attest("c", b"toy-9").await.unwrap_err().kind, ErrorKind::NotFound);
}

#[tokio::test]
async fn a_tunnel_carries_both_ways_and_ends_with_either_side() {
    let account = Arc::default();
    let mut plugin = Plugin::start(toy(&account));
    let driver = configured(&plugin.socket()).await;
    let made = driver.ensure(&intent(1, 1)).await.unwrap().instances.remove(0);
    let target = Target::from(&made);

    let stranger = Target::from(InstanceRef { provider_id: "toy-9".parse().unwrap(), name: String::new() });
    assert_eq!(driver.tunnel("c", &stranger, 7).await.unwrap_err().kind, ErrorKind::NotFound);

    let mut tunnel = driver.tunnel("c", &target, 7).await.unwrap().into_inner();
    // More than all buffers on the way hold together.
    let sent: Vec<u8> = (0..4_000_000_u32).map(|n| n.to_le_bytes()[1]).collect();
    let mut back = vec![0; sent.len()];
    let (mut read, mut write) = tokio::io::split(&mut tunnel);
    let exchange = async { tokio::try_join!(write.write_all(&sent), read.read_exact(&mut back)) };
    timeout(PATIENCE, exchange).await.unwrap().unwrap();
    assert!(sent == back, "the bytes came back changed");

    // A program that ends does not wait for its tunnels.
    timeout(PATIENCE, plugin.stop()).await.unwrap();
    let end = timeout(PATIENCE, tunnel.read(&mut [0; 1])).await.unwrap();
    assert_eq!(end.unwrap(), 0);
}

#[tokio::test]
async fn nobody_behind_the_socket_is_unavailable() {
    let dir = tempfile::tempdir().unwrap();
    let error = PluginDriver::connect(&dir.path().join("none")).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unavailable);
}

#[tokio::test]
async fn an_empty_batch_is_an_empty_answer() {
    let account = Arc::default();
    let plugin = Plugin::start(toy(&account));
    let driver = configured(&plugin.socket()).await;
    assert!(driver.observe("c", &[]).await.unwrap().is_empty());
    assert!(driver.power("c", PowerAction::Stop, &[]).await.unwrap().is_empty());
    assert!(driver.destroy("c", &[]).await.unwrap().is_empty());
}
