//! Servers that are slow, odd or hostile, in this process.

#![allow(clippy::unwrap_used, reason = "a step that fails fails the test")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use russh::keys::{Algorithm, PrivateKey, key::safe_rng};
use russh::server::{self, Auth, ChannelOpenHandle, Config, Msg, Session, VerifiedPublicKey};
use russh::{Channel, ChannelId};
use skep_ssh::{
    Connection, Deadlines, Error, Hop, HostKeys, Identity, Kind, Login, Route, Rsa, Script, connect,
};
use skep_types::Secret;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream, UnixListener};

const LIMIT: Duration = Duration::from_secs(10);
const SCRIPT: Script = Script::new("true", "trying", LIMIT);

/// What a server does when it is asked to run something.
#[derive(Debug, Clone, Copy)]
enum Manner {
    Refuses,
    Floods,
    ClosesWithoutStatus,
    HangsUp,
    SaysNothing,
    OpensChannels,
    /// Answers when all has arrived, with how much it was.
    Counts,
}

struct Odd {
    manner: Manner,
    arrived: usize,
}

impl server::Handler for Odd {
    type Error = russh::Error;

    async fn auth_publickey(&mut self, _: &str, _: VerifiedPublicKey<'_>) -> Result<Auth, russh::Error> {
        Ok(Auth::Accept)
    }

    async fn channel_open_session(
        &mut self,
        _: Channel<Msg>,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), russh::Error> {
        reply.accept().await;
        Ok(())
    }

    async fn exec_request(
        &mut self,
        id: ChannelId,
        _: &[u8],
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        match self.manner {
            Manner::Refuses => return session.channel_failure(id),
            Manner::HangsUp => return Err(russh::Error::Disconnect),
            Manner::SaysNothing => return Ok(()),
            Manner::Counts => return session.channel_success(id),
            Manner::ClosesWithoutStatus => session.channel_success(id)?,
            Manner::Floods => {
                session.channel_success(id)?;
                for number in 0..4000 {
                    session.data(id, format!("{number:01000}\n").into_bytes())?;
                }
                session.exit_status_request(id, 0)?;
            }
            Manner::OpensChannels => {
                session.channel_success(id)?;
                let handle = session.handle();
                tokio::spawn(async move {
                    let opened = handle.channel_open_forwarded_tcpip("127.0.0.1", 1, "127.0.0.1", 1).await;
                    let agent = handle.channel_open_agent().await;
                    let _told =
                        handle.exit_status_request(id, u32::from(opened.is_ok() || agent.is_ok())).await;
                    handle.close(id).await
                });
                return Ok(());
            }
        }
        session.close(id)
    }

    async fn data(&mut self, _: ChannelId, data: &[u8], _: &mut Session) -> Result<(), russh::Error> {
        self.arrived += data.len();
        Ok(())
    }

    async fn channel_eof(&mut self, id: ChannelId, session: &mut Session) -> Result<(), russh::Error> {
        if let Manner::Counts = self.manner {
            session.data(id, self.arrived.to_string().into_bytes())?;
            session.exit_status_request(id, 0)?;
            session.close(id)?;
        }
        Ok(())
    }
}

async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

fn route(address: SocketAddr) -> Route {
    let key = PrivateKey::random(&mut safe_rng(), Algorithm::Ed25519).unwrap();
    let pem = key.to_openssh(Default::default()).unwrap();
    let identity = Identity::key("test", &Secret::new(pem.as_str()), None).unwrap();
    let login = Login { user: "root".into(), identities: vec![identity], sudo_password: None };
    let (host, port) = (address.ip().to_string(), address.port());
    let target = Hop { host, port, login, keys: HostKeys::default(), rsa: Rsa::Refused("") };
    let deadlines = Deadlines { handshake: Duration::from_millis(500), ..Deadlines::default() };
    Route { jumps: Vec::new(), target, deadlines }
}

async fn odd(manner: Manner) -> Connection {
    odd_with(Config::default(), manner).await
}

async fn odd_with(config: Config, manner: Manner) -> Connection {
    let address = serve(config, manner).await;
    let route = Route { deadlines: Deadlines::default(), ..route(address) };
    connect(&route).await.unwrap()
}

/// One connection.
async fn serve(config: Config, manner: Manner) -> SocketAddr {
    let (listener, address) = listen().await;
    let key = PrivateKey::random(&mut safe_rng(), Algorithm::Ed25519).unwrap();
    let config = Arc::new(Config { keys: vec![key], ..config });
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        server::run_stream(config, stream, Odd { manner, arrived: 0 }).await.unwrap().await
    });
    address
}

async fn run(manner: Manner) -> Result<skep_ssh::Output, Error> {
    odd(manner).await.run(SCRIPT, Vec::new()).await
}

#[tokio::test]
async fn an_ssh_agent_that_does_not_answer_is_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let (gone, silent) = (folder.path().join("gone"), folder.path().join("silent"));
    let _listens = UnixListener::bind(&silent).unwrap();
    let mut route = route(serve(Config::default(), Manner::Refuses).await);
    route.deadlines = Deadlines::default();
    let agents = [gone, silent].map(|socket| Identity::Agent { socket });
    let key = std::mem::replace(&mut route.target.login.identities, agents.to_vec());
    route.target.login.identities.extend(key);
    connect(&route).await.unwrap();

    route.target = Hop { login: Login { identities: agents.to_vec(), ..route.target.login }, ..route.target };
    let address = serve(Config::default(), Manner::Refuses).await;
    route.target.port = address.port();
    let error = connect(&route).await.unwrap_err();
    let Kind::AuthFailed { tried, .. } = &error.kind else { panic!("{error}") };
    assert!(tried[0].contains("/gone (nobody answers there: "), "{tried:?}");
    assert!(tried[1].ends_with("/silent (it does not answer within 5 s)"), "{tried:?}");
}

#[tokio::test]
async fn a_server_that_runs_nothing() {
    let error = run(Manner::Refuses).await.unwrap_err();
    assert!(error.to_string().contains("runs no commands"), "{error}");
}

#[tokio::test]
async fn an_answer_that_is_cut_off_is_no_success() {
    for manner in [Manner::ClosesWithoutStatus, Manner::HangsUp] {
        let error = run(manner).await.unwrap_err();
        assert!(matches!(error.kind, Kind::Dropped { doing: "trying", .. }), "{manner:?}: {error}");
    }
}

#[tokio::test]
async fn floods_are_kept_in_bounds() {
    let output = run(Manner::Floods).await.unwrap();
    assert_eq!(output.stdout.len(), 32 * 1024);
    assert!(output.stdout.ends_with("3999\n"));
}

#[tokio::test]
async fn a_script_that_never_ends_is_left() {
    let connection = odd(Manner::SaysNothing).await;
    let script = Script::new("true", "waiting", Duration::from_millis(100));
    let error = connection.run(script, Vec::new()).await.unwrap_err();
    assert!(matches!(error.kind, Kind::TimedOut { doing: "waiting", .. }), "{error}");
}

#[tokio::test]
async fn a_server_opens_nothing_here() {
    assert_eq!(run(Manner::OpensChannels).await.unwrap().status, 0);
}

/// This server speaks when half of its window is used up.
#[tokio::test]
async fn what_is_sent_arrives_whenever_a_server_speaks_of_its_window() {
    const BYTES: usize = 3 << 20;
    for (window, speaks) in [(64 << 10, true), (400 << 10, true), (2 << 20, false)] {
        let config = Config { window_size: window, ..Config::default() };
        let connection = odd_with(config, Manner::Counts).await;
        let began = Instant::now();
        let output = connection.run(SCRIPT, vec![vec![7; BYTES].into()]).await.unwrap();
        assert_eq!(output.stdout, (4096 + BYTES).to_string(), "window {window}");
        assert!(speaks || began.elapsed() >= Duration::from_secs(1), "it was waited for: window {window}");
    }
}

/// Does something with every connection, and counts them.
async fn raw<F: Future<Output = ()> + Send>(
    then: impl Fn(TcpStream) -> F + Send + 'static,
) -> (SocketAddr, tokio::sync::watch::Receiver<usize>) {
    let (listener, address) = listen().await;
    let (counted, count) = tokio::sync::watch::channel(0);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            counted.send_modify(|count| *count += 1);
            then(stream).await;
        }
    });
    (address, count)
}

#[tokio::test]
async fn a_server_that_drops_connections_is_tried_a_few_times() {
    let (address, count) = raw(|stream| async move { drop(stream) }).await;
    let error = connect(&route(address)).await.unwrap_err();
    assert!(matches!(error.kind, Kind::Dropped { .. }), "{error}");
    assert_eq!(*count.borrow(), 5);
}

#[tokio::test]
async fn a_server_that_says_nothing_is_left_at_its_deadline() {
    let (address, count) = raw(|stream| async move {
        let _open = stream;
        std::future::pending::<()>().await;
    })
    .await;
    let began = Instant::now();
    let error = connect(&route(address)).await.unwrap_err();
    assert!(matches!(error.kind, Kind::TimedOut { .. }), "{error}");
    assert!(began.elapsed() < LIMIT);
    assert_eq!(*count.borrow(), 1);
}

#[tokio::test]
async fn what_is_no_ssh_server_is_called_so() {
    let (address, _) = raw(|mut stream| async move {
        let _sent = stream.write_all(&b"x".repeat(100_000)).await;
    })
    .await;
    let error = connect(&route(address)).await.unwrap_err();
    assert!(error.to_string().contains("it is no SSH server"), "{error}");
}
