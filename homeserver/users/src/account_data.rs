//! Account data: what clients keep for their user, for all rooms or for one.

use std::{collections::BTreeSet, sync::Arc};

use orvale_storage::{
    Batch, Entry, Position,
    record::JsonText,
    trees::users::{ACCOUNT_DATA, AccountData, PUSH_RULES},
};
use ruma::{OwnedUserId, UserId};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{Error, PERMISSIONS_TYPE, Result, Users};

/// Push rules show as this type of account data.
pub const PUSH_RULES_TYPE: &str = "m.push_rules";
/// The read marker of a room shows as this type of its account data.
pub const FULLY_READ_TYPE: &str = "m.fully_read";
const IGNORED_USERS_TYPE: &str = "m.ignored_user_list";

/// One type of account data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountDataEvent {
    /// The room's number; none for global.
    pub room: Option<Position>,
    /// The event type.
    pub kind: String,
    /// The content, a JSON object.
    pub content: JsonText,
    /// The position of its last change.
    pub at: Position,
    /// Whether it was removed: who knows it is told, as an empty object; who is new is not.
    pub is_removed: bool,
}

/// Refuses what clients read and do not write here.
fn check_unmanaged(kind: &str) -> Result<()> {
    match kind {
        PUSH_RULES_TYPE | FULLY_READ_TYPE | PERMISSIONS_TYPE => {
            Err(Error::ManagedAccountData(kind.to_owned()))
        }
        _ => Ok(()),
    }
}

/// The content of what was removed: no JSON object.
const REMOVED: &str = "";

impl Users {
    /// One type of the user's account data, global or of one room.
    ///
    /// # Errors
    /// Storage; [`Error::NotLocal`].
    pub fn account_data(
        &self,
        user_id: &UserId,
        room: Option<Position>,
        kind: &str,
    ) -> Result<Option<JsonText>> {
        if room.is_none() && kind == PUSH_RULES_TYPE {
            return self.push_rules_content(user_id).map(Some);
        }
        let found = self.store().get(
            &ACCOUNT_DATA,
            (self.localpart(user_id)?, number(room), kind),
        )?;
        let content = found.map(|data| data.content);
        Ok(content.filter(|content| content.0 != REMOVED))
    }

    /// Removes one type of account data. Devices that know it are told that it is empty.
    ///
    /// # Errors
    /// [`Error::NotFound`] if it is not there, [`Error::ManagedAccountData`] for types with endpoints of their own; storage.
    pub async fn remove_account_data(
        &self,
        user_id: &UserId,
        room: Option<Position>,
        kind: &str,
    ) -> Result<()> {
        check_unmanaged(kind)?;
        self.change_account_data(user_id, room, kind, |before| match before {
            Some(before) if before.0 != REMOVED => Ok(JsonText(REMOVED.to_owned())),
            _ => Err(Error::NotFound("account data")),
        })
        .await
    }

    /// As [`Users::remove_account_data`], of what the server manages itself.
    pub(crate) async fn clear_account_data(&self, user_id: &UserId, kind: &str) -> Result<()> {
        self.change_account_data(user_id, None, kind, |_| Ok(JsonText(REMOVED.to_owned())))
            .await
    }

    /// Sets one type of account data, as a client asks.
    ///
    /// # Errors
    /// [`Error::ManagedAccountData`] for types with endpoints of their own, [`Error::BadJson`], [`Error::TooLarge`];
    /// storage.
    pub async fn set_account_data(
        &self,
        user_id: &UserId,
        room: Option<Position>,
        kind: &str,
        content: &str,
    ) -> Result<()> {
        check_unmanaged(kind)?;
        self.put_account_data(user_id, room, kind, content).await
    }

    /// Moves the read marker of a room: the content of its `m.fully_read`.
    ///
    /// # Errors
    /// As [`Users::set_account_data`].
    pub async fn set_fully_read(
        &self,
        user_id: &UserId,
        room: Position,
        content: &str,
    ) -> Result<()> {
        self.put_account_data(user_id, Some(room), FULLY_READ_TYPE, content)
            .await
    }

    async fn put_account_data(
        &self,
        user_id: &UserId,
        room: Option<Position>,
        kind: &str,
        content: &str,
    ) -> Result<()> {
        let limits = &self.config().limits;
        if content.len() > limits.account_data_bytes {
            let most = limits.account_data_bytes;
            return Err(Error::TooLarge(format!(
                "the content of account data has at most {most} bytes"
            )));
        }
        if kind.is_empty() || kind.len() > 255 {
            return Err(Error::InvalidParam(
                "the type of account data has 1 to 255 bytes".to_owned(),
            ));
        }
        if let Err(error) = serde_json::from_str::<Map<String, Value>>(content) {
            return Err(Error::BadJson(format!(
                "the content of account data is a JSON object: {error}"
            )));
        }
        let content = JsonText(content.to_owned());
        self.change_account_data(user_id, room, kind, |_| Ok(content.clone()))
            .await
    }

    /// Reads one type of account data, and writes what `change` makes of it.
    pub(crate) async fn change_account_data(
        &self,
        user_id: &UserId,
        room: Option<Position>,
        kind: &str,
        change: impl Fn(Option<&JsonText>) -> Result<JsonText>,
    ) -> Result<()> {
        let localpart = self.localpart(user_id)?;
        let _replacing = (room.is_none() && kind == IGNORED_USERS_TYPE)
            .then(|| self.inner.ignored.replacing(user_id.to_owned()));
        let key = (localpart, number(room), kind);
        self.write_at(1, |places| {
            let before = self.store().get(&ACCOUNT_DATA, key)?;
            let content = change(before.as_ref().map(|data| &data.content))?;
            let mut batch = Batch::new();
            if before.as_ref().is_some_and(|data| data.content == content) {
                return Ok((batch, ()));
            }
            if before.is_none() {
                let most = self.config().limits.account_data_types;
                if self
                    .store()
                    .prefix(&ACCOUNT_DATA, (localpart, number(room)), most)?
                    .len()
                    >= most
                {
                    return Err(Error::TooLarge(format!(
                        "there are {most} types of account data here already"
                    )));
                }
            }
            batch.expect(&ACCOUNT_DATA, key, before.as_ref());
            batch.put(
                &ACCOUNT_DATA,
                key,
                &AccountData {
                    at: places.at(0),
                    content,
                },
            );
            batch.log(Entry::AccountData {
                user_id: user_id.to_string(),
                room,
                kind: kind.to_owned(),
            });
            Ok((batch, ()))
        })
        .await
    }

    /// All of the user's global account data, `m.push_rules` too; or that of one room.
    ///
    /// # Errors
    /// Storage; [`Error::NotLocal`].
    pub fn list_account_data(
        &self,
        user_id: &UserId,
        room: Option<Position>,
    ) -> Result<Vec<AccountDataEvent>> {
        let found = self.store().prefix(
            &ACCOUNT_DATA,
            (self.localpart(user_id)?, number(room)),
            usize::MAX,
        )?;
        let mut events = found.into_iter().map(event).collect::<Vec<_>>();
        if room.is_none() {
            events.push(self.push_rules_event(user_id)?);
        }
        Ok(events)
    }

    /// The user's account data that changed after a position, global and of all rooms: a walk over all of it, for who has
    /// not followed the log.
    ///
    /// # Errors
    /// Storage; [`Error::NotLocal`].
    pub fn account_data_since(
        &self,
        user_id: &UserId,
        after: Position,
    ) -> Result<Vec<AccountDataEvent>> {
        let found = self
            .store()
            .prefix(&ACCOUNT_DATA, (self.localpart(user_id)?,), usize::MAX)?;
        let mut events = found
            .into_iter()
            .filter(|(_, data)| data.at > after)
            .map(event)
            .collect::<Vec<_>>();
        let rules = self.push_rules_event(user_id)?;
        if rules.at > after {
            events.push(rules);
        }
        Ok(events)
    }

    /// The users whom this one ignores (`m.ignored_user_list`).
    ///
    /// # Errors
    /// Storage; [`Error::NotLocal`].
    pub fn ignored_users(&self, user_id: &UserId) -> Result<Arc<BTreeSet<OwnedUserId>>> {
        #[derive(Deserialize)]
        struct IgnoredUserList {
            ignored_users: Map<String, Value>,
        }
        self.inner.ignored.get_or(user_id, || {
            let content = self.account_data(user_id, None, IGNORED_USERS_TYPE)?;
            // A client may have written anything: what is no list of users ignores nobody.
            let list = content.and_then(|content| content.parse::<IgnoredUserList>().ok());
            let ids = list
                .into_iter()
                .flat_map(|list| list.ignored_users.into_iter().map(|(id, _)| id));
            // Whoever ignores themselves would not see their own messages arrive.
            Ok(Arc::new(
                ids.filter_map(|id| UserId::parse(id).ok())
                    .filter(|id| id != user_id)
                    .collect(),
            ))
        })
    }

    fn push_rules_event(&self, user_id: &UserId) -> Result<AccountDataEvent> {
        let stored = self.store().get(&PUSH_RULES, (self.localpart(user_id)?,))?;
        Ok(AccountDataEvent {
            room: None,
            kind: PUSH_RULES_TYPE.to_owned(),
            content: self.push_rules_content(user_id)?,
            at: stored.map_or(Position::START, |rules| rules.at),
            is_removed: false,
        })
    }
}

fn number(room: Option<Position>) -> Position {
    room.unwrap_or(Position::START)
}

fn event(((_, room, kind), data): ((String, Position, String), AccountData)) -> AccountDataEvent {
    let room = (room != Position::START).then_some(room);
    let is_removed = data.content.0 == REMOVED;
    let content = if is_removed {
        JsonText("{}".to_owned())
    } else {
        data.content
    };
    AccountDataEvent {
        room,
        kind,
        content,
        at: data.at,
        is_removed,
    }
}

#[cfg(test)]
mod tests {
    use ruma::user_id;

    use super::*;
    use crate::{
        Config,
        testing::{users, users_with},
    };

    #[tokio::test]
    async fn removed_account_data_is_gone_but_told_of() {
        let users = users();
        let alice = users.account("alice").await;
        let (kind, content) = ("org.example.a", r#"{"n":1}"#);
        let missing = users.remove_account_data(&alice, None, kind).await;
        assert!(matches!(missing, Err(Error::NotFound(_))));
        let set = users.set_account_data(&alice, None, kind, content);
        set.await.unwrap();
        let before = users.list_account_data(&alice, None).unwrap()[0].at;
        let removed = users.remove_account_data(&alice, None, kind);
        removed.await.unwrap();
        assert_eq!(users.account_data(&alice, None, kind).unwrap(), None);
        let told = users.account_data_since(&alice, before).unwrap();
        assert_eq!((told.len(), &*told[0].content.0), (1, "{}"));
        assert!(told[0].is_removed);
        let again = users.remove_account_data(&alice, None, kind).await;
        assert!(matches!(again, Err(Error::NotFound(_))));
        let set = users.set_account_data(&alice, None, kind, content);
        set.await.unwrap();
        assert!(users.account_data(&alice, None, kind).unwrap().is_some());
        let managed = users
            .remove_account_data(&alice, None, "m.push_rules")
            .await;
        assert!(matches!(managed, Err(Error::ManagedAccountData(_))));
    }

    #[tokio::test]
    async fn account_data_is_kept_globally_and_by_room() {
        let users = users();
        let alice = users.account("alice").await;
        let room = Some(Position(7));
        users
            .set_account_data(&alice, None, "org.example.a", r#"{"n":1}"#)
            .await
            .unwrap();
        users
            .set_account_data(&alice, room, "org.example.a", r#"{"n":2}"#)
            .await
            .unwrap();
        assert_eq!(
            users
                .account_data(&alice, None, "org.example.a")
                .unwrap()
                .unwrap()
                .0,
            r#"{"n":1}"#
        );
        assert_eq!(
            users
                .account_data(&alice, room, "org.example.a")
                .unwrap()
                .unwrap()
                .0,
            r#"{"n":2}"#
        );
        assert!(
            users
                .account_data(&alice, room, "org.example.b")
                .unwrap()
                .is_none()
        );
        let kinds = |room| {
            let events = users.list_account_data(&alice, room).unwrap().into_iter();
            events.map(|event| event.kind).collect::<Vec<_>>()
        };
        assert_eq!(kinds(None), ["org.example.a", "m.push_rules"]);
        assert_eq!(kinds(room), ["org.example.a"]);
    }

    #[tokio::test]
    async fn a_change_is_in_the_log_at_the_position_it_carries_and_no_change_is_not() {
        let users = users();
        let alice = users.account("alice").await;
        users
            .set_account_data(&alice, None, "org.example.a", "{}")
            .await
            .unwrap();
        let before = users.store().visible();
        users
            .set_account_data(&alice, None, "org.example.a", "{}")
            .await
            .unwrap();
        assert!(users.store().log(before, 10).unwrap().is_empty());
        users
            .set_account_data(&alice, Some(Position(7)), "org.example.a", "{}")
            .await
            .unwrap();
        let changed = users.account_data_since(&alice, before).unwrap();
        assert_eq!(changed.len(), 1);
        let entry = Entry::AccountData {
            user_id: alice.to_string(),
            room: Some(Position(7)),
            kind: "org.example.a".to_owned(),
        };
        assert_eq!(
            users.store().log(before, 10).unwrap(),
            [(changed[0].at, entry)]
        );
    }

    #[tokio::test]
    async fn types_with_endpoints_of_their_own_are_refused() {
        let users = users();
        let alice = users.account("alice").await;
        for (room, kind) in [
            (None, PUSH_RULES_TYPE),
            (Some(Position(7)), FULLY_READ_TYPE),
        ] {
            let refused = users.set_account_data(&alice, room, kind, "{}").await;
            assert!(matches!(refused, Err(Error::ManagedAccountData(_))));
        }
        users
            .set_fully_read(&alice, Position(7), r#"{"event_id":"$a"}"#)
            .await
            .unwrap();
        assert!(
            users
                .account_data(&alice, Some(Position(7)), FULLY_READ_TYPE)
                .unwrap()
                .is_some()
        );
        assert!(
            users
                .account_data(&alice, None, PUSH_RULES_TYPE)
                .unwrap()
                .unwrap()
                .0
                .contains(".m.rule.master")
        );
    }

    #[tokio::test]
    async fn what_is_no_object_too_large_or_too_much_is_refused() {
        let mut config = Config::default();
        config.limits.account_data_bytes = 100;
        config.limits.account_data_types = 2;
        let users = users_with(config);
        let alice = users.account("alice").await;
        for bad in ["[]", "1", "", "{"] {
            let refused = users.set_account_data(&alice, None, "a", bad).await;
            assert!(matches!(refused, Err(Error::BadJson(_))), "{bad}");
        }
        let large = format!(r#"{{"a":"{}"}}"#, "x".repeat(100));
        assert!(matches!(
            users.set_account_data(&alice, None, "a", &large).await,
            Err(Error::TooLarge(_))
        ));
        users
            .set_account_data(&alice, None, "a", "{}")
            .await
            .unwrap();
        users
            .set_account_data(&alice, None, "b", "{}")
            .await
            .unwrap();
        assert!(matches!(
            users.set_account_data(&alice, None, "c", "{}").await,
            Err(Error::TooLarge(_))
        ));
        users
            .set_account_data(&alice, None, "b", r#"{"n":1}"#)
            .await
            .unwrap();
    }

    #[tokio::test]
    async fn the_ignored_are_read_from_account_data_whatever_is_in_it() {
        let users = users();
        let alice = users.account("alice").await;
        assert!(users.ignored_users(&alice).unwrap().is_empty());
        let list =
            r#"{"ignored_users":{"@bob:example.org":{},"@alice:example.org":{},"nonsense":1}}"#;
        users
            .set_account_data(&alice, None, IGNORED_USERS_TYPE, list)
            .await
            .unwrap();
        let ignored = users.ignored_users(&alice).unwrap();
        assert_eq!(
            ignored.iter().collect::<Vec<_>>(),
            [user_id!("@bob:example.org")]
        );
        users
            .set_account_data(&alice, None, IGNORED_USERS_TYPE, r#"{"ignored_users":[]}"#)
            .await
            .unwrap();
        assert!(users.ignored_users(&alice).unwrap().is_empty());
    }
}
