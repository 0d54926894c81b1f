//! Files, plain and encrypted.

use matrix_sdk::{
    attachment::AttachmentConfig,
    media::{MediaFormat, MediaRequestParameters, MediaThumbnailSettings},
    ruma::events::room::{MediaSource, message::MessageType},
};
use orvale_tests::Server;

use crate::person::{Person, item};

/// A picture of 2 by 2 pixels.
const PICTURE: &[u8] = include_bytes!("picture.png");

#[tokio::test(flavor = "multi_thread")]
async fn files_are_sent_and_fetched() {
    let server = Server::start().await;
    let alice = Person::register(&server, "alice").await;
    let bob = Person::register(&server, "bob").await;
    let room = alice.room_with(&[&bob]).await;
    for is_secret in [false, true] {
        if is_secret {
            room.enable_encryption().await.unwrap();
        }
        let name = if is_secret { "secret.png" } else { "plain.png" };
        let png = mime::IMAGE_PNG;
        let sent = room.send_attachment(name, &png, PICTURE.to_vec(), AttachmentConfig::new());
        sent.await.unwrap();
        let timeline = bob.timeline(room.room_id()).await;
        let picture = item(&timeline, name, |item| {
            let message = item.content().as_message();
            message.is_some_and(|message| message.body() == name)
        })
        .await;
        let MessageType::Image(image) = picture.content().as_message().unwrap().msgtype() else {
            panic!("a picture is sent as one");
        };
        assert_eq!(matches!(image.source, MediaSource::Encrypted(_)), is_secret);
        let fetch = async |format: MediaFormat| {
            let request = MediaRequestParameters {
                source: image.source.clone(),
                format,
            };
            let media = bob.client.media();
            media.get_media_content(&request, false).await.unwrap()
        };
        assert_eq!(fetch(MediaFormat::File).await, PICTURE);
        if !is_secret {
            let small = MediaThumbnailSettings::new(32u32.into(), 32u32.into());
            let small = fetch(MediaFormat::Thumbnail(small)).await;
            assert!(!small.is_empty());
        }
    }
    let most = bob.client.load_or_fetch_max_upload_size().await.unwrap();
    assert!(u64::from(most) > 1_000_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_of_oneself_is_seen_by_others() {
    let server = Server::start().await;
    let alice = Person::register(&server, "alice").await;
    let bob = Person::register(&server, "bob").await;
    let account = alice.client.account();
    account.set_display_name(Some("Alice A.")).await.unwrap();
    let uri = account
        .upload_avatar(&mime::IMAGE_PNG, PICTURE.to_vec())
        .await
        .unwrap();
    let room = alice.room_with(&[&bob]).await;
    let of_bob = bob.client.get_room(room.room_id()).unwrap();
    let member = of_bob.get_member(alice.user_id()).await.unwrap().unwrap();
    assert_eq!(member.display_name(), Some("Alice A."));
    assert_eq!(member.avatar_url(), Some(&*uri));
    let seen = member.avatar(MediaFormat::File).await.unwrap().unwrap();
    assert_eq!(seen, PICTURE);
    let profile = bob.client.account();
    let profile = profile
        .fetch_user_profile_of(alice.user_id())
        .await
        .unwrap();
    assert!(profile.iter().count() >= 2);
}
