//! Rooms in memory, for tests.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use orvale_events::ServerKey;
use orvale_storage::Store;
use orvale_users::{NewAccount, Users};
use ruma::{
    MilliSecondsSinceUnixEpoch, OwnedUserId, RoomVersionId, UInt, UserId,
    events::{StateEventType, TimelineEventType},
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

/// Rooms with a clock of their own.
pub(crate) fn rooms_at(clock: Clock) -> Rooms {
    rooms_in(Store::in_memory(), clock)
}

/// Rooms on the disk, where batches are on their way for a while.
pub(crate) fn rooms_on_disk(directory: &std::path::Path) -> Rooms {
    let config = orvale_storage::Config {
        path: directory.to_owned(),
        cache_bytes: 8 << 20,
    };
    let store = Store::open(&config).expect("an empty directory");
    rooms_in(store, Arc::new(MilliSecondsSinceUnixEpoch::now))
}

pub(crate) fn rooms_in(store: Store, clock: Clock) -> Rooms {
    let key = ServerKey::generate("orvale.test".try_into().expect("a server name"));
    let config = orvale_users::Config::default();
    let people = Users::new(
        store.clone(),
        key.server_name(),
        config,
        orvale_users::Clock::system(),
    );
    let people = people.expect("the default settings");
    Rooms::new(store, people, Arc::new(key), Config::default(), clock)
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
        let alice = user("alice");
        let levels = if version == RoomVersionId::V12 {
            json!({"users": {}})
        } else {
            json!({"users": {"@alice:orvale.test": 100}})
        };
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
