//! One person in thousands of rooms, one of which has thousands of people and a hundred thousand events.

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use anyhow::{Context, Result};
use clap::Args;
use futures_util::{StreamExt, TryStreamExt, stream};
use orvale_rooms::{Draft, NewRoom, Preset, Room, Rooms};
use orvale_users::{NewAccount, Users};
use ruma::{
    MilliSecondsSinceUnixEpoch, OwnedRoomId, OwnedUserId,
    events::{StateEventType, TimelineEventType},
};
use serde_json::json;

use crate::make::{WORDS, open, raw};

const ROOMS: usize = 3_000;
const EVENTS: usize = 100_000;
const MEMBERS: usize = 5_000;
/// Events of one append.
const BATCH: usize = 50;
/// Rooms made at once.
const AT_ONCE: usize = 16;
/// Messages of an ordinary room.
const SAID: usize = 3;
/// The password of ada, ben and chiara, as in the demo.
const PASSWORD: &str = "orvale-demo";

#[derive(Args)]
pub(crate) struct Options {
    /// Where; the data is below `data` there
    directory: PathBuf,
    /// One of so many parts of it all: 1 is 3,000 rooms, and one with 5,000 people and 100,000 events
    #[arg(long, default_value_t = 1)]
    share: usize,
}

struct World {
    rooms: Rooms,
    people: Vec<OwnedUserId>,
}

/// Makes it and ends properly, so that the server starts on it at once.
pub(crate) async fn make(options: &Options) -> Result<()> {
    let started = Instant::now();
    let share = options.share.max(1);
    let (store, users, rooms) = open(&options.directory.join("data"))?;
    let people = people(&users, MEMBERS / share).await?;
    let world = World { rooms, people };
    let direct: Vec<(OwnedUserId, OwnedRoomId)> = stream::iter(0..ROOMS / share)
        .map(|n| world.ordinary(n))
        .buffered(AT_ONCE)
        .try_filter_map(async |direct| Ok(direct))
        .try_collect()
        .await?;
    let direct = direct
        .into_iter()
        .map(|(person, room)| (person.to_string(), json!([room])));
    let direct = serde_json::Value::Object(direct.collect());
    users
        .set_account_data(&world.people[0], None, "m.direct", &direct.to_string())
        .await?;
    world.huge(EVENTS / share).await?;
    println!(
        "{} entries after {:.0?}",
        store.visible().0,
        started.elapsed()
    );
    store.close().await?;
    Ok(())
}

/// Ada, whom all is about, then ben and chiara, who can log in too, then the crowd.
async fn people(users: &Users, count: usize) -> Result<Vec<OwnedUserId>> {
    let made = stream::iter(0..count).map(|n| async move {
        let name = match n {
            0 => "ada".to_owned(),
            1 => "ben".to_owned(),
            2 => "chiara".to_owned(),
            n => format!("person{n}"),
        };
        let new = NewAccount {
            localpart: Some(&name),
            password: (n < 3).then_some(PASSWORD),
            display_name: Some(&name),
            ..NewAccount::default()
        };
        anyhow::Ok(users.create_account(new).await?)
    });
    made.buffered(64).try_collect().await
}

impl World {
    /// A room like any: of ten one is a direct chat, one an unnamed group, the others are channels.
    async fn ordinary(&self, n: usize) -> Result<Option<(OwnedUserId, OwnedRoomId)>> {
        let other = 1 + n % (self.people.len() - 1);
        let kind = n % 10;
        let (direct, group) = (kind == 0, kind == 1);
        let new = NewRoom {
            name: (!direct && !group).then(|| format!("room {n:04}")),
            preset: if direct || group {
                Preset::Private
            } else {
                Preset::Public
            },
            is_direct: direct,
            invite: if direct || group {
                vec![self.people[other].clone()]
            } else {
                Vec::new()
            },
            ..NewRoom::default()
        };
        let room = self.rooms.create(&self.people[0], new).await?;
        let mut drafts = vec![self.joins(other)];
        if group {
            let third = 1 + (n + 1) % (self.people.len() - 1);
            let invite =
                json!({"membership": "invite", "displayname": self.people[third].localpart()});
            drafts.push(Draft::state(
                &self.people[0],
                StateEventType::RoomMember,
                self.people[third].as_str(),
                raw(&invite),
            ));
            drafts.push(self.joins(third));
        }
        drafts.extend(
            (0..SAID).map(|at| self.says(other, n + at, ago((ROOMS + SAID - n - at) as u64))),
        );
        self.rooms.append(&room, |_| Ok(drafts)).await?;
        Ok(direct.then(|| (self.people[other].clone(), room.id.clone())))
    }

    /// The room with everybody in it.
    async fn huge(&self, events: usize) -> Result<()> {
        let new = NewRoom {
            name: Some("everybody".to_owned()),
            preset: Preset::Public,
            ..NewRoom::default()
        };
        let room = self.rooms.create(&self.people[0], new).await?;
        let joins: Vec<_> = (1..self.people.len()).collect();
        for some in joins.chunks(BATCH) {
            let drafts: Vec<_> = some.iter().map(|who| self.joins(*who)).collect();
            self.rooms.append(&room, |_| Ok(drafts)).await?;
        }
        for from in (0..events).step_by(BATCH) {
            self.talk(&room, from, events).await?;
        }
        Ok(())
    }

    async fn talk(&self, room: &Arc<Room>, from: usize, events: usize) -> Result<()> {
        let drafts: Vec<_> = (from..(from + BATCH).min(events))
            // Now and then somebody goes on talking.
            .map(|n| {
                self.says(
                    1 + (n / 3 * 7) % (self.people.len() - 1),
                    n,
                    ago(((events - n) / 3) as u64),
                )
            })
            .collect();
        self.rooms.append(room, |_| Ok(drafts)).await?;
        Ok(())
    }

    fn joins(&self, who: usize) -> Draft {
        let user = &self.people[who];
        let content = json!({"membership": "join", "displayname": user.localpart()});
        Draft::state(
            user,
            StateEventType::RoomMember,
            user.as_str(),
            raw(&content),
        )
    }

    fn says(&self, who: usize, n: usize, when: MilliSecondsSinceUnixEpoch) -> Draft {
        let words = (0..3 + n * 5 % 40).map(|at| WORDS[(n * 7 + at * 5) % WORDS.len()]);
        let body = format!("{n}: {}", words.collect::<Vec<_>>().join(" "));
        let content = json!({"msgtype": "m.text", "body": body, "m.mentions": {}});
        Draft {
            timestamp: Some(when),
            ..Draft::message(
                &self.people[who],
                TimelineEventType::RoomMessage,
                raw(&content),
            )
        }
    }
}

fn ago(minutes: u64) -> MilliSecondsSinceUnixEpoch {
    let then = SystemTime::now() - Duration::from_secs(60 * minutes);
    MilliSecondsSinceUnixEpoch::from_system_time(then)
        .context("the clock is set")
        .unwrap_or_else(|_| MilliSecondsSinceUnixEpoch::now())
}
