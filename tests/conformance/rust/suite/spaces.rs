//! Spaces.

use matrix_sdk::ruma::{
    api::client::room::create_room::v3::{CreationContent, Request as NewRoom},
    room::RoomType,
    serde::Raw,
};
use matrix_sdk_ui::spaces::SpaceService;
use orvale_tests::{Server, eventually};

use crate::person::Person;

#[tokio::test(flavor = "multi_thread")]
async fn a_space_shows_its_rooms() {
    let server = Server::start().await;
    let alice = Person::register(&server, "alice").await;
    let mut new = NewRoom::new();
    new.name = Some("House".to_owned());
    let mut content = CreationContent::new();
    content.room_type = Some(RoomType::Space);
    new.creation_content = Some(Raw::new(&content).unwrap());
    let space = alice.client.create_room(new).await.unwrap();
    let mut new = NewRoom::new();
    new.name = Some("Kitchen".to_owned());
    let room = alice.client.create_room(new).await.unwrap();
    alice.open(space.room_id()).await;
    alice.open(room.room_id()).await;

    let service = SpaceService::new(alice.client.clone()).await;
    let (child, parent) = (room.room_id().to_owned(), space.room_id().to_owned());
    eventually("the rooms' power levels", async || {
        let added = service.add_child_to_space(child.clone(), parent.clone());
        added.await.ok()
    })
    .await;
    let list = service.space_room_list(parent.clone()).await;
    list.paginate().await.unwrap();
    let rooms = list.rooms().await;
    assert_eq!(rooms.len(), 1);
    assert_eq!(rooms[0].name.as_deref(), Some("Kitchen"));
    eventually("the space on top", async || {
        let top = service.top_level_joined_spaces().await;
        (top.len() == 1 && top[0].children_count == 1).then_some(())
    })
    .await;
    service
        .remove_child_from_space(child, parent)
        .await
        .unwrap();
    eventually("an empty space", async || {
        list.reset().await;
        list.paginate().await.unwrap();
        list.rooms().await.is_empty().then_some(())
    })
    .await;
}
