//! Who comes, goes, and is kept out.

use orvale_tests::{Client, encode, eventually};
use serde_json::{Value, json};

use super::{World, agree, join_by, room_of};

async fn invited(client: &Client, room: &str) -> Value {
    let sync = client
        .sync_until(|sync| !sync.invited(room).is_null())
        .await;
    sync.invited(room).clone()
}

#[tokio::test]
async fn an_invite_reaches_another_server_and_is_taken_or_refused() {
    let world = World::of("invite").await;
    for (host, guest) in [
        (&world.alice, Some(&world.bob)),
        (&world.alice, world.carol.as_ref()),
    ]
    .into_iter()
    .chain(world.carol.iter().map(|carol| (carol, Some(&world.bob))))
    {
        let Some(guest) = guest else { continue };
        let room = host.create_room(json!({ "name": "Private" })).await;
        host.invite(&room, guest).await;
        let seen = invited(guest, &room).await.to_string();
        assert!(seen.contains("Private"), "{seen}");
        guest.join(&room).await;
        let sent = guest.send_text(&room, "thanks").await;
        let _ = super::has_event(host, &room, &sent).await;
        agree(&[host, guest], &room).await;

        let other = host.create_room(json!({ "name": "Dull" })).await;
        host.invite(&other, guest).await;
        let _ = invited(guest, &other).await;
        guest.leave(&other).await;
        eventually("the refusal", async || {
            let member = host.state(&other, "m.room.member", &guest.user_id).await;
            (member["membership"] == "leave").then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn who_is_banned_is_out_everywhere_until_the_ban_is_lifted() {
    let world = World::of("ban").await;
    let mut others = world.everybody();
    others.remove(0);
    let room = room_of(&world.alice, &others, json!({})).await;
    for other in others {
        let _ = other.sync().await;
        let body = json!({ "user_id": other.user_id, "reason": "test" });
        let path = format!("rooms/{}/ban", encode(&room));
        let _ = world.alice.post(&path, body.clone()).await.ok();
        let _ = other.sync_until(|sync| !sync.left(&room).is_null()).await;
        let path = format!(
            "join/{}?via={}",
            encode(&room),
            encode(world.alice.server().name())
        );
        let refused = other.post(&path, json!({})).await;
        assert_eq!(refused.status, 403, "{}", refused.json);
        let path = format!("rooms/{}/unban", encode(&room));
        let body = json!({ "user_id": other.user_id });
        let _ = world.alice.post(&path, body).await.ok();
        join_by(other, &room, world.alice.server()).await;
        agree(&world.everybody(), &room).await;
    }
}

#[tokio::test]
async fn a_file_is_downloaded_from_the_server_it_was_uploaded_to() {
    let world = World::of("media").await;
    for uploader in world.everybody() {
        let uri = uploader
            .upload("note.txt", "text/plain", format!("by {}", uploader.user_id))
            .await;
        for reader in world.everybody() {
            let answer = reader.download(&uri).await;
            assert!(
                answer.status.is_success(),
                "{} {}",
                answer.status,
                answer.json
            );
            assert_eq!(answer.body, format!("by {}", uploader.user_id));
        }
    }
}
