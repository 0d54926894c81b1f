//! A server in memory, for tests.

use std::{sync::Arc, time::Duration};

use orvale_events::ServerKey;
use orvale_rooms::{Draft, Room, Rooms, StoredEvent};
use orvale_storage::Store;
use orvale_users::{Clock, NewAccount, Users};
use ruma::{
    DeviceId, MilliSecondsSinceUnixEpoch, OwnedUserId, RoomVersionId, UInt, UserId,
    api::client::sync::sync_events::v3::{Filter, Request},
    events::{StateEventType, TimelineEventType},
    presence::PresenceState,
    server_name,
};
use serde_json::{Value, json, value::RawValue};

use crate::{Config, Delivery, Error};

/// Everything up to delivery, over a fresh store in memory.
pub(crate) struct TestServer {
    pub(crate) rooms: Rooms,
    pub(crate) users: Users,
    pub(crate) delivery: Delivery,
    config: Config,
}

pub(crate) fn raw(value: &Value) -> Box<RawValue> {
    RawValue::from_string(value.to_string()).expect("JSON")
}

pub(crate) fn text(sender: &UserId, body: &str) -> Draft {
    let content = json!({"msgtype": "m.text", "body": body});
    Draft::message(sender, TimelineEventType::RoomMessage, raw(&content))
}

pub(crate) fn state(sender: &UserId, kind: &str, key: &str, content: &Value) -> Draft {
    Draft::state(sender, StateEventType::from(kind), key, raw(content))
}

pub(crate) fn member(sender: &UserId, target: &UserId, membership: &str) -> Draft {
    state(
        sender,
        "m.room.member",
        target.as_str(),
        &json!({"membership": membership}),
    )
}

impl TestServer {
    pub(crate) fn start() -> Self {
        Self::start_with(Config::default())
    }

    pub(crate) fn start_with(config: Config) -> Self {
        let store = Store::in_memory();
        let name = server_name!("orvale.test");
        let users = Users::new(
            store.clone(),
            name,
            orvale_users::Config::default(),
            Clock::held_at(1_700_000_000_000),
        );
        let users = users.expect("users");
        // Each look at the time is a millisecond later.
        let time = users.clock().clone();
        let clock = move || {
            time.advance(Duration::from_millis(1));
            MilliSecondsSinceUnixEpoch(UInt::new_saturating(time.now()))
        };
        let key = Arc::new(ServerKey::generate(name.to_owned()));
        let rooms = Rooms::new(
            store,
            users.clone(),
            key,
            orvale_rooms::Config::default(),
            Arc::new(clock),
        );
        let delivery =
            Delivery::start(rooms.clone(), users.clone(), config.clone()).expect("delivery");
        Self {
            rooms,
            users,
            delivery,
            config,
        }
    }

    /// The same data in the hands of a new process.
    pub(crate) fn restart(&mut self) {
        let (rooms, users) = (self.rooms.clone(), self.users.clone());
        self.delivery = Delivery::start(rooms, users, self.config.clone()).expect("delivery");
    }

    pub(crate) async fn user(&self, name: &str) -> OwnedUserId {
        let new = NewAccount {
            localpart: Some(name),
            ..NewAccount::default()
        };
        self.users.create_account(new).await.expect("an account")
    }

    /// A public room of somebody's.
    pub(crate) async fn room(&self, creator: &UserId) -> Arc<Room> {
        let drafts = vec![
            state(creator, "m.room.create", "", &json!({"room_version": "12"})),
            member(creator, creator, "join"),
            state(
                creator,
                "m.room.power_levels",
                "",
                &json!({"users": {}, "events": {"m.room.topic": 0}}),
            ),
            state(
                creator,
                "m.room.join_rules",
                "",
                &json!({"join_rule": "public"}),
            ),
        ];
        self.rooms
            .append_new(RoomVersionId::V12, drafts)
            .await
            .expect("a room")
    }

    pub(crate) async fn did(&self, room: &Arc<Room>, draft: Draft) -> Arc<StoredEvent> {
        let appended = self.rooms.append_one(room, draft).await.expect("allowed");
        self.rooms
            .find_event(&appended.event_id)
            .expect("readable")
            .expect("an acknowledged event")
    }

    pub(crate) async fn send(
        &self,
        room: &Arc<Room>,
        sender: &UserId,
        body: &str,
    ) -> Arc<StoredEvent> {
        self.did(room, text(sender, body)).await
    }

    pub(crate) async fn join(&self, room: &Arc<Room>, user_id: &UserId) -> Arc<StoredEvent> {
        self.did(room, member(user_id, user_id, "join")).await
    }

    pub(crate) fn client(&self, user_id: &UserId) -> Client<'_> {
        Client {
            server: self,
            user_id: user_id.to_owned(),
            device: "DEVICE".to_owned(),
            since: None,
            filter: Value::Null,
            state_after: false,
        }
    }
}

/// A client that syncs.
pub(crate) struct Client<'a> {
    server: &'a TestServer,
    pub(crate) user_id: OwnedUserId,
    pub(crate) device: String,
    pub(crate) since: Option<String>,
    pub(crate) filter: Value,
    pub(crate) state_after: bool,
}

impl Client<'_> {
    pub(crate) fn filtered(mut self, filter: Value) -> Self {
        self.filter = filter;
        self
    }

    pub(crate) fn request(&self) -> Request {
        let mut request = Request::new();
        request.since.clone_from(&self.since);
        request.use_state_after = self.state_after;
        request.set_presence = PresenceState::Offline;
        if !self.filter.is_null() {
            request.filter = Some(Filter::FilterDefinition(
                serde_json::from_value(self.filter.clone()).expect("a filter"),
            ));
        }
        request
    }

    pub(crate) async fn ask(&self, request: Request) -> Result<Value, Error> {
        let device: &DeviceId = self.device.as_str().into();
        let body = self
            .server
            .delivery
            .sync(&self.user_id, device, request)
            .await?;
        Ok(serde_json::from_slice(&body).expect("JSON"))
    }

    /// Syncs without waiting, and goes on from there.
    pub(crate) async fn sync(&mut self) -> Value {
        let answer = self.ask(self.request()).await.expect("an answer");
        self.since = Some(answer["next_batch"].as_str().expect("a token").to_owned());
        answer
    }

    /// Syncs with this timeout, and goes on from there.
    pub(crate) async fn wait(&mut self, timeout: Duration) -> Value {
        let mut request = self.request();
        request.timeout = Some(timeout);
        let answer = self.ask(request).await.expect("an answer");
        self.since = Some(answer["next_batch"].as_str().expect("a token").to_owned());
        answer
    }
}

/// The bodies of a room's timeline in an answer.
pub(crate) fn bodies(answer: &Value, section: &str, room: &Room) -> Vec<String> {
    let events = answer["rooms"][section][room.id.as_str()]["timeline"]["events"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let body = |event: Value| {
        event["content"]["body"].as_str().map_or_else(
            || event["type"].as_str().unwrap_or_default().to_owned(),
            str::to_owned,
        )
    };
    events.into_iter().map(body).collect()
}
