use std::time::Duration;

use ruma::{device_id, user_id};

use super::*;
use crate::{
    Config,
    testing::{users, users_with},
};

const ALICE: &str = "@alice:example.org";

fn alice() -> OwnedUserId {
    UserId::parse(ALICE).unwrap()
}

#[tokio::test]
async fn a_user_comes_online_idles_and_goes() {
    let users = users();
    let hub = users.presence();
    let (alice, phone) = (alice(), device_id!("PHONE"));
    let is = |expected: PresenceState| assert_eq!(hub.get(&alice).unwrap().presence, expected);
    is(PresenceState::Offline);
    let start = hub.position();
    hub.synced(&alice, phone, &PresenceState::Online);
    is(PresenceState::Online);
    assert!(hub.get(&alice).unwrap().currently_active);
    for _ in 0..10 {
        users.clock().advance(Duration::from_secs(30));
        hub.synced(&alice, phone, &PresenceState::Online);
        hub.tick();
    }
    is(PresenceState::Unavailable);
    hub.active(&alice, phone);
    is(PresenceState::Online);
    users.clock().advance(Duration::from_secs(45));
    hub.tick();
    is(PresenceState::Offline);
    assert_eq!(
        hub.changes_since(start, 10).len(),
        1,
        "one place in the stream, the last"
    );
    assert_eq!(hub.position(), start + 4);
}

#[tokio::test]
async fn the_most_present_client_counts() {
    let users = users();
    let hub = users.presence();
    let alice = alice();
    hub.synced(&alice, device_id!("A"), &PresenceState::Unavailable);
    assert_eq!(
        hub.get(&alice).unwrap().presence,
        PresenceState::Unavailable
    );
    hub.synced(&alice, device_id!("B"), &PresenceState::Online);
    assert_eq!(hub.get(&alice).unwrap().presence, PresenceState::Online);
    hub.synced(&alice, device_id!("C"), &PresenceState::Offline);
    hub.disconnected(&alice, device_id!("B"));
    assert_eq!(
        hub.get(&alice).unwrap().presence,
        PresenceState::Unavailable
    );
}

#[tokio::test]
async fn changes_are_told_once_and_in_order() {
    let users = users();
    let hub = users.presence();
    let (alice, bob) = (alice(), user_id!("@bob:example.org"));
    let start = hub.position();
    let mut watch = hub.watch();
    watch.mark_unchanged();
    hub.synced(&alice, device_id!("A"), &PresenceState::Online);
    hub.synced(bob, device_id!("B"), &PresenceState::Online);
    hub.synced(&alice, device_id!("A"), &PresenceState::Online);
    assert!(watch.has_changed().unwrap());
    let changed = hub.changes_since(start, 10);
    assert_eq!(
        changed
            .iter()
            .map(|(_, user)| user.as_str())
            .collect::<Vec<_>>(),
        [ALICE, bob.as_str()]
    );
    assert_eq!(hub.changes_since(changed[0].0, 10).len(), 1);
    assert_eq!(hub.changes_since(start, 1).len(), 1);
}

#[tokio::test]
async fn the_status_message_outlives_the_process() {
    let users = users();
    let alice = users.account("alice").await;
    let hub = users.presence();
    let status = Some("in a meeting".to_owned());
    hub.set(
        &alice,
        device_id!("A"),
        PresenceState::Unavailable,
        status.clone(),
    )
    .await
    .unwrap();
    assert_eq!(
        hub.get(&alice).unwrap().presence,
        PresenceState::Unavailable
    );
    let config = config::Presence::default();
    let name = users.server_name().to_owned();
    let restarted = PresenceHub::new(users.store().clone(), name, config, users.clock().clone());
    let found = restarted.get(&alice).unwrap();
    assert_eq!(
        (found.presence, found.status_msg),
        (PresenceState::Offline, status)
    );
    hub.set(&alice, device_id!("A"), PresenceState::Online, None)
        .await
        .unwrap();
    assert_eq!(hub.get(&alice).unwrap().status_msg, None);
    let bad = hub
        .set(&alice, device_id!("A"), PresenceState::from("asleep"), None)
        .await;
    assert!(matches!(bad, Err(Error::InvalidParam(_))));
}

#[tokio::test]
async fn who_is_busy_is_so_everywhere_and_whatever_they_do() {
    let users = users();
    let alice = users.account("alice").await;
    let hub = users.presence();
    let busy = PresenceState::from(BUSY);
    hub.synced(&alice, device_id!("A"), &PresenceState::Online);
    hub.set(&alice, device_id!("B"), busy.clone(), None)
        .await
        .unwrap();
    assert_eq!(hub.get(&alice).unwrap().presence, busy);
    hub.active(&alice, device_id!("B"));
    hub.synced(&alice, device_id!("A"), &PresenceState::Online);
    assert_eq!(hub.get(&alice).unwrap().presence, busy);
    hub.synced(&alice, device_id!("B"), &PresenceState::Online);
    assert_eq!(hub.get(&alice).unwrap().presence, PresenceState::Online);
}

#[tokio::test]
async fn what_the_user_chose_counts_on_every_device_and_lasts() {
    let users = users();
    let alice = users.account("alice").await;
    let hub = users.presence();
    let (desk, phone) = (device_id!("DESK"), device_id!("PHONE"));
    let choose = async |state: &str| {
        let status = serde_json::json!({ "state": state });
        let set = users.set_profile_field(&alice, "com.orvale.status", status);
        set.await.unwrap();
    };
    let is = |hub: &PresenceHub, expected: &str| {
        assert_eq!(hub.get(&alice).unwrap().presence.as_str(), expected);
    };
    hub.synced(&alice, phone, &PresenceState::Online);
    let start = hub.position();
    choose("away").await;
    assert_eq!(hub.changes_since(start, 10).len(), 1, "others are told");
    hub.synced(&alice, desk, &PresenceState::Unavailable);
    hub.synced(&alice, phone, &PresenceState::Online);
    hub.active(&alice, phone);
    is(hub, "unavailable");
    choose("busy").await;
    hub.synced(&alice, desk, &PresenceState::Online);
    is(hub, BUSY);
    let config = config::Presence::default();
    let name = users.server_name().to_owned();
    let restarted = PresenceHub::new(users.store().clone(), name, config, users.clock().clone());
    is(&restarted, "offline");
    restarted.synced(&alice, phone, &PresenceState::Online);
    is(&restarted, BUSY);
    hub.synced(&alice, phone, &PresenceState::from(BUSY));
    choose("online").await;
    is(hub, "online");
    choose("offline").await;
    is(hub, "offline");
    choose("online").await;
    is(hub, "online");
    choose("away").await;
    users.clock().advance(Duration::from_secs(60));
    hub.tick();
    is(hub, "offline");
    hub.synced(&alice, desk, &PresenceState::Online);
    let gone = users.remove_profile_field(&alice, "com.orvale.status");
    gone.await.unwrap();
    is(hub, "online");
}

#[tokio::test]
async fn who_wants_not_to_be_seen_can_write_unseen() {
    let users = users();
    let alice = users.account("alice").await;
    let hub = users.presence();
    hub.set(&alice, device_id!("A"), PresenceState::Offline, None)
        .await
        .unwrap();
    hub.active(&alice, device_id!("A"));
    assert_eq!(hub.get(&alice).unwrap().presence, PresenceState::Offline);
}

#[tokio::test]
async fn a_status_message_has_as_many_characters_as_the_server_wants() {
    let users = users();
    let alice = users.account("alice").await;
    let set = async |text: &str| {
        let text = Some(text.to_owned());
        let hub = users.presence();
        hub.set(&alice, device_id!("A"), PresenceState::Online, text)
            .await
    };
    set(&"ü".repeat(100)).await.unwrap();
    assert!(matches!(
        set(&"ü".repeat(101)).await,
        Err(Error::InvalidParam(_))
    ));
    let without = config::Presence {
        status_messages: false,
        ..Default::default()
    };
    assert!(matches!(
        without.check_status_message("here"),
        Err(Error::Forbidden(_))
    ));
}

#[tokio::test]
async fn switched_off_nobody_is_online_and_nothing_changes() {
    let config = Config {
        presence: config::Presence {
            enabled: false,
            ..Default::default()
        },
        ..Config::default()
    };
    let users = users_with(config);
    let hub = users.presence();
    let start = hub.position();
    hub.synced(&alice(), device_id!("A"), &PresenceState::Online);
    hub.set(
        &alice(),
        device_id!("A"),
        PresenceState::Online,
        Some("here".to_owned()),
    )
    .await
    .unwrap();
    assert_eq!(hub.get(&alice()).unwrap().presence, PresenceState::Offline);
    assert_eq!(hub.position(), start);
}
