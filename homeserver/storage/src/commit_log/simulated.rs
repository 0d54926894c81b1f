//! A disk that loses what was not synced, for tests of the commit log.
//!
//! After a power cut a file holds what was synced, and any of the sectors written since; a name change that was not synced
//! is there if every one before it is, as journaling filesystems have it.

use std::{collections::BTreeMap, io, sync::Arc};

use parking_lot::Mutex;
use rand::{RngExt, rngs::SmallRng};

use super::files::{File, Files};

const SECTOR: usize = 512;

#[derive(Clone, Default)]
pub(crate) struct SimulatedDisk(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    contents: Vec<Contents>,
    names: BTreeMap<String, usize>,
    synced_names: BTreeMap<String, usize>,
    /// Since the last sync of names.
    changes: Vec<Change>,
    /// How many more syncs succeed; in the next one the power is cut.
    syncs_left: Option<u32>,
    dead: bool,
}

#[derive(Clone, Default)]
struct Contents {
    now: Vec<u8>,
    synced: Vec<u8>,
    /// Written since the last sync.
    unsynced: Vec<(usize, Vec<u8>)>,
}

enum Change {
    Set(String, usize),
    Rename(String, String),
    Remove(String),
}

impl State {
    fn check(&self) -> io::Result<()> {
        if self.dead {
            return Err(io::Error::other("the power is cut"));
        }
        Ok(())
    }

    fn count_sync(&mut self) -> io::Result<()> {
        if let Some(left) = &mut self.syncs_left {
            self.dead |= *left == 0;
            *left = left.saturating_sub(1);
        }
        self.check()
    }
}

fn apply(names: &mut BTreeMap<String, usize>, change: &Change) {
    match change {
        Change::Set(name, inode) => {
            names.insert(name.clone(), *inode);
        }
        Change::Rename(from, to) => {
            let inode = names.remove(from).expect("renamed files exist");
            names.insert(to.clone(), inode);
        }
        Change::Remove(name) => {
            names.remove(name);
        }
    }
}

impl SimulatedDisk {
    /// What a disk holds after the power was cut now.
    pub(crate) fn after_power_cut(&self, random: &mut SmallRng) -> Self {
        let state = self.0.lock();
        let mut names = state.synced_names.clone();
        for change in &state.changes[..random.random_range(0..=state.changes.len())] {
            apply(&mut names, change);
        }
        let torn = |contents: &Contents, random: &mut SmallRng| {
            let mut bytes = contents.synced.clone();
            for (offset, written) in &contents.unsynced {
                for (n, sector) in written.chunks(SECTOR).enumerate() {
                    if random.random_bool(0.7) {
                        write(&mut bytes, offset + n * SECTOR, sector);
                    }
                }
            }
            Contents {
                now: bytes.clone(),
                synced: bytes,
                unsynced: Vec::new(),
            }
        };
        let contents = state
            .contents
            .iter()
            .map(|contents| torn(contents, random))
            .collect();
        let state = State {
            contents,
            synced_names: names.clone(),
            names,
            ..State::default()
        };
        Self(Arc::new(Mutex::new(state)))
    }

    /// The power is cut in the middle of a sync, after some more that succeed.
    pub(crate) fn cut_in_sync(&self, after: u32) {
        self.0.lock().syncs_left = Some(after);
    }

    /// Changes a byte of a file, as bad hardware does.
    pub(crate) fn damage(&self, name: &str, at: usize) {
        let mut state = self.0.lock();
        let inode = state.names[name];
        state.contents[inode].now[at] ^= 1;
        state.contents[inode].synced[at] ^= 1;
    }

    fn change(&self, change: Change) -> io::Result<()> {
        let mut state = self.0.lock();
        let state = &mut *state;
        state.check()?;
        apply(&mut state.names, &change);
        state.changes.push(change);
        Ok(())
    }
}

fn write(bytes: &mut Vec<u8>, offset: usize, written: &[u8]) {
    if bytes.len() < offset + written.len() {
        bytes.resize(offset + written.len(), 0);
    }
    bytes[offset..offset + written.len()].copy_from_slice(written);
}

fn missing() -> io::Error {
    io::ErrorKind::NotFound.into()
}

impl Files for SimulatedDisk {
    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.0.lock().names.keys().cloned().collect())
    }

    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        let state = self.0.lock();
        Ok(state.contents[*state.names.get(name).ok_or_else(missing)?]
            .now
            .clone())
    }

    fn create(&self, name: &str, size: u64) -> io::Result<Box<dyn File>> {
        let inode = {
            let mut state = self.0.lock();
            let zeros = vec![0; usize::try_from(size).expect("small")];
            state.contents.push(Contents {
                now: zeros.clone(),
                synced: zeros,
                unsynced: Vec::new(),
            });
            state.contents.len() - 1
        };
        self.change(Change::Set(name.to_owned(), inode))?;
        self.open(name)
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn File>> {
        let inode = *self.0.lock().names.get(name).ok_or_else(missing)?;
        Ok(Box::new(Handle {
            disk: self.clone(),
            inode,
        }))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.change(Change::Rename(from.to_owned(), to.to_owned()))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.change(Change::Remove(name.to_owned()))
    }

    fn sync_names(&self) -> io::Result<()> {
        let mut state = self.0.lock();
        state.count_sync()?;
        state.synced_names = state.names.clone();
        state.changes.clear();
        Ok(())
    }
}

struct Handle {
    disk: SimulatedDisk,
    inode: usize,
}

impl File for Handle {
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mut state = self.disk.0.lock();
        state.check()?;
        let offset = usize::try_from(offset).expect("small");
        let contents = &mut state.contents[self.inode];
        write(&mut contents.now, offset, bytes);
        contents.unsynced.push((offset, bytes.to_owned()));
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.disk.0.lock();
        state.count_sync()?;
        let contents = &mut state.contents[self.inode];
        contents.synced.clone_from(&contents.now);
        contents.unsynced.clear();
        Ok(())
    }
}
