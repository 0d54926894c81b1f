//! The answer as a whole: which rooms there may be news of, and what is written of them.
//!
//! Everything is decided on one picture of the log, up to one position. As long as lists and subscriptions stay what they are, only
//! rooms that changed are looked at, and those that stand in the ranges of lists which do not hold all their rooms.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use bytes::Bytes;
use orvale_rooms::Membership;
use orvale_storage::Position;
use ruma::{OwnedDeviceId, OwnedUserId};

use super::{
    connection::{Added, Connection, Reached, Sent},
    lists::{Sorter, Windows},
    request::{Asked, combine},
    required::Required,
};
use crate::{
    Result,
    delivery::{Inner, blocking},
    follow::{Followed, RecentEvent, Session, Standing},
    sync::{
        device_lists::DeviceLists,
        json::{List, Object},
    },
};

/// Rooms in one answer beyond which it is not made between other tasks' turns.
const MANY_ROOMS: usize = 8;

/// Who asks.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) user_id: OwnedUserId,
    pub(super) device_id: OwnedDeviceId,
}

/// A room of which there may be news.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) room: Position,
    pub(super) standing: Standing,
    /// The lists in whose ranges it stands.
    pub(super) lists: u128,
    pub(super) subscribed: bool,
    /// What was told of it.
    pub(super) sent: Option<Sent>,
    /// How many events are wanted.
    pub(super) limit: u16,
    /// Which state is wanted.
    pub(super) required: Arc<Required>,
    /// Whether it is a direct chat.
    pub(super) direct: bool,
    /// Whether it changed who types there.
    pub(super) typing: bool,
    /// The events since it was told, where they are remembered.
    pub(super) recent: Option<Vec<RecentEvent>>,
}

/// What there may be to tell, all of one moment.
#[derive(Debug)]
pub(super) struct News {
    candidates: Vec<Candidate>,
    /// When global account data changed last.
    pub(super) account_data: Position,
    /// When the threads that the user follows changed last.
    pub(super) threads: Position,
    /// When the device's keys changed last.
    key_counts: Position,
    /// Whether a message may wait for the device.
    to_device: bool,
    /// Whether lists, subscriptions or extensions are others than before.
    is_other: bool,
}

/// What an answer is written with.
pub(super) struct Writer<'a> {
    pub(super) inner: &'a Inner,
    pub(super) asked: &'a Asked,
    pub(super) user_id: OwnedUserId,
    pub(super) device_id: OwnedDeviceId,
    pub(super) connection: &'a mut Connection,
    pub(super) ignored: Arc<BTreeSet<OwnedUserId>>,
    /// Up to where the answer tells.
    pub(super) upto: Position,
    pub(super) news: News,
    pub(super) added: Added,
    pub(super) out: Sections,
}

/// The insides of objects: room → something.
#[derive(Debug, Default)]
pub(super) struct Sections {
    pub(super) rooms: List,
    pub(super) account_data: List,
    pub(super) receipts: List,
    pub(super) typing: List,
}

impl Sections {
    fn lengths(&self) -> [usize; 4] {
        let Self {
            rooms,
            account_data,
            receipts,
            typing,
        } = self;
        [rooms, account_data, receipts, typing].map(|list| list.0.len())
    }

    fn truncate(&mut self, lengths: [usize; 4]) {
        let Self {
            rooms,
            account_data,
            receipts,
            typing,
        } = self;
        for (list, length) in [rooms, account_data, receipts, typing]
            .into_iter()
            .zip(lengths)
        {
            list.0.truncate(length);
        }
    }
}

/// Starts a value of an object of rooms.
pub(super) fn entry<'a>(list: &'a mut List, room_id: &str) -> &'a mut Vec<u8> {
    let out = list.next();
    out.push(b'"');
    out.extend_from_slice(room_id.as_bytes());
    out.extend_from_slice(b"\":");
    out
}

impl Inner {
    /// The answer, if there is anything to tell; or in any case, if `always`.
    pub(super) fn slide(
        &self,
        reader: &Reader,
        asked: &Asked,
        connection: &mut Connection,
        always: bool,
    ) -> Result<Option<Bytes>> {
        let Some((upto, typing, news)) = self.look(reader, asked, connection, always)? else {
            return Ok(None);
        };
        let is_long = news.candidates.len() > MANY_ROOMS;
        let always = always || connection.is_new() || news.is_other;
        let mut writer = Writer {
            inner: self,
            asked,
            user_id: reader.user_id.clone(),
            device_id: reader.device_id.clone(),
            ignored: self.users.ignored_users(&reader.user_id)?,
            upto,
            added: Added::default(),
            out: Sections::default(),
            news,
            connection,
        };
        writer.added.reached = Reached {
            position: upto,
            typing,
            asked: asked.hash,
            covered: 0,
            counts: writer.connection.matches.counts.clone(),
            account_data: asked.account_data.is_some(),
            devices: asked.e2ee,
            threads: asked.threads.is_some(),
        };
        writer.added.reached.covered = covered(asked, writer.connection);
        if is_long {
            blocking(|| writer.answer(always))
        } else {
            writer.answer(always)
        }
    }

    /// What there may be to tell a client; nothing if nothing happened.
    fn look(
        &self,
        reader: &Reader,
        asked: &Asked,
        connection: &mut Connection,
        always: bool,
    ) -> Result<Option<(Position, u64, News)>> {
        let followed = self.follow.read();
        let Some(session) = followed.session(&reader.user_id) else {
            return Ok(None);
        };
        let reached = &connection.reached;
        let is_quiet = session.last <= reached.position && session.typing <= reached.typing;
        if is_quiet && !always && !connection.is_new() && reached.asked == asked.hash {
            return Ok(None);
        }
        let sorter = Sorter {
            inner: self,
            user_id: &reader.user_id,
            asked,
        };
        let (at, typing) = (followed.at, session.typing.max(reached.typing));
        let full = sorter.is_full(&connection.matches, session)?;
        let news = if full {
            // Long to look at: not under the lock that the follower waits for.
            let session = session.clone();
            drop(followed);
            blocking(|| sorter.bring_up(&mut connection.matches, &session, at, true))?;
            self.part(reader, connection, &session)?;
            let mut news = self.places(reader, asked, connection, &session, true)?;
            news.remember(&self.follow.read(), at);
            news
        } else {
            sorter.bring_up(&mut connection.matches, session, at, false)?;
            let mut news = self.places(reader, asked, connection, session, false)?;
            news.remember(&followed, at);
            news
        };
        Ok(Some((at, typing, news)))
    }

    /// Forgets what was told of rooms that the user has forgotten, but for those that they left since: of these they are told.
    fn part(&self, reader: &Reader, connection: &mut Connection, session: &Session) -> Result<()> {
        connection.gone.clear();
        for (number, sent) in connection.but(&session.rooms) {
            let room = self.rooms.get_number(number)?;
            let record = self.rooms.find_membership(&room, &reader.user_id)?;
            match record.filter(|record| record.at() > sent.upto) {
                Some(record) => {
                    let standing = Standing {
                        membership: record.membership,
                        event: record.event,
                        since: record.at(),
                        last: record.at(),
                        events: record.at(),
                        receipts: Position::START,
                        account_data: Position::START,
                    };
                    connection.gone.insert(number, standing);
                }
                None => connection.forget(number),
            }
        }
        Ok(())
    }

    /// The places to look at.
    fn places(
        &self,
        reader: &Reader,
        asked: &Asked,
        connection: &Connection,
        session: &Session,
        full: bool,
    ) -> Result<News> {
        let reached = &connection.reached;
        let since = reached.position;
        let windows = Windows::new(&asked.lists, &connection.matches, session);
        let is_other = reached.asked != asked.hash;
        let scan = full || is_other || windows.covered & !reached.covered != 0;
        let mut subscribed = HashMap::new();
        for (id, config) in &asked.subscriptions {
            if let Some(room) = self.rooms.find(id)? {
                subscribed.insert(room.number, config);
            }
        }
        let typing: HashSet<Position> = if asked.typing.is_some() && session.typing > reached.typing
        {
            let changed = self.rooms.typing().changed_since(reached.typing);
            changed.into_iter().collect()
        } else {
            HashSet::new()
        };
        let mut places: HashSet<Position> = HashSet::new();
        if scan {
            places.extend(session.rooms.keys());
            places.extend(connection.gone.keys());
        } else {
            places.extend(session.changed(since).map(|(room, _)| room));
            places.extend(windows.placed());
            places.extend(subscribed.keys());
            places.extend(&connection.failed);
            places.extend(connection.gone.keys());
            places.extend(&typing);
        }
        let mut configs: HashMap<(u128, Option<Position>), (u16, Arc<Required>)> = HashMap::new();
        let mut candidates = Vec::new();
        for room in places {
            let standing = session.rooms.get(&room);
            let Some(standing) = standing.or_else(|| connection.gone.get(&room)) else {
                continue;
            };
            let lists = windows.lists(&connection.matches, room);
            let subscription = subscribed.get(&room);
            let sent = connection.sent(room);
            let is_out = matches!(standing.membership, Membership::Leave | Membership::Ban);
            let is_wanted = if is_out {
                sent.is_some() || lists != 0
            } else {
                lists != 0 || subscription.is_some()
            };
            if !is_wanted {
                continue;
            }
            let key = (lists, subscription.map(|_| room));
            let (limit, required) = configs.entry(key).or_insert_with(|| {
                let listed = asked.lists.iter().enumerate();
                let listed = listed
                    .filter(|(n, _)| lists >> n & 1 == 1)
                    .map(|(_, list)| &list.config);
                combine(listed.chain(subscription.copied()))
            });
            let candidate = Candidate {
                room,
                standing: *standing,
                lists,
                subscribed: subscription.is_some(),
                sent,
                limit: *limit,
                required: required.clone(),
                direct: connection.matches.direct.contains(&room),
                typing: typing.contains(&room),
                recent: None,
            };
            if self.may_be_new(asked, connection, &candidate)? {
                candidates.push(candidate);
            }
        }
        // The latest first: so that clients which read as they receive have these first.
        candidates.sort_by_key(|candidate| std::cmp::Reverse(candidate.standing.events));
        let to_device = asked.to_device.as_ref().is_some_and(|to_device| {
            let given = to_device.since.unwrap_or_default();
            given < session.made
                || session
                    .to_device(reader.device_id.as_str())
                    .is_some_and(|last| last > given)
        });
        Ok(News {
            candidates,
            account_data: session.account_data,
            threads: session.thread_subscriptions,
            key_counts: session.key_counts,
            to_device,
            is_other,
        })
    }

    /// Whether there may be anything to tell of a room that is wanted.
    fn may_be_new(
        &self,
        asked: &Asked,
        connection: &Connection,
        candidate: &Candidate,
    ) -> Result<bool> {
        let Some(sent) = candidate.sent else {
            return Ok(true);
        };
        let standing = &candidate.standing;
        if connection.failed.contains(&candidate.room) {
            return Ok(true);
        }
        if standing.membership != Membership::Join {
            return Ok(standing.since > sent.upto);
        }
        if standing.last > sent.upto
            || !sent.has(Sent::JOINED)
            || candidate.limit > sent.limit
            || candidate.typing
            || candidate.direct != sent.has(Sent::DIRECT)
        {
            return Ok(true);
        }
        let before = connection.config(sent.config);
        if !before.is_some_and(|before| candidate.required.is_within(before)) {
            return Ok(true);
        }
        let room_id = &self.rooms.get_number(candidate.room)?.id;
        let lacks = |scope: &Option<super::request::Scope>, flag: u8| {
            let takes = |scope: &super::request::Scope| {
                scope.takes(candidate.lists, candidate.subscribed, room_id.as_str())
            };
            !sent.has(flag) && scope.as_ref().is_some_and(takes)
        };
        Ok(
            lacks(&asked.account_data, Sent::ACCOUNT_DATA)
                || lacks(&asked.receipts, Sent::RECEIPTS),
        )
    }
}

/// The lists that hold all their rooms.
fn covered(asked: &Asked, connection: &Connection) -> u128 {
    let counts = &connection.matches.counts;
    let lists = asked.lists.iter().zip(counts).enumerate();
    lists
        .filter(|(_, (list, count))| list.covers(**count))
        .fold(0, |bits, (n, _)| bits | 1 << n)
}

impl News {
    /// Takes over which events are remembered, up to where the answer tells.
    fn remember(&mut self, followed: &Followed, upto: Position) {
        let recent = |room: Position, standing: &Standing, since: Position| {
            let online = followed
                .room(room)
                .filter(|_| standing.membership == Membership::Join)?;
            let mut recent = online.recent.since(since)?;
            recent.retain(|event| event.at <= upto);
            Some(recent)
        };
        for candidate in &mut self.candidates {
            let since = candidate.sent.filter(|sent| sent.has(Sent::JOINED));
            candidate.recent =
                since.and_then(|sent| recent(candidate.room, &candidate.standing, sent.upto));
        }
    }
}

impl Writer<'_> {
    fn answer(mut self, always: bool) -> Result<Option<Bytes>> {
        for candidate in std::mem::take(&mut self.news.candidates) {
            let before = (self.out.lengths(), self.added.members.len());
            match self.room(&candidate) {
                Ok(Some(sent)) => self.added.rooms.push((candidate.room, sent)),
                Ok(None) => {}
                Err(error) => {
                    metrics::counter!("orvale_delivery_lost_rooms").increment(1);
                    tracing::error!(%error, room = candidate.room.0, user_id = %self.user_id, "a room is left out of a sync");
                    self.out.truncate(before.0);
                    self.added.members.truncate(before.1);
                    self.added.failed.insert(candidate.room);
                }
            }
        }
        let mut extensions = Vec::new();
        let has_news = self.extensions(&mut extensions)?;
        let counts = &self.connection.matches.counts;
        let is_empty =
            self.out.rooms.is_empty() && !has_news && *counts == self.connection.reached.counts;
        if is_empty && !always {
            self.connection.add(self.added);
            return Ok(None);
        }
        let mut out = Vec::with_capacity(256 + self.out.rooms.0.len() + extensions.len());
        let mut object = Object::open(&mut out);
        if let Some(txn_id) = &self.asked.txn_id {
            object.value("txn_id", txn_id);
        }
        let counts: HashMap<_, _> = self
            .asked
            .lists
            .iter()
            .zip(counts)
            .collect::<Vec<_>>()
            .into_iter()
            .map(|(list, count)| (&list.name, serde_json::json!({ "count": count })))
            .collect();
        object.value("lists", &counts);
        let rooms = object.key("rooms");
        rooms.push(b'{');
        rooms.extend_from_slice(&self.out.rooms.0);
        rooms.push(b'}');
        object.raw("extensions", &extensions);
        let pos = self.connection.answer(self.added);
        object.value("pos", &pos);
        object.close();
        Ok(Some(out.into()))
    }

    /// Writes what is not about one room, and says whether any of it is new.
    fn extensions(&mut self, out: &mut Vec<u8>) -> Result<bool> {
        let mut object = Object::open(out);
        let mut has_news = false;
        if self.asked.to_device.is_some() {
            has_news |= self.to_device(self.news.to_device, &mut object)?;
        }
        if self.asked.e2ee {
            has_news |= self.e2ee(&mut object)?;
        }
        if self.asked.account_data.is_some() {
            has_news |= self.account_data(&mut object)?;
        }
        has_news |= self.thread_subscriptions(&mut object)?;
        for (key, list) in [
            ("receipts", &self.out.receipts),
            ("typing", &self.out.typing),
        ] {
            if !list.is_empty() {
                has_news = true;
                let out = object.key(key);
                out.extend_from_slice(b"{\"rooms\":{");
                out.extend_from_slice(&list.0);
                out.extend_from_slice(b"}}");
            }
        }
        object.close();
        Ok(has_news)
    }

    /// Whose devices changed and how many keys the device has left.
    fn e2ee(&mut self, object: &mut Object<'_>) -> Result<bool> {
        let since = Some(self.connection.reached.position)
            .filter(|_| self.connection.reached.devices && !self.connection.is_new());
        let lists = match since {
            Some(since) => self.inner.device_lists(&self.user_id, since)?,
            // A client that starts asks for the keys of everybody it meets anyway.
            None => DeviceLists::default(),
        };
        let counts = self
            .inner
            .users
            .key_counts(&self.user_id, &self.device_id)?;
        let is_empty = lists.is_empty();
        object.object("e2ee", |object| {
            if !is_empty {
                object.object("device_lists", |object| {
                    object.value("changed", &lists.changed);
                    object.value("left", &lists.left);
                    Ok::<_, crate::Error>(())
                })?;
            }
            object.value("device_one_time_keys_count", &counts.one_time);
            object.value("device_unused_fallback_key_types", &counts.unused_fallback);
            Ok::<_, crate::Error>(())
        })?;
        Ok(!is_empty || since.is_none_or(|since| self.news.key_counts > since))
    }
}
