//! What is unread, written down now and then.

use orvale_storage::{
    Batch,
    trees::delivery::{UNREAD, UnreadRecord},
};
use ruma::OwnedEventId;

use super::unread::{Asking, Item, Thread, Unread};
use crate::Result;

impl Unread {
    /// What was known when it was last written down; nothing, if it never was.
    pub(super) fn kept(asking: &Asking<'_>) -> Result<Self> {
        let record = asking.rooms.store().get(&UNREAD, key(asking))?;
        Ok(record.map(Self::from).unwrap_or_default())
    }

    /// Writes down what is known, without waiting for it: what gets lost is found out again.
    pub(super) fn keep(&self, asking: &Asking<'_>) {
        let mut batch = Batch::new();
        batch.put(&UNREAD, key(asking), &self.record());
        let store = asking.rooms.store().clone();
        tokio::spawn(async move {
            if let Err(error) = store.commit(batch).await {
                tracing::warn!(%error, "what is unread cannot be written down");
            }
        });
    }

    fn record(&self) -> UnreadRecord {
        let threads = self.threads.iter();
        let items = self.items.iter();
        UnreadRecord {
            upto: self.upto,
            receipts: self.receipts,
            read: self.read,
            threads: threads
                .map(|thread| (thread.root.as_ref().map(ToString::to_string), thread.read))
                .collect(),
            items: items
                .map(|item| {
                    let thread = u32::try_from(item.thread).unwrap_or_default();
                    (item.at, thread, item.highlight)
                })
                .collect(),
        }
    }
}

impl From<UnreadRecord> for Unread {
    fn from(record: UnreadRecord) -> Self {
        let threads = record.threads.into_iter().map(|(root, read)| Thread {
            root: root.and_then(|root| OwnedEventId::try_from(root).ok()),
            read,
        });
        let items = record.items.into_iter();
        Self {
            upto: record.upto,
            receipts: record.receipts,
            read: record.read,
            threads: threads.collect(),
            items: items
                .map(|(at, thread, highlight)| Item {
                    at,
                    thread: thread as usize,
                    highlight,
                })
                .collect(),
            ..Self::default()
        }
    }
}

fn key<'a>(asking: &Asking<'a>) -> (&'a str, orvale_storage::Position) {
    (asking.user_id.localpart(), asking.room.number)
}
