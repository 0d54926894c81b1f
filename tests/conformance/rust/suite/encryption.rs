//! Verifying each other, talking in secret, coming back on a new device.

use std::sync::Arc;

use matrix_sdk::{
    encryption::verification::{SasVerification, VerificationRequest},
    ruma::events::room::message::RoomMessageEventContent,
};
use matrix_sdk_ui::timeline::EventTimelineItem;
use orvale_tests::{Server, eventually};

use crate::person::{Person, item, message, says};

/// Both compare the emoji of a verification that one has requested of the other.
async fn compare(alice: &Person, request: &VerificationRequest, bob: &Person) {
    let flow = request.flow_id();
    let asked = eventually("the request", async || {
        let encryption = bob.client.encryption();
        encryption
            .get_verification_request(alice.user_id(), flow)
            .await
    });
    asked.await.accept().await.unwrap();
    eventually("the answer", async || request.is_ready().then_some(())).await;
    let of_alice = request.start_sas().await.unwrap().unwrap();
    let of_bob = eventually("the start", async || {
        let encryption = bob.client.encryption();
        let verification = encryption.get_verification(alice.user_id(), flow).await?;
        verification.sas()
    })
    .await;
    of_bob.accept().await.unwrap();
    for sas in [&of_alice, &of_bob] {
        eventually("emoji", async || sas.can_be_presented().then_some(())).await;
    }
    let shown = |sas: &SasVerification| sas.emoji().unwrap().map(|emoji| emoji.symbol);
    assert_eq!(shown(&of_alice), shown(&of_bob));
    of_alice.confirm().await.unwrap();
    of_bob.confirm().await.unwrap();
    for sas in [&of_alice, &of_bob] {
        eventually("the end", async || sas.is_done().then_some(())).await;
    }
}

fn is_secret(item: &EventTimelineItem) -> bool {
    item.encryption_info().is_some()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_people_verify_each_other_and_talk_in_secret() {
    let server = Server::start().await;
    let alice = Person::register(&server, "alice").await;
    let bob = Person::register(&server, "bob").await;
    let room = alice.client.create_dm(bob.user_id()).await.unwrap();
    let room = alice.open(room.room_id()).await;
    bob.accept(room.room_id()).await;
    // Both know each other's devices: who asks from an unknown one is not heard.
    for (one, other) in [(&alice, &bob), (&bob, &alice)] {
        let encryption = one.client.encryption();
        let identity = encryption.request_user_identity(other.user_id()).await;
        assert!(!identity.unwrap().unwrap().is_verified());
    }
    let encryption = alice.client.encryption();
    let devices = encryption.get_user_devices(bob.user_id()).await.unwrap();
    let device = devices.devices().next().unwrap();
    let request = device.request_verification().await.unwrap();
    compare(&alice, &request, &bob).await;
    for (one, other) in [(&alice, &bob), (&bob, &alice)] {
        eventually("them to be verified", async || {
            let encryption = one.client.encryption();
            let identity = encryption.get_user_identity(other.user_id()).await.unwrap();
            identity?.is_verified().then_some(())
        })
        .await;
    }

    let (of_alice, of_bob) = (
        alice.timeline(room.room_id()).await,
        bob.timeline(room.room_id()).await,
    );
    for n in 0..3 {
        let (from, to) = if n % 2 == 0 {
            (&of_alice, &of_bob)
        } else {
            (&of_bob, &of_alice)
        };
        let text = format!("secret {n}");
        from.send(RoomMessageEventContent::text_plain(&text).into())
            .await
            .unwrap();
        assert!(is_secret(&message(to, &text).await));
    }
    // The server has nothing but ciphertext.
    let observer = server.log_in("alice").await;
    let seen = observer.messages(room.room_id().as_str(), 50).await;
    assert!(!seen.iter().any(|event| event["type"] == "m.room.message"));
    assert!(seen.iter().any(|event| event["type"] == "m.room.encrypted"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_device_reads_old_messages_from_the_backup() {
    let server = Server::start().await;
    let alice = Person::register(&server, "alice").await;
    let bob = Person::register(&server, "bob").await;
    let room = alice.room_with(&[&bob]).await;
    room.enable_encryption().await.unwrap();
    let timeline = alice.timeline(room.room_id()).await;
    timeline
        .send(RoomMessageEventContent::text_plain("for later").into())
        .await
        .unwrap();
    let sent = item(&timeline, "the message", |item| {
        says(item, "for later") && item.event_id().is_some()
    });
    sent.await;
    let recovery = alice.client.encryption().recovery();
    let key = recovery.enable().wait_for_backups_to_upload();
    let key = key.with_passphrase("a phrase of mine").await.unwrap();
    assert!(alice.client.encryption().backups().are_enabled().await);
    drop(timeline);
    drop(alice);

    let again = Person::log_in(&server, "alice").await;
    again.open(room.room_id()).await;
    let timeline = again.timeline(room.room_id()).await;
    item(&timeline, "ciphertext", |item| {
        item.content().is_unable_to_decrypt()
    })
    .await;
    let encryption = again.client.encryption();
    let wrong = encryption.recovery().recover("EsT0 not the key").await;
    assert!(wrong.is_err());
    encryption.recovery().recover(&key).await.unwrap();
    message(&timeline, "for later").await;
    let status = encryption.cross_signing_status().await.unwrap();
    assert!(status.is_complete());
    let device = encryption.get_own_device().await.unwrap().unwrap();
    assert!(device.is_cross_signed_by_owner());

    // A phrase opens the same vault.
    let third = Person::log_in(&server, "alice").await;
    let recovery = third.client.encryption().recovery();
    recovery.recover("a phrase of mine").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_gets_its_secrets_from_the_one_that_verifies_it() {
    let server = Server::start().await;
    let old = Person::register(&server, "alice").await;
    let room = old.room_with(&[]).await;
    room.enable_encryption().await.unwrap();
    let timeline = old.timeline(room.room_id()).await;
    let content = RoomMessageEventContent::text_plain("to myself");
    timeline.send(content.into()).await.unwrap();
    let sent = item(&timeline, "the message", |item| {
        says(item, "to myself") && item.event_id().is_some()
    });
    sent.await;
    let backups = old.client.encryption().backups();
    let uploaded = Arc::new(backups);
    uploaded.wait_for_steady_state().await.unwrap();

    let new = Person::log_in(&server, "alice").await;
    new.open(room.room_id()).await;
    let encryption = new.client.encryption();
    let own = encryption.request_user_identity(new.user_id()).await;
    let request = own.unwrap().unwrap().request_verification().await.unwrap();
    compare(&new, &request, &old).await;
    eventually("the secrets", async || {
        let status = encryption.cross_signing_status().await?;
        (status.is_complete() && encryption.backups().are_enabled().await).then_some(())
    })
    .await;
    let timeline = new.timeline(room.room_id()).await;
    message(&timeline, "to myself").await;
    for one in [&old, &new] {
        let devices = one.client.encryption();
        let devices = devices.get_user_devices(one.user_id()).await.unwrap();
        let verified = devices.devices().filter(|device| device.is_verified());
        assert_eq!(verified.count(), 2);
    }
}
