//! Rooms that several servers are in.

use futures_util::future::join_all;
use orvale_tests::encode;
use serde_json::json;

use super::{VERSIONS, World, agree, has_event, join_by, room_of};

#[tokio::test]
async fn rooms_of_all_versions_made_by_each_kind_are_joined_by_the_others_who_talk() {
    let world = World::of("versions").await;
    let world = &world;
    for creator in world.everybody() {
        // Made at once: the versions do not depend on each other.
        join_all(VERSIONS.iter().map(|version| async move {
            let mut others = world.everybody();
            others.retain(|other| other.user_id != creator.user_id);
            let content = json!({ "room_version": version, "name": format!("Version {version}") });
            let room = room_of(creator, &others, content).await;
            for writer in world.everybody() {
                let sent = writer.send_text(&room, "hello").await;
                for reader in world.everybody() {
                    let event = has_event(reader, &room, &sent).await;
                    assert_eq!(event["content"]["body"], "hello");
                    assert_eq!(event["sender"], writer.user_id);
                }
            }
            agree(&world.everybody(), &room).await;
        }))
        .await;
    }
}

#[tokio::test]
async fn edits_redactions_reactions_and_state_are_the_same_everywhere() {
    let world = World::of("edits").await;
    let mut others = world.everybody();
    others.remove(0);
    let room = room_of(&world.alice, &others, json!({})).await;
    for writer in world.everybody() {
        let sent = writer.send_text(&room, "tea?").await;
        let edit = json!({ "msgtype": "m.text", "body": "* coffee?",
            "m.new_content": { "msgtype": "m.text", "body": "coffee?" },
            "m.relates_to": { "rel_type": "m.replace", "event_id": sent } });
        let edit = writer.send(&room, "m.room.message", edit).await;
        let gone = writer.send_text(&room, "never mind").await;
        let redaction = writer.redact(&room, &gone).await;
        for reader in world.everybody() {
            let _ = has_event(reader, &room, &edit).await;
            let _ = has_event(reader, &room, &redaction).await;
            let shown = reader.event(&room, &sent).await;
            let replaced = &shown["unsigned"]["m.relations"]["m.replace"];
            assert_eq!(replaced["event_id"], edit, "{shown}");
            let redacted = reader.event(&room, &gone).await;
            assert_eq!(redacted["content"], json!({}), "{redacted}");
        }
    }
    let topic = json!({ "topic": "Tea or coffee" });
    let topic = world
        .alice
        .set_state(&room, "m.room.topic", "", topic)
        .await;
    for reader in world.everybody() {
        let _ = has_event(reader, &room, &topic).await;
        let now = reader.state(&room, "m.room.topic", "").await;
        assert_eq!(now["topic"], "Tea or coffee");
    }
    agree(&world.everybody(), &room).await;
}

#[tokio::test]
async fn an_alias_leads_to_a_room_of_another_server() {
    let world = World::of("alias").await;
    for creator in world.everybody() {
        let name = format!("place_{}", creator.user_id.len());
        let content = json!({ "preset": "public_chat", "room_alias_name": name });
        let room = creator.create_room(content).await;
        for other in world.everybody() {
            let alias = format!("#{name}:{}", creator.server().name());
            let answer = other
                .post(&format!("join/{}", encode(&alias)), json!({}))
                .await;
            assert_eq!(answer.ok()["room_id"], room);
        }
        agree(&world.everybody(), &room).await;
    }
}

#[tokio::test]
async fn an_upgraded_room_is_followed_to_the_new_one() {
    let world = World::of("upgrade").await;
    let mut others = world.everybody();
    others.remove(0);
    let room = room_of(&world.alice, &others, json!({ "room_version": "10" })).await;
    let path = format!("rooms/{}/upgrade", encode(&room));
    let upgraded = world
        .alice
        .post(&path, json!({ "new_version": "12" }))
        .await
        .ok();
    let new = upgraded["replacement_room"].as_str().unwrap();
    for other in others {
        let tombstone = orvale_tests::eventually("the tombstone", async || {
            let path = format!("rooms/{}/state/m.room.tombstone/", encode(&room));
            let answer = other.get(&path).await;
            answer.status.is_success().then_some(answer.json)
        })
        .await;
        assert_eq!(tombstone["replacement_room"], new);
        join_by(other, new, world.alice.server()).await;
    }
    agree(&world.everybody(), new).await;
}
