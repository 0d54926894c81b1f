//! Rooms in memory, for tests.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use orvale_events::ServerKey;
use orvale_federation_client::FederationClient;
use orvale_storage::{
    Batch, Store,
    record::JsonText,
    trees::federation::{KeyRecord, SERVER_KEYS},
};
use orvale_users::{NewAccount, Users};
use ruma::{
    MilliSecondsSinceUnixEpoch, OwnedUserId, RoomVersionId, UInt, UserId,
    events::{StateEventType, TimelineEventType},
    serde::{Base64, base64::Standard},
};
use serde_json::{Value, json, value::RawValue};

use crate::{Clock, Config, Draft, Reader, Result, Room, Rooms, StoredEvent};

/// Rooms over a fresh store in memory; each look at the clock is a millisecond later.
pub(crate) fn rooms() -> Rooms {
    let ticks = AtomicU64::new(1_700_000_000_000);
    rooms_at(Arc::new(move || {
        MilliSecondsSinceUnixEpoch(UInt::new_saturating(ticks.fetch_add(1, Ordering::Relaxed)))
    }))
}

/// Rooms of a server whose settings say more of what its people may do.
pub(crate) fn rooms_under(policy: orvale_policy::Config) -> Rooms {
    let ticks = AtomicU64::new(1_700_000_000_000);
    let clock: Clock = Arc::new(move || {
        MilliSecondsSinceUnixEpoch(UInt::new_saturating(ticks.fetch_add(1, Ordering::Relaxed)))
    });
    rooms_made("orvale.test", Store::in_memory(), clock, policy)
}

/// Rooms with a clock of their own.
pub(crate) fn rooms_at(clock: Clock) -> Rooms {
    rooms_in(Store::in_memory(), clock)
}

/// Rooms on the disk, where batches are on their way for a while.
pub(crate) fn rooms_on_disk(directory: &std::path::Path) -> Rooms {
    let config = orvale_storage::Config {
        path: directory.to_owned(),
        cache_bytes: 8 << 20,
        free_bytes: 0,
    };
    let store = Store::open(&config).expect("an empty directory");
    rooms_in(store, Arc::new(MilliSecondsSinceUnixEpoch::now))
}

pub(crate) fn rooms_in(store: Store, clock: Clock) -> Rooms {
    rooms_of("orvale.test", store, clock)
}

/// The rooms of a server of its own.
pub(crate) fn server(name: &str) -> Rooms {
    let ticks = AtomicU64::new(1_700_000_000_000);
    let clock: Clock = Arc::new(move || {
        MilliSecondsSinceUnixEpoch(UInt::new_saturating(ticks.fetch_add(1, Ordering::Relaxed)))
    });
    rooms_of(name, Store::in_memory(), clock)
}

fn rooms_of(name: &str, store: Store, clock: Clock) -> Rooms {
    rooms_made(name, store, clock, orvale_policy::Config::default())
}

fn rooms_made(name: &str, store: Store, clock: Clock, policy: orvale_policy::Config) -> Rooms {
    let key = ServerKey::generate(name.try_into().expect("a server name"));
    let config = orvale_users::Config {
        permissions: policy.permissions.clone(),
        ..orvale_users::Config::default()
    };
    let people = Users::new(
        store.clone(),
        key.server_name(),
        config,
        orvale_users::Clock::system(),
    );
    let people = people.expect("the default settings");
    let config = Config {
        policy,
        ..Config::default()
    };
    Rooms::new(store, people, Arc::new(key), config, clock).expect("a store that can be read")
}

/// Rooms that verify what these other servers signed, and ask nobody.
pub(crate) async fn knowing(rooms: Rooms, others: &[&Rooms]) -> Rooms {
    let mut batch = Batch::new();
    for other in others {
        let key = &other.inner.key;
        let public = Base64::<Standard>::parse(key.public_key()).expect("base64");
        let record = KeyRecord {
            key: public.into_inner(),
            valid_until: u64::MAX,
            fetched_at: 0,
            answer: JsonText("{}".to_owned()),
        };
        batch.put(&SERVER_KEYS, (key.server_name(), key.key_id()), &record);
    }
    rooms.store().commit(batch).await.expect("keys are kept");
    let offline = orvale_federation_client::Config {
        enabled: false,
        ..orvale_federation_client::Config::default()
    };
    let clock = rooms.inner.clock.clone();
    let key = rooms.inner.key.clone();
    let client = FederationClient::new(rooms.store().clone(), key, offline, clock);
    rooms.federate(client.expect("a client"));
    rooms
}

/// The rooms of the same server in another process.
pub(crate) fn again(rooms: &Rooms) -> Rooms {
    let (store, key) = (rooms.store().clone(), rooms.inner.key.clone());
    let (users, clock) = (rooms.users().clone(), rooms.inner.clock.clone());
    Rooms::new(store, users, key, Config::default(), clock).expect("a store that can be read")
}

pub(crate) fn user(name: &str) -> OwnedUserId {
    UserId::parse(format!("@{name}:orvale.test")).expect("a user ID")
}

pub(crate) fn raw(value: &Value) -> Box<RawValue> {
    RawValue::from_string(value.to_string()).expect("JSON")
}

pub(crate) fn state(sender: &UserId, kind: &str, key: &str, content: &Value) -> Draft {
    Draft::state(sender, StateEventType::from(kind), key, raw(content))
}

pub(crate) fn text(sender: &UserId, body: &str) -> Draft {
    Draft::message(
        sender,
        TimelineEventType::RoomMessage,
        raw(&json!({"msgtype": "m.text", "body": body})),
    )
}

pub(crate) fn member(sender: &UserId, target: &UserId, membership: &str) -> Draft {
    state(
        sender,
        "m.room.member",
        target.as_str(),
        &json!({"membership": membership}),
    )
}

impl Rooms {
    /// Accounts for these people.
    pub(crate) async fn people<const N: usize>(&self, names: [&str; N]) -> [OwnedUserId; N] {
        for name in names {
            let new = NewAccount {
                localpart: Some(name),
                ..NewAccount::default()
            };
            self.users()
                .create_account(new)
                .await
                .expect("a new account");
        }
        names.map(user)
    }

    /// A public room of alice's, of this version.
    pub(crate) async fn public_room(&self, version: RoomVersionId) -> Arc<Room> {
        self.public_room_with(version, json!({})).await
    }

    /// A public room of alice's, of this version, with these power levels besides hers.
    pub(crate) async fn public_room_with(
        &self,
        version: RoomVersionId,
        mut users: Value,
    ) -> Arc<Room> {
        let alice = UserId::parse(format!("@alice:{}", self.server_name())).expect("a user ID");
        if version != RoomVersionId::V12 {
            users[alice.as_str()] = json!(100);
        }
        let levels = json!({"users": users});
        let drafts = vec![
            state(
                &alice,
                "m.room.create",
                "",
                &json!({"room_version": version, "creator": alice}),
            ),
            member(&alice, &alice, "join"),
            state(&alice, "m.room.power_levels", "", &levels),
            state(
                &alice,
                "m.room.join_rules",
                "",
                &json!({"join_rule": "public"}),
            ),
        ];
        self.append_new(version, drafts).await.expect("a room")
    }

    pub(crate) async fn did(&self, room: &Arc<Room>, draft: Draft) -> Result<Arc<StoredEvent>> {
        let appended = self.append_one(room, draft).await?;
        Ok(self
            .find_event(&appended.event_id)?
            .expect("an acknowledged event"))
    }
}

impl StoredEvent {
    /// It as clients see it.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(
            self.client_format(&Reader::default())
                .expect("an event")
                .get(),
        )
        .expect("JSON")
    }
}
