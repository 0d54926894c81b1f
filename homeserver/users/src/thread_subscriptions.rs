//! Threads that users follow ([MSC4306]), and the stream of what changed about that ([MSC4308]).
//!
//! Clients that know nothing of this follow no thread, and their users would not be notified of any answer. So the push rules
//! that go with it come with the first thread that a user follows: before that, threads notify as all else does.
//!
//! [MSC4306]: https://github.com/matrix-org/matrix-spec-proposals/pull/4306
//! [MSC4308]: https://github.com/matrix-org/matrix-spec-proposals/pull/4308

use orvale_storage::{
    Batch, Entry, Position,
    trees::users::{
        THREAD_SUBSCRIPTION_CHANGES, THREAD_SUBSCRIPTIONS, ThreadSubscription as Record,
    },
};
use ruma::{EventId, OwnedEventId, UserId};

use crate::{Error, Result, Users};

/// The last change of one user's following one thread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThreadSubscriptionChange {
    /// Its position.
    pub at: Position,
    /// The room's number.
    pub room: Position,
    /// The thread's first event.
    pub root: OwnedEventId,
    /// Whether a client began it by itself; `None` if the user stopped following.
    pub automatic: Option<bool>,
}

impl Users {
    /// Whether a user follows a thread: if so, whether a client began that by itself.
    ///
    /// # Errors
    /// Storage; [`Error::NotLocal`].
    pub fn thread_subscription(
        &self,
        user_id: &UserId,
        room: Position,
        root: &EventId,
    ) -> Result<Option<bool>> {
        let key = (self.localpart(user_id)?, room, root.as_str());
        let found = self.store().get(&THREAD_SUBSCRIPTIONS, key)?;
        Ok(found.and_then(|found| found.automatic))
    }

    /// A user follows a thread. `cause` is the position of the event in it for which a client says so by itself: that never
    /// overrules what the user said.
    ///
    /// # Errors
    /// [`Error::ConflictingUnsubscription`] if the user stopped following after the cause; storage, [`Error::NotLocal`].
    pub async fn subscribe_to_thread(
        &self,
        user_id: &UserId,
        room: Position,
        root: &EventId,
        cause: Option<Position>,
    ) -> Result<()> {
        self.use_thread_rules(user_id).await?;
        let change = |before: Option<Record>| match (before, cause) {
            (
                Some(Record {
                    automatic: None,
                    at,
                }),
                Some(cause),
            ) if cause < at => Err(Error::ConflictingUnsubscription),
            (
                Some(Record {
                    automatic: Some(now),
                    ..
                }),
                Some(_),
            ) => Ok(Some(now)),
            (_, cause) => Ok(Some(cause.is_some())),
        };
        self.change_thread_subscription(user_id, room, root, change)
            .await
    }

    /// A user stops following a thread.
    ///
    /// # Errors
    /// Storage; [`Error::NotLocal`].
    pub async fn unsubscribe_from_thread(
        &self,
        user_id: &UserId,
        room: Position,
        root: &EventId,
    ) -> Result<()> {
        self.change_thread_subscription(user_id, room, root, |_| Ok(None))
            .await
    }

    async fn change_thread_subscription(
        &self,
        user_id: &UserId,
        room: Position,
        root: &EventId,
        change: impl Fn(Option<Record>) -> Result<Option<bool>>,
    ) -> Result<()> {
        let localpart = self.localpart(user_id)?;
        let key = (localpart, room, root.as_str());
        self.write_at(1, |places| {
            let before = self.store().get(&THREAD_SUBSCRIPTIONS, key)?;
            let automatic = change(before)?;
            let mut batch = Batch::new();
            if before.and_then(|before| before.automatic) == automatic {
                return Ok((batch, ()));
            }
            let at = places.at(0);
            batch.expect(&THREAD_SUBSCRIPTIONS, key, before.as_ref());
            batch.put(&THREAD_SUBSCRIPTIONS, key, &Record { at, automatic });
            if let Some(before) = before {
                batch.delete(&THREAD_SUBSCRIPTION_CHANGES, (localpart, before.at));
            }
            batch.put(
                &THREAD_SUBSCRIPTION_CHANGES,
                (localpart, at),
                &(room, root.to_string()),
            );
            batch.log(Entry::ThreadSubscription {
                user_id: user_id.to_string(),
            });
            Ok((batch, ()))
        })
        .await
    }

    /// What changed about the threads that a user follows after one position and up to another, the latest first.
    ///
    /// # Errors
    /// Storage; [`Error::NotLocal`].
    pub fn thread_subscription_changes(
        &self,
        user_id: &UserId,
        after: Position,
        upto: Position,
        limit: usize,
    ) -> Result<Vec<ThreadSubscriptionChange>> {
        let localpart = self.localpart(user_id)?;
        let found = self.store().range(
            &THREAD_SUBSCRIPTION_CHANGES,
            (localpart, after.next()),
            (localpart, upto.next()),
            true,
            limit,
        )?;
        let mut changes = Vec::with_capacity(found.len());
        for ((_, at), (room, root)) in found {
            let key = (localpart, room, root.as_str());
            // One that changes meanwhile is told when that is visible.
            let record = self.store().get(&THREAD_SUBSCRIPTIONS, key)?;
            if let Some(record) = record.filter(|record| record.at == at)
                && let Ok(root) = OwnedEventId::try_from(root)
            {
                changes.push(ThreadSubscriptionChange {
                    at,
                    room,
                    root,
                    automatic: record.automatic,
                });
            }
        }
        Ok(changes)
    }

    /// Removes everything about threads that a user follows.
    pub(crate) fn forget_thread_subscriptions(
        &self,
        localpart: &str,
        batch: &mut Batch,
    ) -> Result<()> {
        let store = self.store();
        for ((_, room, root), record) in
            store.prefix(&THREAD_SUBSCRIPTIONS, (localpart,), usize::MAX)?
        {
            batch.delete(&THREAD_SUBSCRIPTIONS, (localpart, room, root.as_str()));
            batch.delete(&THREAD_SUBSCRIPTION_CHANGES, (localpart, record.at));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use ruma::{event_id, push::RuleKind};

    use super::*;
    use crate::testing::users;

    const ROOM: Position = Position(7);

    #[tokio::test]
    async fn what_the_user_says_goes_before_what_a_client_guesses() {
        let users = users();
        let alice = users.account("alice").await;
        let root = event_id!("$root");
        let now = || users.thread_subscription(&alice, ROOM, root).unwrap();
        let guess = async |cause| {
            users
                .subscribe_to_thread(&alice, ROOM, root, Some(cause))
                .await
        };
        assert_eq!(now(), None);
        let before = users.store().visible();
        guess(before).await.unwrap();
        assert_eq!(now(), Some(true));
        users
            .subscribe_to_thread(&alice, ROOM, root, None)
            .await
            .unwrap();
        assert_eq!(now(), Some(false));
        guess(before).await.unwrap();
        assert_eq!(now(), Some(false), "said is said");
        users
            .unsubscribe_from_thread(&alice, ROOM, root)
            .await
            .unwrap();
        assert_eq!(now(), None);
        assert!(matches!(
            guess(before).await,
            Err(Error::ConflictingUnsubscription)
        ));
        guess(users.store().visible().next()).await.unwrap();
        assert_eq!(now(), Some(true), "something new came");
    }

    #[tokio::test]
    async fn the_stream_has_the_last_change_of_each_thread() {
        let users = users();
        let alice = users.account("alice").await;
        let start = users.store().visible();
        for root in [event_id!("$a"), event_id!("$b"), event_id!("$c")] {
            users
                .subscribe_to_thread(&alice, ROOM, root, None)
                .await
                .unwrap();
        }
        users
            .unsubscribe_from_thread(&alice, ROOM, event_id!("$a"))
            .await
            .unwrap();
        let upto = users.store().visible();
        // To stop what one does not do changes nothing.
        for root in [event_id!("$a"), event_id!("$z")] {
            users
                .unsubscribe_from_thread(&alice, ROOM, root)
                .await
                .unwrap();
        }
        assert_eq!(users.store().visible(), upto);
        let list = |after, upto, limit| {
            let changes = users.thread_subscription_changes(&alice, after, upto, limit);
            let changes = changes.unwrap().into_iter();
            changes
                .map(|change| (change.root.to_string(), change.automatic))
                .collect::<Vec<_>>()
        };
        let told = |root: &str, automatic| (root.to_owned(), automatic);
        let all = [
            told("$a", None),
            told("$c", Some(false)),
            told("$b", Some(false)),
        ];
        assert_eq!(list(start, upto, 10), all);
        assert_eq!(list(start, upto, 2), all[..2]);
        assert_eq!(list(upto, upto, 10), []);
    }

    #[tokio::test]
    async fn rules_for_threads_come_with_the_first_that_is_followed() {
        let users = users();
        let alice = users.account("alice").await;
        let kinds = || users.push_rules(&alice).unwrap().postcontent.len();
        assert_eq!(kinds(), 0);
        let root = event_id!("$root");
        users
            .subscribe_to_thread(&alice, ROOM, root, None)
            .await
            .unwrap();
        assert_eq!(kinds(), 2);
        let muted = ".io.element.msc4306.rule.unsubscribed_thread";
        users
            .set_push_rule_enabled(&alice, &RuleKind::PostContent, muted, false)
            .await
            .unwrap();
        users
            .unsubscribe_from_thread(&alice, ROOM, root)
            .await
            .unwrap();
        let rules = users.push_rules(&alice).unwrap();
        let rule = rules.get(RuleKind::PostContent, muted).unwrap();
        assert!(!rule.enabled());
    }
}
