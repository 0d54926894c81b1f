//! What was taken while not all members were known, and turns out not to have been allowed.

use super::*;

#[tokio::test]
async fn what_turns_out_to_be_forbidden_is_taken_out_again() {
    for version in [RoomVersionId::V10, RoomVersionId::V12] {
        let (story, m, mallory, joined) = with_mallory(version.clone()).await;
        let (a, b) = (&story.a, &story.b);
        let find = |kind: &str| {
            let found = a
                .find_state(&story.here, &kind.into(), "")
                .unwrap()
                .unwrap();
            found.event_id().to_owned()
        };
        let mut auth = vec![find("m.room.power_levels"), joined.clone()];
        if version != RoomVersionId::V12 {
            auth.push(find("m.room.create"));
        }
        let prev = [story.join.event_id().to_owned()];
        let topic = ("m.room.topic", Some(""), json!({ "topic": "mine" }));
        let topic = forged(&m, &story.here, &mallory, topic, (&prev, auth.clone()));
        let prev = [topic.pdu.event_id.clone()];
        let said = (
            "m.room.message",
            None,
            json!({ "msgtype": "m.text", "body": "ha" }),
        );
        let said = forged(&m, &story.here, &mallory, said, (&prev, auth));
        // Her membership comes with what she sends, and nobody here knows of the ban.
        let ids = a.auth_chain(&story.here, vec![topic.pdu.event_id.clone(), joined]);
        let mut chain: Vec<_> = ids.unwrap().iter().map(|event| sent(event)).collect();
        let join = a.find_event(&topic.pdu.auth_events[1]).unwrap().unwrap();
        chain.push(sent(&join));
        b.keep_outliers(&story.there, chain).await.unwrap();
        for event in [&topic, &said] {
            let accepted = b.accept(&story.there, event.clone()).await.unwrap();
            assert_eq!(accepted, Accepted::Live);
        }
        let answer = b
            .did(&story.there, text(&story.bob, "really?"))
            .await
            .unwrap();
        for event in [topic, said.clone()] {
            let refused = a.accept(&story.here, event).await.unwrap();
            assert!(matches!(refused, Accepted::Rejected(_)), "{refused:?}");
        }
        let heard = a.accept(&story.here, sent(&answer)).await.unwrap();
        assert_eq!(heard, Accepted::Live);

        story.made_whole().await;
        story.agree();
        let shown = timeline(b, &story.there);
        let shown: Vec<_> = shown.iter().map(|event| event.event_id()).collect();
        assert_eq!(shown, [story.join.event_id(), answer.event_id()]);
        let topic = b
            .find_state(&story.there, &"m.room.topic".into(), "")
            .unwrap();
        assert!(topic.is_none());
        let stands = b.find_membership(&story.there, &mallory).unwrap().unwrap();
        assert_eq!(stands.membership, Membership::Ban);
        let said = b.find_event(&said.pdu.event_id).unwrap().unwrap();
        assert!(!said.is_shown());
    }
}

/// A room of `a` that Mallory was banned from, which nobody of `b` knows; her join, and the room as `b` has it.
async fn with_mallory(version: RoomVersionId) -> (Story, Rooms, ruma::OwnedUserId, OwnedEventId) {
    let m = server("m.test");
    let mallory = person("mallory", &m);
    let levels = json!({ mallory.as_str(): 50 });
    let mut joined = None;
    let story = Story::after(version, levels, async |a, _, here| {
        let _ = come_in(a, &m, here, &mallory).await;
        let alice = person("alice", a);
        let found = a.find_state(here, &"m.room.member".into(), mallory.as_str());
        joined = Some(found.unwrap().unwrap().event_id().to_owned());
        a.did(here, member(&alice, &mallory, "ban")).await.unwrap();
    })
    .await;
    (story, m, mallory, joined.unwrap())
}

#[tokio::test]
async fn what_a_forbidden_redaction_took_is_given_back() {
    let (story, m, mallory, joined) = with_mallory(RoomVersionId::V10).await;
    let (a, b) = (&story.a, &story.b);
    let find = |kind: &str| {
        let found = a.find_state(&story.here, &kind.into(), "");
        found.unwrap().unwrap().event_id().to_owned()
    };
    let auth = vec![
        find("m.room.create"),
        find("m.room.power_levels"),
        joined.clone(),
    ];
    let join = a.find_event(&joined).unwrap().unwrap();
    let mut chain = a.auth_chain(&story.here, vec![joined]).unwrap();
    chain.push(join);
    let chain = chain.iter().map(|event| sent(event)).collect();
    b.keep_outliers(&story.there, chain).await.unwrap();

    let third = story.user(3);
    let said = a.did(&story.here, text(&third, "root")).await.unwrap();
    let content = json!({ "msgtype": "m.text", "body": "answer",
        "m.relates_to": { "rel_type": "m.thread", "event_id": said.event_id() } });
    let answer = crate::Draft::message(&third, "m.room.message".into(), raw(&content));
    let answer = a.did(&story.here, answer).await.unwrap();
    let regretted = a.did(&story.here, text(&third, "regretted")).await.unwrap();
    let redact = |sender: &UserId, id: &ruma::EventId| crate::Draft {
        redacts: Some(id.to_owned()),
        ..crate::Draft::message(sender, "m.room.redaction".into(), raw(&json!({})))
    };
    let regret = redact(&third, regretted.event_id());
    let regret = a.did(&story.here, regret).await.unwrap();
    let late = a.did(&story.here, text(&third, "late")).await.unwrap();
    for event in [&said, &answer, &regretted] {
        assert_eq!(story.hear(event).await, Accepted::Live);
    }
    // What Mallory redacts: one that is known, and one that comes later.
    let takes = async |id: &ruma::EventId| {
        let template = Template {
            room_id: Some(story.here.id.clone()),
            sender: mallory.clone(),
            kind: TimelineEventType::RoomRedaction,
            state_key: None,
            content: raw(&json!({})),
            redacts: Some(id.to_owned()),
            prev_events: vec![story.join.event_id().to_owned()],
            auth_events: auth.clone(),
            depth: 100,
            origin_server_ts: m.now(),
        };
        let made = orvale_events::build(template, &story.here.rules, &m.inner.key);
        let (pdu, json) = made.unwrap();
        let pdu = Arc::new(pdu);
        let accepted = b.accept(&story.there, Arrival { pdu, json }).await.unwrap();
        assert_eq!(accepted, Accepted::Live);
    };
    for event in [&answer, &late, &regretted] {
        takes(event.event_id()).await;
    }
    assert_eq!(story.hear(&regret).await, Accepted::Live);
    assert_eq!(story.hear(&late).await, Accepted::Live);
    let body = |event: &StoredEvent| {
        let known = b.find_event(event.event_id()).unwrap().unwrap();
        known.pdu.content_field::<String>("body")
    };
    for event in [&answer, &late, &regretted] {
        assert_eq!(body(event), None, "it is shown to nobody");
    }
    well(b);

    story.made_whole().await;
    story.agree();
    assert_eq!(body(&answer).as_deref(), Some("answer"));
    assert_eq!(body(&late).as_deref(), Some("late"));
    assert_eq!(body(&regretted), None, "who wrote it redacted it, too");
    let known = b.find_event(regretted.event_id()).unwrap().unwrap();
    let because = String::from_utf8_lossy(&known.record.unsigned).into_owned();
    assert!(because.contains(third.as_str()), "{because}");
    let left = b
        .store()
        .prefix(&PARTIAL_REDACTED, (story.there.number,), 10);
    assert_eq!(left.unwrap(), [], "nothing is kept aside any more");
    // As another process reads it.
    let next = again(b);
    let known = next.find_event(answer.event_id()).unwrap().unwrap();
    assert_eq!(known.record.pdu, answer.record.pdu);
    well(&next);
}

#[tokio::test]
async fn one_of_ours_who_turns_out_to_be_banned_is_out_and_told() {
    let carol = "@carol:b.test";
    let story = Story::after(RoomVersionId::V12, json!({}), async |a, _, here| {
        let (alice, carol) = (person("alice", a), UserId::parse(carol).unwrap());
        a.did(here, member(&alice, &carol, "ban")).await.unwrap();
    })
    .await;
    let b = &story.b;
    let carol = person("carol", b);
    b.join(&carol, &story.there, None).await.unwrap();
    let stands = || b.find_membership(&story.there, &carol).unwrap().unwrap();
    assert_eq!(stands().membership, Membership::Join);
    story.made_whole().await;
    story.agree();
    assert_eq!(stands().membership, Membership::Ban);
    let at = b.whole_since(story.there.number).unwrap();
    let told = b.store().log(at, 10).unwrap();
    let is_told =
        |entry: &Entry| matches!(entry, Entry::Membership { user_id, .. } if *user_id == carol);
    assert!(told.iter().any(|(_, entry)| is_told(entry)), "{told:?}");
}
