//! Tags of rooms: the account data `m.tag`, changed one tag at a time.

use std::collections::BTreeMap;

use orvale_storage::{Position, record::JsonText};
use ruma::UserId;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Error, Result, Users};

const TAG_TYPE: &str = "m.tag";

/// The tags of a room: name and information about each.
pub type Tags = BTreeMap<String, Map<String, Value>>;

#[derive(Default, Serialize, Deserialize)]
struct TagContent {
    #[serde(default)]
    tags: Tags,
}

impl Users {
    /// The tags a user gave a room.
    ///
    /// # Errors
    /// Storage; [`Error::NotLocal`].
    pub fn tags(&self, user_id: &UserId, room: Position) -> Result<Tags> {
        let content = self.account_data(user_id, Some(room), TAG_TYPE)?;
        Ok(tags_in(content.as_ref()))
    }

    /// Gives a room a tag, or changes what is said of it.
    ///
    /// # Errors
    /// [`Error::InvalidParam`], [`Error::TooLarge`]; storage.
    pub async fn set_tag(
        &self,
        user_id: &UserId,
        room: Position,
        tag: &str,
        info: Map<String, Value>,
    ) -> Result<()> {
        if tag.is_empty() || tag.len() > 255 {
            return Err(Error::InvalidParam(
                "the name of a tag has 1 to 255 bytes".to_owned(),
            ));
        }
        let most = self.config().limits.tags;
        self.change_account_data(user_id, Some(room), TAG_TYPE, |content| {
            let mut tags = tags_in(content);
            if !tags.contains_key(tag) && tags.len() >= most {
                return Err(Error::TooLarge(format!("a room has at most {most} tags")));
            }
            tags.insert(tag.to_owned(), info.clone());
            write(tags)
        })
        .await
    }

    /// Takes a tag off a room; nothing if it has no such tag.
    ///
    /// # Errors
    /// Storage; [`Error::NotLocal`].
    pub async fn remove_tag(&self, user_id: &UserId, room: Position, tag: &str) -> Result<()> {
        if !self.tags(user_id, room)?.contains_key(tag) {
            return Ok(());
        }
        self.change_account_data(user_id, Some(room), TAG_TYPE, |content| {
            let mut tags = tags_in(content);
            tags.remove(tag);
            write(tags)
        })
        .await
    }
}

/// What a client set as `m.tag` itself may have any shape: what is no tags counts as none.
fn tags_in(content: Option<&JsonText>) -> Tags {
    content
        .and_then(|content| content.parse::<TagContent>().ok())
        .unwrap_or_default()
        .tags
}

fn write(tags: Tags) -> Result<JsonText> {
    JsonText::of(&TagContent { tags }).map_err(|e| Error::Internal(e.to_string()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::users;

    fn order(order: f64) -> Map<String, Value> {
        Map::from_iter([("order".to_owned(), json!(order))])
    }

    #[tokio::test]
    async fn tags_come_and_go_one_at_a_time() {
        let users = users();
        let alice = users.account("alice").await;
        let room = Position(7);
        let (a, b) = tokio::join!(
            users.set_tag(&alice, room, "m.favourite", order(0.5)),
            users.set_tag(&alice, room, "u.work", Map::new()),
        );
        a.and(b).unwrap();
        users
            .set_tag(&alice, room, "m.favourite", order(0.1))
            .await
            .unwrap();
        let tags = users.tags(&alice, room).unwrap();
        assert_eq!(tags.keys().collect::<Vec<_>>(), ["m.favourite", "u.work"]);
        assert_eq!(tags["m.favourite"], order(0.1));
        users.remove_tag(&alice, room, "m.favourite").await.unwrap();
        users.remove_tag(&alice, room, "unknown").await.unwrap();
        let content = users
            .account_data(&alice, Some(room), TAG_TYPE)
            .unwrap()
            .unwrap();
        assert_eq!(content.0, r#"{"tags":{"u.work":{}}}"#);
    }

    #[tokio::test]
    async fn names_are_bounded_and_so_is_their_number() {
        let users = users();
        let alice = users.account("alice").await;
        for bad in ["", &"x".repeat(256)] {
            let refused = users.set_tag(&alice, Position(7), bad, Map::new()).await;
            assert!(matches!(refused, Err(Error::InvalidParam(_))));
        }
        for n in 0..100 {
            users
                .set_tag(&alice, Position(7), &format!("u.{n}"), Map::new())
                .await
                .unwrap();
        }
        let refused = users
            .set_tag(&alice, Position(7), "u.more", Map::new())
            .await;
        assert!(matches!(refused, Err(Error::TooLarge(_))));
    }

    #[tokio::test]
    async fn nonsense_set_as_tags_is_replaced() {
        let users = users();
        let alice = users.account("alice").await;
        users
            .set_account_data(&alice, Some(Position(7)), TAG_TYPE, r#"{"tags":3}"#)
            .await
            .unwrap();
        assert!(users.tags(&alice, Position(7)).unwrap().is_empty());
        users
            .set_tag(&alice, Position(7), "u.work", Map::new())
            .await
            .unwrap();
        assert_eq!(users.tags(&alice, Position(7)).unwrap().len(), 1);
    }
}
