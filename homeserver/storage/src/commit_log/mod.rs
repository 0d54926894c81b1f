//! The commit log: where a batch becomes durable.
//!
//! Segment files in `log/`, named by number, hold frames ([`frame`]), one per group of batches that were synced together.
//! Groups are numbered without gaps across segments. A segment is written once from start to end; after a restart a new one
//! is begun, so a torn frame can only be the last thing in its segment. When the base holds all of a segment's groups, the
//! file becomes a spare: writing over blocks that exist already makes a sync twice as cheap, because the filesystem has
//! nothing of its own to write down.

pub(crate) mod files;
pub(crate) mod frame;
#[cfg(test)]
pub(crate) mod simulated;
#[cfg(test)]
mod tests;

use std::{collections::VecDeque, io, ops::Range, sync::Arc};

use bytes::Bytes;
use parking_lot::Mutex;

use self::{
    files::{File, Files},
    frame::{Frame, Header, Logged, PAGE},
};
use crate::{Error, Result};

/// Files kept to be used again.
const SPARES: usize = 4;

/// What the committer and the keeper of checkpoints share of the log.
pub(crate) struct CommitLog {
    files: Arc<dyn Files>,
    /// What a segment should hold, in bytes.
    size: u64,
    shelf: Mutex<Shelf>,
    /// The segment to be used next, made ahead. Locked while it is being made.
    next: Mutex<Option<Segment>>,
}

struct Shelf {
    /// Full segments with the last group of each, oldest first.
    sealed: VecDeque<(u64, u64)>,
    /// Names of files to use again.
    spares: Vec<String>,
    next_number: u64,
    /// Groups after the least of these are wanted.
    held: Vec<u64>,
}

struct Segment {
    number: u64,
    file: Box<dyn File>,
}

/// Keeps every group after one, until it is dropped.
pub(crate) struct Held {
    log: Arc<CommitLog>,
    after: u64,
}

impl Held {
    /// Calls `visit` with each group up to `through`, in order.
    pub(crate) fn visit(
        &self,
        through: u64,
        visit: impl FnMut(u64, Vec<Logged>) -> Result<()>,
    ) -> Result<()> {
        self.log.visit(self.after, through, visit)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let held = &mut self.log.shelf.lock().held;
        if let Some(at) = held.iter().position(|after| *after == self.after) {
            held.swap_remove(at);
        }
    }
}

/// The committer's end: appends.
pub(crate) struct Appender {
    log: Arc<CommitLog>,
    active: Option<Active>,
    /// The last group written.
    group: u64,
    buffer: Vec<u8>,
}

struct Active {
    segment: Segment,
    salt: u64,
    offset: u64,
}

fn name(number: u64) -> String {
    format!("{number:016x}.log")
}

fn number(name: &str) -> Option<u64> {
    u64::from_str_radix(name.strip_suffix(".log")?, 16).ok()
}

impl CommitLog {
    /// Opens the log in a directory and calls `replay` with each group after `after`, in order. The last group known is
    /// where the appender goes on.
    ///
    /// # Errors
    /// [`Error::Damaged`] if a group is missing or malformed; a torn one at the end is not, because nobody was told of it.
    pub(crate) fn open(
        files: Arc<dyn Files>,
        size: u64,
        after: u64,
        mut replay: impl FnMut(u64, Vec<Logged>) -> Result<()>,
    ) -> Result<(Arc<Self>, Appender)> {
        let names = files.list()?;
        let mut numbers: Vec<u64> = names.iter().filter_map(|name| number(name)).collect();
        numbers.sort_unstable();
        let mut spares: Vec<String> = names
            .iter()
            .filter(|name| name.ends_with(".spare"))
            .cloned()
            .collect();
        // What is left in a file is of a smaller number than its name: numbers never used before stay above all of them.
        let next_number = names
            .iter()
            .filter_map(|name| number(&name.replace(".spare", ".log")))
            .max()
            .map_or(1, |n| n + 1);
        let mut sealed = VecDeque::new();
        let mut last = after;
        for &number in &numbers {
            let bytes = Bytes::from(files.read(&name(number))?);
            if let Some(header) = Header::read(&bytes).filter(|header| header.number == number) {
                let (group, tail) = read_segment(&bytes, header, after, &mut last, &mut replay)?;
                sealed.push_back((number, group));
                // What was read need not be on the disk yet, or not any more after a failed sync.
                let file = files.open(&name(number))?;
                file.write_at(&bytes[tail.clone()], tail.start as u64)?;
                file.sync()?;
            } else {
                // Made ahead and not begun, or begun by a group that nobody was told of: then no other followed it.
                if (PAGE..bytes.len())
                    .step_by(PAGE)
                    .skip(1)
                    .any(|at| frame::read(&bytes, number, at).is_some())
                {
                    return Err(Error::damaged(path(number), "its header is malformed"));
                }
                spares.push(name(number));
            }
        }
        let shelf = Mutex::new(Shelf {
            sealed,
            spares,
            next_number,
            held: Vec::new(),
        });
        let log = Arc::new(Self {
            files,
            size,
            shelf,
            next: Mutex::default(),
        });
        log.release(after)?;
        log.prepare()?;
        let appender = Appender {
            log: log.clone(),
            active: None,
            group: last,
            buffer: Vec::new(),
        };
        Ok((log, appender))
    }

    /// Makes the next segment, if there is none, so that the committer finds it ready.
    pub(crate) fn prepare(&self) -> io::Result<()> {
        let mut next = self.next.lock();
        if next.is_none() {
            *next = Some(self.make()?);
        }
        Ok(())
    }

    fn make(&self) -> io::Result<Segment> {
        let (number, spare) = {
            let mut shelf = self.shelf.lock();
            shelf.next_number += 1;
            (shelf.next_number - 1, shelf.spares.pop())
        };
        let name = name(number);
        let file = if let Some(spare) = spare {
            self.files.rename(&spare, &name)?;
            self.files.open(&name)?
        } else {
            self.files.create(&name, self.size)?
        };
        self.files.sync_names()?;
        Ok(Segment { number, file })
    }

    fn take_next(&self) -> io::Result<Segment> {
        let mut next = self.next.lock();
        next.take().map_or_else(|| self.make(), Ok)
    }

    /// Lets go of the segments whose groups are all up to `through`, which the base holds.
    pub(crate) fn release(&self, through: u64) -> io::Result<()> {
        let mut shelf = self.shelf.lock();
        let through = shelf.held.iter().copied().fold(through, u64::min);
        while let Some(&(number, last)) = shelf.sealed.front()
            && last <= through
        {
            let old = name(number);
            if shelf.spares.len() < SPARES {
                let spare = format!("{number:016x}.spare");
                self.files.rename(&old, &spare)?;
                shelf.spares.push(spare);
            } else {
                self.files.remove(&old)?;
            }
            shelf.sealed.pop_front();
        }
        Ok(())
    }

    /// Keeps every group after `after`.
    pub(crate) fn hold(self: &Arc<Self>, after: u64) -> Held {
        self.shelf.lock().held.push(after);
        Held {
            log: self.clone(),
            after,
        }
    }

    /// Calls `visit` with each durable group after `after` and up to `through`, in order, while the log is being written.
    fn visit(
        &self,
        after: u64,
        through: u64,
        mut visit: impl FnMut(u64, Vec<Logged>) -> Result<()>,
    ) -> Result<()> {
        let mut numbers: Vec<u64> = self
            .files
            .list()?
            .iter()
            .filter_map(|name| number(name))
            .collect();
        numbers.sort_unstable();
        let mut last = after;
        for number in numbers {
            let bytes = Bytes::from(self.files.read(&name(number))?);
            let Some(header) =
                Header::read(&bytes).filter(|h| h.number == number && h.first <= through)
            else {
                continue;
            };
            let mut at = PAGE;
            while let Some(Frame {
                group,
                batches,
                end,
                ..
            }) = header.frame(&bytes, at)
            {
                if group > through {
                    break;
                }
                if group > after {
                    if group != last + 1 {
                        return Err(missing(number, last + 1));
                    }
                    visit(group, batches)?;
                    last = group;
                }
                at = end;
            }
        }
        if last == through {
            Ok(())
        } else {
            Err(missing(0, last + 1))
        }
    }
}

fn path(number: u64) -> String {
    format!("log/{}", name(number))
}

fn missing(number: u64, group: u64) -> Error {
    Error::damaged(
        path(number),
        format!("group {group} of the commit log is missing"),
    )
}

/// Replays a segment's groups after `after`; `last` is the last group found so far. Returns the last group in it, and where
/// its frame lies.
fn read_segment(
    bytes: &Bytes,
    header: Header,
    after: u64,
    last: &mut u64,
    replay: &mut impl FnMut(u64, Vec<Logged>) -> Result<()>,
) -> Result<(u64, Range<usize>)> {
    let damaged = |reason: String| Error::damaged(path(header.number), reason);
    if header.first > *last + 1 {
        return Err(missing(header.number, *last + 1));
    }
    let mut expected = header.first;
    let mut tail = 0..PAGE;
    while let Some(Frame {
        group,
        batches,
        end,
        ..
    }) = header.frame(bytes, tail.end)
    {
        if group != expected {
            return Err(damaged(format!(
                "group {group} is where {expected} belongs"
            )));
        }
        if group > after {
            replay(group, batches)?;
            *last = group;
        }
        expected += 1;
        tail = tail.end..end;
    }
    // A torn frame is the last one. A whole one after it was written when it had been synced: then it was acknowledged, and
    // is damaged.
    for at in (tail.end..bytes.len()).step_by(PAGE).skip(1) {
        if let Some(frame) = header
            .frame(bytes, at)
            .filter(|frame| frame.group > expected)
        {
            return Err(damaged(format!(
                "group {expected} is malformed, but group {} after it is whole",
                frame.group
            )));
        }
    }
    Ok((expected - 1, tail.start..tail.end.min(bytes.len())))
}

impl Appender {
    /// Writes a group and syncs it. Returns its number, and how many bytes it took.
    ///
    /// After an error nothing is known of the group, and no other may be written.
    pub(crate) fn append<'a>(
        &mut self,
        batches: impl Iterator<Item = (u64, u32, &'a [u8])>,
    ) -> io::Result<(u64, u64)> {
        let group = self.group + 1;
        if self
            .active
            .as_ref()
            .is_some_and(|active| active.offset >= self.log.size)
        {
            self.seal();
        }
        let begun = self.active.is_none();
        let mut active = match self.active.take() {
            Some(active) => active,
            None => Active {
                segment: self.log.take_next()?,
                salt: rand::random(),
                offset: 0,
            },
        };
        self.buffer.clear();
        if begun {
            let header = Header {
                number: active.segment.number,
                salt: active.salt,
                first: group,
            };
            self.buffer.extend_from_slice(&header.to_page());
        }
        frame::append(
            &mut self.buffer,
            (active.segment.number, active.salt),
            group,
            batches,
        );
        active.segment.file.write_at(&self.buffer, active.offset)?;
        active.segment.file.sync()?;
        active.offset += self.buffer.len() as u64;
        self.active = Some(active);
        self.group = group;
        let written = self.buffer.len() as u64;
        // One oversized group must not keep its memory.
        self.buffer.shrink_to(1 << 20);
        Ok((group, written))
    }

    fn seal(&mut self) {
        if let Some(active) = self.active.take() {
            self.log
                .shelf
                .lock()
                .sealed
                .push_back((active.segment.number, self.group));
        }
    }

    /// Whether the next segment should be made ready: half of this one is full.
    pub(crate) fn wants_next(&self) -> bool {
        self.active
            .as_ref()
            .is_some_and(|active| active.offset > self.log.size / 2)
    }
}
