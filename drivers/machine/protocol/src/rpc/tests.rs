use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader, DuplexStream, duplex};

use super::reader::ValueReader;
use super::*;
use crate::gob::{self, Definition, MESSAGE_BYTES, TypeId, Types, Value};

const RESPONSE: TypeId = TypeId(65);

/// The other side, in the test's hands.
struct Peer {
    input: ValueReader<tokio::io::ReadHalf<DuplexStream>>,
    output: tokio::io::WriteHalf<DuplexStream>,
    types: Types,
}

impl Peer {
    async fn accept(stream: DuplexStream) -> Self {
        let (mut input, mut output) = tokio::io::split(stream);
        let mut hello = [0; 27];
        input.read_exact(&mut hello).await.unwrap();
        assert_eq!(&hello, b"CONNECT /_goRPC_ HTTP/1.0\n\n");
        output.write_all(b"HTTP/1.0 200 Connected to Go RPC\n\n").await.unwrap();
        let response = Definition::structure(
            "Response",
            &[("ServiceMethod", TypeId::TEXT), ("Seq", TypeId::UINT), ("Error", TypeId::TEXT)],
        );
        output.write_all(&gob::definition(RESPONSE, &response)).await.unwrap();
        let types = Types::new([(RESPONSE, response)]);
        Self { input: ValueReader::new(BufReader::new(input)), output, types }
    }

    /// The method and the number of the next request.
    async fn request(&mut self) -> (String, u64) {
        let header = self.input.value().await.unwrap();
        let _argument = self.input.value().await.unwrap();
        let method = header.field("ServiceMethod", Value::text).unwrap().to_owned();
        (method, header.field("Seq", Value::uint).unwrap())
    }

    async fn reply(&mut self, method: &str, number: u64, error: &str, body: &Value) {
        let header = [
            ("ServiceMethod", Value::Text(method.to_owned())),
            ("Seq", Value::Uint(number)),
            ("Error", Value::Text(error.to_owned())),
        ];
        let header = Value::Struct(header.map(|(name, value)| (Arc::from(name), value)).to_vec());
        let mut frame = gob::value(&self.types, RESPONSE, &header).unwrap();
        frame.extend(gob::value(&self.types, TypeId::TEXT, body).unwrap());
        self.send(&frame).await;
    }

    async fn send(&mut self, bytes: &[u8]) {
        self.output.write_all(bytes).await.unwrap();
    }
}

async fn connected() -> (Client, Peer) {
    let (ours, theirs) = duplex(64 * 1024);
    let (client, peer) = tokio::join!(Client::connect(ours, []), Peer::accept(theirs));
    (client.unwrap(), peer)
}

async fn call(client: &Client, method: &str) -> Result<Value, CallError> {
    client.call(method, TypeId::TEXT, &Value::Text("x".to_owned())).await
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn broken(outcome: Result<Value, CallError>) -> Arc<ConnectionError> {
    match outcome {
        Err(CallError::Broken(reason)) => reason,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn replies_find_their_calls_in_any_order() {
    let (client, mut peer) = connected().await;
    let serve = async {
        let (first, second) = (peer.request().await, peer.request().await);
        peer.reply(&second.0, second.1, "", &text(&second.0)).await;
        peer.reply(&first.0, first.1, "", &text(&first.0)).await;
    };
    let (one, two, ()) = tokio::join!(call(&client, "S.One"), call(&client, "S.Two"), serve);
    assert_eq!(one.unwrap(), text("S.One"));
    assert_eq!(two.unwrap(), text("S.Two"));
    client.close().await;
}

#[tokio::test]
async fn an_error_of_the_method_is_its_text_and_the_connection_goes_on() {
    let (client, mut peer) = connected().await;
    for _ in 0..2 {
        let serve = async {
            let (method, number) = peer.request().await;
            peer.reply(&method, number, &"é".repeat(4096), &text("")).await;
        };
        let (outcome, ()) = tokio::join!(call(&client, "S.One"), serve);
        let Err(CallError::Refused(message)) = outcome else { panic!("{outcome:?}") };
        assert_eq!(message, "é".repeat(4096));
    }
}

#[tokio::test]
async fn a_call_that_was_given_up_leaves_the_connection_whole() {
    let (client, mut peer) = connected().await;
    let (method, number) = {
        let given_up = call(&client, "S.One");
        tokio::pin!(given_up);
        tokio::select! {
            outcome = &mut given_up => panic!("{outcome:?}"),
            request = peer.request() => request,
        }
    };
    let serve = async {
        peer.reply(&method, number, "", &text("late")).await;
        let (method, number) = peer.request().await;
        peer.reply(&method, number, "", &text("in time")).await;
    };
    let (outcome, ()) = tokio::join!(call(&client, "S.Two"), serve);
    assert_eq!(outcome.unwrap(), text("in time"));
}

#[tokio::test]
async fn a_peer_that_goes_away_ends_every_call() {
    let (client, mut peer) = connected().await;
    let leave = async {
        peer.request().await;
        drop(peer);
    };
    let (outcome, ()) = tokio::join!(call(&client, "S.One"), leave);
    assert!(!broken(outcome).is_lie());
    assert!(!broken(call(&client, "S.Two").await).is_lie());
}

#[tokio::test]
async fn replies_to_other_calls_are_lies() {
    for (method, number) in [("S.One", 2), ("S.Two", 1), ("S.One", 0)] {
        let (client, mut peer) = connected().await;
        let serve = async {
            peer.request().await;
            peer.reply(method, number, "", &text("")).await;
        };
        let (outcome, ()) = tokio::join!(call(&client, "S.One"), serve);
        assert!(matches!(*broken(outcome), ConnectionError::UnknownCall));
    }
}

#[tokio::test]
async fn a_message_that_is_too_large_is_refused_when_it_is_announced() {
    for announced in [&[0xfc, 0xff, 0xff, 0xff, 0xff][..], &[0xf8; 9], &[0x80]] {
        let (client, mut peer) = connected().await;
        let (outcome, ()) = tokio::join!(call(&client, "S.One"), peer.send(announced));
        let reason = broken(outcome);
        assert!(matches!(*reason, ConnectionError::MessageTooLarge(n) if n > MESSAGE_BYTES as u64));
    }
}

#[tokio::test]
async fn another_server_than_gos_is_refused() {
    for answer in ["HTTP/1.0 404 Not Found\n\n", "", &"x".repeat(10_000)] {
        let (ours, mut theirs) = duplex(64 * 1024);
        theirs.write_all(answer.as_bytes()).await.unwrap();
        theirs.shutdown().await.unwrap();
        assert!(matches!(Client::connect(ours, []).await, Err(ConnectionError::Handshake)));
    }
}

proptest! {
    /// Whatever comes instead of replies, the call ends.
    #[test]
    fn any_bytes_end_the_connection_or_are_ignored(chunks in vec(any::<Vec<u8>>(), 0..4)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (client, mut peer) = connected().await;
            let serve = async {
                for chunk in chunks {
                    // The client may have had enough.
                    let _ = peer.output.write_all(&chunk).await;
                }
                drop(peer);
            };
            let (outcome, ()) = tokio::join!(call(&client, "S.One"), serve);
            broken(outcome);
        });
    }
}
