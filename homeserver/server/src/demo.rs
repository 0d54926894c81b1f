//! People and rooms to try things with: what `orvale serve --demo` puts into an empty server.
//!
//! Made through the same handles as everything else, so it also shows how they are used.

use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use orvale_client_api::ApiState;
use orvale_rooms::{Message, NewRoom, NewState, Preset, Rooms, Txn};
use orvale_storage::Position;
use orvale_users::{NewAccount, Users};
use ruma::{
    EventId, MilliSecondsSinceUnixEpoch, OwnedEventId, OwnedRoomId, OwnedUserId, RoomId, UInt,
    UserId, events::StateEventType,
};
use serde_json::{
    Value, json,
    value::{RawValue, to_raw_value},
};

/// The password of everybody in the demo.
const PASSWORD: &str = "orvale-demo";

/// Localpart, display name, whether they administer the server.
const PEOPLE: [(&str, &str, bool); 8] = [
    ("ada", "Ada Okafor", true),
    ("ben", "Ben Lindqvist", false),
    ("chiara", "Chiara Moretti", false),
    ("dmitri", "Dmitri Sokolov", false),
    ("elif", "Elif Yılmaz", false),
    ("farah", "Farah Haddad", false),
    ("gus", "Gus Almeida", false),
    ("hana", "Hana Novák", false),
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
    let space = demo.organisation().await?;
    demo.welcome(&space).await?;
    demo.help_desk(&space).await?;
    demo.announcements(&space).await?;
    demo.design(&space).await?;
    demo.leadership(&space).await?;
    demo.running(&space).await?;
    demo.lunch().await?;
    demo.move_day().await?;
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

/// So many minutes ago, or a little more, the rooms were made: before anything was said.
const FOUNDED: u64 = 600;
/// So many minutes ago everybody joined.
const JOINED: u64 = 590;

/// Who is who in [`PEOPLE`].
const ADA: usize = 0;
const BEN: usize = 1;
const CHIARA: usize = 2;
const DMITRI: usize = 3;
const ELIF: usize = 4;
const FARAH: usize = 5;
const GUS: usize = 6;
const HANA: usize = 7;

/// A channel of the organisation.
struct Channel {
    creator: usize,
    alias: &'static str,
    name: &'static str,
    topic: &'static str,
    access: Access,
    /// Who may write: the power level it takes.
    posting: i64,
    /// Who else has a role, by power level.
    roles: &'static [(usize, i64)],
}

/// Who can come into a channel.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    Everybody,
    /// Whoever is in the organisation's space.
    Organisation,
    /// Who asked and was let in.
    Knocking,
    Invited,
}

const EVERYBODY_WRITES: i64 = 0;
const MODERATORS_WRITE: i64 = 50;

impl Demo<'_> {
    /// The space in which everybody is and all channels are.
    async fn organisation(&self) -> Result<OwnedRoomId> {
        let new = NewRoom {
            preset: Preset::Public,
            alias: Some("orvale".to_owned()),
            name: Some("Orvale & Sons".to_owned()),
            topic: Some("All of us".to_owned()),
            creation_content: Some(to_raw_value(&json!({ "type": "m.space" }))?),
            ..NewRoom::default()
        };
        let space = self.room(ADA, new).await?;
        for who in BEN..=HANA {
            self.join(who, &space).await?;
        }
        Ok(space)
    }

    /// Only moderators write here; everybody reads and reacts.
    async fn announcements(&self, space: &RoomId) -> Result<()> {
        let channel = Channel {
            creator: ADA,
            alias: "announcements",
            name: "Announcements",
            topic: "What everybody should know. Questions go to Welcome",
            access: Access::Everybody,
            posting: MODERATORS_WRITE,
            roles: &[(CHIARA, 50)],
        };
        let room = self.channel(space, channel).await?;
        for who in BEN..=HANA {
            self.join(who, &room).await?;
        }
        let moved = self
            .say(
                ADA,
                &room,
                400,
                "We move to the new building on Friday the 12th. Boxes are in the corridor from Monday.",
            )
            .await?;
        for who in [BEN, ELIF, FARAH, HANA] {
            self.react(who, &room, 390, &moved, "📦").await?;
        }
        self.say(
            CHIARA,
            &room,
            200,
            "The summer party is on the 20th. Bring somebody.",
        )
        .await?;
        Ok(())
    }

    /// For those of the organisation who look for it.
    async fn design(&self, space: &RoomId) -> Result<()> {
        let channel = Channel {
            creator: CHIARA,
            alias: "design",
            name: "Design",
            topic: "Drafts, opinions, and which blue it is",
            access: Access::Organisation,
            posting: EVERYBODY_WRITES,
            roles: &[(FARAH, 75)],
        };
        let room = self.channel(space, channel).await?;
        for who in [FARAH, HANA] {
            self.join(who, &room).await?;
        }
        self.say(
            FARAH,
            &room,
            150,
            "The new forms are on the wiki. Be honest.",
        )
        .await?;
        self.say(
            HANA,
            &room,
            140,
            "Honestly? The button should not be a different blue from the link.",
        )
        .await?;
        Ok(())
    }

    /// For those who are invited.
    async fn leadership(&self, space: &RoomId) -> Result<()> {
        let channel = Channel {
            creator: ADA,
            alias: "leadership",
            name: "Leadership",
            topic: "Plans that are not ready to be seen",
            access: Access::Invited,
            posting: EVERYBODY_WRITES,
            roles: &[(BEN, 75)],
        };
        let room = self.channel(space, channel).await?;
        for who in [BEN, FARAH] {
            self.stand(ADA, who, &room, "invite").await?;
        }
        self.join(BEN, &room).await?;
        self.say(
            ADA,
            &room,
            100,
            "Numbers for the quarter are in the folder.",
        )
        .await?;
        Ok(())
    }

    /// One asks, and somebody there lets one in.
    async fn running(&self, space: &RoomId) -> Result<()> {
        let channel = Channel {
            creator: HANA,
            alias: "running",
            name: "Running club",
            topic: "Tuesdays at six, whatever the weather",
            access: Access::Knocking,
            posting: EVERYBODY_WRITES,
            roles: &[],
        };
        let room = self.channel(space, channel).await?;
        self.say(
            HANA,
            &room,
            500,
            "Ten kilometres along the river on Tuesday.",
        )
        .await?;
        self.rooms
            .knock(
                &self.people[GUS],
                &self.rooms.get(&room)?,
                Some("Can I come along? I am slow."),
            )
            .await?;
        Ok(())
    }

    /// A larger group, of which four names are too many for a row.
    async fn move_day(&self) -> Result<()> {
        let who = [ELIF, FARAH, GUS, HANA];
        let new = NewRoom {
            invite: self.ids(&who),
            initial_state: vec![state("com.orvale.channel", &json!({ "kind": "group" }))?],
            ..NewRoom::default()
        };
        let room = self.room(ADA, new).await?;
        for who in who {
            self.join(who, &room).await?;
        }
        self.say(ADA, &room, 70, "Who can carry the plants on Friday?")
            .await?;
        self.say(GUS, &room, 65, "I have a van.").await?;
        Ok(())
    }

    async fn welcome(&self, space: &RoomId) -> Result<()> {
        let channel = Channel {
            creator: ADA,
            alias: "welcome",
            name: "Welcome",
            topic: "Say hello, and ask where things are",
            access: Access::Everybody,
            posting: EVERYBODY_WRITES,
            roles: &[(BEN, 50)],
        };
        let room = self.channel(space, channel).await?;
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

    async fn help_desk(&self, space: &RoomId) -> Result<()> {
        let channel = Channel {
            creator: BEN,
            alias: "help-desk",
            name: "Help desk",
            topic: "Something is broken? Tell us here",
            access: Access::Everybody,
            posting: EVERYBODY_WRITES,
            roles: &[],
        };
        let room = self.channel(space, channel).await?;
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

    /// A channel in the organisation's space, as the web client makes one.
    async fn channel(&self, space: &RoomId, channel: Channel) -> Result<OwnedRoomId> {
        let via = [self.rooms.server_name()];
        let is_public = channel.access == Access::Everybody;
        let kind = if is_public {
            "public_channel"
        } else {
            "private_channel"
        };
        let mut initial_state = vec![
            state("com.orvale.channel", &json!({ "kind": kind }))?,
            to_raw_value(&json!({
                "type": "m.space.parent", "state_key": space, "content": { "via": via, "canonical": true },
            }))?,
        ];
        let join_rule = match channel.access {
            Access::Everybody | Access::Invited => None,
            Access::Knocking => Some(json!({ "join_rule": "knock" })),
            Access::Organisation => Some(json!({
                "join_rule": "restricted", "allow": [{ "type": "m.room_membership", "room_id": space }],
            })),
        };
        if let Some(rule) = join_rule {
            initial_state.push(state("m.room.join_rules", &rule)?);
        }
        let users: serde_json::Map<String, Value> = channel
            .roles
            .iter()
            .map(|(who, level)| (self.people[*who].to_string(), (*level).into()))
            .collect();
        let levels = json!({
            "users": users,
            "events_default": channel.posting,
            "events": {
                "m.room.name": 75, "m.room.topic": 50, "m.room.avatar": 75, "m.room.canonical_alias": 75,
                "m.room.power_levels": 50, "m.room.join_rules": 75, "m.room.history_visibility": 75,
                "m.room.guest_access": 75, "m.room.encryption": 75, "m.room.pinned_events": 50,
                "m.room.server_acl": 100, "m.room.tombstone": 100, "m.space.parent": 75, "com.orvale.channel": 75,
                "com.orvale.member.block": 50, "m.reaction": 0, "m.room.redaction": 0,
            },
        });
        let new = NewRoom {
            preset: if is_public {
                Preset::Public
            } else {
                Preset::Private
            },
            is_published: matches!(channel.access, Access::Everybody | Access::Knocking),
            alias: Some(channel.alias.to_owned()),
            name: Some(channel.name.to_owned()),
            topic: Some(channel.topic.to_owned()),
            power_levels: Some(to_raw_value(&levels)?),
            initial_state,
            ..NewRoom::default()
        };
        let room = self.room(channel.creator, new).await?;
        // Whoever made the space keeps its list.
        let child = NewState {
            kind: "m.space.child".into(),
            state_key: room.to_string(),
            content: to_raw_value(&json!({ "via": via, "suggested": true }))?,
            timestamp: None,
        };
        self.rooms
            .send_state(&self.people[ADA], space, child)
            .await?;
        Ok(room)
    }

    /// A room older than what is said in it.
    async fn room(&self, creator: usize, new: NewRoom) -> Result<OwnedRoomId> {
        // No two at the same moment: what they are made of would be the same, and so would be their ids.
        let created = Some(ago(FOUNDED + self.next()));
        let new = NewRoom { created, ..new };
        let room = self.rooms.create(&self.people[creator], new).await?;
        Ok(room.id.clone())
    }

    async fn join(&self, who: usize, room: &RoomId) -> Result<()> {
        self.stand(who, who, room, "join").await
    }

    /// Says how somebody stands in a room, before anything was said there.
    async fn stand(&self, by: usize, who: usize, room: &RoomId, membership: &str) -> Result<()> {
        let person = &self.people[who];
        let name = PEOPLE[who].1;
        let state = NewState {
            kind: StateEventType::RoomMember,
            state_key: person.to_string(),
            content: to_raw_value(&json!({ "membership": membership, "displayname": name }))
                .context("JSON can be written")?,
            timestamp: Some(ago(JOINED)),
        };
        self.rooms.send_state(&self.people[by], room, state).await?;
        Ok(())
    }

    fn next(&self) -> u64 {
        self.sent.fetch_add(1, std::sync::atomic::Ordering::Relaxed)
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
        debug_assert!(minutes_ago < JOINED, "said before anybody was there");
        let sender: &UserId = &self.people[who];
        let n = self.next();
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

/// A state event a room starts with.
fn state(kind: &str, content: &Value) -> Result<Box<RawValue>> {
    Ok(to_raw_value(
        &json!({ "type": kind, "state_key": "", "content": content }),
    )?)
}

fn ago(minutes: u64) -> MilliSecondsSinceUnixEpoch {
    let then = SystemTime::now() - Duration::from_secs(60 * minutes);
    MilliSecondsSinceUnixEpoch::from_system_time(then)
        .unwrap_or_else(|| MilliSecondsSinceUnixEpoch(UInt::new_saturating(0)))
}
