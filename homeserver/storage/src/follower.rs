//! Followers: whoever works through the log, from a cursor that is kept.

use tokio::sync::watch;

use crate::{Batch, Entry, Position, Result, Store, trees::system::CURSORS};

/// A reader of the log that remembers, across restarts, what it is done with.
///
/// Nothing is lost: after a restart it is given again whatever it had not called done. What it does must therefore stand
/// being done twice; or its effect is stored in one batch with the cursor ([`Follower::done_in`]), then it happens once.
pub struct Follower {
    store: Store,
    name: String,
    at: Position,
    visible: watch::Receiver<Position>,
}

impl Store {
    /// The follower of a name, which nobody else uses at the same time. A new one begins after `start`.
    ///
    /// # Errors
    /// As [`Store::get`].
    pub fn follower(&self, name: &str, start: Position) -> Result<Follower> {
        let at = self.get(&CURSORS, (name,))?.unwrap_or(start);
        Ok(Follower {
            store: self.clone(),
            name: name.to_owned(),
            at,
            visible: self.watch(),
        })
    }
}

impl Follower {
    /// The last position it was given.
    #[must_use]
    pub fn position(&self) -> Position {
        self.at
    }

    /// The next entries, at most `limit`; waits until there is one.
    ///
    /// # Errors
    /// As [`Store::log`].
    pub async fn next(&mut self, limit: usize) -> Result<Vec<(Position, Entry)>> {
        loop {
            self.visible.borrow_and_update();
            let entries = self.store.log(self.at, limit)?;
            if let Some((last, _)) = entries.last() {
                self.at = *last;
                return Ok(entries);
            }
            // The sender lives in the store that this follower holds.
            let _ = self.visible.changed().await;
        }
    }

    /// Remembers that everything up to `position` is done with.
    ///
    /// # Errors
    /// As [`Store::commit`].
    pub async fn done(&self, position: Position) -> Result<()> {
        let mut batch = Batch::new();
        self.done_in(&mut batch, position);
        self.store.commit(batch).await.map(drop)
    }

    /// The same as a part of a batch.
    pub fn done_in(&self, batch: &mut Batch, position: Position) {
        batch.put(&CURSORS, (&self.name,), &position);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(user_id: &str) -> Batch {
        let mut batch = Batch::new();
        batch.log(Entry::Profile {
            user_id: user_id.to_owned(),
        });
        batch
    }

    #[tokio::test]
    async fn a_follower_is_given_each_entry_and_again_what_it_was_not_done_with() {
        let store = Store::in_memory();
        for user_id in ["@a:x", "@b:x", "@c:x"] {
            store.commit(entry(user_id)).await.unwrap();
        }
        let mut follower = store.follower("test", Position::START).unwrap();
        assert_eq!(follower.next(2).await.unwrap().len(), 2);
        follower.done(Position(1)).await.unwrap();
        assert_eq!(follower.next(2).await.unwrap()[0].0, Position(3));

        let mut follower = store.follower("test", Position::START).unwrap();
        let again: Vec<u64> = follower
            .next(10)
            .await
            .unwrap()
            .iter()
            .map(|(at, _)| at.0)
            .collect();
        assert_eq!(again, [2, 3]);
        assert_eq!(follower.position(), Position(3));
    }

    #[tokio::test]
    async fn a_follower_waits_for_the_next_entry() {
        let store = Store::in_memory();
        let mut follower = store.follower("test", Position::START).unwrap();
        let waiting = tokio::spawn(async move { follower.next(10).await.unwrap() });
        tokio::task::yield_now().await;
        store.commit(entry("@a:x")).await.unwrap();
        assert_eq!(waiting.await.unwrap()[0].0, Position(1));
    }
}
