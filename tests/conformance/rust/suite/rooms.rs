//! The room list, and what one does with rooms.

use matrix_sdk::{
    RoomMemberships, RoomState,
    room_directory_search::RoomDirectorySearch,
    ruma::{
        api::client::{
            receipt::create_receipt::v3::ReceiptType,
            room::{Visibility, create_room::v3::Request as NewRoom},
        },
        events::{receipt::ReceiptThread, room::message::RoomMessageEventContent, tag::TagName},
    },
    sliding_sync::Version,
};
use matrix_sdk_ui::room_list_service::RoomListLoadingState;
use orvale_tests::{Server, eventually};

use crate::person::{Person, message, says};

#[tokio::test(flavor = "multi_thread")]
async fn the_room_list_fills_by_sliding_sync() {
    let server = Server::start().await;
    let alice = Person::register(&server, "alice").await;
    assert!(matches!(
        alice.client.sliding_sync_version(),
        Version::Native
    ));
    for n in 0..25 {
        let mut new = NewRoom::new();
        new.name = Some(format!("room {n}"));
        alice.client.create_room(new).await.unwrap();
    }
    // A new device meets all of them at once, by growing windows.
    let again = Person::log_in(&server, "alice").await;
    let list = again.rooms().all_rooms().await.unwrap();
    let state = list.loading_state();
    eventually("the list", async || {
        let all = RoomListLoadingState::Loaded {
            maximum_number_of_rooms: Some(25),
        };
        (state.get() == all).then_some(())
    })
    .await;
    eventually("all rooms", async || {
        let rooms = again.client.joined_rooms();
        let named = rooms.iter().filter(|room| room.name().is_some());
        (named.count() == 25).then_some(())
    })
    .await;
    // What happens elsewhere arrives.
    let room = &alice.client.joined_rooms()[0];
    let mut new = room.name().unwrap();
    new += " anew";
    room.set_name(new.clone()).await.unwrap();
    eventually("the name", async || {
        let room = again.client.get_room(room.room_id())?;
        (room.name()? == new).then_some(())
    })
    .await;
    room.leave().await.unwrap();
    eventually("it to be left", async || {
        let room = again.client.get_room(room.room_id())?;
        (room.state() == RoomState::Left).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_comes_back_is_synced_on() {
    let server = Server::start().await;
    let alice = Person::register(&server, "alice").await;
    let bob = Person::register(&server, "bob").await;
    let room = alice.room_with(&[&bob]).await;
    server.kill();
    server.start_again().await;
    let content = RoomMessageEventContent::text_plain("still here?");
    room.send(content).await.unwrap();
    // Whoever uses the client presses its button when it says that it is offline.
    let timeline = bob.timeline(room.room_id()).await;
    eventually("the message", async || {
        bob.go_on().await;
        let items = timeline.items().await;
        let mut events = items.iter().filter_map(|item| item.as_event());
        events.any(|event| says(event, "still here?")).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn typing_receipts_tags_and_power_reach_the_others() {
    let server = Server::start().await;
    let alice = Person::register(&server, "alice").await;
    let bob = Person::register(&server, "bob").await;
    let room = alice.room_with(&[&bob]).await;
    let of_bob = bob.client.get_room(room.room_id()).unwrap();

    let (_guard, mut typing) = room.subscribe_to_typing_notifications();
    of_bob.typing_notice(true).await.unwrap();
    let who = tokio::time::timeout(std::time::Duration::from_secs(30), typing.recv()).await;
    assert_eq!(who.unwrap().unwrap(), [bob.user_id()]);

    let content = RoomMessageEventContent::text_plain("read me");
    let sent = room.send(content).await.unwrap().response.event_id;
    let timeline = bob.timeline(room.room_id()).await;
    message(&timeline, "read me").await;
    of_bob
        .send_single_receipt(ReceiptType::Read, ReceiptThread::Unthreaded, sent.clone())
        .await
        .unwrap();
    eventually("the receipt", async || {
        use matrix_sdk::ruma::events::receipt::ReceiptType as Kind;
        let found = room.load_event_receipts(Kind::Read, &ReceiptThread::Unthreaded, &sent);
        let found = found.await.unwrap();
        found
            .iter()
            .any(|(user, _)| user == bob.user_id())
            .then_some(())
    })
    .await;

    room.set_is_favourite(true, Some(0.5)).await.unwrap();
    eventually("the tag", async || room.is_favourite().then_some(())).await;
    let tags = room.tags().await.unwrap().unwrap();
    assert!(tags.contains_key(&TagName::Favorite));

    room.update_power_levels(vec![(bob.user_id(), 50.into())])
        .await
        .unwrap();
    room.kick_user(bob.user_id(), Some("out")).await.unwrap();
    eventually("the kick", async || {
        (of_bob.state() == RoomState::Left).then_some(())
    })
    .await;
    let left = room.members(RoomMemberships::LEAVE).await.unwrap();
    assert_eq!(left[0].user_id(), bob.user_id());
}

#[tokio::test(flavor = "multi_thread")]
async fn rooms_people_and_messages_are_found() {
    use matrix_sdk::ruma::api::client::search::search_events::v3 as search;
    let server = Server::start().await;
    let alice = Person::register(&server, "alice").await;
    let bob = Person::register(&server, "bob").await;
    let mut new = NewRoom::new();
    new.name = Some("Gardening".to_owned());
    new.visibility = Visibility::Public;
    new.room_alias_name = Some("garden".to_owned());
    new.preset = Some(matrix_sdk::ruma::api::client::room::create_room::v3::RoomPreset::PublicChat);
    let room = alice.client.create_room(new).await.unwrap();

    let mut directory = RoomDirectorySearch::new(bob.client.clone());
    directory
        .search(Some("garden".to_owned()), 10, None)
        .await
        .unwrap();
    let (found, _) = directory.results();
    assert_eq!(found[0].room_id, room.room_id());
    assert!(found[0].is_world_readable || found[0].joined_members == 1);

    let alias = "#garden:test.example".try_into().unwrap();
    let resolved = bob.client.resolve_room_alias(alias).await.unwrap();
    assert_eq!(resolved.room_id, room.room_id());
    let preview = bob
        .client
        .get_room_preview(room.room_id().into(), Vec::new())
        .await
        .unwrap();
    assert_eq!(preview.name.as_deref(), Some("Gardening"));
    bob.client.join_room_by_id(room.room_id()).await.unwrap();
    bob.open(room.room_id()).await;

    eventually("alice in the directory of users", async || {
        let found = bob.client.search_users("alice", 10).await.unwrap();
        found
            .results
            .iter()
            .any(|user| user.user_id == alice.user_id())
            .then_some(())
    })
    .await;

    alice.open(room.room_id()).await;
    let content = RoomMessageEventContent::text_plain("the tulips are late");
    let sent = room.send(content).await.unwrap().response.event_id;
    eventually("the message to be found", async || {
        let mut categories = search::Categories::new();
        categories.room_events = Some(search::Criteria::new("tulip".to_owned()));
        let found = bob
            .client
            .send(search::Request::new(categories))
            .await
            .unwrap();
        let results = found.search_categories.room_events.results;
        let event: serde_json::Value =
            serde_json::from_str(results.first()?.result.as_ref()?.json().get()).unwrap();
        (event["event_id"] == sent.as_str()).then_some(())
    })
    .await;
}
