//! What happened between a room and our users before one of them came into it.

use super::*;

#[tokio::test]
async fn an_invite_of_before_is_accepted_or_turned_down_once_all_are_known() {
    let mut invites = Vec::new();
    let people = ["@zoe:b.test", "@yan:b.test"];
    let story = Story::after(RoomVersionId::V11, json!({}), async |a, _, here| {
        let alice = person("alice", a);
        for user in people {
            let user = UserId::parse(user).unwrap();
            let invite = a.did(here, member(&alice, &user, "invite")).await.unwrap();
            invites.push((user, invite));
        }
    })
    .await;
    let b = &story.b;
    let [(zoe, _), (yan, _)] = &invites[..] else {
        panic!("two were invited");
    };
    story.note(&invites).await;
    let impatient = b.await_standing(zoe, &story.there);
    let impatient = tokio::time::timeout(std::time::Duration::from_millis(50), impatient);
    assert!(impatient.await.is_err(), "it cannot be said yet");
    let (came, left, ()) = tokio::join!(
        b.join(zoe, &story.there, None),
        b.leave(yan, &story.there, None),
        story.made_whole()
    );
    came.unwrap();
    left.unwrap();
    let stands = |user: &UserId| b.find_membership(&story.there, user).unwrap().unwrap();
    assert_eq!(stands(zoe).membership, Membership::Join);
    assert_eq!(stands(yan).membership, Membership::Leave);
    well(b);
    story.tell().await;
    story.agree();
}

#[tokio::test]
async fn a_knock_of_before_stays_or_is_taken_back_once_all_are_known() {
    let mut knocks = Vec::new();
    let story = Story::after(RoomVersionId::V11, json!({}), async |a, b, here| {
        let alice = person("alice", a);
        let rule = |rule: &str| {
            let content = json!({ "join_rule": rule });
            state(&alice, "m.room.join_rules", "", &content)
        };
        a.did(here, rule("knock")).await.unwrap();
        for name in ["zoe", "yan", "xia"] {
            let user = person(name, b);
            let template = a.member_template(here, &user, Membership::Knock).unwrap();
            let knock = b.sign_template(&here.rules, &template).unwrap();
            a.accept(here, knock.clone()).await.unwrap();
            knocks.push((user, a.find_event(&knock.pdu.event_id).unwrap().unwrap()));
        }
        a.did(here, rule("public")).await.unwrap();
    })
    .await;
    let (b, there) = (&story.b, &story.there);
    let [(zoe, _), (yan, _), (xia, _)] = &knocks[..] else {
        panic!("three knocked");
    };
    story.note(&knocks).await;
    let impatient = b.knock(zoe, there, None);
    let impatient = tokio::time::timeout(std::time::Duration::from_millis(50), impatient);
    assert!(impatient.await.is_err(), "it cannot be said yet");
    let (again, left, came, ()) = tokio::join!(
        b.knock(zoe, there, None),
        b.leave(yan, there, None),
        b.join(xia, there, None),
        story.made_whole()
    );
    again.unwrap();
    left.unwrap();
    came.unwrap();
    let stands = |user: &UserId| b.find_membership(there, user).unwrap().unwrap();
    assert_eq!(stands(zoe).membership, Membership::Knock);
    assert_eq!(stands(yan).membership, Membership::Leave);
    assert_eq!(stands(xia).membership, Membership::Join);
    well(b);
    story.tell().await;
    story.agree();
}

#[tokio::test]
async fn who_lets_somebody_in_may_be_among_those_left_out() {
    let bob = UserId::parse("@bob:b.test").unwrap();
    let story = Story::after(RoomVersionId::V11, json!({}), async |a, _, here| {
        let alice = person("alice", a);
        let other = a.public_room(RoomVersionId::V11).await;
        let _ = come_in(a, &server("b.test"), &other, &bob).await;
        let rules = json!({ "join_rule": "restricted",
            "allow": [{ "type": "m.room_membership", "room_id": other.id }] });
        let rules = state(&alice, "m.room.join_rules", "", &rules);
        a.did(here, rules).await.unwrap();
    })
    .await;
    let by = story
        .join
        .pdu
        .content_field::<String>("join_authorised_via_users_server");
    let alice = person("alice", &story.a);
    assert_eq!(by.as_deref(), Some(alice.as_str()));
    let stands = story.b.find_membership(&story.there, &alice).unwrap();
    assert_eq!(stands.unwrap().membership, Membership::Join);
    story.made_whole().await;
    story.agree();
}
