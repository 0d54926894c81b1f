//! Who wanted to have everything erased when their account was deactivated: few, and asked for every event that is read, so they are kept in memory.

use std::{
    collections::HashSet,
    sync::atomic::{AtomicBool, Ordering},
};

use orvale_storage::{
    Store,
    trees::users::{ACCOUNTS, Erase},
};
use parking_lot::RwLock;

use crate::{Error, Result};

/// The localparts of those who are erased.
#[derive(Default)]
pub(crate) struct Erased {
    /// Where there are none, nobody waits to find that out.
    is_any: AtomicBool,
    localparts: RwLock<HashSet<Box<str>>>,
}

impl Erased {
    /// Those of a store.
    pub(crate) fn open(store: &Store) -> Result<Self> {
        let erased = Self::default();
        store.for_each(&ACCOUNTS, (), |(localpart,), account| {
            if account.deactivated == Some(Erase::Yes) {
                erased.add(&localpart);
            }
            Ok::<_, Error>(())
        })?;
        Ok(erased)
    }

    pub(crate) fn add(&self, localpart: &str) {
        self.localparts.write().insert(localpart.into());
        self.is_any.store(true, Ordering::Release);
    }

    pub(crate) fn has(&self, localpart: &str) -> bool {
        self.is_any.load(Ordering::Acquire) && self.localparts.read().contains(localpart)
    }
}
