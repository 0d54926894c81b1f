//! Downloads that wait for content.

use std::{collections::HashMap, sync::Arc};

use parking_lot::Mutex;
use tokio::sync::Notify;

type Key = (String, String);

/// Who waits for which media.
#[derive(Default)]
pub(crate) struct Waiters {
    waiting: Mutex<HashMap<Key, Arc<Notify>>>,
}

/// One waiter's place; leaving it when dropped.
pub(crate) struct Place<'a> {
    waiters: &'a Waiters,
    key: Key,
    notify: Arc<Notify>,
}

impl Waiters {
    /// Takes a place. Whatever is announced after this wakes it, if [`Place::notify`]'s future was made before.
    pub(crate) fn join(&self, server_name: &str, media_id: &str) -> Place<'_> {
        let key = (server_name.to_owned(), media_id.to_owned());
        let notify = self.waiting.lock().entry(key.clone()).or_default().clone();
        Place {
            waiters: self,
            key,
            notify,
        }
    }

    /// Wakes all who wait for this media.
    pub(crate) fn announce(&self, server_name: &str, media_id: &str) {
        let mut waiting = self.waiting.lock();
        if waiting.is_empty() {
            return;
        }
        if let Some(notify) = waiting.remove(&(server_name.to_owned(), media_id.to_owned())) {
            notify.notify_waiters();
        }
    }
}

impl Place<'_> {
    pub(crate) fn notify(&self) -> &Notify {
        &self.notify
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut waiting = self.waiters.waiting.lock();
        // Ours and the map's: nobody else is left.
        if Arc::strong_count(&self.notify) == 2
            && let Some(found) = waiting.get(&self.key)
            && Arc::ptr_eq(found, &self.notify)
        {
            waiting.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_stays_behind_when_waiters_leave() {
        let waiters = Waiters::default();
        let (a, b) = (waiters.join("here", "a"), waiters.join("here", "a"));
        drop(a);
        assert_eq!(waiters.waiting.lock().len(), 1);
        drop(b);
        assert!(waiters.waiting.lock().is_empty());
    }

    #[tokio::test]
    async fn an_announcement_wakes_all_who_wait_for_it() {
        let waiters = Waiters::default();
        let (a, b) = (waiters.join("here", "a"), waiters.join("here", "a"));
        let (woken_a, woken_b) = (a.notify().notified(), b.notify().notified());
        waiters.announce("here", "b");
        waiters.announce("here", "a");
        woken_a.await;
        woken_b.await;
    }
}
