//! 2: rejected, soft-failed and outlier events mixed up.

use orvale_tests::encode;
use serde_json::json;

use super::{Meeting, has_event, state_of};

/// Who is out says nothing more.
#[tokio::test]
async fn who_is_banned_or_shut_out_by_the_access_list_says_nothing_more() {
    let mut meeting = Meeting::new().await;
    let body = json!({ "user_id": meeting.mallory });
    let path = format!("rooms/{}/ban", encode(&meeting.room));
    let _ = meeting.alice.post(&path, body).await.ok();
    let (_, event) = meeting.text("after the ban");
    let _ = meeting.send(vec![event]).await;
    assert!(!meeting.has_text("after the ban").await);

    let mut meeting = Meeting::new().await;
    let acl = json!({ "allow": ["*"], "deny": ["127.0.0.*"] });
    let _ = meeting
        .alice
        .set_state(&meeting.room, "m.room.server_acl", "", acl)
        .await;
    let (_, event) = meeting.text("in spite of the list");
    let _ = meeting.send(vec![event]).await;
    assert!(!meeting.has_text("in spite of the list").await);
    let typing = json!({ "room_id": meeting.room, "user_id": meeting.mallory, "typing": true });
    meeting.tell("m.typing", typing).await;
    let sync = meeting.alice.sync().await;
    assert!(
        sync.typing(&meeting.room)
            .is_none_or(|typing| typing.is_empty())
    );
}

/// A rejected event may be followed, allows nothing, and does not get in by being sent again.
#[tokio::test]
async fn a_rejected_event_is_followed_but_changes_nothing_and_allows_nothing() {
    for version in ["10", "12"] {
        let mut meeting = Meeting::of(version).await;
        let mallory = meeting.mallory.clone();
        let before = state_of(&meeting.alice, &meeting.room).await;
        // She has not the power to; and then uses the power that she did not get.
        let mut fork = meeting.joined.clone();
        let mut levels = fork.content("m.room.power_levels", "").clone();
        levels["users"][&mallory] = 100.into();
        let mut bad = Vec::new();
        for (kind, content) in [
            ("m.room.power_levels", levels),
            ("m.room.topic", json!({ "topic": "Mallory was here" })),
        ] {
            bad.push(
                meeting
                    .stranger
                    .event(&mut fork, &mallory, kind, Some(""), &content),
            );
        }
        let pdus: Vec<_> = bad.iter().map(|(_, event)| event.clone()).collect();
        meeting.joined.last.clone_from(&fork.last);
        let answer = meeting.send(pdus.clone()).await;
        let refused = answer.as_object().expect("an answer for each").values();
        assert_eq!(
            refused.filter(|answer| answer["error"].is_string()).count(),
            2
        );
        for _ in 0..2 {
            let _ = meeting.send(pdus.clone()).await;
            let (id, event) = meeting.text("after all that");
            let answer = meeting.send(vec![event]).await;
            assert_eq!(answer[&id], json!({}));
            let _ = has_event(&meeting.alice, &meeting.room, &id).await;
            let sent = meeting.alice.send_text(&meeting.room, "so what").await;
            meeting.hear(&sent).await;
            assert_eq!(state_of(&meeting.alice, &meeting.room).await, before);
        }
        for (id, _) in &bad {
            let path = format!("rooms/{}/event/{}", encode(&meeting.room), encode(id));
            meeting.alice.get(&path).await.refused(404, "M_NOT_FOUND");
        }
        // The power that she gets then is hers; what was rejected before stays so.
        meeting.empower(&[(&*mallory, 50)]).await;
        let _ = meeting.send(pdus).await;
        let topic = format!("rooms/{}/state/m.room.topic/", encode(&meeting.room));
        meeting.alice.get(&topic).await.refused(404, "M_NOT_FOUND");
        let content = json!({ "topic": "Mallory may" });
        let (_, event) = meeting.stranger.event(
            &mut meeting.joined,
            &mallory,
            "m.room.topic",
            Some(""),
            &content,
        );
        let _ = meeting.send(vec![event]).await;
        let now = meeting.alice.state(&meeting.room, "m.room.topic", "").await;
        assert_eq!(now, content);
    }
}

/// A soft-failed event is not shown, but what others say after it is; and who failed so is not shut out for ever.
#[tokio::test]
async fn a_soft_failed_event_hides_itself_alone_and_not_its_sender_for_ever() {
    let mut meeting = Meeting::new().await;
    let nina = meeting.enter("nina").await;
    let mallory = meeting.mallory.clone();
    let mut old = meeting.joined.clone();
    meeting.moderate("ban", &mallory).await;
    let content = json!({ "msgtype": "m.text", "body": "as if nothing had happened" });
    let (hidden, event) =
        meeting
            .stranger
            .event(&mut old, &mallory, "m.room.message", None, &content);
    let _ = meeting.send(vec![event.clone()]).await;
    assert!(!meeting.has_text("as if nothing had happened").await);
    // Our own events do not follow it.
    let sent = meeting.alice.send_text(&meeting.room, "quiet here").await;
    meeting.hear(&sent).await;
    assert!(!meeting.joined.last.contains(&hidden));
    meeting.joined.last.push(hidden);
    let (id, follows) = meeting.text_of(&nina, "did you hear that?");
    let answer = meeting.send(vec![follows]).await;
    assert_eq!(answer[&id], json!({}));
    let _ = has_event(&meeting.alice, &meeting.room, &id).await;
    assert!(!meeting.has_text("as if nothing had happened").await);

    meeting.moderate("unban", &mallory).await;
    let joined = meeting
        .stranger
        .join(&meeting.server, &meeting.room, &mallory)
        .await;
    meeting.joined = joined;
    let (id, event_again) = meeting.text("I am back");
    let answer = meeting.send(vec![event, event_again]).await;
    assert_eq!(answer[&id], json!({}));
    let _ = has_event(&meeting.alice, &meeting.room, &id).await;
    assert!(!meeting.has_text("as if nothing had happened").await);
}
