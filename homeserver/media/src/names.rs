//! The names of objects.
//!
//! An object must not outlive a crash unless a record names it. So a name is written down as loose *before* anything is
//! written under it, and taken from there in the batch that makes the record; at start, whatever is under a loose name is
//! removed. Names are set aside many at a time, which makes this cost an upload no extra wait for the disk.

use std::sync::Arc;

use orvale_storage::{Batch, Store, trees::media::LOOSE};
use parking_lot::Mutex;
use rand::RngExt;

use crate::{Objects, Result};

/// How many names are set aside at once.
const LEASE: usize = 64;

/// Names that are written down as loose and free to use.
#[derive(Clone)]
pub(crate) struct Names {
    store: Store,
    free: Arc<Mutex<Vec<u128>>>,
    leasing: Arc<tokio::sync::Mutex<()>>,
}

/// A name in use. Goes back when dropped, unless something may have been written under it.
pub(crate) struct Name {
    object: u128,
    free: Arc<Mutex<Vec<u128>>>,
    used: bool,
}

impl Names {
    /// Removes what is under loose names, which only a process that is gone can have left, and starts afresh.
    pub(crate) async fn open(store: Store, objects: &Objects) -> Result<Self> {
        loop {
            let loose = store.prefix(&LOOSE, (), 1000)?;
            if loose.is_empty() {
                break;
            }
            let mut batch = Batch::new();
            for ((object,), ()) in loose {
                objects.remove(object).await?;
                batch.delete(&LOOSE, (object,));
            }
            store.commit(batch).await?;
        }
        Ok(Self {
            store,
            free: Arc::default(),
            leasing: Arc::default(),
        })
    }

    /// A name to write an object under.
    pub(crate) async fn take(&self) -> Result<Name> {
        loop {
            let (taken, left) = {
                let mut free = self.free.lock();
                (free.pop(), free.len())
            };
            if let Some(object) = taken {
                if left < LEASE / 4
                    && let Ok(leasing) = self.leasing.clone().try_lock_owned()
                {
                    let names = self.clone();
                    tokio::spawn(async move {
                        if let Err(error) = names.lease().await {
                            tracing::warn!(%error, "no names for media could be set aside");
                        }
                        drop(leasing);
                    });
                }
                return Ok(Name {
                    object,
                    free: self.free.clone(),
                    used: false,
                });
            }
            let _leasing = self.leasing.lock().await;
            if self.free.lock().is_empty() {
                self.lease().await?;
            }
        }
    }

    async fn lease(&self) -> Result<()> {
        let fresh: Vec<u128> = (0..LEASE).map(|_| rand::rng().random()).collect();
        let mut batch = Batch::new();
        for &object in &fresh {
            batch.put(&LOOSE, (object,), &());
        }
        self.store.commit(batch).await?;
        self.free.lock().extend(fresh);
        Ok(())
    }
}

impl Name {
    pub(crate) fn object(&self) -> u128 {
        self.object
    }

    /// Something may be under this name from now on: nobody else gets it.
    pub(crate) fn used(&mut self) {
        self.used = true;
    }

    /// Nothing is under this name any more, and nobody was ever told of it.
    pub(crate) fn unused(&mut self) {
        self.used = false;
    }
}

impl Drop for Name {
    fn drop(&mut self) {
        if !self.used {
            self.free.lock().push(self.object);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[tokio::test]
    async fn no_name_is_given_twice_and_all_are_loose() {
        let store = Store::in_memory();
        let names = Names::open(store.clone(), &Objects::in_memory())
            .await
            .unwrap();
        let mut taken = Vec::new();
        for _ in 0..500 {
            taken.push(names.take().await.unwrap());
        }
        let distinct: HashSet<u128> = taken.iter().map(Name::object).collect();
        assert_eq!(distinct.len(), 500);
        assert!(
            distinct
                .iter()
                .all(|&object| store.contains(&LOOSE, (object,)).unwrap())
        );
    }

    #[tokio::test]
    async fn an_unused_name_comes_back_and_a_used_one_does_not() {
        let names = Names::open(Store::in_memory(), &Objects::in_memory())
            .await
            .unwrap();
        let name = names.take().await.unwrap();
        let object = name.object();
        drop(name);
        let mut again = names.take().await.unwrap();
        assert_eq!(again.object(), object);
        again.used();
        drop(again);
        assert_ne!(names.take().await.unwrap().object(), object);
    }

    #[tokio::test]
    async fn what_is_under_loose_names_is_gone_after_a_start() {
        let (store, objects) = (Store::in_memory(), Objects::in_memory());
        let names = Names::open(store.clone(), &objects).await.unwrap();
        let object = names.take().await.unwrap().object();
        objects.put(object, vec!["left over".into()]).await.unwrap();
        Names::open(store.clone(), &objects).await.unwrap();
        assert!(objects.read_whole(object).await.is_err());
        assert!(store.prefix(&LOOSE, (), 1).unwrap().is_empty());
    }
}
