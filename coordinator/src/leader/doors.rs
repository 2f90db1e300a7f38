//! Knocks at the doors of coordinators that have fallen silent. A machine that answers that nobody listens says that the
//! process is gone, long before its lease and its longest call are over.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use skep_core::state::Coordinator;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;

use crate::context::Context;
use crate::liveness::Liveness;

/// Between two knocks at the same door.
const PERIOD: Duration = Duration::from_millis(150);
/// A refusal comes at once or not at all.
const KNOCK: Duration = Duration::from_secs(1);

pub(super) async fn run(context: Context, liveness: Arc<Liveness>, stop: CancellationToken) {
    let mut ticks = interval(PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! { _ = ticks.tick() => {}, () = stop.cancelled() => return }
        let state = context.raft.state();
        let knocks = liveness.silent(&state).into_iter().filter_map(|id| state.coordinators.get(&id));
        let knocks = knocks.map(|coordinator| async { (coordinator.id, nobody_listens(coordinator).await) });
        for (id, refused) in join_all(knocks).await {
            if liveness.knocked(id, refused) {
                tracing::warn!(coordinator = %id, "a coordinator is gone: nobody listens at its ports");
            }
        }
    }
}

/// Both ports are the process's own.
async fn nobody_listens(coordinator: &Coordinator) -> bool {
    let (control, raft) = tokio::join!(refuses(&coordinator.address), refuses(&coordinator.raft_address));
    control && raft
}

/// Whether every address of that name refuses.
async fn refuses(address: &str) -> bool {
    let Ok(Ok(addresses)) = timeout(KNOCK, lookup_host(address)).await else { return false };
    let addresses: Vec<SocketAddr> = addresses.collect();
    let knocks = addresses.iter().map(|address| timeout(KNOCK, TcpStream::connect(address)));
    let refused = |answer: Result<io::Result<TcpStream>, _>| matches!(answer, Ok(Err(error)) if error.kind() == ErrorKind::ConnectionRefused);
    !addresses.is_empty() && join_all(knocks).await.into_iter().all(refused)
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpSocket;

    use super::*;

    #[tokio::test]
    async fn only_a_port_where_nobody_listens_refuses() {
        // Held, so that nobody else listens there.
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = socket.local_addr().unwrap().to_string();
        assert!(refuses(&address).await);
        let _listener = socket.listen(1).unwrap();
        assert!(!refuses(&address).await);
        assert!(!refuses("no such address").await);
    }
}
