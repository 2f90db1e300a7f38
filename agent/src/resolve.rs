//! Names without libc: a statically linked one cannot load the system's resolver modules.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use hickory_resolver::Resolver;
use skep_tls::Resolve;

/// By /etc/hosts and /etc/resolv.conf, read at each lookup: lookups are rare, and both may change.
pub fn hickory() -> Resolve {
    Arc::new(|host, port| Box::pin(lookup(host, port)))
}

async fn lookup(host: String, port: u16) -> io::Result<Vec<SocketAddr>> {
    let resolver = Resolver::builder_tokio().and_then(|builder| builder.build()).map_err(io::Error::other)?;
    let found = resolver.lookup_ip(host).await.map_err(io::Error::other)?;
    Ok(found.iter().map(|address| SocketAddr::new(address, port)).collect())
}
