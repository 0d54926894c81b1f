//! What one is told of, and how much is unread.

use matrix_sdk::{
    notification_settings::RoomNotificationMode,
    ruma::{
        api::client::receipt::create_receipt::v3::ReceiptType,
        events::{Mentions, room::message::RoomMessageEventContent},
    },
};
use matrix_sdk_ui::notification_client::{
    NotificationClient, NotificationProcessSetup, NotificationStatus,
};
use orvale_tests::{Server, eventually};

use crate::person::{Person, message};

#[tokio::test(flavor = "multi_thread")]
async fn unread_messages_are_counted_and_notifications_fetched() {
    let server = Server::start().await;
    let alice = Person::register(&server, "alice").await;
    let bob = Person::register(&server, "bob").await;
    let room = alice.room_with(&[&bob]).await;
    let of_bob = bob.client.get_room(room.room_id()).unwrap();
    let counts = async |notifications: u64, highlights: u64| {
        let what = format!("{notifications} unread, {highlights} of them mentions");
        eventually(&what, async || {
            let counts = of_bob.unread_notification_counts();
            let both = (counts.notification_count, counts.highlight_count);
            (both == (notifications, highlights)).then_some(())
        })
        .await;
    };
    room.send(RoomMessageEventContent::text_plain("one"))
        .await
        .unwrap();
    counts(1, 0).await;
    let mention = RoomMessageEventContent::text_plain("two, bob")
        .add_mentions(Mentions::with_user_ids([bob.user_id().to_owned()]));
    let mention = room.send(mention).await.unwrap().response.event_id;
    counts(2, 1).await;

    let told = NotificationClient::new(
        bob.client.clone(),
        NotificationProcessSetup::MultipleProcesses,
    );
    let told = told.await.unwrap();
    let NotificationStatus::Event(notification) = told
        .get_notification(room.room_id(), &mention)
        .await
        .unwrap()
    else {
        panic!("a mention notifies");
    };
    assert_eq!(notification.has_mention, Some(true));
    assert_eq!(notification.event.sender(), alice.user_id());

    let timeline = bob.timeline(room.room_id()).await;
    message(&timeline, "two, bob").await;
    timeline.mark_as_read(ReceiptType::Read).await.unwrap();
    counts(0, 0).await;

    // Rules are the server's, and it counts by them.
    let settings = bob.client.notification_settings().await;
    settings
        .set_room_notification_mode(
            room.room_id(),
            RoomNotificationMode::MentionsAndKeywordsOnly,
        )
        .await
        .unwrap();
    let quiet = room
        .send(RoomMessageEventContent::text_plain("three"))
        .await
        .unwrap();
    let quiet = quiet.response.event_id;
    message(&timeline, "three").await;
    let status = told.get_notification(room.room_id(), &quiet).await.unwrap();
    assert!(matches!(status, NotificationStatus::EventFilteredOut));
    settings.add_keyword("tulip".to_owned()).await.unwrap();
    room.send(RoomMessageEventContent::text_plain("a tulip"))
        .await
        .unwrap();
    counts(1, 0).await;

    // A new device is told the same.
    let again = Person::log_in(&server, "bob").await;
    let of_bob = again.open(room.room_id()).await;
    let mode = eventually("the mode", async || {
        of_bob.user_defined_notification_mode().await
    });
    assert_eq!(mode.await, RoomNotificationMode::MentionsAndKeywordsOnly);
    assert_eq!(of_bob.unread_notification_counts().notification_count, 1);
    let settings = again.client.notification_settings().await;
    assert!(settings.enabled_keywords().await.contains("tulip"));
}
