//! The threads that the user follows: the extension [MSC4308], and its companion for what does not fit in an answer.
//!
//! Both go backwards from the latest change. A token of theirs is the position of the last change told; one of a connection tells
//! up to where its answer told.
//!
//! [MSC4308]: https://github.com/matrix-org/matrix-spec-proposals/pull/4308

use std::collections::BTreeMap;

use bytes::Bytes;
use orvale_storage::Position;
use orvale_users::ThreadSubscriptionChange;
use ruma::{
    OwnedEventId, OwnedRoomId, UInt, UserId,
    api::client::{
        sync::sync_events::v5::response::ThreadSubscriptions,
        threads::get_thread_subscriptions_changes::unstable::{
            ThreadSubscription, ThreadUnsubscription,
        },
    },
};
use serde::Serialize;

use super::{answer::Writer, connection::Connection, request::page_of_threads};
use crate::{Delivery, Error, Result, delivery::Inner, sync::json::Object};

/// Changes of threads that a user follows. Not ruma's response: that leaves out what is empty, and its reader wants it there.
#[derive(Debug, Serialize)]
struct Page {
    subscribed: BTreeMap<OwnedRoomId, BTreeMap<OwnedEventId, ThreadSubscription>>,
    unsubscribed: BTreeMap<OwnedRoomId, BTreeMap<OwnedEventId, ThreadUnsubscription>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end: Option<String>,
}

/// The key of the extension.
const KEY: &str = "io.element.msc4308.thread_subscriptions";

impl Delivery {
    /// What changed about the threads that a user follows, the latest first: before `from` and after `to`. The JSON body.
    ///
    /// # Errors
    /// [`Error::InvalidParam`] for what is no token; storage's.
    pub fn thread_subscriptions(
        &self,
        user_id: &UserId,
        from: Option<&str>,
        to: Option<&str>,
        limit: Option<u64>,
    ) -> Result<Bytes> {
        let no_token = |token: &str| {
            let shown: String = token.chars().take(64).collect();
            Error::InvalidParam(format!("{shown:?} is not a token of this list"))
        };
        let upto = match from {
            None => self.inner.rooms.store().visible(),
            Some(from) => {
                let at = from.strip_prefix('t').and_then(|at| at.parse().ok());
                let at: u64 = at.ok_or_else(|| no_token(from))?;
                Position(at.saturating_sub(1))
            }
        };
        let after = match to {
            None => Position::START,
            Some(to) => Connection::position_of(to).ok_or_else(|| no_token(to))?,
        };
        let page = self
            .inner
            .page(user_id, after, upto, page_of_threads(limit))?;
        let page = Page {
            subscribed: page.subscribed,
            unsubscribed: page.unsubscribed,
            end: page.prev_batch,
        };
        Ok(serde_json::to_vec(&page).expect("maps of strings").into())
    }
}

impl Inner {
    fn page(
        &self,
        user_id: &UserId,
        after: Position,
        upto: Position,
        limit: usize,
    ) -> Result<ThreadSubscriptions> {
        let mut changes = self.users.thread_subscription_changes(
            user_id,
            after,
            upto,
            limit.saturating_add(1),
        )?;
        let is_more = changes.len() > limit;
        changes.truncate(limit);
        let mut page = ThreadSubscriptions::default();
        if is_more {
            page.prev_batch = changes.last().map(|last| format!("t{}", last.at));
        }
        for ThreadSubscriptionChange {
            at,
            room,
            root,
            automatic,
        } in changes
        {
            let room = self.rooms.get_number(room)?.id.clone();
            let stamp = UInt::new_saturating(at.0);
            match automatic {
                Some(automatic) => {
                    let now = ThreadSubscription::new(automatic, stamp);
                    page.subscribed.entry(room).or_default().insert(root, now);
                }
                None => {
                    let now = ThreadUnsubscription::new(stamp);
                    page.unsubscribed.entry(room).or_default().insert(root, now);
                }
            }
        }
        Ok(page)
    }
}

impl Writer<'_> {
    /// Writes what changed about the threads that the user follows, and says whether anything has.
    pub(super) fn thread_subscriptions(&self, object: &mut Object<'_>) -> Result<bool> {
        let Some(limit) = self.asked.threads else {
            return Ok(false);
        };
        let reached = &self.connection.reached;
        let is_known = reached.threads && !self.connection.is_new();
        let since = if is_known {
            reached.position
        } else {
            Position::START
        };
        if self.news.threads <= since {
            return Ok(false);
        }
        let mut page = self.inner.page(&self.user_id, since, self.upto, limit)?;
        if !is_known {
            // Who knows of none need not hear of those that ended.
            page.unsubscribed.clear();
        }
        let is_empty = page.is_empty();
        if !is_empty {
            object.value(KEY, &page);
        }
        Ok(!is_empty)
    }
}
