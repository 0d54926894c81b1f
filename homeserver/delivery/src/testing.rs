//! A server in memory, for tests.

use std::{sync::Arc, time::Duration};

use orvale_events::ServerKey;
use orvale_federation_client::FederationClient;
use orvale_rooms::{Accepted, Arrival, Draft, Room, Rooms, StoredEvent};
use orvale_storage::{
    Batch, Store,
    record::JsonText,
    trees::federation::{KeyRecord, SERVER_KEYS},
};
use orvale_users::{Clock, NewAccount, Users};
use ruma::{
    DeviceId, MilliSecondsSinceUnixEpoch, OwnedEventId, OwnedServerName, OwnedUserId, RoomId,
    RoomVersionId, UInt, UserId,
    api::client::sync::sync_events::v3::{Filter, Request},
    events::{StateEventType, TimelineEventType},
    presence::PresenceState,
    serde::{Base64, base64::Standard},
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
    federation: Option<FederationClient>,
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
        Self::start_as(config, |_, _| None)
    }

    /// One that tells other servers by a client made of its store and key.
    pub(crate) fn start_federated(
        config: Config,
        client: impl FnOnce(Store, Arc<ServerKey>) -> FederationClient,
    ) -> Self {
        Self::start_as(config, |store, key| Some(client(store, key)))
    }

    fn start_as(
        config: Config,
        client: impl FnOnce(Store, Arc<ServerKey>) -> Option<FederationClient>,
    ) -> Self {
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
        let federation = client(store.clone(), key.clone());
        let clock: orvale_rooms::Clock = Arc::new(clock);
        // It knows the keys it needs, and asks nobody.
        let config_offline = orvale_federation_client::Config {
            enabled: false,
            ..orvale_federation_client::Config::default()
        };
        let offline =
            FederationClient::new(store.clone(), key.clone(), config_offline, clock.clone());
        let rooms = Rooms::new(
            store,
            users.clone(),
            key,
            orvale_rooms::Config::default(),
            clock,
        )
        .expect("a store that can be read");
        rooms.federate(offline.expect("a client"));
        let delivery = Delivery::start(
            rooms.clone(),
            users.clone(),
            federation.clone(),
            config.clone(),
        )
        .expect("delivery");
        Self {
            rooms,
            users,
            delivery,
            config,
            federation,
        }
    }

    /// The same data in the hands of a new process.
    pub(crate) fn restart(&mut self) {
        let (rooms, users) = (self.rooms.clone(), self.users.clone());
        self.delivery = Delivery::start(rooms, users, self.federation.clone(), self.config.clone())
            .expect("delivery");
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

    /// Another server, whose key this one has.
    pub(crate) async fn knows(&self, name: &str) -> ServerKey {
        let key = ServerKey::generate(OwnedServerName::try_from(name).expect("a name"));
        let public = Base64::<Standard>::parse(key.public_key()).expect("base64");
        let record = KeyRecord {
            key: public.into_inner(),
            valid_until: u64::MAX,
            fetched_at: 0,
            answer: JsonText("{}".to_owned()),
        };
        let mut batch = Batch::new();
        batch.put(&SERVER_KEYS, (name, key.key_id()), &record);
        let kept = self.rooms.store().commit(batch).await;
        kept.expect("a key is kept");
        key
    }

    /// Somebody of another server invites a user to a room that this server is not in.
    pub(crate) async fn invited_by(&self, them: &ServerKey, target: &UserId) -> OwnedEventId {
        let room = RoomId::parse(format!("!room:{}", them.server_name())).expect("an ID");
        let sender = UserId::parse(format!("@zoe:{}", them.server_name())).expect("an ID");
        let version = RoomVersionId::V10;
        let template = orvale_events::Template {
            room_id: Some(room.clone()),
            sender: sender.clone(),
            kind: TimelineEventType::RoomMember,
            state_key: Some(target.to_string()),
            content: raw(&json!({"membership": "invite"})),
            redacts: None,
            prev_events: vec!["$prev".try_into().expect("an ID")],
            auth_events: vec!["$auth".try_into().expect("an ID")],
            depth: 7,
            origin_server_ts: self.rooms.now(),
        };
        let rules = version.rules().expect("a known version");
        let (pdu, json) = orvale_events::build(template, &rules, them).expect("an event");
        let event = raw(&serde_json::from_slice(&json).expect("JSON"));
        let shown = [
            json!({"type": "m.room.name", "state_key": "", "sender": sender, "content": {"name": "Far away"}}),
            json!({"type": "m.room.member", "state_key": sender, "sender": sender, "content": {"membership": "join", "displayname": "Zoe"}}),
        ];
        let shown = shown.map(|event| raw(&event));
        let place = (&*room, &*pdu.event_id);
        let taken = self
            .rooms
            .take_invite(them.server_name(), place, &version, &event, &shown);
        taken.await.expect("an invite");
        pdu.event_id.clone()
    }

    /// A state event of another server's user in a room, who knew nothing that came after `prev`.
    pub(crate) async fn forked(
        &self,
        them: &ServerKey,
        room: &Arc<Room>,
        prev: &StoredEvent,
        (sender, kind, content): (&UserId, &str, &Value),
    ) -> Arc<StoredEvent> {
        let of = |kind: &str, key: &str| {
            let kind = StateEventType::from(kind);
            let event = self.rooms.find_state_at(prev.state_after(), &kind, key);
            event
                .expect("readable")
                .expect("a state event")
                .event_id()
                .to_owned()
        };
        let template = orvale_events::Template {
            room_id: Some(room.id.clone()),
            sender: sender.to_owned(),
            kind: TimelineEventType::from(kind),
            state_key: Some(String::new()),
            content: raw(content),
            redacts: None,
            prev_events: vec![prev.event_id().to_owned()],
            auth_events: vec![
                of("m.room.power_levels", ""),
                of("m.room.member", sender.as_str()),
            ],
            depth: prev.pdu.depth + 1,
            // What was sent first does not count where forks meet.
            origin_server_ts: prev.pdu.origin_server_ts,
        };
        let (pdu, json) = orvale_events::build(template, &room.rules, them).expect("an event");
        let event_id = pdu.event_id.clone();
        let arrival = Arrival {
            pdu: Arc::new(pdu),
            json,
        };
        let accepted = self.rooms.accept(room, arrival).await.expect("an answer");
        assert_eq!(accepted, Accepted::Live);
        let found = self.rooms.find_event(&event_id).expect("readable");
        found.expect("an accepted event")
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
