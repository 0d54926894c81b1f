//! Threads: how many answers, which is the last one, who takes part; and the threads of a room.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use orvale_storage::{
    Position,
    trees::rooms::{RELATIONS, THREADS},
};
use quick_cache::sync::Cache;
use ruma::{EventId, OwnedEventId, RoomId, UserId};

use crate::{Rooms, Shown, Viewer, error::Result, event::StoredEvent, timeline::Order};

pub(crate) const THREAD: &str = "m.thread";

/// How many answers are looked through for a reader who may not see, or ignores, some of them.
const MAX_LOOKS: usize = 1000;

/// What is remembered of relations.
pub(crate) struct Relations {
    /// The newest event that relates to another: nothing relates to what is newer.
    newest: AtomicU64,
    /// The newest redaction of one.
    newest_lost: AtomicU64,
    threads: Cache<OwnedEventId, Arc<Thread>>,
}

/// A thread, as far as it had come at a position.
#[derive(Debug, Clone, Default)]
struct Thread {
    as_of: Position,
    latest: Position,
    /// How many answers each sender wrote.
    senders: HashMap<String, u64>,
}

impl Relations {
    /// Of what came before, everything may relate to anything.
    pub(crate) fn new(visible: Position) -> Self {
        Self {
            newest: visible.0.into(),
            newest_lost: visible.0.into(),
            threads: Cache::new(5_000),
        }
    }

    /// Whether anything may relate to the event at a position.
    pub(crate) fn may_have(&self, at: Position) -> bool {
        at.0 < self.newest.load(Ordering::Relaxed)
    }

    /// Notes an event that relates to another, before it is visible.
    pub(crate) fn gained(&self, at: Position) {
        self.newest.fetch_max(at.0, Ordering::Relaxed);
    }

    /// Notes the redaction of an event that may have related to another, before it is visible.
    pub(crate) fn lost(&self, at: Position) {
        self.newest_lost.fetch_max(at.0, Ordering::Relaxed);
    }
}

impl Rooms {
    /// A room's threads, the one with the latest answer first: their first events. `from` is a place among the latest
    /// answers.
    ///
    /// # Errors
    /// [`crate::Error::NotJoined`] if the room is not the user's to see.
    pub fn list_threads<'a>(
        &'a self,
        user: &'a UserId,
        device: &'a str,
        room: &RoomId,
        from: Option<Order>,
        limit: usize,
        participated: bool,
    ) -> Result<(Vec<Shown<'a>>, Option<Order>)> {
        let reading = self.read(user, room)?;
        let mut viewer = Viewer::new(self, user, reading.now).on(device);
        let roots = self
            .store()
            .prefix(&THREADS, (reading.room.number,), usize::MAX)?;
        let mut threads = Vec::with_capacity(roots.len());
        for ((_, root), ()) in roots {
            let Ok(root) = OwnedEventId::try_from(root) else {
                continue;
            };
            let latest = self.thread_so_far(reading.room.number, &root)?.latest;
            let is_wanted = from.is_none_or(|from| Order::live(latest) <= from);
            if latest > Position::START && is_wanted {
                threads.push((latest, root));
            }
        }
        threads.sort_unstable_by(|a, b| b.cmp(a));
        let (mut page, mut last) = (Vec::new(), None);
        for (latest, root) in threads {
            let Some(event) = self.find_event(&root)? else {
                continue;
            };
            let is_there = event.room == reading.room.number && event.is_shown();
            if !is_there || viewer.ignores(&event.pdu.sender)? || !viewer.sees(&event)? {
                continue;
            }
            if participated && !self.participated(user, &event)? {
                continue;
            }
            if page.len() == limit {
                return Ok((page, last.map(|last| Order::live(last).before())));
            }
            last = Some(latest);
            page.push(Shown {
                reader: viewer.reader(&event)?,
                event,
            });
        }
        Ok((page, None))
    }

    fn participated(&self, user: &UserId, root: &StoredEvent) -> Result<bool> {
        let thread = self.thread_so_far(root.room, root.event_id())?;
        Ok(root.pdu.sender == user || thread.senders.contains_key(user.as_str()))
    }

    /// The thread of an event, read on from where it was known. Without answers, `latest` is the start.
    fn thread_so_far(&self, room: Position, root: &EventId) -> Result<Arc<Thread>> {
        let relations = &self.inner.relations;
        let lost = Position(relations.newest_lost.load(Ordering::Relaxed));
        let as_of = self.store().visible();
        let known = relations.threads.get(root);
        // A lost answer was counted by what is as old as its redaction, or older.
        let known = known.filter(|known| known.as_of >= lost);
        let mut thread = match known {
            Some(known) if known.as_of >= Position(relations.newest.load(Ordering::Relaxed)) => {
                return Ok(known);
            }
            Some(known) => (*known).clone(),
            None => Thread::default(),
        };
        let answers = self.store().range(
            &RELATIONS,
            (root, THREAD, thread.as_of.next()),
            (root, THREAD, as_of.next()),
            false,
            usize::MAX,
        )?;
        for ((_, _, at), record) in answers {
            if record.room == room {
                *thread.senders.entry(record.sender).or_default() += 1;
                thread.latest = at;
            }
        }
        thread.as_of = as_of;
        let thread = Arc::new(thread);
        relations.threads.insert(root.to_owned(), thread.clone());
        Ok(thread)
    }
}

impl Viewer<'_> {
    /// What is bundled of the thread that starts with an event.
    pub(crate) fn thread(&mut self, root: &StoredEvent) -> Result<Option<String>> {
        let rooms = self.rooms();
        let thread = rooms.thread_so_far(root.room, root.event_id())?;
        if thread.latest == Position::START {
            return Ok(None);
        }
        let mut ignores = false;
        for sender in thread.senders.keys() {
            ignores |=
                self.ignores(<&UserId>::try_from(sender.as_str()).unwrap_or(&root.pdu.sender))?;
        }
        let mut latest = Some(rooms.event(thread.latest)?);
        let mut count: u64 = thread.senders.values().sum();
        if let Some(event) = &latest
            && (ignores || !self.sees(event)?)
        {
            (latest, count) = self.thread_as_seen(root)?;
        }
        let Some(latest) = latest else {
            return Ok(None);
        };
        let participated = rooms.participated(self.user(), root)?;
        let latest = self.with_bundle(&latest)?;
        Ok(Some(format!(
            "{{\"count\":{count},\"current_user_participated\":{participated},\"latest_event\":{latest}}}"
        )))
    }

    /// The last answer that the reader may see and wants to, and how many of these there are.
    fn thread_as_seen(&mut self, root: &StoredEvent) -> Result<(Option<Arc<StoredEvent>>, u64)> {
        let answers = self.rooms().store().range(
            &RELATIONS,
            (root.event_id(), THREAD, root.position),
            (root.event_id(), THREAD, Position(u64::MAX)),
            true,
            MAX_LOOKS,
        )?;
        let (mut latest, mut count) = (None, 0);
        for ((_, _, at), record) in answers {
            if record.room != root.room {
                continue;
            }
            let answer = self.rooms().event(at)?;
            if !self.ignores(&answer.pdu.sender)? && self.sees(&answer)? {
                count += 1;
                latest.get_or_insert(answer);
            }
        }
        Ok((latest, count))
    }
}
