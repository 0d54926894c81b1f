//! Random operations on a store on disk, against a `BTreeMap`.

#![expect(clippy::unwrap_used, reason = "a test that fails may stop")]

use std::{collections::BTreeMap, time::Duration};

use orvale_storage::{Batch, Config, Entry, Error, Position, Store, Tree, Tuning};
use proptest::prelude::*;

const ROWS: Tree<(u8, String), Vec<u8>> = Tree::new(0xff01, "test_rows");

#[derive(Debug, Clone)]
enum Step {
    /// Puts (`Some`) and deletes, and how many entries of the log with them.
    Commit(Vec<((u8, String), Option<usize>)>, u8),
    /// A batch that expects a key to be absent (`None`) or to have a value of this length.
    Expecting((u8, String), Option<usize>, usize),
    Get((u8, String)),
    Prefix(u8, usize),
    Range(u8, u8, bool, usize),
    /// A part of the keys under a prefix.
    Within(u8, String, String, bool, usize),
    Log(u64, usize),
    Checkpoint,
    Reopen,
    Close,
}

fn key() -> impl Strategy<Value = (u8, String)> {
    (0..4u8, "[ab\0]{0,3}")
}

fn step() -> impl Strategy<Value = Step> {
    let limit = prop_oneof![0..5usize, Just(usize::MAX)];
    prop_oneof![
        8 => (prop::collection::vec((key(), prop::option::weighted(0.7, 0..3000usize)), 0..12), 0..4u8)
            .prop_map(|(writes, entries)| Step::Commit(writes, entries)),
        2 => (key(), prop::option::of(0..3usize), 0..3usize).prop_map(|(key, old, new)| Step::Expecting(key, old, new)),
        2 => key().prop_map(Step::Get),
        2 => (0..4u8, limit.clone()).prop_map(|(first, limit)| Step::Prefix(first, limit)),
        2 => (0..5u8, 0..5u8, any::<bool>(), limit.clone()).prop_map(|(a, b, reverse, limit)| Step::Range(a, b, reverse, limit)),
        3 => (0..4u8, "[ab\0]{0,3}", "[ab\0]{0,3}", any::<bool>(), limit.clone())
            .prop_map(|(first, a, b, reverse, limit)| Step::Within(first, a, b, reverse, limit)),
        1 => (0..50u64, limit).prop_map(|(after, limit)| Step::Log(after, limit)),
        2 => Just(Step::Checkpoint),
        1 => Just(Step::Reopen),
        1 => Just(Step::Close),
    ]
}

#[derive(Default)]
struct Model {
    rows: BTreeMap<(u8, String), Vec<u8>>,
    log: BTreeMap<u64, Entry>,
    commits: u64,
}

impl Model {
    fn range(
        &self,
        keep: impl Fn(&(u8, String)) -> bool,
        reverse: bool,
        limit: usize,
    ) -> Vec<((u8, String), Vec<u8>)> {
        let rows = self
            .rows
            .iter()
            .filter(|(key, _)| keep(key))
            .map(|(key, value)| (key.clone(), value.clone()));
        let mut rows: Vec<_> = rows.collect();
        if reverse {
            rows.reverse();
        }
        rows.truncate(limit);
        rows
    }
}

async fn run(steps: Vec<Step>) {
    let directory = tempfile::tempdir().unwrap();
    let config = Config {
        path: directory.path().to_owned(),
        cache_bytes: 64 << 10,
        free_bytes: 0,
    };
    let tuning = Tuning {
        segment_bytes: 32 << 10,
        checkpoint_bytes: 24 << 10,
        checkpoint_every: Duration::from_millis(50),
        pinned_bytes: Some(64 << 10),
        flush_writes: 10,
        ..Tuning::default()
    };
    let mut model = Model::default();
    let mut store = Store::open_with(&config, &tuning).unwrap();
    for step in steps {
        match step {
            Step::Commit(writes, entries) => {
                model.commits += 1;
                let mut batch = Batch::new();
                for ((first, second), length) in writes {
                    if let Some(length) = length {
                        let value = vec![model.commits as u8; length];
                        batch.put(&ROWS, (first, &second), &value);
                        model.rows.insert((first, second), value);
                    } else {
                        batch.delete(&ROWS, (first, &second));
                        model.rows.remove(&(first, second));
                    }
                }
                let new: Vec<Entry> = (0..entries)
                    .map(|n| Entry::Profile {
                        user_id: format!("{} {n}", model.commits),
                    })
                    .collect();
                for entry in &new {
                    batch.log(entry.clone());
                }
                let at = store.commit(batch).await.unwrap();
                for (entry, at) in new.into_iter().zip(at.0..) {
                    model.log.insert(at, entry);
                }
            }
            Step::Expecting((first, second), old, new) => {
                let (old, new) = (old.map(|n| vec![0; n]), vec![0; new]);
                let mut batch = Batch::new();
                batch.expect(&ROWS, (first, &second), old.as_ref()).put(
                    &ROWS,
                    (first, &second),
                    &new,
                );
                let holds = model.rows.get(&(first, second.clone())) == old.as_ref();
                match store.commit(batch).await {
                    Ok(_) => assert!(holds),
                    Err(Error::Conflict { .. }) => assert!(!holds),
                    Err(error) => panic!("{error}"),
                }
                if holds {
                    model.rows.insert((first, second), new);
                }
            }
            Step::Get((first, second)) => {
                let found = store.get(&ROWS, (first, &second)).unwrap();
                assert_eq!(found.as_ref(), model.rows.get(&(first, second)));
            }
            Step::Prefix(first, limit) => {
                let expected = model.range(|key| key.0 == first, false, limit);
                assert_eq!(store.prefix(&ROWS, (first,), limit).unwrap(), expected);
            }
            Step::Range(a, b, reverse, limit) => {
                let expected = model.range(|key| (a..b).contains(&key.0), reverse, limit);
                assert_eq!(
                    store.range(&ROWS, (a,), (b,), reverse, limit).unwrap(),
                    expected
                );
            }
            Step::Within(first, a, b, reverse, limit) => {
                let expected = model.range(
                    |key| key.0 == first && (&a..&b).contains(&&key.1),
                    reverse,
                    limit,
                );
                assert_eq!(
                    store
                        .range(&ROWS, (first, &a), (first, &b), reverse, limit)
                        .unwrap(),
                    expected
                );
            }
            Step::Log(after, limit) => {
                let log = model
                    .log
                    .range(after + 1..)
                    .take(limit)
                    .map(|(at, entry)| (Position(*at), entry.clone()));
                assert!(
                    store
                        .log(Position(after), limit)
                        .unwrap()
                        .into_iter()
                        .eq(log)
                );
            }
            Step::Checkpoint => store.checkpoint().await.unwrap(),
            Step::Reopen => {
                drop(store);
                store = Store::open_with(&config, &tuning).unwrap();
            }
            Step::Close => {
                store.close().await.unwrap();
                drop(store);
                store = Store::open_with(&config, &tuning).unwrap();
            }
        }
        assert_eq!(
            store.visible().0,
            model.log.keys().next_back().copied().unwrap_or(0)
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), max_shrink_iters: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_store_does_what_a_map_does(steps in prop::collection::vec(step(), 1..120)) {
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(run(steps));
    }
}

fn cases() -> u32 {
    let rounds = std::env::var("ORVALE_CRASH_ROUNDS")
        .ok()
        .and_then(|rounds| rounds.parse().ok());
    rounds.map_or(6, |rounds: u32| rounds * 5)
}
