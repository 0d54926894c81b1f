//! Measures a store under load, as README.md reports it.
//!
//! ```text
//! measure load  <directory> <events> <writers> [cache MB] [rate]
//!                      commit events, from as many writers at once, so many a second at most; read all the while
//! measure open  <directory> [cache MB]     open it, read here and there
//! measure follow <directory> [cache MB] [readers]
//!                      open it and read the whole log, as followers do that know nothing yet
//! measure close <directory> [cache MB]     open it and close it properly
//! ```
//! An event is about 1 KB with 5 keys beside it, in rooms of which few are busy. `load` ends as kill -9 does.

#![expect(clippy::print_stdout, reason = "it is here to print")]
#![expect(clippy::unwrap_used, reason = "a measurement that fails may stop")]

use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use orvale_storage::{
    Batch, Config, Entry, EventRecord, Position, Standing, Store, Tree, Tuning, trees::system::LOG,
};
use rand::{RngExt, SeedableRng, rngs::SmallRng};
use serde::{Deserialize, Serialize};

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

const EVENT_NUMBERS: Tree<(String,), Position> = Tree::new(0xff01, "measured_event_numbers");
const TIMELINE: Tree<(Position, u64), Position> = Tree::new(0xff02, "measured_timeline");
const HEADS: Tree<(Position,), Head> = Tree::new(0xff03, "measured_heads");
const TRANSACTIONS: Tree<(String, String, String), String> =
    Tree::new(0xff04, "measured_transactions");
const RELATIONS: Tree<(Position, String, Position), String> =
    Tree::new(0xff05, "measured_relations");

const ROOMS: f64 = 10_000.0;

#[derive(Serialize, Deserialize)]
struct Head {
    extremities: Vec<String>,
    depth: u64,
    state: u64,
}

fn main() {
    if std::env::var("VERBOSE").is_ok() {
        tracing_subscriber::fmt()
            .with_max_level(tracing::Level::DEBUG)
            .init();
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |n: usize| arguments.get(n).map(|a| a.parse::<u64>().unwrap());
    let cache = |n| number(n).unwrap_or(256) << 20;
    let config = |n| Config {
        path: PathBuf::from(&arguments[1]),
        cache_bytes: cache(n),
        free_bytes: 0,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let started = Instant::now();
    let (store, action) = match arguments[0].as_str() {
        "load" => (Store::open_with(&config(4), &tuning()).unwrap(), "load"),
        action => (Store::open(&config(2)).unwrap(), action),
    };
    println!(
        "opened in {:?}, {} entries in the log, {} MB",
        started.elapsed(),
        store.visible(),
        resident()
    );
    match action {
        "load" => {
            let load = Load {
                events: number(2).unwrap(),
                writers: number(3).unwrap(),
                rate: number(5),
            };
            runtime.block_on(load.run(&store));
            // The allocator gives memory back within ten seconds.
            std::thread::sleep(Duration::from_secs(12));
            println!("{} MB a little later", resident());
            // As kill -9 does: no destructor runs.
            std::process::exit(0);
        }
        "open" => {
            read(&store);
            std::process::exit(0);
        }
        "follow" => {
            follow(&store, number(3).unwrap_or(2));
            std::process::exit(0);
        }
        "close" => {
            let started = Instant::now();
            runtime.block_on(store.close()).unwrap();
            println!("closed in {:?}", started.elapsed());
        }
        other => panic!("{other}?"),
    }
}

/// `CHECKPOINT_MB` and `PINNED_MB` override the defaults; `VERBOSE` tells of checkpoints.
fn tuning() -> Tuning {
    let mut tuning = Tuning::default();
    let megabytes = |name| {
        std::env::var(name)
            .ok()
            .map(|v: String| v.parse::<usize>().unwrap() << 20)
    };
    if let Some(bytes) = megabytes("CHECKPOINT_MB") {
        tuning.checkpoint_bytes = bytes;
        tuning.limit_bytes = bytes * 3;
    }
    if let Some(bytes) = megabytes("PINNED_MB") {
        tuning.pinned_bytes = Some(bytes as u64);
    }
    tuning
}

struct Load {
    events: u64,
    writers: u64,
    /// Events a second at most. Then an event's time counts from when it was due.
    rate: Option<u64>,
}

impl Load {
    async fn run(&self, store: &Store) {
        let begin = store.visible().0;
        let next = Arc::new(AtomicU64::new(0));
        let latencies = Arc::new(Mutex::new(Vec::new()));
        let (started, cpu_before) = (Instant::now(), cpu());
        let (count, rate) = (self.events, self.rate);
        let tasks: Vec<_> = (0..self.writers)
            .map(|writer| {
                let (store, next, latencies) = (store.clone(), next.clone(), latencies.clone());
                let mut events = Events::new(begin * 1000 + writer);
                tokio::spawn(async move {
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        if number >= count {
                            break;
                        }
                        let mut due = Instant::now();
                        if let Some(rate) = rate {
                            due = started + Duration::from_secs_f64(number as f64 / rate as f64);
                            tokio::time::sleep_until(due.into()).await;
                        }
                        let event = events.next();
                        let permit = store.permit().await.unwrap();
                        let pending = {
                            let at = store.reserve(permit, 1);
                            let batch = event.batch(at.at(0));
                            store.submit(at, batch)
                        };
                        pending.await.unwrap();
                        latencies.lock().unwrap().push(due.elapsed());
                    }
                })
            })
            .collect();
        let reader = std::thread::spawn({
            let (store, next) = (store.clone(), next.clone());
            move || read_while(&store, || next.load(Ordering::Relaxed) < count)
        });
        let mut reported = Instant::now();
        let mut done_before = 0;
        let mut peak = 0;
        while tasks.iter().any(|task| !task.is_finished()) {
            tokio::time::sleep(Duration::from_millis(100)).await;
            peak = peak.max(resident());
            if reported.elapsed() > Duration::from_secs(10) {
                let done = next.load(Ordering::Relaxed);
                let lately = (done - done_before) as f64 / reported.elapsed().as_secs_f64();
                println!(
                    "{done} events, {lately:.0} commits/s lately, {} MB",
                    resident()
                );
                (done_before, reported) = (done, Instant::now());
            }
        }
        let (seconds, cpu) = (started.elapsed().as_secs_f64(), cpu() - cpu_before);
        let (per_second, each) = (count as f64 / seconds, cpu * 1e6 / count as f64);
        println!(
            "{count} events by {} writers: {per_second:.0} commits/s, {each:.0} us CPU each",
            self.writers
        );
        println!("{} MB now, {peak} MB at most", resident());
        tell("commit", std::mem::take(&mut latencies.lock().unwrap()));
        tell("a room's last 50 events meanwhile", reader.join().unwrap());
    }
}

fn tell(what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let quantile = |q: f64| times[((times.len() - 1) as f64 * q) as usize];
    let [p50, p99, p999, max] = [0.5, 0.99, 0.999, 1.0].map(quantile);
    println!("{what}: p50 {p50:?} p99 {p99:?} p99.9 {p999:?} max {max:?}");
}

/// A room's last 50 events, a hundred times a second.
fn read_while(store: &Store, more: impl Fn() -> bool) -> Vec<Duration> {
    let mut random = SmallRng::seed_from_u64(9);
    let mut times = vec![Duration::ZERO];
    while more() {
        std::thread::sleep(Duration::from_millis(10));
        let started = Instant::now();
        read_room(store, &mut random);
        times.push(started.elapsed());
    }
    times
}

fn read_room(store: &Store, random: &mut SmallRng) {
    let room = Position(room(random));
    for (_, event) in store
        .range(&TIMELINE, (room,), (room.next(),), true, 50)
        .unwrap()
    {
        assert!(store.get(&LOG, (event,)).unwrap().is_some());
    }
}

fn read(store: &Store) {
    let mut random = SmallRng::seed_from_u64(7);
    let last = store.visible().0;
    for round in ["at first", "then"] {
        let mut events = Vec::new();
        let mut lists = Vec::new();
        for _ in 0..20_000 {
            let started = Instant::now();
            assert!(
                store
                    .get(&LOG, (Position(random.random_range(1..=last)),))
                    .unwrap()
                    .is_some()
            );
            events.push(started.elapsed());
        }
        for _ in 0..2_000 {
            let started = Instant::now();
            read_room(store, &mut random);
            lists.push(started.elapsed());
        }
        tell(&format!("{round}, an event anywhere"), events);
        tell(&format!("{round}, a room's last 50 events"), lists);
        println!("{} MB", resident());
    }
}

fn follow(store: &Store, readers: u64) {
    let started = Instant::now();
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..readers)
            .map(|_| {
                scope.spawn(|| {
                    let mut at = Position(0);
                    while let Some((last, _)) = store.log(at, 256).unwrap().last() {
                        at = *last;
                    }
                })
            })
            .collect();
        while readers.iter().any(|reader| !reader.is_finished()) {
            std::thread::sleep(Duration::from_secs(2));
            println!("{:?}: {} MB", started.elapsed(), resident());
        }
    });
    std::thread::sleep(Duration::from_secs(12));
    println!("{} MB a little later", resident());
}

fn room(random: &mut SmallRng) -> u64 {
    let r: f64 = random.random();
    (r * r * r * ROOMS) as u64
}

/// Makes events.
struct Events {
    random: SmallRng,
    text: Vec<u8>,
    number: u64,
}

struct Event {
    room: u64,
    event_id: String,
    number: u64,
    pdu: Vec<u8>,
}

impl Events {
    fn new(seed: u64) -> Self {
        let mut random = SmallRng::seed_from_u64(seed);
        let letters = b"eeeettaaooinshrdlu      cmfwgypbvk,.";
        let text = (0..65_536)
            .map(|_| letters[random.random_range(0..letters.len())])
            .collect();
        Self {
            random,
            text,
            number: 0,
        }
    }

    fn id(&mut self, length: usize) -> String {
        const SYMBOLS: &[u8; 64] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        (0..length)
            .map(|_| char::from(SYMBOLS[self.random.random_range(0..64)]))
            .collect()
    }

    fn next(&mut self) -> Event {
        self.number += 1;
        let at = self.random.random_range(0..65_000);
        let body = String::from_utf8_lossy(&self.text[at..at + 120]).into_owned();
        let auth: Vec<String> = (0..3)
            .map(|n| format!("\"$auth{n}ABCDEFGHIJKLMNOPQRSTUVWXYZ-abcdefghijkl\""))
            .collect();
        let (hash, previous, signature) = (self.id(43), self.id(43), self.id(86));
        let mut pdu = format!(
            "{{\"auth_events\":[{}],\"content\":{{\"body\":\"{body}\",\"msgtype\":\"m.text\"}},\"depth\":{},\"hashes\":{{\"sha256\":\
             \"{hash}\"}},\"origin_server_ts\":17000{:08},\"prev_events\":[\"${previous}\"],\"room_id\":\"!someroomofours:example.org\",\
             \"sender\":\"@somebody.we.know:example.org\",\"signatures\":{{\"example.org\":{{\"ed25519:a_Zq\":\"{signature}\"}}}},\
             \"type\":\"m.room.message\"}}",
            auth.join(","),
            self.number,
            self.number
        )
        .into_bytes();
        pdu.resize(961, b' ');
        Event {
            room: room(&mut self.random),
            event_id: format!("${}", self.id(43)),
            number: self.number,
            pdu,
        }
    }
}

impl Event {
    fn batch(self, at: Position) -> Batch {
        let room = Position(self.room);
        let mut batch = Batch::new();
        batch
            .put(&EVENT_NUMBERS, (&self.event_id,), &at)
            .put(&TIMELINE, (room, at.0), &at)
            .put(
                &HEADS,
                (room,),
                &Head {
                    extremities: vec![self.event_id.clone()],
                    depth: self.number,
                    state: at.0,
                },
            )
            .put(
                &TRANSACTIONS,
                (
                    "@somebody.we.know:example.org",
                    "DEVICEID",
                    format!("m{at}"),
                ),
                &self.event_id,
            )
            .put(
                &RELATIONS,
                (room, "m.thread", at),
                &"@somebody.we.know:example.org".to_owned(),
            )
            .log(Entry::Event(EventRecord {
                room,
                event_id: self.event_id,
                state_before: at.0,
                state_after: at.0,
                standing: Standing::Accepted,
                transaction: None,
                pdu: self.pdu.into(),
                unsigned: bytes::Bytes::new(),
                place: orvale_storage::Place::Live,
            }));
        batch
    }
}

/// Megabytes of memory.
fn resident() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096 / 1_000_000
}

/// Seconds of CPU.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<f64> = stat
        .rsplit(')')
        .next()
        .unwrap()
        .split_whitespace()
        .filter_map(|f| f.parse().ok())
        .collect();
    // The first field after the name is a letter: utime and stime are the 11th and 12th number after it.
    (fields[10] + fields[11]) / 100.0
}
