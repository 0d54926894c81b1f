//! Which rooms a user writes somebody directly in: the account data `m.direct`, changed one room at a time.

use orvale_storage::record::JsonText;
use ruma::{OwnedRoomId, RoomId, UserId};
use serde_json::{Map, Value};

use crate::{Result, Users};

const DIRECT_TYPE: &str = "m.direct";

impl Users {
    /// The rooms in which a user says that they write somebody directly, in their order.
    ///
    /// # Errors
    /// Storage; [`Error::NotLocal`](crate::Error::NotLocal).
    pub fn direct_rooms(&self, user_id: &UserId, with: &UserId) -> Result<Vec<OwnedRoomId>> {
        let content = self.account_data(user_id, None, DIRECT_TYPE)?;
        let rooms = direct_in(content.as_ref()).remove(with.as_str());
        let rooms = rooms.as_ref().and_then(Value::as_array);
        let ids = rooms.into_iter().flatten().filter_map(Value::as_str);
        Ok(ids.filter_map(|id| RoomId::parse(id).ok()).collect())
    }

    /// Adds a room to those in which a user writes somebody directly.
    ///
    /// # Errors
    /// [`Error::TooLarge`](crate::Error::TooLarge); storage.
    pub async fn add_direct_room(
        &self,
        user_id: &UserId,
        with: &UserId,
        room: &RoomId,
    ) -> Result<()> {
        self.change_account_data(user_id, None, DIRECT_TYPE, |content| {
            let mut direct = direct_in(content);
            let rooms = direct
                .entry(with.as_str())
                .or_insert_with(|| Value::Array(Vec::new()));
            if !rooms.is_array() {
                *rooms = Value::Array(Vec::new());
            }
            if let Some(rooms) = rooms.as_array_mut()
                && !rooms.iter().any(|known| known == room.as_str())
            {
                rooms.push(room.as_str().into());
            }
            Ok(JsonText(Value::Object(direct).to_string()))
        })
        .await
    }
}

/// What a client wrote there may have any shape.
fn direct_in(content: Option<&JsonText>) -> Map<String, Value> {
    content
        .and_then(|content| content.parse().ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use ruma::{room_id, user_id};

    use super::*;
    use crate::testing::users;

    #[tokio::test]
    async fn rooms_are_added_once_to_whatever_was_there() {
        let users = users();
        let alice = users.account("alice").await;
        let bob = user_id!("@bob:example.org");
        for content in ["{}", r#"{"@bob:example.org":7}"#, r#"{"@c:d":["!x:y"]}"#] {
            let set = users.set_account_data(&alice, None, DIRECT_TYPE, content);
            set.await.unwrap();
            for _ in 0..2 {
                let added = users.add_direct_room(&alice, bob, room_id!("!a:b"));
                added.await.unwrap();
            }
            let rooms = users.direct_rooms(&alice, bob).unwrap();
            assert_eq!(rooms, [room_id!("!a:b")]);
        }
        let kept = users.direct_rooms(&alice, user_id!("@c:d")).unwrap();
        assert_eq!(kept, [room_id!("!x:y")]);
    }
}
