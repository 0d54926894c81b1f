//! The notifications that a user has not read, room by room.
//!
//! What is unread follows from the room's timeline, the user's receipts and the user's push rules; who writes those writes nothing for
//! it. It is found out when a client first asks, by a walk back to where all is read: over the last [`LOOKS`] events at most, and
//! where the main timeline is read, over [`THREAD_LOOKS`] more for what threads brought before. What is older does not count. It is
//! kept in memory as the list of events that notify; new events are added as they come, receipts and redactions
//! take away. The list is what keeps it exact: a receipt in one thread or in all of them just removes what it covers.
//! After every [`KEEP_AFTER`] events it is written down ([`super::kept`]), so that they are not looked at again after a restart.
//!
//! Who writes in a thread or in the main timeline has read it up to there.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use orvale_rooms::{
    Membership, MembershipRecord, Order, Room, Rooms, StoredEvent, Viewer, membership,
};
use orvale_storage::Position;
use orvale_users::Users;
use parking_lot::Mutex;
use quick_cache::{Weighter, sync::Cache};
use ruma::{
    OwnedEventId, OwnedUserId, UserId,
    events::{StateEventType, TimelineEventType, receipt::ReceiptType},
};

use super::{evaluate::Evaluator, facts::FactsCache, work::Work};
use crate::{Result, follow::RecentEvent};

/// How many events of a room are looked at to find what is unread, and how many unread ones are counted.
const LOOKS: usize = 1000;
/// How many events are looked at behind the one up to which the main timeline is read.
const THREAD_LOOKS: usize = 100;
/// After how many events what is known is written down.
const KEEP_AFTER: usize = 128;

/// How much is unread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Count {
    pub(crate) notifications: u64,
    pub(crate) highlights: u64,
}

impl Count {
    fn add(&mut self, item: &Item) {
        self.notifications += 1;
        self.highlights += u64::from(item.highlight);
    }
}

/// How much is unread in a room.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Counts {
    /// In the main timeline.
    pub(crate) main: Count,
    /// In each thread, by its root.
    pub(crate) threads: BTreeMap<OwnedEventId, Count>,
}

impl Counts {
    /// In all of the room.
    pub(crate) fn total(&self) -> Count {
        self.threads.values().fold(self.main, |sum, count| Count {
            notifications: sum.notifications + count.notifications,
            highlights: sum.highlights + count.highlights,
        })
    }
}

/// What is known of what is unread.
pub(crate) struct UnreadCache {
    entries: Cache<(OwnedUserId, Position), Entry, Bytes>,
    facts: FactsCache,
}

#[derive(Clone, Default)]
struct Entry {
    /// Its size when it was put into the cache, in bytes.
    bytes: u64,
    unread: Arc<Mutex<Unread>>,
}

#[derive(Clone)]
struct Bytes;

impl Weighter<(OwnedUserId, Position), Entry> for Bytes {
    fn weight(&self, _: &(OwnedUserId, Position), entry: &Entry) -> u64 {
        entry.bytes
    }
}

/// What a user has not read in a room.
#[derive(Debug, Default)]
pub(super) struct Unread {
    /// Up to where events were looked at.
    pub(super) upto: Position,
    /// The room's last receipt when the user's were last read.
    pub(super) receipts: Position,
    /// Events that notify and are not read, oldest first.
    pub(super) items: VecDeque<Item>,
    /// The main timeline, then the threads.
    pub(super) threads: Vec<Thread>,
    /// Up to where all is read, whatever the thread.
    pub(super) read: u64,
    /// How many events were looked at since it was written down.
    pub(super) looked_at: usize,
}

#[derive(Debug)]
pub(super) struct Item {
    pub(super) at: Position,
    /// Its place in `threads`.
    pub(super) thread: usize,
    pub(super) highlight: bool,
}

#[derive(Debug, Default)]
pub(super) struct Thread {
    pub(super) root: Option<OwnedEventId>,
    /// Up to where it is read.
    pub(super) read: u64,
}

/// Who asks about which room.
pub(crate) struct Asking<'a> {
    pub(crate) rooms: &'a Rooms,
    pub(crate) users: &'a Users,
    pub(crate) user_id: &'a UserId,
    pub(crate) room: &'a Room,
    /// Up to where events count.
    pub(crate) upto: Position,
    /// The position of the room's last receipt.
    pub(crate) receipts: Position,
    /// How the user stands in the room.
    pub(crate) now: MembershipRecord,
    /// All events after a position, where they are remembered.
    pub(crate) recent: Option<(Position, &'a [RecentEvent])>,
}

impl UnreadCache {
    pub(crate) fn new(bytes: u64) -> Self {
        let rooms = usize::try_from(bytes / 500).unwrap_or(usize::MAX).max(16);
        Self {
            entries: Cache::with_weighter(rooms, bytes, Bytes),
            facts: FactsCache::new(bytes / 4),
        }
    }

    /// The facts about events.
    pub(crate) fn facts(&self) -> &FactsCache {
        &self.facts
    }

    /// What a user has not read in a room.
    ///
    /// # Errors
    /// Storage's.
    pub(crate) fn count(&self, asking: &Asking<'_>) -> Result<Counts> {
        self.ask(asking, Unread::counts)
    }

    /// Whether an event is one that notifies a user and is not read.
    ///
    /// # Errors
    /// Storage's.
    pub(crate) fn has(&self, asking: &Asking<'_>, at: Position) -> Result<bool> {
        self.ask(asking, |unread| {
            unread.items.iter().any(|item| item.at == at)
        })
    }

    fn ask<T>(&self, asking: &Asking<'_>, answer: impl FnOnce(&Unread) -> T) -> Result<T> {
        let key = (asking.user_id.to_owned(), asking.room.number);
        let entry = match self.entries.get(&key) {
            Some(entry) => entry,
            None => Entry {
                bytes: 0,
                unread: Arc::new(Mutex::new(Unread::kept(asking)?)),
            },
        };
        let (answer, bytes) = {
            let mut unread = entry.unread.lock();
            let result = unread.bring_up(asking, &self.facts);
            if result.is_err() {
                // Half a picture is none.
                *unread = Unread::default();
            }
            result?;
            if unread.looked_at >= KEEP_AFTER {
                unread.looked_at = 0;
                unread.keep(asking);
            }
            (answer(&unread), unread.bytes())
        };
        // What an entry weighs is fixed while it is in the cache: one that grew or shrank takes its own place.
        if entry.bytes != bytes {
            let unread = entry.unread;
            self.entries.insert(key, Entry { bytes, unread });
        }
        Ok(answer)
    }
}

impl Unread {
    /// What it takes in memory, in steps.
    fn bytes(&self) -> u64 {
        let bytes = 32 * self.items.len() as u64 + 120 * self.threads.len() as u64;
        512 + bytes.next_multiple_of(1024)
    }

    fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for item in &self.items {
            match self
                .threads
                .get(item.thread)
                .and_then(|thread| thread.root.as_ref())
            {
                None => counts.main.add(item),
                Some(root) => match counts.threads.get_mut(root) {
                    Some(count) => count.add(item),
                    None => counts.threads.entry(root.clone()).or_default().add(item),
                },
            }
        }
        counts
    }

    /// Brings the list up to where it is asked for.
    fn bring_up(&mut self, asking: &Asking<'_>, facts: &FactsCache) -> Result<()> {
        if self.threads.is_empty() {
            self.threads.push(Thread::default());
        }
        if self.receipts < asking.receipts {
            self.take_receipts(asking)?;
        }
        if self.upto < asking.upto {
            let events = self.new_events(asking)?;
            let rules = asking.users.push_rules(asking.user_id)?;
            let mut looker = Looker {
                asking,
                facts,
                evaluator: Evaluator {
                    rooms: asking.rooms,
                    user_id: asking.user_id,
                    rules: &rules,
                },
                work: Work::for_events(),
                viewer: Viewer::new(asking.rooms, asking.user_id, Some(asking.now)),
                ignored: asking.users.ignored_users(asking.user_id)?,
            };
            self.looked_at += events.len();
            for event in events {
                self.look_at(&event, &mut looker)?;
            }
            self.upto = asking.upto;
        }
        self.drop_read();
        Ok(())
    }

    /// The events to look at since the last time, oldest first.
    fn new_events(&self, asking: &Asking<'_>) -> Result<Vec<Arc<StoredEvent>>> {
        if let Some((_, recent)) = asking.recent.filter(|(since, _)| *since <= self.upto) {
            let recent = recent.iter().filter(|event| event.at > self.upto);
            return recent
                .map(|event| Ok(asking.rooms.event(event.at)?))
                .collect();
        }
        let floor = Order::live(self.upto).max(Order(self.read));
        let mut from = Order::live(asking.upto);
        let mut events = Vec::new();
        let (mut page, mut behind) = (16, None);
        'walk: loop {
            let found = asking
                .rooms
                .list_backwards(asking.room, from, floor, page)?;
            let is_last = found.len() < page;
            for (order, event) in found {
                from = order.before();
                // What was fetched later was never news.
                if !event.record.is_live() {
                    continue;
                }
                let is_read = order.0 <= self.threads[0].read
                    || event.pdu.sender == asking.user_id
                        && is_message(&event)
                        && !is_related(&event);
                if is_read && behind.is_none() {
                    behind = Some(events.len());
                }
                events.push(event);
                if events.len() >= LOOKS
                    || behind.is_some_and(|behind| events.len() - behind > THREAD_LOOKS)
                {
                    break 'walk;
                }
            }
            if is_last {
                break;
            }
            page = (page * 4).min(256);
        }
        events.reverse();
        Ok(events)
    }

    /// Takes the user's receipts.
    fn take_receipts(&mut self, asking: &Asking<'_>) -> Result<()> {
        for receipt in asking.rooms.receipts_of(asking.room, asking.user_id)? {
            if !matches!(receipt.kind, ReceiptType::Read | ReceiptType::ReadPrivate) {
                continue;
            }
            let order = receipt.order.0;
            match receipt.thread.as_deref() {
                None => self.read = self.read.max(order),
                Some("main") => self.read_thread(None, order),
                Some(root) => {
                    if let Ok(root) = OwnedEventId::try_from(root) {
                        self.read_thread(Some(&root), order);
                    }
                }
            }
        }
        self.receipts = asking.receipts;
        Ok(())
    }

    fn read_thread(&mut self, root: Option<&OwnedEventId>, order: u64) {
        let thread = self.thread(root);
        let read = &mut self.threads[thread].read;
        *read = order.max(*read);
    }

    fn thread(&mut self, root: Option<&OwnedEventId>) -> usize {
        let Some(root) = root else { return 0 };
        let known = self
            .threads
            .iter()
            .position(|thread| thread.root.as_ref() == Some(root));
        known.unwrap_or_else(|| {
            self.threads.push(Thread {
                root: Some(root.clone()),
                read: 0,
            });
            self.threads.len() - 1
        })
    }

    /// Takes one more event into account.
    fn look_at(&mut self, event: &Arc<StoredEvent>, looker: &mut Looker<'_>) -> Result<()> {
        let asking = looker.asking;
        let pdu = &event.pdu;
        if let Some(redacted) = &pdu.redacts
            && let Some(redacted) = asking.rooms.find_event(redacted)?
        {
            self.items.retain(|item| item.at != redacted.position);
        }
        if pdu.sender == asking.user_id {
            if pdu.kind == TimelineEventType::RoomMember
                && pdu.state_key.as_deref() == Some(asking.user_id.as_str())
            {
                // Who was away has not missed what was before.
                if membership(pdu) != Some(Membership::Join) || !looker.was_joined(event)? {
                    self.items.clear();
                }
            } else if is_message(event) {
                let order = Order::live(event.position).0;
                if is_related(event) {
                    self.read_thread(looker.facts.of(event).thread(asking.rooms)?, order);
                } else {
                    self.read_thread(None, order);
                }
            }
            return Ok(());
        }
        if event.is_redacted() || looker.ignored.contains(&pdu.sender) {
            return Ok(());
        }
        let facts = looker.facts.of(event);
        let evaluator = &looker.evaluator;
        let Some(verdict) = looker
            .work
            .on_one_event(|work| evaluator.evaluate_with(&facts, work))?
            .filter(super::evaluate::Verdict::notifies)
        else {
            return Ok(());
        };
        if !looker.viewer.sees(event)? {
            return Ok(());
        }
        let thread = self.thread(facts.thread(asking.rooms)?);
        self.items.push_back(Item {
            at: event.position,
            thread,
            highlight: verdict.highlights(),
        });
        if self.items.len() > LOOKS {
            self.items.pop_front();
        }
        Ok(())
    }

    /// Drops what is read by now.
    fn drop_read(&mut self) {
        let Self {
            items,
            threads,
            read,
            ..
        } = self;
        items.retain(|item| {
            let order = Order::live(item.at).0;
            order > *read && order > threads.get(item.thread).map_or(0, |thread| thread.read)
        });
        // Threads in which all is read are met again if something comes.
        if items.is_empty() {
            threads.truncate(1);
        }
    }
}

/// Whether an event is something that its sender wrote having read what is before: no state, no reaction, edit or redaction, and not
/// itself redacted.
fn is_message(event: &StoredEvent) -> bool {
    let pdu = &event.pdu;
    let is_edit = || {
        #[derive(serde::Deserialize)]
        struct RelatesTo {
            rel_type: Option<String>,
        }
        let related = pdu
            .content
            .get()
            .contains("m.replace")
            .then(|| pdu.content_field::<RelatesTo>("m.relates_to"));
        related
            .flatten()
            .is_some_and(|related| related.rel_type.as_deref() == Some("m.replace"))
    };
    pdu.state_key.is_none()
        && !event.is_redacted()
        && !matches!(
            pdu.kind,
            TimelineEventType::Reaction | TimelineEventType::RoomRedaction
        )
        && !is_edit()
}

/// Whether an event may relate to another.
fn is_related(event: &StoredEvent) -> bool {
    event.pdu.content.get().contains("m.relates_to")
}

/// What one look at new events needs.
struct Looker<'a> {
    asking: &'a Asking<'a>,
    facts: &'a FactsCache,
    evaluator: Evaluator<'a>,
    work: Work,
    viewer: Viewer<'a>,
    ignored: Arc<std::collections::BTreeSet<OwnedUserId>>,
}

impl Looker<'_> {
    /// Whether the user was in the room before an event.
    fn was_joined(&self, event: &StoredEvent) -> Result<bool> {
        let (rooms, user_id) = (self.asking.rooms, self.asking.user_id);
        let member = rooms.find_state_at(
            event.room_before(),
            &StateEventType::RoomMember,
            user_id.as_str(),
        )?;
        Ok(member.and_then(|member| membership(&member.pdu)) == Some(Membership::Join))
    }
}
