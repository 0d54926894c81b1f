//! What each pusher is still to be told, and the task that tells it.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Weak},
    time::Duration,
};

use orvale_storage::{Position, trees::delivery::Owed};
use orvale_users::StoredPusher;
use parking_lot::Mutex;
use ruma::{UserId, push::HttpPusherData};
use tokio::sync::Semaphore;

use super::{PusherKey, gateway::Told, notification};
use crate::{
    Result,
    delivery::{Inner, blocking},
};

/// How many events wait for one pusher; of more, the oldest are not told.
const KEPT: usize = 64;
/// How many requests are made at once.
const AT_ONCE: usize = 64;
/// The longest pause before the next attempt.
const LONGEST_PAUSE: Duration = Duration::from_secs(3600);
/// After how long an event that could not be told is no news any more, in milliseconds.
const STALE: u64 = 24 * 3_600_000;

/// What all pushers are still to be told.
pub(crate) struct Queues {
    queues: Mutex<HashMap<PusherKey, Queue>>,
    requests: Arc<Semaphore>,
}

impl Default for Queues {
    fn default() -> Self {
        Self {
            queues: Mutex::default(),
            requests: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }
}

#[derive(Debug, Default)]
struct Queue {
    events: VecDeque<Position>,
    /// Whether how much is unread may have changed.
    badge: bool,
    /// How much was unread when the gateway was last told.
    told: Option<u64>,
    failures: u32,
    /// Whether a task is at it.
    running: bool,
    /// Whether the store holds something else.
    changed: bool,
}

/// The next thing to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Event(Position),
    Badge { told: Option<u64> },
}

/// What became of it.
enum Done {
    /// It is told, or there is nothing to tell; this is how much the gateway knows to be unread.
    Yes {
        unread: Option<u64>,
    },
    Later,
    /// The pusher is gone.
    Gone,
}

impl Queues {
    /// What is to be told besides what is in the queue.
    fn add(&self, key: &PusherKey, events: &[Position], badge: bool) -> bool {
        let mut queues = self.queues.lock();
        let queue = match queues.get_mut(key) {
            Some(queue) => queue,
            None => queues.entry(key.clone()).or_default(),
        };
        queue.events.extend(events);
        while queue.events.len() > KEPT {
            queue.events.pop_front();
            metrics::counter!("orvale_delivery_push_dropped").increment(1);
        }
        queue.badge |= badge;
        queue.changed = true;
        !std::mem::replace(&mut queue.running, true)
    }

    fn next(&self, key: &PusherKey) -> Option<Next> {
        let mut queues = self.queues.lock();
        let queue = queues.get_mut(key)?;
        if let Some(at) = queue.events.front() {
            return Some(Next::Event(*at));
        }
        if queue.badge {
            return Some(Next::Badge { told: queue.told });
        }
        queue.running = false;
        None
    }

    fn done(&self, key: &PusherKey, next: Next, unread: Option<u64>) {
        let mut queues = self.queues.lock();
        let Some(queue) = queues.get_mut(key) else {
            return;
        };
        match next {
            Next::Event(at) => queue.events.retain(|event| *event != at),
            Next::Badge { .. } => queue.badge = false,
        }
        queue.told = unread.or(queue.told);
        (queue.failures, queue.changed) = (0, true);
    }

    /// Notes a failure; how many there were one after the other.
    fn failed(&self, key: &PusherKey) -> u32 {
        let mut queues = self.queues.lock();
        let Some(queue) = queues.get_mut(key) else {
            return 0;
        };
        queue.failures = queue.failures.saturating_add(1);
        queue.failures
    }

    fn remove(&self, key: &PusherKey) {
        if let Some(queue) = self.queues.lock().get_mut(key) {
            *queue = Queue {
                changed: true,
                ..Queue::default()
            };
        }
    }

    /// What the store is to hold of each pusher whose queue changed since this was last asked; `None` for nothing.
    pub(super) fn take_changes(&self) -> Vec<(PusherKey, Option<Owed>)> {
        let mut waiting = 0;
        let mut queues = self.queues.lock();
        let mut changes = Vec::new();
        for (key, queue) in queues.iter_mut() {
            waiting += queue.events.len();
            if std::mem::take(&mut queue.changed) {
                let owed = Owed {
                    events: queue.events.iter().copied().collect(),
                    badge: queue.badge,
                };
                changes.push((key.clone(), (owed != Owed::default()).then_some(owed)));
            }
        }
        metrics::gauge!("orvale_delivery_push_queue").set(waiting as f64);
        changes
    }

    /// The changes that were taken could not be stored.
    pub(super) fn keep_changes(&self, changes: &[(PusherKey, Option<Owed>)]) {
        let mut queues = self.queues.lock();
        for (key, _) in changes {
            if let Some(queue) = queues.get_mut(key) {
                queue.changed = true;
            }
        }
    }
}

impl Inner {
    /// Has a pusher told of events, or of how much is unread.
    pub(super) fn owe(self: &Arc<Self>, key: &PusherKey, events: &[Position], badge: bool) {
        if self.pushers.queues.add(key, events, badge) {
            tokio::spawn(work(Arc::downgrade(self), key.clone()));
        }
    }

    async fn tell(&self, key: &PusherKey, next: Next) -> Result<Done> {
        let pushers = self.users.pushers(&key.user_id)?;
        let is = |pusher: &&StoredPusher| {
            pusher.pusher.ids.app_id == key.app_id && pusher.pusher.ids.pushkey == key.pushkey
        };
        let Some(pusher) = pushers.iter().find(is) else {
            return Ok(Done::Gone);
        };
        let Some(data) = notification::http(pusher) else {
            return Ok(Done::Gone);
        };
        let (body, unread) = match blocking(|| self.body(key, pusher, data, next))? {
            (None, unread) => return Ok(Done::Yes { unread }),
            (Some(body), unread) => (body, unread),
        };
        let told = {
            let _request = self.pushers.queues.requests.acquire().await;
            self.pushers.gateways.tell(&data.url, body).await
        };
        let outcome = match &told {
            Told::Accepted { .. } => "accepted",
            Told::Refused(_) => "refused",
            Told::Failed(_) => "failed",
        };
        metrics::counter!("orvale_delivery_pushes", "outcome" => outcome).increment(1);
        Ok(match told {
            Told::Accepted { rejected } if rejected.contains(&key.pushkey) => {
                tracing::info!(user_id = %key.user_id, app_id = key.app_id, "the push gateway knows this pusher no more");
                self.users.remove_pusher(&key.user_id, &key.ids()).await?;
                Done::Gone
            }
            Told::Accepted { .. } => Done::Yes { unread },
            Told::Refused(status) => {
                tracing::warn!(user_id = %key.user_id, app_id = key.app_id, status, "a push gateway refuses a notification");
                Done::Yes { unread: None }
            }
            Told::Failed(reason) => {
                tracing::info!(user_id = %key.user_id, app_id = key.app_id, reason, "a push gateway cannot be told");
                Done::Later
            }
        })
    }

    /// What is to be told now, if anything, and how much is unread.
    fn body(
        &self,
        key: &PusherKey,
        pusher: &StoredPusher,
        data: &HttpPusherData,
        next: Next,
    ) -> Result<(Option<String>, Option<u64>)> {
        let user_id: &UserId = &key.user_id;
        match next {
            Next::Badge { told } => {
                let unread = self.badge(user_id)?;
                let is_news = told != Some(unread);
                Ok((
                    is_news.then(|| notification::of_badge(key, pusher, data, unread)),
                    Some(unread),
                ))
            }
            Next::Event(at) => {
                let event = self.rooms.event(at)?;
                let sent = u64::from(event.pdu.origin_server_ts.get());
                if self.users.clock().now().saturating_sub(sent) > STALE {
                    return Ok((None, None));
                }
                let body = self.notification(key, pusher, data, &event)?;
                let unread = if body.is_some() {
                    Some(self.badge(user_id)?)
                } else {
                    None
                };
                Ok((body, unread))
            }
        }
    }
}

/// Tells a pusher what is in its queue, until that is empty.
async fn work(inner: Weak<Inner>, key: PusherKey) {
    loop {
        let Some(inner) = inner.upgrade() else { return };
        let Some(next) = inner.pushers.queues.next(&key) else {
            return;
        };
        let done = match inner.tell(&key, next).await {
            Ok(done) => done,
            Err(error) => {
                tracing::error!(%error, user_id = %key.user_id, "a notification cannot be made");
                Done::Yes { unread: None }
            }
        };
        match done {
            Done::Yes { unread } => inner.pushers.queues.done(&key, next, unread),
            Done::Gone => {
                inner.pushers.queues.remove(&key);
                return;
            }
            Done::Later => {
                let failures = inner.pushers.queues.failed(&key);
                let first = Duration::from_millis(inner.config.push.retry_milliseconds.max(1));
                drop(inner);
                tokio::time::sleep(pause(first, failures)).await;
            }
        }
    }
}

/// How long to wait after so many failures: twice as long each time, and not all at the same moment.
fn pause(first: Duration, failures: u32) -> Duration {
    let pause = first
        .saturating_mul(1 << failures.saturating_sub(1).min(20))
        .min(LONGEST_PAUSE);
    pause.mul_f64(rand::random_range(0.75..1.25))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> PusherKey {
        PusherKey {
            user_id: "@alice:orvale.test".try_into().unwrap(),
            app_id: "app".to_owned(),
            pushkey: "key".to_owned(),
        }
    }

    #[test]
    fn a_queue_is_bounded_and_says_what_the_store_is_to_hold() {
        let queues = Queues::default();
        let events: Vec<_> = (1..=KEPT as u64 + 3).map(Position).collect();
        assert!(queues.add(&key(), &events, false));
        assert!(!queues.add(&key(), &[], true), "one task is enough");
        let changes = queues.take_changes();
        let owed = changes[0].1.clone().unwrap();
        assert_eq!(
            (owed.events.len(), owed.events[0], owed.badge),
            (KEPT, Position(4), true)
        );
        assert!(queues.take_changes().is_empty());
        queues.keep_changes(&changes);
        assert_eq!(queues.take_changes(), changes);
        while let Some(next) = queues.next(&key()) {
            queues.done(&key(), next, None);
        }
        assert_eq!(queues.take_changes(), [(key(), None)]);
        assert!(
            queues.add(&key(), &[Position(99)], false),
            "the task has ended"
        );
    }

    #[test]
    fn pauses_grow_up_to_an_hour() {
        let first = Duration::from_secs(5);
        assert!(pause(first, 1) < Duration::from_secs(7));
        assert!(pause(first, 4) > Duration::from_secs(29));
        assert!(pause(first, 1000) <= LONGEST_PAUSE.mul_f64(1.25));
    }
}
