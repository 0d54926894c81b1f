//! 1: state resets.

use serde_json::json;

use super::{Meeting, has_event, state_of};

/// Those in which forks are resolved differently, or allowed differently.
const VERSIONS: [&str; 3] = ["10", "11", "12"];

/// A moderator who was demoted and banned acts on the state from before, and a friend ties that to the room's present.
#[tokio::test]
async fn a_fork_of_old_power_takes_back_neither_a_ban_nor_a_demotion() {
    for version in VERSIONS {
        let mut meeting = Meeting::of(version).await;
        let bob = meeting.server.register("bob").await;
        bob.join(&meeting.room).await;
        let nina = meeting.enter("nina").await;
        let mallory = meeting.mallory.clone();
        meeting.empower(&[(&*mallory, 50)]).await;
        let mut old = meeting.joined.clone();
        meeting.empower(&[(&*bob.user_id, 50)]).await;
        meeting.moderate("ban", &mallory).await;
        let before = state_of(&meeting.alice, &meeting.room).await;

        let mut levels = old.content("m.room.power_levels", "").clone();
        levels["users"][&bob.user_id] = 0.into();
        levels["events_default"] = 50.into();
        let mut attack = Vec::new();
        for (kind, key, content) in [
            ("m.room.power_levels", "", levels),
            (
                "m.room.member",
                &*bob.user_id,
                json!({ "membership": "ban" }),
            ),
            ("m.room.join_rules", "", json!({ "join_rule": "invite" })),
            ("m.room.topic", "", json!({ "topic": "Mallory was here" })),
        ] {
            // Long before, as they say.
            old.at = Some(1_000_000_000_000);
            let made = meeting
                .stranger
                .event(&mut old, &mallory, kind, Some(key), &content);
            attack.push(made.1);
        }
        let _ = meeting.send(attack).await;
        assert_eq!(state_of(&meeting.alice, &meeting.room).await, before);
        // Nobody can be kept from following both.
        meeting.joined.last.extend(old.last);
        let (tied, event) = meeting.text_of(&nina, "what a fork");
        let _ = meeting.send(vec![event]).await;
        let _ = has_event(&meeting.alice, &meeting.room, &tied).await;
        assert_eq!(state_of(&meeting.alice, &meeting.room).await, before);
        let sent = bob.send_text(&meeting.room, "I am here").await;
        meeting.hear(&sent).await;
        let (_, event) = {
            let mallory = meeting.mallory.clone();
            meeting.text_of(&mallory, "and so am I")
        };
        let _ = meeting.send(vec![event]).await;
        assert!(!meeting.has_text("and so am I").await);
        assert_eq!(state_of(&meeting.alice, &meeting.room).await, before);
    }
}

/// What is allowed then as now, said on a state of before: nothing else of that state comes back with it.
#[tokio::test]
async fn harmless_events_on_old_state_do_not_bring_it_back() {
    for version in VERSIONS {
        let mut meeting = Meeting::of(version).await;
        let bob = meeting.server.register("bob").await;
        bob.join(&meeting.room).await;
        let mut forks = vec![meeting.joined.clone()];
        let topic = json!({ "topic": "the first" });
        meeting.set_state("m.room.topic", "", topic).await;
        meeting.moderate("ban", &bob.user_id).await;
        forks.push(meeting.joined.clone());
        meeting.moderate("unban", &bob.user_id).await;
        forks.push(meeting.joined.clone());
        bob.join(&meeting.room).await;
        meeting.empower(&[(&*bob.user_id, 100)]).await;
        forks.push(meeting.joined.clone());
        let topic = json!({ "topic": "the second" });
        meeting.set_state("m.room.topic", "", topic).await;
        let own = |state: &[[String; 3]]| -> Vec<[String; 3]> {
            let rest = state.iter().filter(|[_, key, _]| *key != meeting.mallory);
            rest.cloned().collect()
        };
        let before = own(&state_of(&meeting.alice, &meeting.room).await);
        for (n, mut fork) in forks.into_iter().enumerate() {
            let mallory = &meeting.mallory;
            let content = json!({ "msgtype": "m.text", "body": format!("fork {n}") });
            let (id, text) =
                meeting
                    .stranger
                    .event(&mut fork, mallory, "m.room.message", None, &content);
            let name = json!({ "membership": "join", "displayname": format!("Mallory {n}") });
            let (_, renamed) =
                meeting
                    .stranger
                    .event(&mut fork, mallory, "m.room.member", Some(mallory), &name);
            let _ = meeting.send(vec![text, renamed]).await;
            let _ = has_event(&meeting.alice, &meeting.room, &id).await;
            // Ours follows all forks.
            let _ = meeting.alice.send_text(&meeting.room, "still here").await;
            let now = state_of(&meeting.alice, &meeting.room).await;
            assert_eq!(own(&now), before, "version {version}, fork {n}");
        }
        let _ = bob.send_text(&meeting.room, "and I may speak").await;
    }
}
