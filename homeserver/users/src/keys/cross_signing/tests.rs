use std::collections::BTreeMap;

use orvale_storage::Entry;
use ruma::{DeviceId, OwnedDeviceId, OwnedUserId, UserId};
use serde_json::Value;

use super::*;
use crate::{
    Error, Users,
    keys::testing::{cross_signing_key, device_keys, public, raw, signed, upload, with_device},
    testing::{TestUsers, users},
};

const MASTER: u8 = 10;
const SELF: u8 = 11;
const USER: u8 = 12;

fn master(user_id: &UserId, seed: u8) -> Value {
    cross_signing_key(user_id, "master", seed)
}

fn under(user_id: &UserId, usage: &str, seed: u8, master: u8) -> Value {
    let key = cross_signing_key(user_id, usage, seed);
    signed(key, user_id, &public(master), master)
}

fn three(user_id: &UserId, (m, s, u): (u8, u8, u8)) -> CrossSigningKeys {
    CrossSigningKeys {
        master: Some(raw(&master(user_id, m))),
        self_signing: Some(raw(&under(user_id, "self_signing", s, m))),
        user_signing: Some(raw(&under(user_id, "user_signing", u, m))),
    }
}

/// Alice with a phone whose keys are there, and her cross-signing keys.
async fn bootstrapped() -> (TestUsers, OwnedUserId, OwnedDeviceId) {
    let (users, alice, phone) = with_device(users()).await;
    let keys = upload(&alice, &phone, &["A"]);
    users.upload_keys(&alice, &phone, &keys).await.unwrap();
    let keys = three(&alice, (MASTER, SELF, USER));
    users
        .upload_cross_signing_keys(&alice, &keys, false)
        .await
        .unwrap();
    (users, alice, phone)
}

fn one(of: &UserId, key: &str, json: &Value) -> SignedKeys {
    let keys = BTreeMap::from([(key.to_owned(), json.to_string())]);
    BTreeMap::from([(of.to_owned(), keys)])
}

fn device(user_id: &UserId, device_id: &DeviceId, seed: u8) -> Value {
    serde_json::from_str(device_keys(user_id, device_id, seed).json().get()).unwrap()
}

fn shown(users: &Users, of: &UserId, reader: &UserId) -> Value {
    let keys = users.cross_signing_keys(of, reader).unwrap();
    let device_keys = users.query_keys(of, &[], reader).unwrap();
    serde_json::json!({
        "master": keys.master, "self": keys.self_signing, "user": keys.user_signing, "devices": device_keys,
    })
}

fn signers(key: &Value, by: &UserId) -> Vec<String> {
    let by = key["signatures"][by.as_str()].as_object();
    by.map(|by| by.keys().cloned().collect())
        .unwrap_or_default()
}

#[tokio::test]
async fn the_first_keys_need_no_proof_nor_do_the_same_again_but_others_do() {
    let (users, alice, _) = bootstrapped().await;
    let before = users.store().visible();
    let same = three(&alice, (MASTER, SELF, USER));
    users
        .upload_cross_signing_keys(&alice, &same, false)
        .await
        .unwrap();
    assert_eq!(users.store().visible(), before, "nothing new");
    for seeds in [(20, 21, 22), (MASTER, 21, USER), (MASTER, SELF, 22)] {
        let other = three(&alice, seeds);
        let refused = users.upload_cross_signing_keys(&alice, &other, false).await;
        assert!(matches!(refused, Err(Error::ProofNeeded)), "{seeds:?}");
        users
            .upload_cross_signing_keys(&alice, &other, true)
            .await
            .unwrap();
        users
            .upload_cross_signing_keys(&alice, &same, true)
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_key_under_no_master_key_or_with_a_wrong_signature_is_refused() {
    let (users, alice, _) = with_device(users()).await;
    let refuse = async |keys: CrossSigningKeys| {
        users
            .upload_cross_signing_keys(&alice, &keys, true)
            .await
            .unwrap_err()
    };
    let alone = |key: Value| CrossSigningKeys {
        self_signing: Some(raw(&key)),
        ..CrossSigningKeys::default()
    };
    let unsigned = cross_signing_key(&alice, "self_signing", SELF);
    assert!(matches!(
        refuse(alone(unsigned.clone())).await,
        Error::MissingParam(_)
    ));
    let mut keys = three(&alice, (MASTER, SELF, USER));
    keys.self_signing = Some(raw(&unsigned));
    assert!(matches!(
        refuse(keys.clone()).await,
        Error::InvalidSignature(_)
    ));
    keys.self_signing = Some(raw(&under(&alice, "self_signing", SELF, 99)));
    assert!(matches!(
        refuse(keys.clone()).await,
        Error::InvalidSignature(_)
    ));
    let forged = signed(unsigned, &alice, &public(MASTER), 99);
    keys.self_signing = Some(raw(&forged));
    assert!(matches!(refuse(keys).await, Error::InvalidSignature(_)));
    assert!(!users.has_cross_signing(&alice).unwrap());
}

#[tokio::test]
async fn keys_that_are_not_what_they_say_are_refused() {
    let (users, alice, phone) = with_device(users()).await;
    let bob = ruma::user_id!("@bob:example.org");
    let mut two = master(&alice, MASTER);
    two["keys"]["ed25519:other"] = "other".into();
    let mut other_id = master(&alice, MASTER);
    other_id["keys"] = serde_json::json!({ "ed25519:name": public(MASTER) });
    let mut short = master(&alice, MASTER);
    short["keys"] = serde_json::json!({ "ed25519:AAAA": "AAAA" });
    for bad in [
        master(bob, MASTER),
        cross_signing_key(&alice, "self_signing", MASTER),
        two,
        other_id,
        short,
    ] {
        let keys = CrossSigningKeys {
            master: Some(raw(&bad)),
            ..CrossSigningKeys::default()
        };
        let refused = users.upload_cross_signing_keys(&alice, &keys, true).await;
        assert!(
            matches!(refused, Err(Error::InvalidParam(_))),
            "{bad}: {refused:?}"
        );
    }
    let twins = three(&alice, (MASTER, SELF, SELF));
    assert!(matches!(
        users.upload_cross_signing_keys(&alice, &twins, true).await,
        Err(Error::InvalidParam(_))
    ));
    let forged = signed(master(&alice, MASTER), &alice, phone.as_str(), 99);
    users
        .upload_keys(&alice, &phone, &upload(&alice, &phone, &[]))
        .await
        .unwrap();
    let keys = CrossSigningKeys {
        master: Some(raw(&forged)),
        ..CrossSigningKeys::default()
    };
    assert!(matches!(
        users.upload_cross_signing_keys(&alice, &keys, true).await,
        Err(Error::InvalidSignature(_))
    ));
}

#[tokio::test]
async fn no_key_is_named_as_a_device_nor_a_device_as_a_key() {
    let (users, alice, _) = bootstrapped().await;
    let named = public(50);
    users
        .open_session(&alice, Some((&*named).into()), None, false)
        .await
        .unwrap();
    let refused = users
        .upload_cross_signing_keys(&alice, &three(&alice, (50, 51, 52)), true)
        .await;
    assert!(matches!(refused, Err(Error::Forbidden(_))));
    let named = public(SELF);
    let refused = users
        .open_session(&alice, Some((&*named).into()), None, false)
        .await;
    assert!(matches!(refused, Err(Error::InvalidParam(_))));
}

#[tokio::test]
async fn everybody_sees_what_a_user_signed_of_their_own() {
    let (users, alice, phone) = bootstrapped().await;
    let bob = users.account("bob").await;
    let before = users.store().visible();
    let device = device(&alice, &phone, 1);
    let by_self = signed(device, &alice, &public(SELF), SELF);
    let failures = users
        .upload_signatures(&alice, &one(&alice, phone.as_str(), &by_self))
        .await
        .unwrap();
    assert!(failures.is_empty(), "{failures:?}");
    let by_device = signed(master(&alice, MASTER), &alice, phone.as_str(), 1);
    let failures = users
        .upload_signatures(&alice, &one(&alice, &public(MASTER), &by_device))
        .await
        .unwrap();
    assert!(failures.is_empty(), "{failures:?}");
    assert!(users.device_list_changed_at(&alice).unwrap() > before);
    for reader in [&alice, &bob] {
        let shown = shown(&users, &alice, reader);
        let own = format!("ed25519:{phone}");
        let by_self = format!("ed25519:{}", public(SELF));
        let mut on_device = signers(&shown["devices"][phone.as_str()], &alice);
        on_device.sort();
        let mut expected = [own.clone(), by_self];
        expected.sort();
        assert_eq!(on_device, expected);
        assert_eq!(signers(&shown["master"], &alice), [own]);
        assert_eq!(signers(&shown["self"], &alice).len(), 1);
        assert_eq!(shown["user"].is_null(), reader == &bob);
    }
    let before = users.store().visible();
    users
        .upload_signatures(&alice, &one(&alice, &public(MASTER), &by_device))
        .await
        .unwrap();
    assert_eq!(users.store().visible(), before, "known already");
}

#[tokio::test]
async fn whom_a_user_verified_they_alone_see() {
    let (users, alice, _) = bootstrapped().await;
    let (bob, carol) = (users.account("bob").await, users.account("carol").await);
    users
        .upload_cross_signing_keys(&bob, &three(&bob, (20, 21, 22)), false)
        .await
        .unwrap();
    let before = users.store().visible();
    let verified = signed(master(&bob, 20), &alice, &public(USER), USER);
    let failures = users
        .upload_signatures(&alice, &one(&bob, &public(20), &verified))
        .await
        .unwrap();
    assert!(failures.is_empty(), "{failures:?}");
    let told = users.store().log(before, 10).unwrap();
    let (at, entry) = &told[0];
    let expected = Entry::KeySignatures {
        user_id: alice.to_string(),
        of: bob.to_string(),
    };
    assert_eq!((entry, told.len()), (&expected, 1));
    assert_eq!(
        users.key_signatures_changed(&alice, before).unwrap(),
        std::slice::from_ref(&bob)
    );
    assert!(
        users
            .key_signatures_changed(&alice, *at)
            .unwrap()
            .is_empty()
    );
    for (reader, count) in [(&alice, 1), (&bob, 0), (&carol, 0)] {
        let shown = shown(&users, &bob, reader);
        assert_eq!(signers(&shown["master"], &alice).len(), count, "{reader}");
    }
}

/// Whose key, which, with what on it, and how it fails.
type Case<'a> = (&'a UserId, &'a str, &'a Value, fn(&Error) -> bool);

#[tokio::test]
async fn wrong_signatures_fail_one_by_one() {
    let (users, alice, phone) = bootstrapped().await;
    let bob = users.account("bob").await;
    users
        .upload_cross_signing_keys(&bob, &three(&bob, (20, 21, 22)), false)
        .await
        .unwrap();
    let good = signed(device(&alice, &phone, 1), &alice, &public(SELF), SELF);
    let forged = signed(device(&alice, &phone, 1), &alice, &public(SELF), 99);
    let mut other = good.clone();
    other["algorithms"] = serde_json::json!([]);
    let by_nobody = signed(master(&bob, 20), &alice, &public(99), 99);
    let not_master = signed(
        cross_signing_key(&bob, "self_signing", 21),
        &alice,
        &public(USER),
        USER,
    );
    let by_master = signed(master(&alice, MASTER), &alice, phone.as_str(), 99);
    let cases: [Case<'_>; 6] = [
        (&alice, phone.as_str(), &forged, |e| {
            matches!(e, Error::InvalidSignature(_))
        }),
        (&alice, phone.as_str(), &other, |e| {
            matches!(e, Error::InvalidParam(_))
        }),
        (&alice, "UNKNOWN", &good, |e| {
            matches!(e, Error::NotFound(_))
        }),
        (&bob, &public(20), &by_nobody, |e| {
            matches!(e, Error::InvalidSignature(_))
        }),
        (&bob, &public(21), &not_master, |e| {
            matches!(e, Error::NotFound(_))
        }),
        (&alice, &public(MASTER), &by_master, |e| {
            matches!(e, Error::InvalidSignature(_))
        }),
    ];
    for (of, key, json, is) in cases {
        let failures = users
            .upload_signatures(&alice, &one(of, key, json))
            .await
            .unwrap();
        assert!(is(&failures[of][key]), "{failures:?}");
    }
    let mut both = one(&alice, phone.as_str(), &good);
    both.extend(one(&bob, &public(20), &by_nobody));
    let failures = users.upload_signatures(&alice, &both).await.unwrap();
    assert_eq!(failures.keys().collect::<Vec<_>>(), [&bob]);
    let shown = shown(&users, &alice, &bob);
    assert_eq!(signers(&shown["devices"][phone.as_str()], &alice).len(), 2);
}

#[tokio::test]
async fn signatures_go_with_what_they_are_on_and_what_made_them() {
    let (users, alice, phone) = bootstrapped().await;
    let good = signed(device(&alice, &phone, 1), &alice, &public(SELF), SELF);
    let sign = async || {
        let failures = users
            .upload_signatures(&alice, &one(&alice, phone.as_str(), &good))
            .await;
        assert!(failures.unwrap().is_empty());
    };
    let on_device = || {
        let shown = shown(&users, &alice, &alice);
        signers(&shown["devices"][phone.as_str()], &alice).len()
    };
    sign().await;
    assert_eq!(on_device(), 2);
    // Another self-signing key.
    users
        .upload_cross_signing_keys(&alice, &three(&alice, (MASTER, 31, USER)), true)
        .await
        .unwrap();
    assert_eq!(on_device(), 1);
    users
        .upload_cross_signing_keys(&alice, &three(&alice, (MASTER, SELF, USER)), true)
        .await
        .unwrap();
    sign().await;
    // Other keys of the device.
    let keys = crate::KeyUpload {
        device_keys: Some(device_keys(&alice, &phone, 2)),
        ..crate::KeyUpload::default()
    };
    users.upload_keys(&alice, &phone, &keys).await.unwrap();
    assert_eq!(on_device(), 1);
    // Another master key, without the others.
    let keys = CrossSigningKeys {
        master: Some(raw(&master(&alice, 40))),
        ..CrossSigningKeys::default()
    };
    users
        .upload_cross_signing_keys(&alice, &keys, true)
        .await
        .unwrap();
    let shown = shown(&users, &alice, &alice);
    assert!(shown["self"].is_null() && shown["user"].is_null());
}

#[tokio::test]
async fn device_keys_may_come_with_the_signature_of_the_self_signing_key() {
    let (users, alice, phone) = bootstrapped().await;
    let upload = |seed| {
        let keys = signed(device(&alice, &phone, 1), &alice, &public(SELF), seed);
        crate::KeyUpload {
            device_keys: Some(raw(&keys)),
            ..crate::KeyUpload::default()
        }
    };
    let refused = users.upload_keys(&alice, &phone, &upload(99)).await;
    assert!(matches!(refused, Err(Error::InvalidSignature(_))));
    users
        .upload_keys(&alice, &phone, &upload(SELF))
        .await
        .unwrap();
    let shown = shown(&users, &alice, &alice);
    assert_eq!(signers(&shown["devices"][phone.as_str()], &alice).len(), 2);
    let before = users.store().visible();
    users
        .upload_keys(&alice, &phone, &upload(SELF))
        .await
        .unwrap();
    assert_eq!(users.store().visible(), before, "the same again");
}

#[tokio::test]
async fn another_user_signing_key_is_news_to_its_user_alone() {
    let (users, alice, _) = bootstrapped().await;
    let before = users.store().visible();
    users
        .upload_cross_signing_keys(&alice, &three(&alice, (MASTER, SELF, 60)), true)
        .await
        .unwrap();
    assert!(users.device_list_changed_at(&alice).unwrap() <= before);
    assert_eq!(
        users.key_signatures_changed(&alice, before).unwrap(),
        [alice]
    );
}
