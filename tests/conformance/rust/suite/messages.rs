//! Messages, and what one does with them.

use matrix_sdk::{
    room::edit::EditedContent,
    ruma::events::room::message::{
        RoomMessageEventContent, RoomMessageEventContentWithoutRelation,
    },
};
use orvale_tests::{Server, eventually};

use crate::person::{Person, is, item, message};

#[tokio::test(flavor = "multi_thread")]
async fn messages_are_answered_edited_reacted_to_and_removed() {
    let server = Server::start().await;
    let alice = Person::register(&server, "alice").await;
    let bob = Person::register(&server, "bob").await;
    let room = alice.room_with(&[&bob]).await;
    let of_alice = alice.timeline(room.room_id()).await;
    let of_bob = bob.timeline(room.room_id()).await;

    let content = RoomMessageEventContent::text_plain("helo");
    of_alice.send(content.into()).await.unwrap();
    let first = message(&of_bob, "helo").await;
    let id = first.event_id().unwrap().to_owned();

    let answer = RoomMessageEventContentWithoutRelation::text_plain("hello to you");
    of_bob.send_reply(answer, id.clone()).await.unwrap();
    let answer = message(&of_alice, "hello to you").await;
    let to = answer.content().in_reply_to().unwrap();
    assert_eq!(to.event_id, id);

    let own = item(&of_alice, "one's own", |item| is(item, &id)).await;
    let content = RoomMessageEventContentWithoutRelation::text_plain("hello");
    of_alice
        .edit(&own.identifier(), EditedContent::RoomMessage(content))
        .await
        .unwrap();
    let edited = message(&of_bob, "hello").await;
    assert!(is(&edited, &id) && edited.content().as_message().unwrap().is_edited());

    of_bob
        .toggle_reaction(&edited.identifier(), "👍")
        .await
        .unwrap();
    item(&of_alice, "the reaction", |item| {
        let reactions = item.content().reactions();
        is(item, &id) && reactions.is_some_and(|reactions| reactions.contains_key("👍"))
    })
    .await;
    let now = item(&of_bob, "one's own reaction", |item| {
        let reactions = item.content().reactions();
        is(item, &id) && reactions.is_some_and(|reactions| reactions.contains_key("👍"))
    });
    of_bob
        .toggle_reaction(&now.await.identifier(), "👍")
        .await
        .unwrap();
    item(&of_alice, "no reaction", |item| {
        let reactions = item.content().reactions();
        is(item, &id) && reactions.is_some_and(|reactions| !reactions.contains_key("👍"))
    })
    .await;

    of_alice
        .redact(&own.identifier(), Some("oops"))
        .await
        .unwrap();
    item(&of_bob, "the redaction", |item| {
        is(item, &id) && item.content().is_redacted()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn history_is_read_back_to_the_start() {
    let server = Server::start().await;
    let alice = Person::register(&server, "alice").await;
    let room = alice.room_with(&[]).await;
    for n in 0..60 {
        let content = RoomMessageEventContent::text_plain(format!("line {n}"));
        room.send(content).await.unwrap();
    }
    let again = Person::log_in(&server, "alice").await;
    again.open(room.room_id()).await;
    let timeline = again.timeline(room.room_id()).await;
    message(&timeline, "line 59").await;
    eventually("the start", async || {
        timeline.paginate_backwards(25).await.unwrap().then_some(())
    })
    .await;
    let wanted: Vec<_> = (0..60).map(|n| format!("line {n}")).collect();
    eventually("all lines", async || {
        let items = timeline.items().await;
        let messages = items.iter().filter_map(|item| {
            let message = item.as_event()?.content().as_message()?;
            Some(message.body().to_owned())
        });
        (messages.collect::<Vec<_>>() == wanted).then_some(())
    })
    .await;
}
