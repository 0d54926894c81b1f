use orvale_storage::{
    record::JsonText,
    trees::users::{BACKUP_SESSIONS, BACKUPS},
};
use ruma::{OwnedRoomId, OwnedUserId, RoomId, room_id};
use serde_json::{json, value::to_raw_value};

use super::*;
use crate::{
    Config, Error,
    testing::{TestUsers, users, users_with},
};

const ALGORITHM: &str = "m.megolm_backup.v1.curve25519-aes-sha2";

fn room() -> &'static RoomId {
    room_id!("!a:example.org")
}

fn other() -> &'static RoomId {
    room_id!("!b:example.org")
}

fn auth_data(n: u8) -> JsonText {
    JsonText(json!({ "public_key": n }).to_string())
}

async fn with_backup(users: TestUsers) -> (TestUsers, OwnedUserId) {
    let alice = users.account("alice").await;
    let version = users.create_backup(&alice, ALGORITHM, &auth_data(1)).await;
    assert_eq!(version.unwrap(), "1");
    (users, alice)
}

fn session(verified: bool, first: u64, forwarded: u64, data: &str) -> serde_json::Value {
    json!({
        "is_verified": verified, "first_message_index": first, "forwarded_count": forwarded,
        "session_data": { "ciphertext": data },
    })
}

fn keys(of: &[(&RoomId, &str, serde_json::Value)]) -> BackupKeys {
    let mut keys = BackupKeys::new();
    for (room, id, session) in of {
        let sessions = keys.entry(OwnedRoomId::from(*room)).or_default();
        sessions.insert((*id).to_owned(), to_raw_value(session).unwrap());
    }
    keys
}

fn state(count: u64, etag: u64) -> BackupState {
    BackupState {
        count,
        etag: etag.to_string(),
    }
}

#[tokio::test]
async fn the_newest_version_is_the_current_one_and_no_name_is_used_twice() {
    let (users, alice) = with_backup(users()).await;
    for n in 2..=3 {
        let version = users.create_backup(&alice, ALGORITHM, &auth_data(n)).await;
        assert_eq!(version.unwrap(), n.to_string());
    }
    let current = || users.backup(&alice, None).map(|info| info.version);
    assert_eq!(current().unwrap(), "3");
    users.delete_backup(&alice, "3").await.unwrap();
    users.delete_backup(&alice, "3").await.unwrap();
    assert_eq!(current().unwrap(), "2");
    assert!(matches!(
        users.backup(&alice, Some("3")),
        Err(Error::NotFound(_))
    ));
    assert_eq!(
        users
            .create_backup(&alice, ALGORITHM, &auth_data(4))
            .await
            .unwrap(),
        "4"
    );
    for gone in ["1", "2", "4"] {
        users.delete_backup(&alice, gone).await.unwrap();
    }
    assert!(matches!(current(), Err(Error::NotFound(_))));
    for never in ["5", "x", "", "01"] {
        assert!(matches!(
            users.delete_backup(&alice, never).await,
            Err(Error::NotFound(_))
        ));
    }
}

#[tokio::test]
async fn only_the_data_of_the_algorithm_can_change() {
    let (users, alice) = with_backup(users()).await;
    users
        .update_backup(&alice, "1", ALGORITHM, &auth_data(2))
        .await
        .unwrap();
    let info = users.backup(&alice, Some("1")).unwrap();
    assert_eq!(
        (info.auth_data, info.count, &*info.etag),
        (auth_data(2), 0, "0")
    );
    assert!(matches!(
        users
            .update_backup(&alice, "1", "other", &auth_data(2))
            .await,
        Err(Error::InvalidParam(_))
    ));
    assert!(matches!(
        users
            .update_backup(&alice, "2", ALGORITHM, &auth_data(2))
            .await,
        Err(Error::NotFound(_))
    ));
}

#[tokio::test]
async fn a_better_session_takes_the_place_of_another() {
    // (verified, first message, forwarded), from the worst to the best.
    let order = [
        (false, 5, 5),
        (false, 5, 4),
        (false, 4, 9),
        (true, 9, 9),
        (true, 9, 8),
        (true, 3, 9),
    ];
    for (n, worse) in order.iter().enumerate() {
        for better in &order[n..] {
            let (users, alice) = with_backup(users()).await;
            let put = async |(verified, first, forwarded), data| {
                let keys = keys(&[(room(), "S", session(verified, first, forwarded, data))]);
                users.put_backup_keys(&alice, "1", &keys).await.unwrap()
            };
            assert_eq!(put(*worse, "first").await, state(1, 1));
            let expected = state(1, if better == worse { 1 } else { 2 });
            assert_eq!(
                put(*better, "second").await,
                expected,
                "{worse:?} {better:?}"
            );
            assert_eq!(put(*worse, "third").await, expected, "{worse:?} {better:?}");
            let kept = users
                .backup_keys(&alice, "1", BackupWhich::Session(room(), "S"))
                .unwrap();
            let expected = if better == worse { "first" } else { "second" };
            assert!(kept[room()]["S"].get().contains(expected));
        }
    }
}

#[tokio::test]
async fn sessions_are_read_and_removed_all_by_room_or_one_by_one() {
    let (users, alice) = with_backup(users()).await;
    let one = || session(true, 0, 0, "x");
    let all = keys(&[
        (room(), "A", one()),
        (room(), "B", one()),
        (other(), "A", one()),
    ]);
    assert_eq!(
        users.put_backup_keys(&alice, "1", &all).await.unwrap(),
        state(3, 1)
    );
    let read = |which| users.backup_keys(&alice, "1", which).unwrap();
    let found = read(BackupWhich::All);
    assert_eq!(
        (found.len(), found[room()].len(), found[other()].len()),
        (2, 2, 1)
    );
    let json: serde_json::Value = serde_json::from_str(found[room()]["A"].get()).unwrap();
    assert_eq!(json, one());
    assert_eq!(read(BackupWhich::Room(room())).len(), 1);
    assert!(matches!(
        users.backup_keys(&alice, "1", BackupWhich::Session(other(), "B")),
        Err(Error::NotFound(_))
    ));
    let delete = async |which| users.delete_backup_keys(&alice, "1", which).await.unwrap();
    assert_eq!(
        delete(BackupWhich::Session(other(), "B")).await,
        state(3, 1)
    );
    assert_eq!(
        delete(BackupWhich::Session(other(), "A")).await,
        state(2, 2)
    );
    assert_eq!(delete(BackupWhich::Room(room())).await, state(0, 3));
    assert_eq!(delete(BackupWhich::All).await, state(0, 3));
    assert!(read(BackupWhich::All).is_empty());
}

#[tokio::test]
async fn only_the_current_version_is_written_to() {
    let (users, alice) = with_backup(users()).await;
    users
        .create_backup(&alice, ALGORITHM, &auth_data(2))
        .await
        .unwrap();
    let some = keys(&[(room(), "A", session(true, 0, 0, "x"))]);
    for wrong in ["1", "3", "x"] {
        let refused = users.put_backup_keys(&alice, wrong, &some).await;
        assert!(
            matches!(&refused, Err(Error::WrongBackupVersion { current }) if current == "2"),
            "{refused:?}"
        );
    }
    let bob = users.account("bob").await;
    assert!(matches!(
        users.put_backup_keys(&bob, "1", &some).await,
        Err(Error::NotFound(_))
    ));
}

#[tokio::test]
async fn malformed_and_too_large_sessions_are_refused_and_nothing_of_them_kept() {
    let mut config = Config::default();
    (
        config.limits.backup_sessions,
        config.limits.backup_session_bytes,
    ) = (2, 500);
    let (users, alice) = with_backup(users_with(config)).await;
    let good = || session(true, 0, 0, "x");
    let mut text = good();
    text["session_data"] = json!("text");
    for bad in [
        json!({}),
        text,
        session(true, 0, 0, &"x".repeat(1000)),
        json!({ "is_verified": true, "first_message_index": -1, "forwarded_count": 0, "session_data": {} }),
    ] {
        let some = keys(&[(room(), "A", good()), (room(), "B", bad)]);
        let refused = users.put_backup_keys(&alice, "1", &some).await;
        assert!(
            matches!(refused, Err(Error::BadJson(_) | Error::TooLarge(_))),
            "{refused:?}"
        );
    }
    let many = keys(&[
        (room(), "A", good()),
        (room(), "B", good()),
        (room(), "C", good()),
    ]);
    assert!(matches!(
        users.put_backup_keys(&alice, "1", &many).await,
        Err(Error::TooLarge(_))
    ));
    assert_eq!(users.backup(&alice, None).unwrap().count, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_count_is_right_whoever_writes_at_once() {
    let (users, alice) = with_backup(users()).await;
    let users = std::sync::Arc::new(users);
    let tasks = (0..20).map(|n| {
        let (users, alice) = (users.clone(), alice.clone());
        tokio::spawn(async move {
            let id = (n % 15).to_string();
            let some = keys(&[(room(), &id, session(true, 0, 0, "x"))]);
            users.put_backup_keys(&alice, "1", &some).await.unwrap()
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    let info = users.backup(&alice, None).unwrap();
    assert_eq!((info.count, &*info.etag), (15, "15"));
}

#[tokio::test]
async fn an_erased_account_leaves_no_backup() {
    let (users, alice) = with_backup(users()).await;
    let some = keys(&[(room(), "A", session(true, 0, 0, "x"))]);
    users.put_backup_keys(&alice, "1", &some).await.unwrap();
    users.deactivate(&alice, true).await.unwrap();
    assert!(users.store().prefix(&BACKUPS, (), 1).unwrap().is_empty());
    assert!(
        users
            .store()
            .prefix(&BACKUP_SESSIONS, (), 1)
            .unwrap()
            .is_empty()
    );
}
