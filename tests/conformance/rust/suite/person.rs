//! Somebody with a client of the SDK that syncs.

use std::sync::Arc;

use matrix_sdk::{
    Client, Room, RoomState, ThreadingSupport,
    encryption::{BackupDownloadStrategy, EncryptionSettings},
    ruma::{
        EventId, RoomId, UserId,
        api::client::{
            account::register,
            room::create_room::v3::{Request as NewRoom, RoomPreset},
            uiaa::{AuthData, Dummy},
        },
    },
    sliding_sync::VersionBuilder,
};
use matrix_sdk_ui::{
    room_list_service::RoomListService,
    sync_service::{State, SyncService},
    timeline::{EventTimelineItem, RoomExt as _, Timeline},
};
use orvale_tests::{Server, eventually};

/// Somebody on a device.
pub struct Person {
    pub client: Client,
    sync: SyncService,
}

impl Person {
    /// Somebody with a new account.
    pub async fn register(server: &Server, name: &str) -> Self {
        let client = client(server).await;
        let mut request = register::v3::Request::new();
        request.username = Some(name.to_owned());
        request.password = Some(password(name));
        request.auth = Some(AuthData::Dummy(Dummy::new()));
        request.inhibit_login = true;
        client.matrix_auth().register(request).await.unwrap();
        Self::log_in(server, name).await
    }

    /// Somebody on a new device.
    pub async fn log_in(server: &Server, name: &str) -> Self {
        let client = client(server).await;
        let login = client.matrix_auth().login_username(name, &password(name));
        login.initial_device_display_name("rust").await.unwrap();
        client.event_cache().subscribe().unwrap();
        client
            .encryption()
            .wait_for_e2ee_initialization_tasks()
            .await;
        let sync = SyncService::builder(client.clone()).build().await.unwrap();
        sync.start().await;
        Self { client, sync }
    }

    pub fn user_id(&self) -> &UserId {
        self.client.user_id().unwrap()
    }

    pub fn rooms(&self) -> Arc<RoomListService> {
        self.sync.room_list_service()
    }

    /// Makes a room for some people.
    pub async fn room_with(&self, others: &[&Self]) -> Room {
        let mut new = NewRoom::new();
        new.preset = Some(RoomPreset::PrivateChat);
        new.invite = others
            .iter()
            .map(|other| other.user_id().to_owned())
            .collect();
        let room = self.client.create_room(new).await.unwrap();
        self.open(room.room_id()).await;
        for other in others {
            other.accept(room.room_id()).await;
        }
        room
    }

    /// Sees an invite in the room list and accepts it.
    pub async fn accept(&self, room: &RoomId) -> Room {
        let what = format!("{} to be invited to {room}", self.user_id());
        let invited = eventually(&what, async || {
            let found = self.client.get_room(room)?;
            (found.state() == RoomState::Invited).then_some(found)
        });
        invited.await.join().await.unwrap();
        self.open(room).await
    }

    /// Opens a room, as the client does for the one on the screen.
    pub async fn open(&self, room: &RoomId) -> Room {
        self.rooms().set_room_subscriptions(&[room]).await;
        let what = format!("{} to be in {room}", self.user_id());
        eventually(&what, async || {
            let found = self.client.get_room(room)?;
            // Joining sets the state at once; the rest comes by sync.
            (found.state() == RoomState::Joined && found.create_content().is_some())
                .then_some(found)
        })
        .await
    }

    /// Starts to sync again if it has ended because the server was away.
    pub async fn go_on(&self) {
        if !matches!(self.sync.state().get(), State::Running) {
            self.sync.start().await;
        }
    }

    /// A room's timeline.
    pub async fn timeline(&self, room: &RoomId) -> Timeline {
        let room = self.client.get_room(room).unwrap();
        room.timeline().await.unwrap()
    }
}

/// Waits for an item of a timeline.
pub async fn item(
    timeline: &Timeline,
    what: &str,
    wanted: impl Fn(&EventTimelineItem) -> bool,
) -> EventTimelineItem {
    let found = eventually(what, async || {
        let items = timeline.items().await;
        let mut events = items.iter().filter_map(|item| item.as_event());
        events.find(|event| wanted(event)).cloned()
    });
    found.await
}

/// Waits for a message that says this.
pub async fn message(timeline: &Timeline, text: &str) -> EventTimelineItem {
    item(timeline, text, |item| says(item, text)).await
}

/// Whether a message says this.
pub fn says(item: &EventTimelineItem, text: &str) -> bool {
    let message = item.content().as_message();
    message.is_some_and(|message| message.body() == text)
}

/// Whether it is this event.
pub fn is(item: &EventTimelineItem, event: &EventId) -> bool {
    item.event_id() == Some(event)
}

async fn client(server: &Server) -> Client {
    Client::builder()
        .homeserver_url(server.base())
        .sliding_sync_version_builder(VersionBuilder::DiscoverNative)
        .with_encryption_settings(EncryptionSettings {
            auto_enable_cross_signing: true,
            backup_download_strategy: BackupDownloadStrategy::AfterDecryptionFailure,
            auto_enable_backups: true,
        })
        .with_threading_support(ThreadingSupport::Enabled {
            with_subscriptions: true,
        })
        .build()
        .await
        .unwrap()
}

fn password(name: &str) -> String {
    format!("the password of {name}")
}
