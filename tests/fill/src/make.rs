//! Rooms and people with many events.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use clap::Args;
use futures_util::{StreamExt, TryStreamExt, stream};
use orvale_events::ServerKey;
use orvale_rooms::{Draft, NewRoom, Preset, Request, Room, Rooms};
use orvale_storage::Store;
use orvale_users::{Clock, NewAccount, Users};
use rand::{Rng, RngExt, SeedableRng, rngs::StdRng};
use ruma::{
    MilliSecondsSinceUnixEpoch, OwnedUserId, ServerName, UserId,
    events::{StateEventType, TimelineEventType},
    server_name,
};
use serde_json::{Value, json, value::RawValue};

use crate::sizes::{disk, megabytes, memory};

#[derive(Args)]
pub(crate) struct Options {
    /// Where; the data is below `data` there
    directory: PathBuf,
    /// How many events, roughly
    #[arg(long, default_value_t = 1_000_000)]
    events: u64,
    /// How many people; a five-hundredth of the events if not said
    #[arg(long)]
    users: Option<usize>,
    /// How many rooms; as many as people if not said
    #[arg(long)]
    rooms: Option<usize>,
    /// How many send at once
    #[arg(long, default_value_t = 64)]
    writers: u64,
}

/// As the tests' servers are called.
fn name() -> &'static ServerName {
    server_name!("test.example")
}

/// Events of one append.
const BATCH: usize = 8;
/// People who can log in: user0 and so on, with "the password of user0".
const PEOPLE_WITH_PASSWORDS: usize = 10;

pub(crate) const WORDS: [&str; 24] = [
    "meeting", "tomorrow", "the", "report", "is", "ready", "who", "can", "look", "at", "this",
    "before", "noon", "thanks", "printer", "again", "coffee", "and", "Łódź", "ticket", "done",
    "please", "call", "me",
];

/// Rooms with those who are in them: the first so many users.
struct World {
    rooms: Rooms,
    users: Vec<OwnedUserId>,
    places: Vec<(Arc<Room>, usize)>,
    made: AtomicU64,
}

pub(crate) async fn make(options: Options) -> Result<()> {
    let data = options.directory.join("data");
    let (store, users, rooms) = open(&data)?;
    let people = options.users.unwrap_or_else(|| sized(options.events));
    let started = Instant::now();
    let people = make_people(&users, people).await?;
    let places = make_rooms(&rooms, &people, options.rooms.unwrap_or(people.len())).await?;
    let made = AtomicU64::new(store.visible().0);
    println!(
        "{} people in {} rooms after {:.0?}: {made:?} entries",
        people.len(),
        places.len(),
        started.elapsed()
    );
    let world = Arc::new(World {
        rooms,
        users: people,
        places,
        made,
    });

    let writers: Vec<_> = (0..options.writers)
        .map(|writer| tokio::spawn(write(world.clone(), writer, options.events)))
        .collect();
    tell_progress(&world, options.events).await;
    // The first that is ready ends it: the others are in the middle of something, as under kill -9.
    futures_util::future::select_all(writers).await.0??;
    let (_, peak) = memory(std::process::id());
    println!(
        "{} entries of the log after {:.0?}; {} on disk; {} of memory at the highest",
        store.visible().0,
        started.elapsed(),
        megabytes(disk(&data.join("store"))),
        megabytes(peak),
    );
    std::process::exit(0)
}

fn sized(events: u64) -> usize {
    usize::try_from(events / 500).unwrap_or(usize::MAX).max(20)
}

pub(crate) fn open(data: &Path) -> Result<(Store, Users, Rooms)> {
    let key = Arc::new(key(data)?);
    let config = orvale_storage::Config {
        path: data.join("store"),
        cache_bytes: 256 << 20,
        free_bytes: 0,
    };
    let store = Store::open(&config).context("cannot open the store")?;
    let users = Users::new(
        store.clone(),
        name(),
        orvale_users::Config::default(),
        Clock::system(),
    )?;
    let clock: orvale_rooms::Clock = Arc::new(MilliSecondsSinceUnixEpoch::now);
    let rooms = Rooms::new(
        store.clone(),
        users.clone(),
        key,
        orvale_rooms::Config::default(),
        clock,
    )?;
    Ok((store, users, rooms))
}

/// The server's key, made as the server makes it at its first start.
fn key(data: &Path) -> Result<ServerKey> {
    let file = data.join("signing.key");
    if !file.exists() {
        fs::create_dir_all(data)?;
        let key = ServerKey::generate(name().to_owned());
        fs::write(
            &file,
            format!(
                "ed25519 {} {}\n",
                key.version(),
                STANDARD_NO_PAD.encode(key.seed())
            ),
        )?;
        fs::write(data.join("server_name"), format!("{}\n", name()))?;
    }
    let line = fs::read_to_string(&file)?;
    let words: Vec<&str> = line.split_whitespace().collect();
    let [_, version, seed] = words[..] else {
        anyhow::bail!("{} is no key", file.display())
    };
    let seed: [u8; 32] = STANDARD_NO_PAD
        .decode(seed)?
        .try_into()
        .ok()
        .context("a seed has 32 bytes")?;
    Ok(ServerKey::from_seed(name().to_owned(), version, &seed)?)
}

async fn make_people(users: &Users, count: usize) -> Result<Vec<OwnedUserId>> {
    let made = stream::iter(0..count).map(|n| async move {
        let name = format!("user{n}");
        let password = format!("the password of {name}");
        let new = NewAccount {
            localpart: Some(&name),
            password: (n < PEOPLE_WITH_PASSWORDS).then_some(&password),
            display_name: Some(&name),
            ..NewAccount::default()
        };
        match users.create_account(new).await {
            Ok(_) | Err(orvale_users::Error::UserInUse) => {
                Ok(UserId::parse(format!("@{name}:{}", users.server_name()))?)
            }
            Err(error) => Err(anyhow::Error::from(error)),
        }
    });
    made.buffered(64).try_collect().await
}

/// The n-th room has an n-th of the people.
async fn make_rooms(
    rooms: &Rooms,
    people: &[OwnedUserId],
    count: usize,
) -> Result<Vec<(Arc<Room>, usize)>> {
    let made = stream::iter(0..count).map(|n| async move {
        let size = (people.len() / (n + 1)).max(3).min(people.len());
        // Nobody creates most of the rooms.
        let first = n % size;
        let new = NewRoom {
            name: Some(format!("Room {n}")),
            preset: Preset::Public,
            ..NewRoom::default()
        };
        let room = rooms.create(&people[first], new).await?;
        for some in people[..size].chunks(50) {
            let joins = some
                .iter()
                .filter(|user| **user != people[first])
                .map(|user| {
                    let content = json!({"membership": "join", "displayname": user.localpart()});
                    Draft::state(
                        user,
                        StateEventType::RoomMember,
                        user.as_str(),
                        raw(&content),
                    )
                });
            let joins: Vec<_> = joins.collect();
            rooms.append(&room, |_| Ok(joins)).await?;
        }
        Ok((room, size))
    });
    made.buffered(32).try_collect().await
}

async fn write(world: Arc<World>, writer: u64, until: u64) -> Result<()> {
    let mut random = StdRng::seed_from_u64(writer ^ world.made.load(Ordering::Relaxed));
    let mut last = None;
    while world.made.load(Ordering::Relaxed) < until {
        // As many events in the first ten rooms as in the next ninety.
        let place = (world.places.len() as f64).powf(random.random::<f64>()) as usize - 1;
        let (room, size) = &world.places[place.min(world.places.len() - 1)];
        let drafts: Vec<_> = (0..BATCH)
            .map(|_| {
                let sender = &world.users[random.random_range(0..*size)];
                draft(&mut random, room, sender, last.as_ref())
            })
            .collect();
        let appended = world.rooms.append(room, |_| Ok(drafts)).await?;
        last = appended
            .last()
            .map(|appended| (room.number, appended.event_id.clone()));
        world.made.fetch_add(BATCH as u64, Ordering::Relaxed);
    }
    Ok(())
}

/// A message; now and then a reaction.
fn draft(
    random: &mut (impl Rng + ?Sized),
    room: &Room,
    sender: &UserId,
    last: Option<&(orvale_storage::Position, ruma::OwnedEventId)>,
) -> Draft {
    let (kind, content) = match last {
        Some((place, event)) if *place == room.number && random.random_bool(0.5) => {
            let key = format!("👍 {}", random.random_range(0..u32::MAX));
            let relation = json!({"rel_type": "m.annotation", "event_id": event, "key": key});
            (
                TimelineEventType::Reaction,
                json!({"m.relates_to": relation}),
            )
        }
        _ => {
            let words = random.random_range(3..30);
            let words = (0..words).map(|_| WORDS[random.random_range(0..WORDS.len())]);
            let body = words.collect::<Vec<_>>().join(" ");
            (
                TimelineEventType::RoomMessage,
                json!({"msgtype": "m.text", "body": body, "m.mentions": {}}),
            )
        }
    };
    let request = Request {
        device_id: "FILLDEVICE".to_owned(),
        transaction_id: format!("m{:x}", random.random::<u64>()),
        scope: format!("send|{}|{kind}", room.number),
    };
    Draft {
        request: Some(request),
        ..Draft::message(sender, kind, raw(&content))
    }
}

async fn tell_progress(world: &World, until: u64) {
    let (mut before, mut told) = (world.made.load(Ordering::Relaxed), Instant::now());
    loop {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let made = world.made.load(Ordering::Relaxed);
        if made >= until {
            return;
        }
        if told.elapsed() >= Duration::from_secs(20) {
            let rate = (made - before) as f64 / told.elapsed().as_secs_f64();
            let (now, _) = memory(std::process::id());
            println!(
                "{made} events, {rate:.0} a second, {} of memory",
                megabytes(now)
            );
            (before, told) = (made, Instant::now());
        }
    }
}

pub(crate) fn raw(value: &Value) -> Box<RawValue> {
    serde_json::value::to_raw_value(value).expect("JSON can be written")
}
