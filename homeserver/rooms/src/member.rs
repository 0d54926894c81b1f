//! Member events: their contents, and the people they are about.

use ruma::{UserId, events::StateEventType};
use serde_json::Value;

use crate::{
    Draft, Rooms,
    error::Result,
    json::{Object, raw},
};

/// What an `m.room.member` event is to say.
#[derive(Debug, Clone, Default)]
pub(crate) struct MemberContent(Object);

impl MemberContent {
    pub(crate) fn new(membership: &str) -> Self {
        let mut content = Object::new();
        content.insert("membership".to_owned(), membership.into());
        Self(content)
    }

    pub(crate) fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.0.insert(key.to_owned(), value.into());
        self
    }

    pub(crate) fn reason(self, reason: Option<&str>) -> Self {
        match reason.filter(|reason| !reason.is_empty()) {
            Some(reason) => self.with("reason", reason),
            None => self,
        }
    }

    /// Whether it gives this membership.
    pub(crate) fn is(&self, membership: &str) -> bool {
        self.0.get("membership").is_some_and(|is| is == membership)
    }

    /// Adds keys that are not yet there.
    pub(crate) fn or(mut self, more: &Object) -> Self {
        for (key, value) in more {
            self.0.entry(key).or_insert_with(|| value.clone());
        }
        self
    }

    /// The member event of `target`, sent by `sender`.
    pub(crate) fn draft(&self, sender: &UserId, target: &UserId) -> Draft {
        Draft::state(
            sender,
            StateEventType::RoomMember,
            target.as_str(),
            raw(&self.0),
        )
    }
}

impl Rooms {
    /// Whether a user is of this server.
    pub(crate) fn is_local(&self, user: &UserId) -> bool {
        user.server_name() == self.server_name()
    }

    /// What a user's profile adds to their member events: `displayname` and `avatar_url`.
    pub(crate) fn member_profile(&self, user: &UserId) -> Result<Object> {
        let mut content = Object::new();
        if self.is_local(user) {
            let (name, avatar) = self.users().names(user)?;
            let named = name.map(|name| ("displayname", name));
            let shown = avatar.map(|avatar| ("avatar_url", avatar.to_string()));
            let fields = named.into_iter().chain(shown);
            content.extend(fields.map(|(key, value)| (key.to_owned(), value.into())));
        }
        Ok(content)
    }
}
