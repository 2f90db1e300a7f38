//! As much of an engine as the create of one host asks for: one network and one container, which never starts by itself.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinHandle;

static ENGINES: AtomicU32 = AtomicU32::new(0);

/// What is answered to one call instead of what an engine that is well would say.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fault {
    /// Method, and a part of the path.
    pub(crate) asked: (&'static str, &'static str),
    /// Not before there is a container.
    pub(crate) once_made: bool,
    pub(crate) answer: (u16, &'static str),
}

#[derive(Debug, Default)]
struct World {
    faults: Vec<Fault>,
    /// As they were asked for.
    network: Option<String>,
    container: Option<String>,
}

pub(crate) struct Engine {
    socket: PathBuf,
    world: Arc<Mutex<World>>,
    task: JoinHandle<()>,
}

impl Engine {
    pub(crate) fn start(faults: Vec<Fault>) -> Self {
        let number = ENGINES.fetch_add(1, Ordering::Relaxed);
        let socket = std::env::temp_dir().join(format!("skep-engine-{}-{number}", std::process::id()));
        let listener = UnixListener::bind(&socket).unwrap();
        let world = Arc::new(Mutex::new(World { faults, ..World::default() }));
        let task = tokio::spawn({
            let world = Arc::clone(&world);
            async move {
                loop {
                    let (stream, _) = listener.accept().await.unwrap();
                    tokio::spawn(serve(stream, Arc::clone(&world)));
                }
            }
        });
        Self { socket, world, task }
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.socket.clone()
    }

    /// Whether a container is left.
    pub(crate) fn has_one(&self) -> bool {
        self.world.lock().unwrap().container.is_some()
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.task.abort();
        std::fs::remove_file(&self.socket).unwrap();
    }
}

/// One request of each connection.
async fn serve(mut stream: UnixStream, world: Arc<Mutex<World>>) {
    let mut reader = BufReader::new(&mut stream);
    let (mut request, mut line, mut length) = (String::new(), String::new(), 0);
    reader.read_line(&mut request).await.unwrap();
    while line != "\r\n" {
        line.clear();
        reader.read_line(&mut line).await.unwrap();
        if let Some(bytes) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = bytes.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).await.unwrap();
    let mut words = request.split(' ');
    let (method, path) = (words.next().unwrap(), words.next().unwrap());
    let (status, said) = world.lock().unwrap().answer(method, path, &String::from_utf8_lossy(&body));
    let answer = format!(
        "HTTP/1.1 {status} x\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{said}",
        said.len()
    );
    stream.write_all(answer.as_bytes()).await.unwrap();
}

impl World {
    fn answer(&mut self, method: &str, path: &str, body: &str) -> (u16, String) {
        let made = self.container.is_some();
        let meant = |fault: &&Fault| method == fault.asked.0 && path.contains(fault.asked.1);
        let fault = self.faults.iter().filter(meant).find(|fault| made || !fault.once_made);
        if let Some(Fault { answer: (status, said), .. }) = fault {
            return (*status, (*said).to_owned());
        }
        match (method, path) {
            ("GET", path) if path.contains("/version") => (200, r#"{"ApiVersion":"1.41"}"#.to_owned()),
            // A network is listed as it was asked for.
            ("GET", path) if path.contains("/networks") => (200, listed(self.network.as_deref())),
            ("GET", _) => (200, listed(self.container.as_deref())),
            ("POST", path) if path.contains("/networks/create") => {
                self.network = Some(body.to_owned());
                (201, r#"{"Id":"n1","Warning":""}"#.to_owned())
            }
            ("POST", path) if path.contains("/containers/create") => {
                let labels = &body[body.find(r#""Labels":"#).unwrap()..];
                let labels = &labels[..=labels.find('}').unwrap()];
                self.container = Some(format!(r#"{{"Id":"abc","State":"created",{labels}}}"#));
                (201, r#"{"Id":"abc","Warnings":[]}"#.to_owned())
            }
            ("DELETE", _) => {
                self.container = None;
                (204, String::new())
            }
            _ => (200, String::new()),
        }
    }
}

fn listed(one: Option<&str>) -> String {
    format!("[{}]", one.unwrap_or_default())
}
