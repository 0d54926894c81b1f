//! A store on disk, through its public interface: what was acknowledged is there after any end.

use orvale_storage::{Batch, Config, Entry, Error, Position, Store, Tree, Tuning};

const NAMES: Tree<(String,), String> = Tree::new(0xff01, "test_names");

fn config(directory: &tempfile::TempDir) -> Config {
    Config {
        path: directory.path().join("store"),
        cache_bytes: 4 << 20,
        free_bytes: 0,
    }
}

/// Opens a store that was let go: what works in its background may hold it for a moment longer.
fn open_again(directory: &tempfile::TempDir) -> Store {
    let start = std::time::Instant::now();
    loop {
        match Store::open_with(&config(directory), &small()) {
            Err(Error::InUse(_)) if start.elapsed().as_secs() < 30 => std::thread::yield_now(),
            opened => return opened.expect("a store that nobody holds opens"),
        }
    }
}

fn small() -> Tuning {
    Tuning {
        segment_bytes: 64 << 10,
        checkpoint_bytes: 32 << 10,
        ..Tuning::default()
    }
}

fn named(name: &str, value: &str) -> Batch {
    let mut batch = Batch::new();
    batch
        .put(&NAMES, (name,), &value.to_owned())
        .log(Entry::Profile {
            user_id: name.to_owned(),
        });
    batch
}

#[tokio::test]
async fn what_was_committed_is_there_after_close_and_after_a_plain_drop() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(&config(&directory)).unwrap();
    let at = store.commit(named("@a:x", "one")).await.unwrap();
    assert_eq!((at, store.visible()), (Position(1), Position(1)));
    store.close().await.unwrap();
    assert!(matches!(
        store.commit(named("@a:x", "late")).await,
        Err(Error::Closed)
    ));
    drop(store);

    let store = Store::open(&config(&directory)).unwrap();
    assert_eq!(
        store.get(&NAMES, ("@a:x",)).unwrap().as_deref(),
        Some("one")
    );
    assert_eq!(store.visible(), Position(1));
    assert_eq!(
        store.commit(named("@b:x", "two")).await.unwrap(),
        Position(2)
    );
    drop(store);

    let store = Store::open(&config(&directory)).unwrap();
    assert_eq!(
        store.get(&NAMES, ("@b:x",)).unwrap().as_deref(),
        Some("two")
    );
    let log = store.log(Position::START, 10).unwrap();
    assert_eq!(log.iter().map(|(at, _)| at.0).collect::<Vec<_>>(), [1, 2]);
}

#[tokio::test]
async fn a_batch_can_rewrite_what_it_brings_itself() {
    let store = Store::in_memory();
    let permit = store.permit().await.unwrap();
    let pending = {
        let reserved = store.reserve(permit, 1);
        let mut batch = named("@a:x", "one");
        let user_id = "@b:x".to_owned();
        batch.rewrite(reserved.at(0), &Entry::Profile { user_id });
        store.submit(reserved, batch)
    };
    pending.await.unwrap();
    let log = store.log(Position::START, 2).unwrap();
    let [(Position(1), Entry::Profile { user_id })] = &log[..] else {
        panic!("{log:?}");
    };
    assert_eq!(user_id, "@b:x");
}

#[tokio::test]
async fn a_second_process_is_kept_out() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(&config(&directory)).unwrap();
    assert!(matches!(
        Store::open(&config(&directory)),
        Err(Error::InUse(_))
    ));
    drop(store);
    assert!(Store::open(&config(&directory)).is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_writers_share_groups_and_survive_checkpoints() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open_with(&config(&directory), &small()).unwrap();
    let writers: Vec<_> = (0..16)
        .map(|writer| {
            let store = store.clone();
            tokio::spawn(async move {
                for n in 0..200 {
                    let name = format!("@{writer}-{n}:x");
                    let at = store.commit(named(&name, &name)).await.unwrap();
                    assert!(store.visible() >= at, "answered before visible");
                    assert_eq!(store.get(&NAMES, (&name,)).unwrap().as_ref(), Some(&name));
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    drop(store);
    let store = open_again(&directory);
    assert_eq!(store.visible(), Position(3200));
    assert_eq!(store.log(Position::START, 10_000).unwrap().len(), 3200);
    assert_eq!(store.prefix(&NAMES, (), 10_000).unwrap().len(), 3200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn readers_and_writers_do_not_notice_how_the_base_gives_memory_back() {
    let directory = tempfile::tempdir().unwrap();
    // Renewed after every checkpoint.
    let tuning = Tuning {
        pinned_bytes: Some(0),
        flush_writes: 50,
        ..small()
    };
    let store = Store::open_with(&config(&directory), &tuning).unwrap();
    let mut expected = std::collections::BTreeMap::new();
    for round in 0..40 {
        let mut pending = Vec::new();
        for n in 0..60 {
            let name = format!("@{}:x", (round * 31 + n * 17) % 500);
            let value = format!("{round} {n} {}", "x".repeat(n));
            let batch = if n % 7 == 0 {
                expected.remove(&name);
                let mut batch = Batch::new();
                batch.delete(&NAMES, (&name,));
                batch
            } else {
                expected.insert(name.clone(), value.clone());
                named(&name, &value)
            };
            let permit = store.permit().await.unwrap();
            pending.push(store.submit(store.reserve(permit, batch.entries()), batch));
        }
        for pending in pending {
            pending.await.unwrap();
        }
        let found = store
            .prefix(&NAMES, (), 1000)
            .unwrap()
            .into_iter()
            .map(|((name,), value)| (name, value));
        assert!(found.eq(expected.clone()), "round {round}");
        if round % 10 == 9 {
            // Gives a checkpoint the time to come between.
            store.checkpoint().await.unwrap();
        }
    }
    drop(store);
    let store = Store::open_with(&config(&directory), &tuning).unwrap();
    let found = store
        .prefix(&NAMES, (), 1000)
        .unwrap()
        .into_iter()
        .map(|((name,), value)| (name, value));
    assert!(found.eq(expected));
    let incarnations = std::fs::read_dir(directory.path().join("store/trees/rest"))
        .unwrap()
        .count();
    assert_eq!(incarnations, 2, "the slabs and one incarnation over them");
}

#[tokio::test]
async fn preconditions_see_what_earlier_batches_of_the_same_group_write() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(&config(&directory)).unwrap();
    let mut pending = Vec::new();
    for n in 0..20 {
        let mut batch = named("@a:x", &n.to_string());
        batch.expect(&NAMES, ("@a:x",), None);
        let permit = store.permit().await.unwrap();
        pending.push(store.submit(store.reserve(permit, 1), batch));
    }
    let mut won = 0;
    for pending in pending {
        match pending.await {
            Ok(()) => won += 1,
            Err(Error::Conflict { tree }) => assert_eq!(tree, "test_names"),
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(won, 1);
    assert_eq!(store.get(&NAMES, ("@a:x",)).unwrap().as_deref(), Some("0"));
    // The refused positions hold nothing back, and are not told of.
    assert_eq!(store.visible(), Position(1));
    store.commit(named("@b:x", "")).await.unwrap();
    assert_eq!(store.visible(), Position(21));
}

#[tokio::test]
async fn a_process_that_ends_again_and_again_does_not_fill_the_disk() {
    let directory = tempfile::tempdir().unwrap();
    for n in 0..30 {
        // The one before may need a moment to let go.
        let store = loop {
            match Store::open_with(&config(&directory), &small()) {
                Err(Error::InUse(_)) => std::thread::yield_now(),
                opened => break opened.unwrap(),
            }
        };
        let name = format!("@{n}:x");
        store.commit(named(&name, "here")).await.unwrap();
        // No time for a checkpoint that time alone makes due.
        drop(store);
    }
    let segments = std::fs::read_dir(directory.path().join("store/log"))
        .unwrap()
        .count();
    assert!(segments < 12, "{segments} segments for 30 small batches");
    let store = Store::open_with(&config(&directory), &small()).unwrap();
    assert_eq!(store.prefix(&NAMES, (), 100).unwrap().len(), 30);
}

#[tokio::test]
async fn positions_that_came_to_nothing_hold_nobody_up() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(&config(&directory)).unwrap();
    let reserved = store.reserve(store.permit().await.unwrap(), 3);
    let pending = store.submit(reserved, named("@a:x", "one of three"));
    pending.await.unwrap();
    assert_eq!(store.visible(), Position(1));
    let reserved = store.reserve(store.permit().await.unwrap(), 2);
    let mut silent = Batch::new();
    silent.put(&NAMES, ("@b:x",), &"none of two".to_owned());
    store.submit(reserved, silent).await.unwrap();
    let last = store.commit(named("@c:x", "after")).await.unwrap();
    assert_eq!((last, store.visible()), (Position(6), Position(6)));
    store.close().await.unwrap();
    drop(store);

    let store = open_again(&directory);
    assert_eq!(store.visible(), Position(6));
    for (name, value) in [
        ("@a:x", "one of three"),
        ("@b:x", "none of two"),
        ("@c:x", "after"),
    ] {
        assert_eq!(store.get(&NAMES, (name,)).unwrap().as_deref(), Some(value));
    }
}

#[tokio::test]
async fn nothing_new_is_begun_while_the_disk_is_almost_full() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(&config(&directory)).unwrap();
    store.commit(named("@a:x", "one")).await.unwrap();
    store.close().await.unwrap();
    drop(store);

    let full = Config {
        free_bytes: u64::MAX,
        ..config(&directory)
    };
    let store = Store::open(&full).unwrap();
    let refused = store.commit(named("@a:x", "two")).await;
    assert!(matches!(refused, Err(Error::Full)), "{refused:?}");
    assert!(matches!(store.check_health(), Err(Error::Full)));
    let kept = store.get(&NAMES, ("@a:x",)).unwrap();
    assert_eq!(kept.as_deref(), Some("one"));
    store.close().await.unwrap();
}
