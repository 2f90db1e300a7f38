//! Programs that come, change and go while a coordinator runs.

use std::sync::Arc;
use std::time::Duration;

use skep_coordinator::plugins::{Plugins, Settings, Timing};
use skep_driver::Kind;
use skep_driver::plugin::Environment;
use skep_tests::wait::until_true;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::log::Log;
use crate::path::Path;
use crate::{PATIENCE, answers, find, open, quick};

/// Plugins that are followed.
struct Followed {
    plugins: Arc<Plugins>,
    ask: mpsc::Sender<()>,
    told: mpsc::UnboundedReceiver<()>,
    stop: CancellationToken,
    follow: JoinHandle<()>,
}

impl Followed {
    fn start(plugins: Plugins) -> Self {
        let plugins = Arc::new(plugins);
        let (ask, asked) = mpsc::channel(1);
        let (tell, told) = mpsc::unbounded_channel();
        let stop = CancellationToken::new();
        let (following, stopped) = (Arc::clone(&plugins), stop.clone());
        let follow = tokio::spawn(async move {
            let changed = |_: &Plugins| tell.send(()).unwrap_or(());
            following.follow(asked, stopped, changed).await;
        });
        Self { plugins, ask, told, stop, follow }
    }

    /// Waits until it says that something is different.
    async fn changes(&mut self) {
        tokio::time::timeout(PATIENCE, self.told.recv()).await.unwrap().unwrap();
    }

    fn kind(&self) -> Option<Arc<dyn Kind>> {
        self.plugins.kinds().pop()
    }

    async fn end(self) {
        self.stop.cancel();
        self.follow.await.unwrap();
        self.plugins.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_is_put_there_can_be_used() {
    let (path, log) = (Path::empty(), Log::start());
    let mut followed = Followed::start(find(&path).await);
    assert!(followed.kind().is_none());
    path.put("");
    followed.changes().await;
    assert!(log.has("driver program found"));
    answers(&open(&followed.plugins).await.unwrap()).await;
    followed.end().await;
}

/// Whoever has it open keeps it; nobody opens it any more.
#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_is_gone_serves_until_it_ends() {
    let (path, log) = (Path::with(""), Log::start());
    let mut followed = Followed::start(find(&path).await);
    let driver = open(&followed.plugins).await.unwrap();
    path.remove();
    followed.changes().await;
    assert!(followed.kind().is_none() && log.has("driver program is gone"));
    answers(&driver).await;
    followed.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_is_another_one_only_when_its_file_is() {
    let (path, log) = (Path::with(""), Log::start());
    let mut followed = Followed::start(find(&path).await);
    let first = followed.kind().unwrap();
    // Another file beside it: all are asked again.
    std::fs::write(path.folder().join("skep-driver-other"), "").unwrap();
    followed.changes().await;
    assert_eq!(followed.plugins.broken()[0].reason, "is not executable");
    assert!(Arc::ptr_eq(&first, &followed.kind().unwrap()) && !log.has("has changed"));
    path.put("--fault locked");
    followed.changes().await;
    assert!(!Arc::ptr_eq(&first, &followed.kind().unwrap()) && log.has("driver program has changed"));
    assert_eq!(open(&followed.plugins).await.unwrap_err().message, "the key is not known");
    path.let_others_write();
    followed.changes().await;
    assert!(followed.kind().is_none());
    assert_eq!(followed.plugins.broken().len(), 2);
    followed.end().await;
}

/// A wrapper stays the same file when what it starts is another one: only who knows that can say so.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_asks_is_answered_by_a_look() {
    let (path, log) = (Path::with(""), Log::start());
    let settings = Settings {
        path: vec![path.folder()],
        run: path.run(),
        environment: Environment::default(),
        timing: Timing { look_every: Duration::from_secs(3600), ..quick() },
    };
    let mut followed = Followed::start(Plugins::find(settings).await.unwrap());
    path.put("--fault dead");
    followed.ask.send(()).await.unwrap();
    followed.changes().await;
    assert!(followed.kind().is_none());
    until_true(PATIENCE, "it is refused", || log.has("the licence has run out"));
    followed.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_stays_what_it_was_while_only_its_answer_fails() {
    let (path, log) = (Path::empty(), Log::start());
    path.put_sickly();
    let mut followed = Followed::start(find(&path).await);
    let first = followed.kind().unwrap();
    path.fall_ill();
    std::fs::write(path.folder().join("skep-driver-other"), "").unwrap();
    followed.changes().await;
    assert!(log.has("is taken for what it was"));
    assert!(Arc::ptr_eq(&first, &followed.kind().unwrap()));
    // The other one only.
    assert_eq!(followed.plugins.broken().len(), 1);
    path.recover();
    answers(&open(&followed.plugins).await.unwrap()).await;
    followed.end().await;
}

/// Neither its file is another one, nor does anybody ask.
#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_did_not_say_what_it_is_is_asked_again() {
    let (path, log) = (Path::empty(), Log::start());
    path.put_sickly();
    path.fall_ill();
    let mut followed = Followed::start(find(&path).await);
    assert!(followed.kind().is_none() && followed.plugins.broken().len() == 1);
    path.recover();
    followed.changes().await;
    assert!(followed.kind().is_some() && log.has("driver program found"));
    assert!(followed.plugins.broken().is_empty());
    followed.end().await;
}
