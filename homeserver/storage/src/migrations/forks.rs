//! Form 2: an event says where it stands in its room's timeline, a membership since when it is so.
//!
//! Both came to the end of their records, and both are what they always were in everything stored before: the byte 0.

use super::Migrator;
use crate::{
    Entry, Error, Result, Tree,
    batch::Batch,
    key::Key,
    record::Record,
    store::successor,
    trees::{
        rooms::{MEMBERSHIPS, MembershipRecord},
        system::LOG,
    },
};

pub(super) fn run(migrator: &mut Migrator<'_>) -> Result<()> {
    lengthen::<_, Entry>(migrator, &LOG)?;
    lengthen::<_, MembershipRecord>(migrator, &MEMBERSHIPS)
}

/// Adds a byte 0 to each record that lacks one.
fn lengthen<K: Key, V: Record>(migrator: &mut Migrator<'_>, tree: &Tree<K, V>) -> Result<()> {
    let from = tree.number.to_be_bytes().to_vec();
    let to = successor(from.clone());
    let engine = migrator.engine.clone();
    engine.walk(&from, &to, |entries| {
        let mut batch = Batch::new();
        for (key, value) in entries {
            // A record that ends too early is not read: one that is read was lengthened before, or needs no more.
            if V::from_bytes(value).is_ok() {
                continue;
            }
            let longer = [&value[..], &[0]].concat();
            V::from_bytes(&longer).map_err(|reason| Error::Corrupt {
                tree: tree.name,
                reason,
            })?;
            batch.put_raw(key, Some(&longer));
        }
        migrator.write(batch)
    })
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    use super::*;
    use crate::{
        Config, EventRecord, Place, Position, Standing, Store, Tuning, trees::rooms::Membership,
    };

    #[derive(Serialize, Deserialize)]
    enum OldEntry {
        Event(OldEvent),
        Room { room_id: String },
    }

    #[derive(Serialize, Deserialize)]
    struct OldEvent {
        room: Position,
        event_id: String,
        state_before: u64,
        state_after: u64,
        standing: Standing,
        transaction: Option<crate::Transaction>,
        pdu: bytes::Bytes,
        unsigned: bytes::Bytes,
    }

    #[derive(Serialize, Deserialize)]
    struct OldMembership {
        event: Position,
        membership: Membership,
        before: Option<Membership>,
        was_joined: bool,
        forgotten: bool,
    }

    const OLD_LOG: Tree<(Position,), OldEntry> = Tree::new(0x0001, "log");
    const OLD_MEMBERSHIPS: Tree<(String, Position), OldMembership> =
        Tree::new(0x0107, "memberships");

    #[tokio::test]
    async fn events_and_memberships_of_before_forks_are_read_as_they_were() {
        let directory = tempfile::tempdir().unwrap();
        let open = |steps: &[super::super::Step]| {
            let config = Config {
                path: directory.path().to_owned(),
                cache_bytes: 1 << 20,
                free_bytes: 0,
            };
            Store::open_migrating(&config, &Tuning::default(), steps)
        };
        let store = open(&[]).unwrap();
        let mut batch = Batch::new();
        let room = OldEntry::Room {
            room_id: "!r".to_owned(),
        };
        batch.put(&OLD_LOG, (Position(1),), &room);
        for n in 2..1500 {
            let event = OldEntry::Event(OldEvent {
                room: Position(1),
                event_id: format!("${n}"),
                state_before: n,
                state_after: n + 1,
                standing: Standing::Accepted,
                transaction: None,
                pdu: b"{}"[..].into(),
                unsigned: bytes::Bytes::new(),
            });
            batch.put(&OLD_LOG, (Position(n),), &event);
        }
        let member = OldMembership {
            event: Position(7),
            membership: Membership::Join,
            before: None,
            was_joined: true,
            forgotten: false,
        };
        batch.put(&OLD_MEMBERSHIPS, ("@a:x", Position(1)), &member);
        store.commit(batch).await.unwrap();
        store.close().await.unwrap();
        drop(store);

        // Twice: a step that was interrupted finds some of its work done.
        for form in [2, 3] {
            let steps = [2, 3].map(|to| super::super::Step {
                to,
                what: "lengthen",
                run,
            });
            let store = open(&steps[..form - 1]).unwrap();
            let Some(Entry::Event(event)) = store.get(&LOG, (Position(1400),)).unwrap() else {
                panic!("no event");
            };
            let expected = EventRecord {
                room: Position(1),
                event_id: "$1400".to_owned(),
                state_before: 1400,
                state_after: 1401,
                standing: Standing::Accepted,
                transaction: None,
                pdu: b"{}"[..].into(),
                unsigned: bytes::Bytes::new(),
                place: Place::Live,
            };
            assert_eq!(event, expected);
            let room = store.get(&LOG, (Position(1),)).unwrap().unwrap();
            assert!(matches!(room, Entry::Room { .. }));
            let member = store.get(&MEMBERSHIPS, ("@a:x", Position(1))).unwrap();
            assert_eq!(member.unwrap().at(), Position(7));
            store.close().await.unwrap();
        }
    }
}
