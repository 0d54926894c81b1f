//! What the process does that is ended: it writes, and says what was acknowledged.

use std::{
    collections::HashMap,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use orvale_storage::{Batch, Config, Entry, Store, Tree, Tuning};
use rand::RngExt;

/// The process is this test binary; this says where its store is.
const STORE: &str = "ORVALE_CRASH_STORE";

/// Writer, number → what it wrote.
pub(crate) const DATA: Tree<(u64, u64), Vec<u8>> = Tree::new(0xff01, "test_data");
/// A scattered key for each entry of [`DATA`] → writer, number.
pub(crate) const INDEX: Tree<(u64,), (u64, u64)> = Tree::new(0xff02, "test_index");
/// Writer → its last number.
pub(crate) const HEADS: Tree<(u64,), u64> = Tree::new(0xff03, "test_heads");

pub(crate) const WRITERS: u64 = 16;
/// Each writer removes what is this much older.
pub(crate) const KEPT: u64 = 20;

pub(crate) fn scattered(writer: u64, number: u64) -> u64 {
    (writer << 40 | number).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

pub(crate) fn payload(writer: u64, number: u64) -> Vec<u8> {
    vec![number as u8; (scattered(writer, number) % 2500) as usize]
}

pub(crate) fn open(path: &Path) -> Store {
    let config = Config {
        path: path.to_owned(),
        cache_bytes: 2 << 20,
        free_bytes: 0,
    };
    // Everything that happens from time to time happens all the time.
    let tuning = Tuning {
        segment_bytes: 128 << 10,
        checkpoint_bytes: 512 << 10,
        checkpoint_every: Duration::from_millis(300),
        limit_bytes: 4 << 20,
        pinned_bytes: Some(2 << 20),
        flush_writes: 300,
        ..Tuning::default()
    };
    Store::open_with(&config, &tuning).unwrap()
}

/// The process.
#[test]
#[ignore = "it is started by the tests here, as a process of its own"]
fn writes_until_it_is_ended() {
    let Ok(path) = std::env::var(STORE) else {
        return;
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let store = open(Path::new(&path));
        let mut writers = tokio::task::JoinSet::new();
        for writer in 0..WRITERS {
            writers.spawn(write(store.clone(), writer));
        }
        writers.join_all().await;
    });
}

async fn write(store: Store, writer: u64) {
    let mut number = store.get(&HEADS, (writer,)).unwrap().unwrap_or(0);
    loop {
        number += 1;
        let mut batch = Batch::new();
        batch
            .put(&DATA, (writer, number), &payload(writer, number))
            .put(&INDEX, (scattered(writer, number),), &(writer, number))
            .put(&HEADS, (writer,), &number)
            .log(Entry::Profile {
                user_id: format!("{writer} {number}"),
            });
        if let Some(old) = number.checked_sub(KEPT).filter(|old| *old > 0) {
            batch
                .delete(&DATA, (writer, old))
                .delete(&INDEX, (scattered(writer, old),));
        }
        let at = store.commit(batch).await.unwrap();
        // One write of one line: whole, and in the pipe before anything else happens.
        let line = format!("acknowledged {writer} {number} {at}\n");
        std::io::stdout().lock().write_all(line.as_bytes()).unwrap();
    }
}

/// Writer → the last number acknowledged, and its position.
pub(crate) type Acknowledged = HashMap<u64, (u64, u64)>;

/// The process, running.
pub(crate) struct Running {
    pub(crate) child: Child,
    acknowledged: Arc<Mutex<Acknowledged>>,
    reader: std::thread::JoinHandle<()>,
}

impl Running {
    pub(crate) fn start(path: &Path) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "workload::writes_until_it_is_ended",
                "--ignored",
                "--nocapture",
            ])
            .env(STORE, path)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let acknowledged = Arc::new(Mutex::new(Acknowledged::new()));
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let reader = std::thread::spawn({
            let acknowledged = acknowledged.clone();
            move || {
                for line in lines.map_while(Result::ok) {
                    let Some((_, numbers)) = line.split_once("acknowledged ") else {
                        continue;
                    };
                    let numbers: Vec<u64> =
                        numbers.split(' ').map(|n| n.parse().unwrap()).collect();
                    acknowledged
                        .lock()
                        .unwrap()
                        .insert(numbers[0], (numbers[1], numbers[2]));
                }
            }
        });
        Self {
            child,
            acknowledged,
            reader,
        }
    }

    /// Waits until it has written for a random while.
    pub(crate) fn let_it_write(&mut self) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while self.acknowledged.lock().unwrap().is_empty() {
            assert!(Instant::now() < deadline, "it does not write");
            assert!(
                self.child.try_wait().unwrap().is_none(),
                "it ended by itself"
            );
            std::thread::sleep(Duration::from_millis(5));
        }
        std::thread::sleep(Duration::from_millis(rand::rng().random_range(0..1200)));
    }

    /// Ends it without warning; returns what it was acknowledged.
    pub(crate) fn kill(mut self) -> Acknowledged {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.reader.join().unwrap();
        std::mem::take(&mut self.acknowledged.lock().unwrap())
    }
}
