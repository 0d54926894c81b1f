//! What must hold of a store after a crash.

use std::{collections::HashMap, path::Path};

use orvale_storage::{Entry, Position};

use crate::workload::{Acknowledged, DATA, HEADS, INDEX, KEPT, WRITERS, open, payload, scattered};

/// Opens the store and looks at all of it: what was acknowledged is there, every batch is there as a whole or not at all,
/// and the trees and the log say the same. Returns how many batches there are.
pub(crate) fn verify(path: &Path, acknowledged: &Acknowledged) -> u64 {
    let store = open(path);
    let mut positions: HashMap<(u64, u64), u64> = HashMap::new();
    let mut last = HashMap::new();
    store
        .for_each(&orvale_storage::trees::system::LOG, (), |(at,), entry| {
            let Entry::Profile { user_id } = entry else {
                panic!("nobody wrote {entry:?}")
            };
            let (writer, number) = user_id.split_once(' ').unwrap();
            let (writer, number) = (writer.parse().unwrap(), number.parse().unwrap());
            let before = last.insert(writer, number).unwrap_or(0);
            assert_eq!(number, before + 1, "writer {writer} in the log");
            positions.insert((writer, number), at.0);
            Ok::<(), orvale_storage::Error>(())
        })
        .unwrap();
    assert_eq!(
        store.visible().0,
        positions.values().copied().max().unwrap_or(0)
    );
    let log = store.log(Position::START, usize::MAX).unwrap();
    assert_eq!(log.len(), positions.len());

    for writer in 0..WRITERS {
        let head = store.get(&HEADS, (writer,)).unwrap().unwrap_or(0);
        assert_eq!(
            head,
            last.get(&writer).copied().unwrap_or(0),
            "head and log of writer {writer}"
        );
        if let Some((number, at)) = acknowledged.get(&writer) {
            assert!(
                head >= *number,
                "writer {writer}: {number} was acknowledged, {head} is there"
            );
            assert_eq!(
                positions[&(writer, *number)],
                *at,
                "position of {number} of writer {writer}"
            );
        }
        let kept = head.saturating_sub(KEPT) + 1..=head;
        let data = store.prefix(&DATA, (writer,), usize::MAX).unwrap();
        assert!(
            data.iter().map(|((_, number), _)| *number).eq(kept.clone()),
            "data of writer {writer} at {head}"
        );
        assert!(
            data.iter()
                .all(|((_, number), bytes)| *bytes == payload(writer, *number))
        );
        for number in kept {
            let found = store.get(&INDEX, (scattered(writer, number),)).unwrap();
            assert_eq!(found, Some((writer, number)), "index");
        }
    }
    let data = store.prefix(&DATA, (), usize::MAX).unwrap().len();
    assert_eq!(
        store.prefix(&INDEX, (), usize::MAX).unwrap().len(),
        data,
        "the index has nothing else"
    );
    positions.len() as u64
}
