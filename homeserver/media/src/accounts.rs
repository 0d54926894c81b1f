//! What each user has uploaded.

use std::hash::{BuildHasher, RandomState};

use orvale_storage::{
    Batch, Store,
    trees::media::{USAGE, Usage},
};
use tokio::sync::Mutex;

use crate::{Error, Result};

/// How often a change is tried again when somebody else changed the same. In one process, the locks below keep users from
/// getting in their own way, so this is for races with removals and other processes.
const ATTEMPTS: usize = 16;

/// Changes to what users have, each with the records it is about in one batch.
pub(crate) struct Accounts {
    store: Store,
    locks: Vec<Mutex<()>>,
    hasher: RandomState,
}

impl Accounts {
    pub(crate) fn new(store: Store) -> Self {
        Self {
            store,
            locks: (0..64).map(|_| Mutex::default()).collect(),
            hasher: RandomState::new(),
        }
    }

    /// Commits what `change` puts into the batch, along with the usage as it leaves it. `change` reads what it stands on and
    /// expects it in the batch; it runs again if that has changed meanwhile.
    pub(crate) async fn commit(
        &self,
        user_id: &str,
        mut change: impl FnMut(&mut Usage, &mut Batch) -> Result<()>,
    ) -> Result<()> {
        let slot = self.hasher.hash_one(user_id) as usize % self.locks.len();
        let _turn = self.locks[slot].lock().await;
        let mut attempt = 1;
        loop {
            let before = self.store.get(&USAGE, (user_id,))?;
            let mut usage = before.unwrap_or_default();
            let mut batch = Batch::new();
            change(&mut usage, &mut batch)?;
            if before.unwrap_or_default() != usage {
                batch.expect(&USAGE, (user_id,), before.as_ref());
                batch.put(&USAGE, (user_id,), &usage);
            }
            match self.store.commit(batch).await {
                Ok(_) => return Ok(()),
                Err(orvale_storage::Error::Conflict { .. }) if attempt < ATTEMPTS => attempt += 1,
                Err(error) => return Err(Error::Storage(error)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test]
    async fn no_upload_is_lost_from_the_count_when_many_end_at_once() {
        let store = Store::in_memory();
        let (one, other) = (
            Arc::new(Accounts::new(store.clone())),
            Arc::new(Accounts::new(store.clone())),
        );
        let mut tasks = Vec::new();
        for n in 0..100 {
            let accounts = if n % 10 == 0 {
                other.clone()
            } else {
                one.clone()
            };
            tasks.push(tokio::spawn(async move {
                let add = |usage: &mut Usage, _: &mut Batch| {
                    usage.files += 1;
                    usage.bytes += 10;
                    Ok(())
                };
                accounts.commit("@alice:here", add).await
            }));
        }
        for task in tasks {
            task.await.unwrap().unwrap();
        }
        assert_eq!(
            store.get(&USAGE, ("@alice:here",)).unwrap(),
            Some(Usage {
                files: 100,
                bytes: 1000
            })
        );
    }

    #[tokio::test]
    async fn a_refused_change_writes_nothing() {
        let store = Store::in_memory();
        let refuse = |usage: &mut Usage, _: &mut Batch| {
            usage.files = 7;
            Err(Error::QuotaExceeded)
        };
        assert!(
            Accounts::new(store.clone())
                .commit("@alice:here", refuse)
                .await
                .is_err()
        );
        assert_eq!(store.get(&USAGE, ("@alice:here",)).unwrap(), None);
    }
}
