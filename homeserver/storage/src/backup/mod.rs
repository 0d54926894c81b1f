//! Backups: a consistent copy of a running store, and a store made from one.
//!
//! A backup is a directory of three files. `entries` is every entry, read while writers go on: each as it was at some moment
//! of the backup. `changes` is every write of the commit log from before the first of these moments to after the last.
//! Written over the entries in their order, they give the state at the end of the backup, exactly: an entry that changed
//! meanwhile is among them. `manifest.json` says what belongs to the other two. It is written last, so a directory without
//! one is no backup. Memory is bounded, whatever the size of the store.
//!
//! Media are not in it: they are files of their own.

mod blocks;

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    time::Instant,
};

use serde::{Deserialize, Serialize};

use self::blocks::{Blocks, Contents};
use crate::{
    Batch, Config, Error, Result, Store, Tuning,
    batch::Writes,
    checkpoint::Checkpoint,
    commit_log::Held,
    disk::{self, RESTORING},
    engine::{Engine, base::Base, memory::Layer},
    lock::Lock,
};

const MANIFEST: &str = "manifest.json";
const ENTRIES: &str = "entries";
const CHANGES: &str = "changes";
/// The form of backups.
const FORM: u32 = 1;
/// What a restore gathers before it writes it down.
const LAYER_BYTES: usize = 32 << 20;

/// What a backup holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The form of the backup.
    form: u32,
    /// The last position in it.
    pub position: u64,
    /// The entries of all trees.
    pub entries: Contents,
    /// What changed while these were read.
    pub changes: Contents,
}

impl Store {
    /// Copies the store, as it is at one moment near the end of the call, to a directory that does not exist yet. Writers
    /// and readers go on meanwhile.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Damaged`] if the directory exists; [`Error::Closed`] for a store in memory or a closed one.
    pub async fn backup(&self, to: &Path) -> Result<Manifest> {
        let disk = self.inner.disk.as_ref().ok_or(Error::Closed)?;
        let held = disk.hold().await?;
        let (started, engine, directory) =
            (Instant::now(), self.inner.engine.clone(), to.to_owned());
        let entries = on_blocking_thread(move || copy_entries(&engine, &directory)).await?;
        // What was read may be of a group that was just being applied. After one more commit it is applied wholly.
        self.commit(Batch::new()).await?;
        let (through, visible, directory) = (
            self.inner.engine.last_applied(),
            self.visible(),
            to.to_owned(),
        );
        let manifest = on_blocking_thread(move || {
            let (changes, position) = copy_changes(&held, through, &directory)?;
            let manifest = Manifest {
                form: FORM,
                position: position.max(visible.0),
                entries,
                changes,
            };
            write_manifest(&manifest, &directory)?;
            Ok(manifest)
        })
        .await?;
        tracing::info!(
            position = manifest.position,
            seconds = started.elapsed().as_secs_f64(),
            "made a backup"
        );
        Ok(manifest)
    }

    /// Makes a store from a backup, in a directory that holds none yet. Blocks until it is done.
    ///
    /// # Errors
    /// [`Error::Damaged`] if the backup is, or if there is a store; [`Error::InUse`], [`Error::Io`].
    pub fn restore(from: &Path, into: &Config) -> Result<Manifest> {
        let started = Instant::now();
        let manifest = read_manifest(from)?;
        if into.path.join("log").exists() || into.path.join("trees").exists() {
            return Err(Error::damaged(
                into.path.display().to_string(),
                "there is a store already",
            ));
        }
        let _lock = Lock::take(&into.path)?;
        // A store with this mark is not opened: it may hold a part only.
        disk::create(&into.path, RESTORING)?;
        let target = Target {
            base: Base::open(
                &into.path.join("trees"),
                into.cache_bytes / 2,
                Tuning::default().flush_writes,
                Checkpoint::START.incarnations,
            )?,
            path: &into.path,
            pinned_bytes: into.cache_bytes / 2,
        };
        target.write(&from.join(ENTRIES), &manifest.entries)?;
        target.write(&from.join(CHANGES), &manifest.changes)?;
        target.note()?;
        target.base.close();
        disk::remove(&into.path, RESTORING)?;
        tracing::info!(
            position = manifest.position,
            seconds = started.elapsed().as_secs_f64(),
            "restored a backup"
        );
        Ok(manifest)
    }
}

async fn on_blocking_thread<T: Send + 'static>(
    run: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(run)
        .await
        .unwrap_or(Err(Error::Closed))
}

fn copy_entries(engine: &Engine, to: &Path) -> Result<Contents> {
    fs::create_dir(to).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            Error::damaged(to.display().to_string(), "exists already")
        }
        _ => error.into(),
    })?;
    let mut entries = Blocks::create(&to.join(ENTRIES))?;
    for (from, to) in Engine::SPACES {
        engine.walk(from, to, |found| {
            found
                .iter()
                .try_for_each(|(key, value)| entries.write(|batch| batch.put_raw(key, Some(value))))
        })?;
    }
    entries.finish()
}

/// Returns the last position among them too.
fn copy_changes(held: &Held, through: u64, to: &Path) -> Result<(Contents, u64)> {
    let mut changes = Blocks::create(&to.join(CHANGES))?;
    let mut position = 0;
    held.visit(through, |_, batches| {
        for batch in batches {
            if batch.count > 0 {
                position = position.max(batch.first + u64::from(batch.count) - 1);
            }
            for write in Writes(batch.writes) {
                let write =
                    write.map_err(|()| Error::damaged("log", "it holds a malformed batch"))?;
                changes.write(|batch| batch.put_raw(&write.key, write.value.as_deref()))?;
            }
        }
        Ok(())
    })?;
    Ok((changes.finish()?, position))
}

fn write_manifest(manifest: &Manifest, to: &Path) -> Result<()> {
    let json = serde_json::to_vec_pretty(manifest).expect("numbers and names");
    let mut file = fs::File::create(to.join(MANIFEST))?;
    file.write_all(&json)?;
    file.sync_all()?;
    disk::sync_names(to)
}

fn read_manifest(from: &Path) -> Result<Manifest> {
    let path = from.join(MANIFEST);
    let damaged = |reason: String| Error::damaged(path.display().to_string(), reason);
    let json = fs::read(&path).map_err(|e| damaged(format!("no whole backup: {e}")))?;
    let manifest: Manifest = serde_json::from_slice(&json).map_err(|e| damaged(e.to_string()))?;
    if manifest.form == FORM {
        Ok(manifest)
    } else {
        Err(damaged(format!(
            "the backup has form {}, this program reads form {FORM}",
            manifest.form
        )))
    }
}

/// A base being filled.
struct Target<'a> {
    base: Base,
    path: &'a PathBuf,
    pinned_bytes: u64,
}

impl Target<'_> {
    fn write(&self, file: &Path, contents: &Contents) -> Result<()> {
        let mut layer = Layer::default();
        blocks::read(file, contents, |writes| {
            for write in Writes(writes) {
                let malformed = |()| Error::damaged(file.display().to_string(), "malformed entry");
                layer.insert(write.map_err(malformed)?);
            }
            if layer.bytes() >= LAYER_BYTES {
                self.save(&std::mem::take(&mut layer))
            } else {
                Ok(())
            }
        })?;
        self.save(&layer)
    }

    fn save(&self, layer: &Layer) -> Result<()> {
        let settle = |incarnations| {
            Checkpoint {
                group: 0,
                incarnations,
            }
            .write(self.path)
        };
        self.base.save(layer, self.pinned_bytes, settle)
    }

    fn note(&self) -> Result<()> {
        Checkpoint {
            group: 0,
            incarnations: self.base.incarnations(),
        }
        .write(self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Entry, Tree};

    const NAMES: Tree<(String,), String> = Tree::new(0xff01, "test_names");

    fn config(path: PathBuf) -> Config {
        Config {
            path,
            cache_bytes: 4 << 20,
            free_bytes: 0,
        }
    }

    fn named(name: &str, value: String) -> Batch {
        let mut batch = Batch::new();
        batch.put(&NAMES, (name,), &value).log(Entry::Profile {
            user_id: name.to_owned(),
        });
        batch
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn a_backup_made_under_load_is_the_store_at_one_moment() {
        let directory = tempfile::tempdir().unwrap();
        let tuning = Tuning {
            segment_bytes: 64 << 10,
            checkpoint_bytes: 16 << 10,
            ..Tuning::default()
        };
        let store = Store::open_with(&config(directory.path().join("store")), &tuning).unwrap();
        // Every batch gives all three names one value, whose number grows.
        let writer = tokio::spawn({
            let store = store.clone();
            async move {
                for n in 0..3000 {
                    let mut batch = named("a", n.to_string());
                    batch.put(&NAMES, ("m",), &n.to_string()).put(
                        &NAMES,
                        (format!("n{n}"),),
                        &n.to_string(),
                    );
                    batch
                        .put(&NAMES, ("z",), &n.to_string())
                        .delete(&NAMES, (format!("n{}", n - 10),));
                    store.commit(batch).await.unwrap();
                }
            }
        });
        for round in 0..3 {
            let to = directory.path().join(format!("backup{round}"));
            let manifest = store.backup(&to).await.unwrap();
            let into = config(directory.path().join(format!("restored{round}")));
            assert_eq!(Store::restore(&to, &into).unwrap(), manifest);
            let restored = Store::open(&into).unwrap();
            assert_eq!(restored.visible().0, manifest.position);
            let value = restored.get(&NAMES, ("a",)).unwrap().unwrap();
            assert_eq!(value, (manifest.position - 1).to_string());
            for name in ["m", "z"] {
                assert_eq!(
                    restored.get(&NAMES, (name,)).unwrap().as_ref(),
                    Some(&value)
                );
            }
            let n: u64 = value.parse().unwrap();
            assert_eq!(
                restored.prefix(&NAMES, (), 9999).unwrap().len() as u64,
                3 + 10.min(n + 1)
            );
            assert_eq!(
                restored.log(crate::Position::START, 9999).unwrap().len() as u64,
                manifest.position
            );
            // It goes on as a store.
            restored
                .commit(named("@new:x", String::new()))
                .await
                .unwrap();
            restored.close().await.unwrap();
        }
        writer.await.unwrap();
    }

    #[tokio::test]
    async fn a_damaged_backup_and_half_a_restore_are_refused() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(&config(directory.path().join("store"))).unwrap();
        store.commit(named("a", "x".repeat(5000))).await.unwrap();
        let to = directory.path().join("backup");
        store.backup(&to).await.unwrap();
        assert!(
            matches!(store.backup(&to).await, Err(Error::Damaged { .. })),
            "it exists"
        );

        let whole = fs::read(to.join(ENTRIES)).unwrap();
        let into = config(directory.path().join("restored"));
        for (name, damage) in [
            ("cut", whole[..whole.len() - 1].to_vec()),
            ("changed", {
                let mut bytes = whole.clone();
                bytes[whole.len() / 2] ^= 1;
                bytes
            }),
        ] {
            fs::write(to.join(ENTRIES), damage).unwrap();
            assert!(
                matches!(Store::restore(&to, &into), Err(Error::Damaged { .. })),
                "{name}"
            );
            assert!(
                matches!(Store::open(&into), Err(Error::Damaged { .. })),
                "{name}: half a store"
            );
            fs::remove_dir_all(&into.path).unwrap();
        }
        fs::write(to.join(ENTRIES), whole).unwrap();
        fs::remove_file(to.join(MANIFEST)).unwrap();
        assert!(matches!(
            Store::restore(&to, &into),
            Err(Error::Damaged { .. })
        ));
    }
}
