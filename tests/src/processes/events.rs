//! What happens in the cluster, counted while it happens: the moments at which tests kill.

use std::io::{BufRead, BufReader};
use std::process::Child;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use super::Cli;

/// `skep events`, followed over the loss of coordinators.
#[derive(Debug)]
pub struct Events {
    follower: Child,
    count: Arc<AtomicUsize>,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Events {
    /// All from now on.
    pub fn follow(skep: &Cli) -> Self {
        let revision =
            skep.json(&["cluster", "status", "-o", "json"])["revision"].as_str().unwrap().to_owned();
        let mut follower = skep.spawn(&["events", "--after", &revision]);
        let output = BufReader::new(follower.stdout.take().unwrap());
        let (count, lines) = (Arc::new(AtomicUsize::new(0)), Arc::<Mutex<Vec<String>>>::default());
        let (counted, kept) = (Arc::clone(&count), Arc::clone(&lines));
        // Ends with the follower's output.
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                kept.lock().unwrap().push(line);
                counted.fetch_add(1, Ordering::SeqCst);
            }
        });
        Self { follower, count, lines }
    }

    pub fn count(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }

    pub fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        // An error says that it has ended already.
        let _ = self.follower.kill();
        let _ = self.follower.wait();
    }
}
