//! Threads, and subscriptions to them.

use matrix_sdk::ruma::events::room::message::RoomMessageEventContent;
use matrix_sdk_ui::timeline::{RoomExt as _, TimelineFocus};
use orvale_tests::{Server, eventually};

use crate::person::{Person, is, item, message};

#[tokio::test(flavor = "multi_thread")]
async fn a_thread_is_told_listed_and_subscribed_to() {
    let server = Server::start().await;
    let alice = Person::register(&server, "alice").await;
    let bob = Person::register(&server, "bob").await;
    let room = alice.room_with(&[&bob]).await;
    let of_bob = bob.client.get_room(room.room_id()).unwrap();
    assert!(alice.client.enabled_thread_subscriptions().await.unwrap());

    let content = RoomMessageEventContent::text_plain("a question");
    let root = room.send(content).await.unwrap().response.event_id;
    message(&bob.timeline(room.room_id()).await, "a question").await;
    let focus = TimelineFocus::Thread {
        root_event_id: root.clone(),
    };
    let thread =
        |room: &matrix_sdk::Room| room.timeline_builder().with_focus(focus.clone()).build();
    let (in_alice, in_bob) = (thread(&room).await.unwrap(), thread(&of_bob).await.unwrap());
    in_bob
        .send(RoomMessageEventContent::text_plain("an answer").into())
        .await
        .unwrap();
    message(&in_alice, "an answer").await;
    let main = alice.timeline(room.room_id()).await;
    item(&main, "the summary", |item| {
        let summary = item.content().thread_summary();
        is(item, &root) && summary.is_some_and(|summary| summary.num_replies == 1)
    })
    .await;
    let list = room.thread_list_service();
    list.paginate().await.unwrap();
    let threads = list.items();
    assert_eq!((threads.len(), &threads[0].root_event.event_id), (1, &root));

    // Who answers follows the thread from then on.
    let subscription = eventually("bob's subscription", async || {
        of_bob
            .fetch_thread_subscription(root.clone())
            .await
            .unwrap()
    });
    assert!(subscription.await.automatic);
    // What one says oneself goes before what the client guesses.
    room.subscribe_thread(root.clone(), None).await.unwrap();
    let own = room.fetch_thread_subscription(root.clone()).await.unwrap();
    assert!(!own.unwrap().automatic);
    room.unsubscribe_thread(root.clone()).await.unwrap();
    assert!(
        room.fetch_thread_subscription(root.clone())
            .await
            .unwrap()
            .is_none()
    );

    // A new device learns of it by sliding sync and its companion.
    let again = Person::log_in(&server, "bob").await;
    let of_bob = again.open(room.room_id()).await;
    let known = eventually("the subscription", async || {
        of_bob
            .load_or_fetch_thread_subscription(&root)
            .await
            .unwrap()
    });
    assert!(known.await.automatic);
    let all = again
        .client
        .fetch_thread_subscriptions(None, None, None)
        .await
        .unwrap();
    assert!(all.subscribed[room.room_id()].contains_key(&root));
}
