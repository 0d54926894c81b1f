//! What concerns devices: messages to this one, how many keys it has left, whose devices changed.

use orvale_storage::Position;

use super::{
    Asked,
    answer::Writer,
    json::{List, Object},
    token::Token,
};
use crate::{Result, delivery::Inner};

/// How many messages to a device one answer brings.
const MESSAGES: usize = 100;

impl Inner {
    /// A client came back with a token: what it was given up to there, it has.
    pub(super) async fn acknowledge(&self, asked: &Asked, since: &Token) -> Result<()> {
        let upto = since.to_device();
        let waits = {
            let followed = self.follow.read();
            followed.session(&asked.user_id).is_some_and(|session| {
                since.position < session.made
                    || session.to_device(asked.device_id.as_str()).is_some()
            })
        };
        if waits {
            self.users
                .acknowledge_to_device(&asked.user_id, &asked.device_id, upto)
                .await?;
            self.follow
                .acknowledged(&asked.user_id, asked.device_id.as_str(), upto);
        }
        Ok(())
    }
}

impl Writer<'_> {
    /// The messages that wait for the device, and the last one's position where more wait than are given.
    pub(super) fn to_device(&self) -> Result<(List, Option<Position>)> {
        let mut events = List::default();
        if !self.news.to_device {
            return Ok((events, None));
        }
        let asked = self.asked;
        let after = asked
            .since
            .as_ref()
            .map_or(Position::START, |token| token.to_device());
        let upto = self.news.reached.position;
        let found = self.inner.users.to_device_messages(
            &asked.user_id,
            &asked.device_id,
            after,
            upto,
            MESSAGES + 1,
        )?;
        for (_, message) in found.iter().take(MESSAGES) {
            let out = events.next();
            out.extend_from_slice(b"{\"content\":");
            out.extend_from_slice(message.content.0.as_bytes());
            out.extend_from_slice(b",\"sender\":");
            serde_json::to_writer(&mut *out, &message.sender).expect("a string");
            out.extend_from_slice(b",\"type\":");
            serde_json::to_writer(&mut *out, &message.kind).expect("a string");
            out.push(b'}');
        }
        let given = found.iter().take(MESSAGES).next_back().map(|(at, _)| *at);
        if let Some(given) = given {
            let last = if found.len() > MESSAGES {
                found[MESSAGES].0
            } else {
                given
            };
            self.inner
                .follow
                .given(&asked.user_id, asked.device_id.as_str(), last);
        }
        Ok((events, given.filter(|_| found.len() > MESSAGES)))
    }

    /// How many keys the device has left. Always told: clients upload keys by it.
    pub(super) fn key_counts(&self, object: &mut Object<'_>) -> Result<()> {
        let counts = self
            .inner
            .users
            .key_counts(&self.asked.user_id, &self.asked.device_id)?;
        object.value("device_one_time_keys_count", &counts.one_time);
        object.value("device_unused_fallback_key_types", &counts.unused_fallback);
        Ok(())
    }

    /// Whose devices changed, and whose the client need not follow any more.
    pub(super) fn device_lists(&self, object: &mut Object<'_>) -> Result<()> {
        // A client that starts asks for the keys of everybody it meets anyway.
        let Some(since) = self.since else {
            return Ok(());
        };
        if !self.news.device_lists && self.news.rooms.is_empty() {
            return Ok(());
        }
        let lists = self.inner.device_lists(&self.asked.user_id, since)?;
        if lists.is_empty() {
            return Ok(());
        }
        object.object("device_lists", |object| {
            object.value("changed", &lists.changed);
            object.value("left", &lists.left);
            Ok(())
        })
    }
}
