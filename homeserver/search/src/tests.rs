//! Searching in rooms, as clients would.

#![expect(
    clippy::cloned_ref_to_slice_refs,
    reason = "lists of what is found read alike, whether of one or of many"
)]

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use orvale_events::ServerKey;
use orvale_rooms::{Draft, Message, NewRoom, Preset, Room, Rooms, Txn};
use orvale_storage::{Batch, Entry, Store};
use orvale_users::{NewAccount, Users};
use ruma::{
    MilliSecondsSinceUnixEpoch, OwnedEventId, OwnedUserId, UInt, UserId,
    api::client::filter::{RoomEventFilter, UrlFilter},
    events::StateEventType,
};
use serde_json::{Value, json, value::RawValue};

use crate::{
    Config, ContextLimits, GroupKey, Has, Key, Ordering, Page, Place, Search, Token, Wanted,
};

/// People, rooms and a search over them.
struct World {
    rooms: Rooms,
    search: Search,
    transactions: AtomicU64,
}

fn raw(value: &Value) -> Box<RawValue> {
    RawValue::from_string(value.to_string()).unwrap()
}

fn rooms() -> Rooms {
    rooms_over(Store::in_memory())
}

fn rooms_over(store: Store) -> Rooms {
    let key = ServerKey::generate("orvale.test".try_into().unwrap());
    let users = Users::new(
        store.clone(),
        key.server_name(),
        orvale_users::Config::default(),
        orvale_users::Clock::system(),
    );
    let ticks = AtomicU64::new(1_700_000_000_000);
    let clock: orvale_rooms::Clock = Arc::new(move || {
        MilliSecondsSinceUnixEpoch(UInt::new_saturating(ticks.fetch_add(1, Relaxed)))
    });
    let config = orvale_rooms::Config::default();
    Rooms::new(store, users.unwrap(), Arc::new(key), config, clock).unwrap()
}

fn quick() -> Config {
    Config {
        commit_interval_ms: 1,
        writer_memory_bytes: crate::LEAST_WRITER_MEMORY,
        ..Config::default()
    }
}

impl World {
    fn new() -> Self {
        Self::in_place(rooms(), Place::Memory)
    }

    fn in_place(rooms: Rooms, place: Place) -> Self {
        Self {
            search: Search::start(rooms.clone(), place, quick()).unwrap(),
            rooms,
            transactions: AtomicU64::default(),
        }
    }

    async fn people<const N: usize>(&self, names: [&str; N]) -> [OwnedUserId; N] {
        for name in names {
            let new = NewAccount {
                localpart: Some(name),
                ..NewAccount::default()
            };
            self.rooms.users().create_account(new).await.unwrap();
        }
        names.map(|name| UserId::parse(format!("@{name}:orvale.test")).unwrap())
    }

    async fn room(&self, by: &UserId, others: &[&UserId]) -> Arc<Room> {
        let new = NewRoom {
            preset: Preset::Public,
            ..NewRoom::default()
        };
        let room = self.rooms.create(by, new).await.unwrap();
        for other in others {
            self.rooms.join(other, &room, None).await.unwrap();
        }
        room
    }

    async fn send(&self, by: &UserId, room: &Room, kind: &str, content: Value) -> OwnedEventId {
        let id = self.transactions.fetch_add(1, Relaxed).to_string();
        let message = Message {
            kind: kind.into(),
            content: raw(&content),
            timestamp: None,
        };
        let txn = Txn {
            device: "D",
            id: &id,
        };
        self.rooms.send(by, &room.id, message, txn).await.unwrap()
    }

    async fn say(&self, by: &UserId, room: &Room, text: &str) -> OwnedEventId {
        let content = json!({"msgtype": "m.text", "body": text});
        self.send(by, room, "m.room.message", content).await
    }

    async fn edit(
        &self,
        by: &UserId,
        room: &Room,
        event: &OwnedEventId,
        text: &str,
    ) -> OwnedEventId {
        let content = json!({
            "msgtype": "m.text", "body": format!("* {text}"),
            "m.new_content": {"msgtype": "m.text", "body": text},
            "m.relates_to": {"rel_type": "m.replace", "event_id": event},
        });
        self.send(by, room, "m.room.message", content).await
    }

    async fn redact(&self, by: &UserId, room: &Room, event: &OwnedEventId) {
        let id = self.transactions.fetch_add(1, Relaxed).to_string();
        let txn = Txn {
            device: "D",
            id: &id,
        };
        self.rooms
            .redact(by, &room.id, event, None, txn)
            .await
            .unwrap();
    }

    async fn set(&self, by: &UserId, room: &Arc<Room>, kind: &str, content: Value) -> OwnedEventId {
        let draft = Draft::state(by, StateEventType::from(kind), "", raw(&content));
        self.rooms.append_one(room, draft).await.unwrap().event_id
    }

    /// Waits until all that was written is found.
    async fn settle(&self) {
        let visible = self.rooms.store().visible();
        self.search.has_seen(visible).await.unwrap();
    }

    async fn found(&self, by: &UserId, term: &str) -> Vec<OwnedEventId> {
        self.settle().await;
        ids(&self.search.find(by, "D", &recent(term)).unwrap())
    }
}

fn ids(page: &Page<'_>) -> Vec<OwnedEventId> {
    let hits = page.hits.iter();
    hits.map(|hit| hit.event.event.event_id().to_owned())
        .collect()
}

fn all() -> &'static RoomEventFilter {
    static ALL: std::sync::OnceLock<RoomEventFilter> = std::sync::OnceLock::new();
    ALL.get_or_init(RoomEventFilter::default)
}

fn recent(term: &str) -> Wanted<'_> {
    Wanted {
        term,
        keys: None,
        filter: all(),
        since: None,
        until: None,
        has: &[],
        limit: 10,
        order: Ordering::Recent,
        context: None,
        group_by: &[],
        from: None,
    }
}

#[tokio::test]
async fn messages_are_found_by_words_forms_beginnings_phrases_and_runs() {
    let world = World::new();
    let [alice] = world.people(["alice"]).await;
    let room = world.room(&alice, &[]).await;
    let house = world.say(&alice, &room, "Die Häuser am Fluß").await;
    let ship = world
        .say(&alice, &room, "Donaudampfschiff, the messages")
        .await;
    let tokyo = world.say(&alice, &room, "明日は東京都に行きます").await;
    world.say(&alice, &room, "am Haus fluss schiff").await;
    for (term, event) in [
        ("hauser", &house),
        ("\"am fluss\"", &house),
        ("donaud", &ship),
        ("Message Donaudampfschiff", &ship),
        ("東京", &tokyo),
        ("京都に", &tokyo),
        ("都", &tokyo),
        ("\"明日は東京\"", &tokyo),
    ] {
        let found = world.found(&alice, term).await;
        assert!(found.contains(event), "{term}: {found:?}");
    }
    assert_eq!(world.found(&alice, "haus").await.len(), 2);
    assert_eq!(world.found(&alice, "\"am fluss\"").await.len(), 1);
    for term in ["京東", "messages nowhere", "fluss东", "?!", ""] {
        assert!(world.found(&alice, term).await.is_empty(), "{term}");
    }
    let page = world.search.find(&alice, "D", &recent("haus")).unwrap();
    assert_eq!(page.highlights, ["haus", "häuser"]);
    assert_eq!(page.count, 2);
}

#[tokio::test]
async fn an_edited_message_is_found_by_what_it_says_now_and_a_redacted_one_not_at_all() {
    let world = World::new();
    let [alice, bob] = world.people(["alice", "bob"]).await;
    let room = world.room(&alice, &[&bob]).await;
    let message = world.say(&alice, &room, "apple").await;
    assert_eq!(world.found(&bob, "apple").await, [message.clone()]);
    world.edit(&alice, &room, &message, "banana").await;
    world.settle().await;
    let last = world.edit(&alice, &room, &message, "cherry").await;
    // Another's edit counts for nothing, if their server lets it through.
    let content = json!({
        "body": "* damson", "m.new_content": {"body": "damson"},
        "m.relates_to": {"rel_type": "m.replace", "event_id": message},
    });
    let theirs = Draft::message(&bob, "m.room.message".into(), raw(&content));
    world.rooms.append_one(&room, theirs).await.unwrap();
    assert_eq!(world.found(&bob, "cherry").await, [message.clone()]);
    for gone in ["apple", "banana", "damson"] {
        assert!(world.found(&bob, gone).await.is_empty(), "{gone}");
    }
    world.redact(&alice, &room, &last).await;
    assert_eq!(world.found(&bob, "banana").await, [message.clone()]);
    assert!(world.found(&bob, "cherry").await.is_empty());
    // In one go with the redaction, before either is in the index.
    let quick = world.edit(&alice, &room, &message, "elderberry").await;
    world.redact(&alice, &room, &quick).await;
    assert!(world.found(&bob, "elderberry").await.is_empty());
    assert_eq!(world.found(&bob, "banana").await, [message.clone()]);
    world.redact(&alice, &room, &message).await;
    assert!(world.found(&bob, "banana").await.is_empty());
}

#[tokio::test]
async fn what_somebody_redacts_who_may_not_is_found_all_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let place = Place::Directory(directory.path().join("search"));
    let world = World::in_place(rooms(), place.clone());
    let [alice] = world.people(["alice"]).await;
    let room = world.room(&alice, &[]).await;
    let message = world.say(&alice, &room, "apple").await;
    let whole = world.rooms.find_event(&message).unwrap().unwrap();
    world.redact(&alice, &room, &message).await;
    assert!(world.found(&alice, "apple").await.is_empty());
    world.search.close().await;

    // As where it turns out, once all members are known, that it was not allowed.
    let store = world.rooms.store().clone();
    let mut batch = Batch::new();
    batch
        .rewrite(whole.position, &Entry::Event(whole.record.clone()))
        .log(Entry::Whole { room: room.number });
    store.commit(batch).await.unwrap();
    let world = World::in_place(rooms_over(store.clone()), place);
    assert!(world.search.seen() > whole.position, "it goes on");
    assert_eq!(world.found(&alice, "apple").await, [message.clone()]);
    world.search.close().await;

    // And as where that is known before it is looked at.
    let world = World::in_place(rooms_over(store), Place::Memory);
    assert_eq!(world.found(&alice, "apple").await, [message]);
}

#[tokio::test]
async fn names_topics_captions_and_file_names_are_found_by_their_keys() {
    let world = World::new();
    let [alice] = world.people(["alice"]).await;
    let room = world.room(&alice, &[]).await;
    let name = world
        .set(&alice, &room, "m.room.name", json!({"name": "Teapot"}))
        .await;
    let topic = world
        .set(&alice, &room, "m.room.topic", json!({"topic": "Teapot"}))
        .await;
    let file = json!({"msgtype": "m.file", "body": "the bill", "filename": "teapot.pdf", "url": "mxc://a/b"});
    let file = world.send(&alice, &room, "m.room.message", file).await;
    let secret = json!({"algorithm": "m.megolm.v1.aes-sha2", "ciphertext": "x", "body": "teapot"});
    world.send(&alice, &room, "m.room.encrypted", secret).await;
    let found = world.found(&alice, "teapot").await;
    assert_eq!(found, [file.clone(), topic.clone(), name.clone()]);
    let find = |keys: Option<&[Key]>, filter: &RoomEventFilter| {
        let wanted = Wanted {
            keys,
            filter,
            ..recent("teapot")
        };
        ids(&world.search.find(&alice, "D", &wanted).unwrap())
    };
    assert_eq!(find(Some(&[Key::Body]), all()), [file.clone()]);
    assert_eq!(
        find(Some(&[Key::Name, Key::Topic]), all()),
        [topic.clone(), name.clone()]
    );
    let mut filter = RoomEventFilter::default();
    filter.url_filter = Some(UrlFilter::EventsWithUrl);
    assert_eq!(find(None, &filter), [file.clone()]);
    filter.url_filter = Some(UrlFilter::EventsWithoutUrl);
    filter.types = Some(vec!["m.room.t*".to_owned()]);
    assert_eq!(find(None, &filter), [topic]);
    filter.types = Some(vec!["m.room.name".to_owned()]);
    assert_eq!(find(None, &filter), [name]);
    filter.senders = Some(vec!["@bob:orvale.test".try_into().unwrap()]);
    assert!(find(None, &filter).is_empty());
}

#[tokio::test]
async fn a_search_is_narrowed_by_time_and_by_what_is_carried() {
    let world = World::new();
    let [alice, bob] = world.people(["alice", "bob"]).await;
    let room = world.room(&alice, &[&bob]).await;
    let early = world
        .say(&alice, &room, "kettle, see https://example.org")
        .await;
    let picture = json!({"msgtype": "m.image", "body": "kettle.png", "url": "mxc://a/b"});
    let picture = world.send(&bob, &room, "m.room.message", picture).await;
    let file = json!({"msgtype": "m.file", "body": "Kettle manual.pdf", "url": "mxc://a/c"});
    let file = world.send(&alice, &room, "m.room.message", file).await;
    world.settle().await;
    let time = |event: &OwnedEventId| {
        let event = world.rooms.find_event(event).unwrap().unwrap();
        u64::from(event.pdu.origin_server_ts.get())
    };
    let find = |term, since, until, has: &[Has], filter: &RoomEventFilter| {
        let wanted = Wanted {
            since,
            until,
            has,
            filter,
            ..recent(term)
        };
        ids(&world.search.find(&alice, "D", &wanted).unwrap())
    };
    let (none, at) = (&[][..], time(&picture));
    assert_eq!(
        find("kettle", Some(at), None, none, all()),
        [file.clone(), picture.clone()]
    );
    assert_eq!(find("kettle", None, Some(at), none, all()), [early.clone()]);
    assert_eq!(
        find("kettle", None, None, &[Has::Link], all()),
        [early.clone()]
    );
    assert_eq!(
        find("kettle", None, None, &[Has::File], all()),
        [file.clone(), picture.clone()]
    );
    assert_eq!(
        find("kettle", None, None, &[Has::File, Has::Image], all()),
        [picture.clone()]
    );
    // Without words, what narrows it is the question; without that there is none.
    assert_eq!(
        find(" ", None, None, &[Has::File], all()),
        [file, picture.clone()]
    );
    assert!(find("", None, None, none, all()).is_empty());
    assert!(find("!", None, None, &[Has::File], all()).is_empty());
    let mut filter = RoomEventFilter::default();
    filter.senders = Some(vec![bob.clone()]);
    assert_eq!(find("", Some(at), None, none, &filter), [picture]);
}

#[tokio::test]
async fn everybody_finds_what_they_may_see_and_no_more() {
    let world = World::new();
    let [alice, bob, carol] = world.people(["alice", "bob", "carol"]).await;
    let room = world.room(&alice, &[]).await;
    let joined = json!({"history_visibility": "joined"});
    world
        .set(&alice, &room, "m.room.history_visibility", joined)
        .await;
    world.say(&alice, &room, "secret before").await;
    world.rooms.join(&bob, &room, None).await.unwrap();
    let seen = world.say(&alice, &room, "secret shown").await;
    world.rooms.leave(&bob, &room, None).await.unwrap();
    world.say(&alice, &room, "secret after").await;
    // By its new words, one would learn what one may not see.
    world.edit(&alice, &room, &seen, "secret changed").await;
    let shown = world.say(&alice, &room, "x").await;
    assert_eq!(world.found(&alice, "secret").await.len(), 3);
    assert!(world.found(&bob, "changed").await.is_empty());
    let hidden = world.search.find(&bob, "D", &recent("before")).unwrap();
    assert_eq!(hidden.count, 0, "nor is it told that there is something");
    assert!(world.found(&carol, "secret").await.is_empty());
    assert!(!world.found(&bob, "x").await.contains(&shown));
    let open = world.room(&alice, &[&bob]).await;
    let mine = world.say(&alice, &open, "secret to share").await;
    assert_eq!(world.found(&bob, "secret").await, [mine.clone()]);
    let ignored = json!({"ignored_users": {alice.as_str(): {}}});
    world
        .rooms
        .users()
        .set_account_data(&bob, None, "m.ignored_user_list", &ignored.to_string())
        .await
        .unwrap();
    assert!(world.found(&bob, "secret").await.is_empty());
}

#[tokio::test]
async fn pages_follow_each_other_in_both_orders_and_in_groups() {
    let world = World::new();
    let [alice, bob] = world.people(["alice", "bob"]).await;
    let rooms = [
        world.room(&alice, &[&bob]).await,
        world.room(&alice, &[&bob]).await,
    ];
    let mut sent = Vec::new();
    for n in 0..25 {
        let by = if n % 3 == 0 { &bob } else { &alice };
        let text = format!("tea {}", "and more ".repeat(n % 5));
        sent.push(world.say(by, &rooms[n % 2], &text).await);
    }
    world.settle().await;
    sent.reverse();
    for order in [Ordering::Recent, Ordering::Rank] {
        let group_by = [GroupKey::Room, GroupKey::Sender];
        let page = |from: Option<Token>| {
            let from = from.map(|token| token.to_string().parse().unwrap());
            let wanted = Wanted {
                order,
                from,
                limit: 4,
                group_by: &group_by,
                ..recent("tea")
            };
            world.search.find(&alice, "D", &wanted).unwrap()
        };
        let walk = |mut from: Option<Token>| {
            let mut seen = Vec::new();
            while from.is_some() || seen.is_empty() {
                let next = page(from);
                assert!(next.hits.len() <= 4);
                seen.extend(ids(&next));
                match next.next {
                    Some(next) => from = Some(next),
                    None => break,
                }
            }
            seen
        };
        let seen = walk(None);
        match order {
            Ordering::Recent => assert_eq!(seen, sent),
            Ordering::Rank => {
                let mut sorted = [seen.clone(), sent.clone()];
                sorted.iter_mut().for_each(|ids| ids.sort());
                assert_eq!(sorted[0], sorted[1]);
            }
        }
        // What a group's token leads to is the rest of the group, in the same order.
        let second = page(page(None).next);
        for (key, groups) in &second.groups {
            assert_eq!(
                groups.iter().map(|group| group.events.len()).sum::<usize>(),
                4
            );
            for group in groups {
                let is_in = |id: &&OwnedEventId| {
                    let event = world.rooms.find_event(id).unwrap().unwrap();
                    match key {
                        GroupKey::Room => event.room_id.as_str() == group.value,
                        GroupKey::Sender => event.pdu.sender.as_str() == group.value,
                    }
                };
                let rest: Vec<_> = seen[8..].iter().filter(is_in).cloned().collect();
                assert_eq!(walk(group.next.clone()), rest, "{order:?} {key:?}");
            }
        }
    }
    let wrong = Wanted {
        from: "b4_9".parse().ok(),
        ..recent("tea")
    };
    assert!(world.search.find(&alice, "D", &wrong).is_err());
}

#[tokio::test]
async fn a_hit_comes_with_what_was_said_around_it_and_by_whom() {
    let world = World::new();
    let [alice, bob] = world.people(["alice", "bob"]).await;
    let room = world.room(&alice, &[&bob]).await;
    let mut sent = Vec::new();
    for text in ["a", "b", "needle", "c", "d"] {
        sent.push(
            world
                .say(if text == "c" { &bob } else { &alice }, &room, text)
                .await,
        );
    }
    world.settle().await;
    let context = ContextLimits {
        before: 1,
        after: 2,
        include_profile: true,
    };
    let wanted = Wanted {
        context: Some(context),
        ..recent("needle")
    };
    let page = world.search.find(&alice, "D", &wanted).unwrap();
    let around = page.hits[0].around.as_ref().unwrap();
    let of = |shown: &[orvale_rooms::Shown<'_>]| {
        let ids = shown.iter().map(|shown| shown.event.event_id().to_owned());
        ids.collect::<Vec<_>>()
    };
    assert_eq!(of(&around.before), [sent[1].clone()]);
    assert_eq!(of(&around.after), [sent[3].clone(), sent[4].clone()]);
    let mut people: Vec<_> = page.hits[0]
        .profiles
        .iter()
        .map(|p| p.user_id.clone())
        .collect();
    people.sort();
    assert_eq!(people, [alice, bob]);
}

#[tokio::test]
async fn a_room_takes_along_those_that_it_replaced() {
    let world = World::new();
    let [alice, bob] = world.people(["alice", "bob"]).await;
    let old = world.room(&alice, &[&bob]).await;
    let said = world.say(&bob, &old, "tea of old").await;
    let version = ruma::RoomVersionId::V11;
    let new = world
        .rooms
        .upgrade(&alice, &old, version, &[])
        .await
        .unwrap();
    let again = world.say(&alice, &new, "tea of today").await;
    world.settle().await;
    let mut filter = RoomEventFilter::default();
    filter.rooms = Some(vec![new.id.clone()]);
    let find = |user: &UserId, filter: &RoomEventFilter| {
        ids(&world
            .search
            .find(
                user,
                "D",
                &Wanted {
                    filter,
                    ..recent("tea")
                },
            )
            .unwrap())
    };
    assert_eq!(find(&alice, &filter), [again.clone(), said.clone()]);
    assert_eq!(find(&bob, &filter), [said.clone()]);
    filter.not_rooms = vec![old.id.clone()];
    assert_eq!(find(&alice, &filter), [again]);
    assert!(find(&bob, &filter).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_index_goes_on_where_it_was_and_is_begun_anew_where_it_must() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("search");
    let rooms = rooms();
    let open = |rooms: &Rooms| World::in_place(rooms.clone(), Place::Directory(path.clone()));
    let world = open(&rooms);
    let [alice] = world.people(["alice"]).await;
    let room = world.room(&alice, &[]).await;
    let first = world.say(&alice, &room, "first").await;
    world.settle().await;
    world.search.close().await;
    drop(world);
    let draft = Draft::message(
        &alice,
        "m.room.message".into(),
        raw(&json!({"msgtype": "m.text", "body": "second"})),
    );
    let second = rooms.append_one(&room, draft).await.unwrap().event_id;

    let world = open(&rooms);
    assert!(world.search.count() > 0, "it did not start from nothing");
    assert_eq!(world.found(&alice, "first").await, [first.clone()]);
    assert_eq!(world.found(&alice, "second").await, [second]);
    let all = world.search.count();
    world.search.rebuild().await.unwrap();
    assert_eq!(world.search.count(), all);
    assert_eq!(world.found(&alice, "first").await, [first.clone()]);
    world.search.close().await;
    drop(world);

    // What spoils it: rubbish, and the files of another store.
    for file in std::fs::read_dir(&path).unwrap() {
        let file = file.unwrap().path();
        if file
            .extension()
            .is_some_and(|kind| kind == "term" || kind == "idx")
        {
            std::fs::write(file, "rubbish").unwrap();
        }
    }
    let world = open(&rooms);
    assert_eq!(world.found(&alice, "first").await, [first.clone()]);
    world.search.close().await;
    drop(world);
    std::fs::write(path.join("meta.json"), "{}").unwrap();
    let world = open(&rooms);
    assert_eq!(world.found(&alice, "first").await, [first]);
    world.search.close().await;
    drop(world);
    let other = self::rooms();
    let world = open(&other);
    world.people(["alice"]).await;
    assert!(world.found(&alice, "first").await.is_empty());
    assert_eq!(world.search.count(), 0);
    world.search.close().await;
}

#[tokio::test]
async fn people_are_found_by_their_names_where_they_may_be_known() {
    let world = World::new();
    let [alice, bob, carol, dan] = world.people(["alice", "bob", "carol", "dan.brown"]).await;
    let name = |user: &OwnedUserId, name: &str| {
        let (users, user, name) = (world.rooms.users().clone(), user.clone(), json!(name));
        async move {
            users
                .set_profile_field(&user, "displayname", name)
                .await
                .unwrap()
        }
    };
    name(&bob, "Bobby Brown").await;
    name(&carol, "王小明 Müller").await;
    let new = NewRoom {
        preset: Preset::Private,
        ..NewRoom::default()
    };
    let private = world.rooms.create(&alice, new).await.unwrap();
    let public = world.room(&carol, &[]).await;
    let found = async |by: &UserId, term: &str| {
        let directory = world.search.directory();
        // The directory follows by itself.
        directory.caught_up().await.unwrap();
        let (people, _) = directory.find(by, term, 10).unwrap();
        let ids = people
            .iter()
            .map(|person| person.user_id.localpart().to_owned());
        ids.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(found(&alice, "carol").await, "carol");
    for term in [
        "muller",
        "MÜLL",
        "小明",
        "@car",
        "@carol:orvale.test",
        "王小 mull",
    ] {
        assert_eq!(found(&alice, term).await, "carol", "{term}");
    }
    assert_eq!(found(&alice, "bob").await, "", "they share nothing");
    let invite = world.rooms.invite(&alice, &bob, &private, None).await;
    invite.unwrap();
    assert_eq!(found(&alice, "bob").await, "");
    world.rooms.join(&bob, &private, None).await.unwrap();
    assert_eq!(found(&alice, "bobby").await, "bob");
    assert_eq!(found(&bob, "dan").await, "");
    world.rooms.join(&dan, &public, None).await.unwrap();
    assert_eq!(found(&alice, "brown").await, "bob dan.brown");
    assert_eq!(found(&alice, "dan.brown").await, "dan.brown");
    let (people, limited) = world.search.directory().find(&alice, "brown", 1).unwrap();
    assert_eq!((people.len(), limited), (1, true));
    name(&bob, "Robert").await;
    assert_eq!(found(&alice, "bobby").await, "");
    assert_eq!(found(&alice, "robert").await, "bob");
    world.rooms.users().deactivate(&dan, false).await.unwrap();
    assert_eq!(found(&alice, "dan").await, "");
}
