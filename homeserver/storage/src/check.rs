//! Verifying a store: what storage can tell of it by itself.
//!
//! Every entry belongs to a declared tree, and its key and value are what the declaration says; the log's positions are not
//! beyond the visible one; the commit log is whole from the last checkpoint on. What the trees say about each other is for
//! their owners to verify, with [`Store::for_each`].

use std::collections::{BTreeMap, HashMap};

use crate::{
    Error, Position, Result, Store,
    engine::Engine,
    key::Key,
    record::Record,
    tree::{Described, Tree},
    trees,
    trees::system::LOG,
};

/// How many findings are told one by one.
const TOLD: usize = 100;

/// What a check found.
#[derive(Debug, Default)]
pub struct Report {
    /// How many entries each tree has.
    pub entries: BTreeMap<&'static str, u64>,
    /// What is wrong, the first hundred.
    pub findings: Vec<String>,
    /// How much is wrong.
    pub wrong: u64,
}

impl Report {
    /// Notes something wrong.
    pub fn add(&mut self, finding: impl FnOnce() -> String) {
        self.wrong += 1;
        if self.findings.len() < TOLD {
            self.findings.push(finding());
        }
    }
}

impl Store {
    /// Reads everything and says what is wrong. The store may be in use meanwhile; it takes as long as reading all of it.
    ///
    /// # Errors
    /// [`Error::Io`] if the disk refuses, [`Error::Damaged`] if the commit log is.
    pub async fn check(&self) -> Result<Report> {
        if let Some(disk) = &self.inner.disk {
            let held = disk.hold().await?;
            let through = self.inner.engine.last_applied();
            let visited =
                tokio::task::spawn_blocking(move || held.visit(through, |_, _| Ok(()))).await;
            visited.unwrap_or(Err(Error::Closed))?;
        }
        let store = self.clone();
        let read = tokio::task::spawn_blocking(move || store.check_entries()).await;
        read.unwrap_or(Err(Error::Closed))
    }

    fn check_entries(&self) -> Result<Report> {
        let trees: HashMap<u16, &dyn Described> =
            trees::all().map(|tree| (tree.number(), tree)).collect();
        let mut report = Report::default();
        let visible = self.visible();
        for (from, to) in Engine::SPACES {
            self.inner.engine.walk(from, to, |found| {
                for (key, value) in found {
                    let number = key
                        .first_chunk()
                        .map_or(0, |number| u16::from_be_bytes(*number));
                    let Some(tree) = trees.get(&number) else {
                        report.add(|| {
                            format!("an entry of tree {number:#06x}, which is not declared")
                        });
                        continue;
                    };
                    *report.entries.entry(tree.name()).or_default() += 1;
                    if let Err(reason) = tree.verify(&key[2..], value) {
                        report.add(|| {
                            format!("{}: {reason}: {}", tree.name(), key[2..].escape_ascii())
                        });
                    }
                }
                Ok::<(), Error>(())
            })?;
        }
        // Committed while this ran: visible by now, or not yet.
        let last = self.range(&LOG, (Position::START,), (Position::END,), true, 1)?;
        if last.is_empty() && visible > Position::START {
            report.add(|| format!("the log is empty, but position {visible} is visible"));
        }
        Ok(report)
    }
}

impl<K: Key, V: Record> Described for Tree<K, V> {
    fn number(&self) -> u16 {
        self.number
    }

    fn name(&self) -> &'static str {
        self.name
    }

    fn verify(&self, key: &[u8], value: &[u8]) -> Result<(), String> {
        K::decode(key).ok_or_else(|| "malformed key".to_owned())?;
        V::from_bytes(value)
            .map(drop)
            .map_err(|reason| format!("malformed value ({reason})"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Batch,
        trees::system::{CURSORS, META},
    };

    #[tokio::test]
    async fn a_sound_store_has_nothing_wrong_with_it_and_its_entries_are_counted() {
        let directory = tempfile::tempdir().unwrap();
        let config = crate::Config {
            path: directory.path().to_owned(),
            cache_bytes: 1 << 20,
            free_bytes: 0,
        };
        let store = Store::open(&config).unwrap();
        let mut batch = Batch::new();
        batch
            .put(&META, ("a",), &"b".to_owned())
            .log(crate::Entry::PushRules {
                user_id: "@a:x".to_owned(),
            });
        store.commit(batch).await.unwrap();
        let report = store.check().await.unwrap();
        assert_eq!((report.wrong, &report.findings[..]), (0, &[][..]));
        // The form of the store is there too.
        assert_eq!(report.entries, BTreeMap::from([("log", 1), ("meta", 2)]));
    }

    #[tokio::test]
    async fn malformed_entries_and_unknown_trees_are_found() {
        let store = Store::in_memory();
        let mut batch = Batch::new();
        batch.put_raw(&META.key(&("a",)), Some(b"\x01\xffmalformed"));
        batch.put_raw(
            &[CURSORS.prefix(&()), b"no end".to_vec()].concat(),
            Some(b"\x01\x01"),
        );
        batch.put_raw(b"\x7f\x7fstray", Some(b""));
        store.commit(batch).await.unwrap();
        let report = store.check().await.unwrap();
        assert_eq!(report.wrong, 3);
        assert!(
            report.findings[0].starts_with("cursors: malformed key"),
            "{:?}",
            report.findings
        );
        assert!(
            report.findings[1].starts_with("meta: malformed value"),
            "{:?}",
            report.findings
        );
        assert!(
            report.findings[2].contains("0x7f7f"),
            "{:?}",
            report.findings
        );
    }
}
