//! Typing, receipts, presence.

use orvale_tests::{Client, encode, eventually};
use serde_json::{Value, json};

use super::{World, has_event, room_of};

async fn sees_typing(reader: &Client, room: &str, typer: &Client, typing: bool) {
    reader
        .sync_until(|sync| {
            let now = sync.typing(room);
            now.is_some_and(|now| now.contains(&&*typer.user_id) == typing)
        })
        .await;
}

fn has_receipt(section: &[Value], event: &str, user: &str, thread: Option<&str>) -> bool {
    section.iter().any(|ephemeral| {
        let receipt = &ephemeral["content"][event]["m.read"][user];
        !receipt.is_null() && receipt["thread_id"].as_str() == thread
    })
}

#[tokio::test]
async fn typing_and_receipts_are_seen_on_the_other_servers() {
    let world = World::of("typing").await;
    let mut others = world.everybody();
    others.remove(0);
    let room = room_of(&world.alice, &others, json!({})).await;
    for typer in world.everybody() {
        let sent = typer.send_text(&room, "wait").await;
        typer.typing(&room, true).await;
        for reader in world.everybody() {
            if reader.user_id == typer.user_id {
                continue;
            }
            sees_typing(reader, &room, typer, true).await;
            let _ = has_event(reader, &room, &sent).await;
            // In the main timeline, which is a thread of its own.
            let path = format!("rooms/{}/receipt/m.read/{}", encode(&room), encode(&sent));
            let _ = reader
                .post(&path, json!({ "thread_id": "main" }))
                .await
                .ok();
            typer
                .sync_until(|sync| {
                    has_receipt(sync.ephemeral(&room), &sent, &reader.user_id, Some("main"))
                })
                .await;
        }
        typer.typing(&room, false).await;
        for reader in world.everybody() {
            if reader.user_id != typer.user_id {
                sees_typing(reader, &room, typer, false).await;
            }
        }
    }
}

#[tokio::test]
async fn a_private_receipt_stays_on_its_server() {
    let world = World::of("private").await;
    let mut others = world.everybody();
    others.remove(0);
    let room = room_of(&world.alice, &others, json!({})).await;
    let one = world.alice.send_text(&room, "one").await;
    let two = world.alice.send_text(&room, "two").await;
    for reader in world.everybody() {
        let _ = has_event(reader, &room, &two).await;
    }
    let path = |kind: &str, event: &str| {
        format!("rooms/{}/receipt/{kind}/{}", encode(&room), encode(event))
    };
    let private = path("m.read.private", &two);
    let _ = world.bob.post(&private, json!({})).await.ok();
    // What is told after it arrives; so would it have.
    let _ = world.bob.post(&path("m.read", &one), json!({})).await.ok();
    for reader in [&world.alice].into_iter().chain(&world.carol) {
        reader
            .sync_until(|sync| has_receipt(sync.ephemeral(&room), &one, &world.bob.user_id, None))
            .await;
        let now = reader.get("sync?timeout=0").await.ok();
        let all = json!(now).to_string();
        assert!(!all.contains("m.read.private"), "{all}");
        let ephemeral = json!(now["rooms"]["join"][&room]["ephemeral"]).to_string();
        assert!(!ephemeral.contains(&two), "{ephemeral}");
    }
}

#[tokio::test]
async fn who_is_there_is_known_on_the_other_servers() {
    let world = World::of("presence").await;
    let mut others = world.everybody();
    others.remove(0);
    let _ = room_of(&world.alice, &others, json!({})).await;
    for shown in world.everybody() {
        let path = format!("presence/{}/status", encode(&shown.user_id));
        let status = format!("testing as {}", shown.user_id);
        let body = json!({ "presence": "online", "status_msg": status });
        let _ = shown.put(&path, body).await.ok();
        for reader in world.everybody() {
            let what = format!(
                "the presence of {} as {} sees it",
                shown.user_id, reader.user_id
            );
            eventually(&what, async || {
                let answer = reader.get(&path).await;
                (answer.json["status_msg"] == status).then_some(())
            })
            .await;
        }
    }
}
