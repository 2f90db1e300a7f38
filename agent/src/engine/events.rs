//! The engine's own events, as a reason to look again: nodes that come, go or change, seen on managers at once.

use std::collections::HashMap;
use std::fmt;
use std::pin::Pin;

use futures::{Stream, StreamExt};
use tokio::sync::Mutex;

type Wakes = Pin<Box<dyn Stream<Item = ()> + Send>>;

/// Kept open from one look to the next.
#[derive(Default)]
pub(super) struct Events(Mutex<Option<Wakes>>);

impl Events {
    /// Waits for an event. Once the engine hung up it waits for ever: the caller's next look opens the stream anew.
    pub(super) async fn next(&self, client: &bollard::Docker) {
        let mut events = self.0.lock().await;
        let stream = events.get_or_insert_with(|| open(client));
        if stream.next().await.is_none() {
            *events = None;
            drop(events);
            std::future::pending::<()>().await;
        }
    }
}

fn open(client: &bollard::Docker) -> Wakes {
    let filters = HashMap::from([("type".to_owned(), vec!["node".to_owned()])]);
    let options = bollard::query_parameters::EventsOptions { filters: Some(filters), ..Default::default() };
    let events = client.events(Some(options));
    // An error ends the stream just as the engine does.
    Box::pin(events.take_while(|event| std::future::ready(event.is_ok())).map(drop))
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Events")
    }
}
