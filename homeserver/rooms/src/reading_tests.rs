//! What readers see: in pages, around an event, of the state, of the members.

use std::{collections::HashSet, sync::Arc};

use ruma::{
    UserId,
    api::{Direction, client::filter::RoomEventFilter},
    events::StateEventType,
};
use serde_json::json;

use crate::{
    Error, Members, NewRoom, Order, Preset, Room, Rooms, Shown, Side, Stretch,
    testing::{raw, rooms, state, text, user},
};

fn stretch(
    direction: Direction,
    from: Option<Order>,
    limit: usize,
    filter: &RoomEventFilter,
) -> Stretch<'_> {
    Stretch {
        from,
        to: None,
        direction,
        limit,
        filter,
        bound: None,
    }
}

fn bodies(events: &[Shown<'_>]) -> Vec<String> {
    events
        .iter()
        .filter_map(|shown| shown.event.pdu.content_field("body"))
        .collect()
}

fn filter(json: serde_json::Value) -> RoomEventFilter {
    serde_json::from_value(json).unwrap()
}

async fn public(rooms: &Rooms, by: &UserId) -> Arc<Room> {
    rooms
        .create(
            by,
            NewRoom {
                preset: Preset::Public,
                ..NewRoom::default()
            },
        )
        .await
        .unwrap()
}

/// Every page of a room in one direction.
fn all(
    rooms: &Rooms,
    user: &UserId,
    room: &Room,
    direction: Direction,
    limit: usize,
    filter: &RoomEventFilter,
) -> (Vec<String>, usize) {
    let (mut found, mut from, mut pages) = (Vec::new(), None, 0);
    loop {
        let page = rooms
            .list_events(
                user,
                "D",
                &room.id,
                &stretch(direction, from, limit, filter),
            )
            .unwrap();
        found.extend(
            page.events
                .iter()
                .map(|shown| shown.event.event_id().to_string()),
        );
        pages += 1;
        match page.end {
            // As a client would hand it back.
            Some(end) => from = Some(end.to_string().parse().unwrap()),
            None => return (found, pages),
        }
    }
}

#[tokio::test]
async fn pages_of_any_size_hold_every_event_once_and_end_exactly_at_the_end() {
    let rooms = rooms();
    let [alice] = rooms.people(["alice"]).await;
    let room = public(&rooms, &alice).await;
    for n in 0..24 {
        rooms
            .did(&room, text(&alice, &n.to_string()))
            .await
            .unwrap();
    }
    let every: Vec<_> = rooms
        .list_forwards(&room, Order::START, Order::END, 100)
        .unwrap();
    let every: Vec<_> = every
        .iter()
        .map(|(_, event)| event.event_id().to_string())
        .collect();
    assert_eq!(every.len(), 30);
    let none = RoomEventFilter::default();
    for limit in [1, 3, 10, 15, 29, 30, 31, 1000] {
        let (forwards, pages) = all(&rooms, &alice, &room, Direction::Forward, limit, &none);
        assert_eq!(forwards, every);
        assert_eq!(pages, 30_usize.div_ceil(limit), "no empty page at the end");
        let (mut backwards, pages) = all(&rooms, &alice, &room, Direction::Backward, limit, &none);
        backwards.reverse();
        assert_eq!(backwards, every);
        assert_eq!(pages, 30_usize.div_ceil(limit));
    }
}

#[tokio::test]
async fn pages_of_filtered_events_do_not_end_the_history() {
    let rooms = rooms();
    let [alice] = rooms.people(["alice"]).await;
    let room = public(&rooms, &alice).await;
    rooms.did(&room, text(&alice, "first")).await.unwrap();
    for n in 0..300 {
        let mut draft = text(&alice, "");
        draft.kind = "com.example.noise".into();
        draft.content = raw(&json!({"n": n}));
        rooms.did(&room, draft).await.unwrap();
    }
    rooms.did(&room, text(&alice, "last")).await.unwrap();
    let messages = filter(json!({"types": ["m.room.message"]}));
    let page = rooms
        .list_events(
            &alice,
            "D",
            &room.id,
            &stretch(Direction::Backward, None, 2, &messages),
        )
        .unwrap();
    assert_eq!(bodies(&page.events), ["last", "first"]);
    let nothing = filter(json!({"types": []}));
    let page = rooms
        .list_events(
            &alice,
            "D",
            &room.id,
            &stretch(Direction::Backward, None, 2, &nothing),
        )
        .unwrap();
    assert!(page.events.is_empty() && page.end.is_none());
}

#[tokio::test]
async fn filters_choose_by_type_sender_url_and_room() {
    let rooms = rooms();
    let [alice, bob] = rooms.people(["alice", "bob"]).await;
    let room = public(&rooms, &alice).await;
    rooms.join(&bob, &room, None).await.unwrap();
    rooms.did(&room, text(&alice, "a")).await.unwrap();
    rooms.did(&room, text(&bob, "b")).await.unwrap();
    let mut image = text(&bob, "");
    image.content = raw(&json!({"body": "c", "msgtype": "m.image", "url": "mxc://orvale.test/1"}));
    rooms.did(&room, image).await.unwrap();
    let found = |given: serde_json::Value| {
        let filter = filter(given);
        let page = rooms
            .list_events(
                &alice,
                "D",
                &room.id,
                &stretch(Direction::Forward, None, 100, &filter),
            )
            .unwrap();
        (page.events.len(), bodies(&page.events).concat())
    };
    assert_eq!(found(json!({"senders": [bob]})), (3, "bc".to_owned()));
    assert_eq!(
        found(json!({"not_senders": [bob], "types": ["m.room.message"]})),
        (1, "a".to_owned())
    );
    assert_eq!(found(json!({"contains_url": true})), (1, "c".to_owned()));
    assert_eq!(
        found(json!({"contains_url": false, "types": ["m.room.message"]})),
        (2, "ab".to_owned())
    );
    assert_eq!(
        found(json!({"types": ["m.room.m*"], "not_types": ["*.member"]})),
        (3, "abc".to_owned())
    );
    assert_eq!(found(json!({"not_rooms": [room.id]})).0, 0);
    assert_eq!(
        found(json!({"rooms": [room.id], "types": ["m.room.name"]})).0,
        0
    );
}

#[tokio::test]
async fn lazily_loaded_members_are_those_who_wrote() {
    let rooms = rooms();
    let [alice, bob, carol] = rooms.people(["alice", "bob", "carol"]).await;
    let room = public(&rooms, &alice).await;
    for user in [&bob, &carol] {
        rooms.join(user, &room, None).await.unwrap();
    }
    rooms.did(&room, text(&alice, "a")).await.unwrap();
    let event = rooms.did(&room, text(&bob, "b")).await.unwrap();
    let lazy = filter(json!({"lazy_load_members": true}));
    let page = rooms
        .list_events(
            &carol,
            "D",
            &room.id,
            &stretch(Direction::Backward, None, 2, &lazy),
        )
        .unwrap();
    let members: HashSet<_> = page
        .members
        .iter()
        .filter_map(|shown| shown.event.pdu.state_key.clone())
        .collect();
    assert_eq!(members, HashSet::from([alice.to_string(), bob.to_string()]));
    let context = rooms
        .event_context(
            &carol,
            "D",
            &room.id,
            event.event_id(),
            Side::halves(0),
            &lazy,
        )
        .unwrap();
    let is_member = |shown: &&Shown<'_>| shown.event.pdu.kind == "m.room.member".into();
    let members: Vec<_> = context.state.iter().filter(is_member).collect();
    assert_eq!(members.len(), 1);
    assert_eq!(
        members[0].event.pdu.state_key.as_deref(),
        Some(bob.as_str())
    );
    assert!(
        context
            .state
            .iter()
            .any(|shown| shown.event.pdu.kind == "m.room.create".into())
    );
}

#[tokio::test]
async fn an_event_stands_between_those_before_and_after_it() {
    let rooms = rooms();
    let [alice] = rooms.people(["alice"]).await;
    let room = public(&rooms, &alice).await;
    let mut events = Vec::new();
    for n in 0..9 {
        events.push(
            rooms
                .did(&room, text(&alice, &n.to_string()))
                .await
                .unwrap(),
        );
    }
    let none = RoomEventFilter::default();
    let context = rooms
        .event_context(
            &alice,
            "D",
            &room.id,
            events[4].event_id(),
            Side::halves(4),
            &none,
        )
        .unwrap();
    assert_eq!(bodies(&context.before), ["3", "2"]);
    assert_eq!(bodies(&context.after), ["5", "6"]);
    let page = |direction, from| {
        rooms
            .list_events(
                &alice,
                "D",
                &room.id,
                &stretch(direction, Some(from), 2, &none),
            )
            .unwrap()
    };
    assert_eq!(
        bodies(&page(Direction::Backward, context.start).events),
        ["1", "0"]
    );
    assert_eq!(
        bodies(&page(Direction::Forward, context.end).events),
        ["7", "8"]
    );
}

#[tokio::test]
async fn who_left_reads_what_was_and_not_what_came() {
    let rooms = rooms();
    let [alice, bob] = rooms.people(["alice", "bob"]).await;
    let room = public(&rooms, &alice).await;
    rooms
        .did(
            &room,
            state(&alice, "m.room.name", "", &json!({"name": "before"})),
        )
        .await
        .unwrap();
    rooms.join(&bob, &room, None).await.unwrap();
    rooms.did(&room, text(&alice, "while")).await.unwrap();
    rooms.leave(&bob, &room, None).await.unwrap();
    let after = rooms.did(&room, text(&alice, "after")).await.unwrap();
    rooms
        .did(
            &room,
            state(&alice, "m.room.name", "", &json!({"name": "after"})),
        )
        .await
        .unwrap();

    let none = RoomEventFilter::default();
    let read = |direction, from| {
        bodies(
            &rooms
                .list_events(&bob, "D", &room.id, &stretch(direction, from, 100, &none))
                .unwrap()
                .events,
        )
    };
    assert_eq!(read(Direction::Backward, None), ["while"]);
    assert_eq!(read(Direction::Backward, Some(Order::END)), ["while"]);
    assert_eq!(read(Direction::Forward, None), ["while"]);
    let name = rooms
        .get_state(&bob, &room.id, &StateEventType::RoomName, "")
        .unwrap();
    assert_eq!(
        name.event.pdu.content_field::<String>("name").as_deref(),
        Some("before")
    );
    let whole = rooms.list_visible_state(&bob, &room.id).unwrap();
    assert!(
        whole
            .iter()
            .all(|shown| shown.event.position < after.position)
    );
    assert!(matches!(
        rooms.get_event(&bob, "D", &room.id, after.event_id()),
        Err(Error::UnknownEvent(_))
    ));
    // An invite shows no more than he had seen.
    rooms.invite(&alice, &bob, &room, None).await.unwrap();
    assert_eq!(read(Direction::Backward, None), ["while"]);
    // Nor does a ban.
    rooms.ban(&alice, &bob, &room, None).await.unwrap();
    assert_eq!(read(Direction::Backward, None), ["while"]);
}

#[tokio::test]
async fn strangers_see_nothing_but_rooms_open_to_all() {
    let rooms = rooms();
    let [alice] = rooms.people(["alice"]).await;
    let room = public(&rooms, &alice).await;
    let event = rooms.did(&room, text(&alice, "hi")).await.unwrap();
    let (carol, none) = (user("carol"), RoomEventFilter::default());
    let all = stretch(Direction::Backward, None, 100, &none);
    assert!(matches!(
        rooms.list_events(&carol, "D", &room.id, &all),
        Err(Error::NotJoined)
    ));
    assert!(matches!(
        rooms.list_visible_state(&carol, &room.id),
        Err(Error::NotJoined)
    ));
    assert!(matches!(
        rooms.list_members(&carol, &room.id, &Members::default()),
        Err(Error::NotJoined)
    ));
    assert!(matches!(
        rooms.list_joined_members(&carol, &room.id),
        Err(Error::NotJoined)
    ));
    assert!(matches!(
        rooms.get_event(&carol, "D", &room.id, event.event_id()),
        Err(Error::UnknownEvent(_))
    ));
    let nowhere = ruma::RoomId::parse("!nowhere:orvale.test").unwrap();
    assert!(matches!(
        rooms.list_events(&carol, "D", &nowhere, &all),
        Err(Error::NotJoined)
    ));

    let open = state(
        &alice,
        "m.room.history_visibility",
        "",
        &json!({"history_visibility": "world_readable"}),
    );
    rooms.did(&room, open).await.unwrap();
    let later = rooms
        .did(&room, text(&alice, "all may read this"))
        .await
        .unwrap();
    let page = rooms.list_events(&carol, "D", &room.id, &all).unwrap();
    assert_eq!(
        bodies(&page.events),
        ["all may read this"],
        "what was said before stays closed"
    );
    let shown = rooms
        .get_event(&carol, "D", &room.id, later.event_id())
        .unwrap();
    assert_eq!(shown.reader.membership, Some("leave"));
    assert!(rooms.list_visible_state(&carol, &room.id).is_ok());
}

#[tokio::test]
async fn an_event_is_shown_in_its_own_room_only() {
    let rooms = rooms();
    let [alice, bob] = rooms.people(["alice", "bob"]).await;
    let (hers, his) = (public(&rooms, &alice).await, public(&rooms, &bob).await);
    let event = rooms.did(&hers, text(&alice, "hers")).await.unwrap();
    let none = RoomEventFilter::default();
    for room in [&his, &hers] {
        assert!(matches!(
            rooms.get_event(&bob, "D", &room.id, event.event_id()),
            Err(Error::UnknownEvent(_))
        ));
        assert!(
            rooms
                .event_context(
                    &bob,
                    "D",
                    &room.id,
                    event.event_id(),
                    Side::halves(5),
                    &none
                )
                .is_err()
        );
    }
}

#[tokio::test]
async fn who_joins_a_room_that_hides_its_past_reads_from_then_on() {
    for (visibility, seen) in [
        ("joined", vec!["new"]),
        ("invited", vec!["new", "invited"]),
        ("shared", vec!["new", "invited", "old"]),
    ] {
        let rooms = rooms();
        let [alice, bob] = rooms.people(["alice", "bob"]).await;
        let rules = json!({"type": "m.room.history_visibility", "content": {"history_visibility": visibility}});
        let room = rooms
            .create(
                &alice,
                NewRoom {
                    initial_state: vec![raw(&rules)],
                    ..NewRoom::default()
                },
            )
            .await
            .unwrap();
        rooms.did(&room, text(&alice, "old")).await.unwrap();
        rooms.invite(&alice, &bob, &room, None).await.unwrap();
        rooms.did(&room, text(&alice, "invited")).await.unwrap();
        rooms.join(&bob, &room, None).await.unwrap();
        rooms.did(&room, text(&alice, "new")).await.unwrap();
        let none = RoomEventFilter::default();
        let page = rooms
            .list_events(
                &bob,
                "D",
                &room.id,
                &stretch(Direction::Backward, None, 100, &none),
            )
            .unwrap();
        assert_eq!(bodies(&page.events), seen, "{visibility}");
        let memberships: Vec<_> = page
            .events
            .iter()
            .filter(|s| s.event.pdu.state_key.is_none())
            .map(|s| s.reader.membership.unwrap())
            .collect();
        assert_eq!(memberships, ["join", "invite", "leave"][..seen.len()]);
    }
}

#[tokio::test]
async fn members_are_listed_as_of_a_place_and_by_membership() {
    let rooms = rooms();
    let [alice, bob, carol] = rooms.people(["alice", "bob", "carol"]).await;
    let room = public(&rooms, &alice).await;
    rooms.join(&bob, &room, None).await.unwrap();
    let then = Order::live(rooms.store().visible());
    rooms.leave(&bob, &room, None).await.unwrap();
    rooms.invite(&alice, &carol, &room, None).await.unwrap();
    let list = |wanted: &Members| {
        let members = rooms.list_members(&alice, &room.id, wanted).unwrap();
        let mut names: Vec<_> = members
            .iter()
            .filter_map(|m| m.event.pdu.state_key.clone())
            .collect();
        names.sort();
        names
    };
    let names = |users: &[&UserId]| users.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(list(&Members::default()), names(&[&alice, &bob, &carol]));
    assert_eq!(
        list(&Members {
            at: Some(then),
            ..Members::default()
        }),
        names(&[&alice, &bob])
    );
    assert_eq!(
        list(&Members {
            membership: Some("leave".into()),
            ..Members::default()
        }),
        names(&[&bob])
    );
    assert_eq!(
        list(&Members {
            not_membership: Some("leave".into()),
            ..Members::default()
        }),
        names(&[&alice, &carol])
    );
    assert_eq!(
        list(&Members {
            at: Some(then),
            membership: Some("invite".into()),
            ..Members::default()
        }),
        names(&[])
    );
    assert_eq!(
        rooms.list_joined_members(&alice, &room.id).unwrap().len(),
        1
    );
}
