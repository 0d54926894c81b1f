//! People and rooms to try things with: what `orvale serve --demo` puts into an empty server.
//!
//! Made through the same handles as everything else, so it also shows how they are used.

use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use orvale_client_api::ApiState;
use orvale_rooms::{Message, NewRoom, Preset, Rooms, Txn};
use orvale_storage::Position;
use orvale_users::{NewAccount, Users};
use ruma::{
    EventId, MilliSecondsSinceUnixEpoch, OwnedEventId, OwnedRoomId, OwnedUserId, RoomId, UInt,
    UserId,
};
use serde_json::{Value, json, value::to_raw_value};

/// The password of everybody in the demo.
const PASSWORD: &str = "orvale-demo";

/// Localpart, display name, whether they administer the server.
const PEOPLE: [(&str, &str, bool); 5] = [
    ("ada", "Ada Okafor", true),
    ("ben", "Ben Lindqvist", false),
    ("chiara", "Chiara Moretti", false),
    ("dmitri", "Dmitri Sokolov", false),
    ("elif", "Elif Yılmaz", false),
];

/// Fills a server in which nothing has happened yet; does nothing to any other.
pub(crate) async fn fill_if_empty(state: &ApiState) -> Result<()> {
    if state.rooms.store().visible() > Position::START {
        return Ok(());
    }
    let mut people = Vec::new();
    for (localpart, name, admin) in PEOPLE {
        let account = NewAccount {
            localpart: Some(localpart),
            password: Some(PASSWORD),
            display_name: Some(name),
            admin,
            ..NewAccount::default()
        };
        people.push(state.users.create_account(account).await?);
    }
    let demo = Demo {
        rooms: &state.rooms,
        users: &state.users,
        people,
        sent: 0.into(),
    };
    demo.welcome().await?;
    demo.help_desk().await?;
    demo.lunch().await?;
    demo.direct().await
}

/// The logins that work, a line each.
pub(crate) async fn logins(users: &Users) -> Result<Vec<String>> {
    let mut lines = Vec::new();
    for (localpart, name, admin) in PEOPLE {
        let Some(user_id) = users.named(localpart) else {
            continue;
        };
        if users.exists(&user_id)? && users.password_matches(&user_id, PASSWORD).await? {
            let role = if admin { ", administrator" } else { "" };
            lines.push(format!("  {localpart:8} {PASSWORD}   ({name}{role})"));
        }
    }
    Ok(lines)
}

struct Demo<'a> {
    rooms: &'a Rooms,
    users: &'a Users,
    people: Vec<OwnedUserId>,
    sent: std::sync::atomic::AtomicU64,
}

/// Who is who in [`PEOPLE`].
const ADA: usize = 0;
const BEN: usize = 1;
const CHIARA: usize = 2;
const DMITRI: usize = 3;
const ELIF: usize = 4;

impl Demo<'_> {
    async fn welcome(&self) -> Result<()> {
        let room = self
            .public(
                ADA,
                "welcome",
                "Welcome",
                "Say hello, and ask where things are",
            )
            .await?;
        for who in [BEN, CHIARA, DMITRI, ELIF] {
            self.join(who, &room).await?;
        }
        self.say(
            ADA,
            &room,
            300,
            "Good morning, and welcome to Orvale! This is where everybody is.",
        )
        .await?;
        let asked = self
            .say(
                ELIF,
                &room,
                240,
                "Hello all, I started in accounting today. Who do I ask about a badge?",
            )
            .await?;
        self.reply(
            BEN,
            &room,
            232,
            &asked,
            "Come by the help desk room, I make them. Two minutes.",
        )
        .await?;
        self.react(ELIF, &room, 230, &asked, "🙏").await?;
        let seen = self
            .say(
                CHIARA,
                &room,
                45,
                "The canteen has tiramisù today. You have been told.",
            )
            .await?;
        for who in [ADA, BEN, DMITRI] {
            self.react(who, &room, 40, &seen, "🍰").await?;
        }
        Ok(())
    }

    async fn help_desk(&self) -> Result<()> {
        let room = self
            .public(
                BEN,
                "help-desk",
                "Help desk",
                "Something is broken? Tell us here",
            )
            .await?;
        for who in [ADA, DMITRI, ELIF] {
            self.join(who, &room).await?;
        }
        let broken = self
            .say(
                DMITRI,
                &room,
                180,
                "The printer on the second floor prints everything in green.",
            )
            .await?;
        self.thread(
            BEN,
            &room,
            175,
            &broken,
            "Green as in eco mode, or green as in green?",
        )
        .await?;
        self.thread(DMITRI, &room, 174, &broken, "Green as in a forest.")
            .await?;
        self.thread(
            BEN,
            &room,
            120,
            &broken,
            "Cartridges were swapped. It should be fine now.",
        )
        .await?;
        self.say(
            BEN,
            &room,
            60,
            "Maintenance tonight from 22:00 to 22:15: the wiki will be away.",
        )
        .await?;
        Ok(())
    }

    async fn lunch(&self) -> Result<()> {
        let new = NewRoom {
            invite: self.ids(&[CHIARA, DMITRI]),
            ..NewRoom::default()
        };
        let room = self.room(ADA, new).await?;
        self.join(CHIARA, &room).await?;
        self.join(DMITRI, &room).await?;
        self.say(ADA, &room, 90, "Lunch at half past twelve?")
            .await?;
        let said = self.say(DMITRI, &room, 88, "Yes, I book a tabel").await?;
        self.edit(DMITRI, &room, 87, &said, "Yes, I book a table")
            .await
    }

    async fn direct(&self) -> Result<()> {
        let new = NewRoom {
            preset: Preset::TrustedPrivate,
            is_direct: true,
            invite: self.ids(&[BEN]),
            ..NewRoom::default()
        };
        let room = self.room(ADA, new).await?;
        self.join(BEN, &room).await?;
        for (who, other) in [(ADA, BEN), (BEN, ADA)] {
            let direct = json!({ &self.people[other]: [&room] });
            self.users
                .set_account_data(&self.people[who], None, "m.direct", &direct.to_string())
                .await?;
        }
        self.say(
            ADA,
            &room,
            30,
            "Ben, could you show Elif the ticket system this afternoon?",
        )
        .await?;
        self.say(BEN, &room, 28, "With pleasure. At three?").await?;
        self.say(ADA, &room, 27, "Perfect, thank you.").await?;
        Ok(())
    }

    fn ids(&self, who: &[usize]) -> Vec<OwnedUserId> {
        who.iter().map(|who| self.people[*who].clone()).collect()
    }

    async fn public(
        &self,
        creator: usize,
        alias: &str,
        name: &str,
        topic: &str,
    ) -> Result<OwnedRoomId> {
        let new = NewRoom {
            preset: Preset::Public,
            is_published: true,
            alias: Some(alias.to_owned()),
            name: Some(name.to_owned()),
            topic: Some(topic.to_owned()),
            ..NewRoom::default()
        };
        self.room(creator, new).await
    }

    async fn room(&self, creator: usize, new: NewRoom) -> Result<OwnedRoomId> {
        let room = self.rooms.create(&self.people[creator], new).await?;
        Ok(room.id.clone())
    }

    async fn join(&self, who: usize, room: &RoomId) -> Result<()> {
        let room = self.rooms.get(room)?;
        Ok(self.rooms.join(&self.people[who], &room, None).await?)
    }

    async fn say(
        &self,
        who: usize,
        room: &RoomId,
        minutes_ago: u64,
        text: &str,
    ) -> Result<OwnedEventId> {
        self.send(
            who,
            room,
            minutes_ago,
            "m.room.message",
            json!({ "msgtype": "m.text", "body": text }),
        )
        .await
    }

    async fn reply(
        &self,
        who: usize,
        room: &RoomId,
        minutes_ago: u64,
        to: &EventId,
        text: &str,
    ) -> Result<()> {
        let relates_to = json!({ "m.in_reply_to": { "event_id": to } });
        self.related(who, room, minutes_ago, text, relates_to).await
    }

    async fn thread(
        &self,
        who: usize,
        room: &RoomId,
        minutes_ago: u64,
        root: &EventId,
        text: &str,
    ) -> Result<()> {
        let relates_to = json!({
            "rel_type": "m.thread", "event_id": root, "is_falling_back": true, "m.in_reply_to": { "event_id": root },
        });
        self.related(who, room, minutes_ago, text, relates_to).await
    }

    async fn related(
        &self,
        who: usize,
        room: &RoomId,
        minutes_ago: u64,
        text: &str,
        relates_to: Value,
    ) -> Result<()> {
        let content = json!({ "msgtype": "m.text", "body": text, "m.relates_to": relates_to });
        self.send(who, room, minutes_ago, "m.room.message", content)
            .await?;
        Ok(())
    }

    async fn edit(
        &self,
        who: usize,
        room: &RoomId,
        minutes_ago: u64,
        event: &EventId,
        text: &str,
    ) -> Result<()> {
        let content = json!({
            "msgtype": "m.text",
            "body": format!("* {text}"),
            "m.new_content": { "msgtype": "m.text", "body": text },
            "m.relates_to": { "rel_type": "m.replace", "event_id": event },
        });
        self.send(who, room, minutes_ago, "m.room.message", content)
            .await?;
        Ok(())
    }

    async fn react(
        &self,
        who: usize,
        room: &RoomId,
        minutes_ago: u64,
        to: &EventId,
        key: &str,
    ) -> Result<()> {
        let content =
            json!({ "m.relates_to": { "rel_type": "m.annotation", "event_id": to, "key": key } });
        self.send(who, room, minutes_ago, "m.reaction", content)
            .await?;
        Ok(())
    }

    async fn send(
        &self,
        who: usize,
        room: &RoomId,
        minutes_ago: u64,
        kind: &str,
        content: Value,
    ) -> Result<OwnedEventId> {
        let sender: &UserId = &self.people[who];
        let n = self.sent.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let message = Message {
            kind: kind.into(),
            content: to_raw_value(&content).context("JSON can be written")?,
            timestamp: Some(ago(minutes_ago)),
        };
        let id = n.to_string();
        Ok(self
            .rooms
            .send(
                sender,
                room,
                message,
                Txn {
                    device: "DEMO",
                    id: &id,
                },
            )
            .await?)
    }
}

fn ago(minutes: u64) -> MilliSecondsSinceUnixEpoch {
    let then = SystemTime::now() - Duration::from_secs(60 * minutes);
    MilliSecondsSinceUnixEpoch::from_system_time(then)
        .unwrap_or_else(|| MilliSecondsSinceUnixEpoch(UInt::new_saturating(0)))
}
