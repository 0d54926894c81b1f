//! The one way in: every event that becomes part of a room goes through here, under the room's lock.
//!
//! First the events are made, each from the state that the one before it left: which events authorise it, what follows it
//! in the graph, its hashes and signature; and the auth rules of the room's version are asked. Then one batch takes all of
//! them with their indexes, the new state and the room's new head. The lock is let go as soon as the batch is on its
//! way: the next event of the room is made while the disk still works on this one, and shares its sync.

use std::{collections::HashMap, sync::Arc};

use orvale_events::{Pdu, Template};
use orvale_storage::{
    Batch, Entry, EventRecord, Pending, Permit, Position, Standing, Transaction,
    trees::rooms::{
        CURRENT_STATE, EVENT_NUMBERS, HEADS, MEMBERSHIPS, Membership, MembershipRecord, RELATIONS,
        ROOM_NUMBERS, ROOMS, RelationRecord, RoomRecord, StateRecord, THREADS, TIMELINE,
        TRANSACTIONS,
    },
};
use ruma::{
    EventId, MilliSecondsSinceUnixEpoch, OwnedEventId, OwnedUserId, RoomVersionId, UserId,
    events::{StateEventType, TimelineEventType},
    room_version_rules::RoomIdFormatVersion,
};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    Rooms,
    error::{Error, Result},
    event::StoredEvent,
    redaction,
    room::{Head, Room},
    state::hash,
    threads::THREAD,
    timeline::Order,
};

/// An event that a local user wants to be part of a room.
#[derive(Debug, Clone)]
pub struct Draft {
    /// Who sends it.
    pub sender: OwnedUserId,
    /// Its type.
    pub kind: TimelineEventType,
    /// Its state key, if it is a state event.
    pub state_key: Option<String>,
    /// Its content, as the sender wrote it.
    pub content: Box<RawValue>,
    /// The event it redacts, if it is a redaction.
    pub redacts: Option<OwnedEventId>,
    /// When it was sent, if that is not now.
    pub timestamp: Option<MilliSecondsSinceUnixEpoch>,
    /// What makes the same request again find this event.
    pub request: Option<Request>,
}

/// A request of a device, which happens once however often it is made.
#[derive(Debug, Clone)]
pub struct Request {
    /// The device.
    pub device_id: String,
    /// The transaction ID.
    pub transaction_id: String,
    /// What the ID is unique in: the endpoint and its path parameters.
    pub scope: String,
}

impl Draft {
    /// A message-like event.
    #[must_use]
    pub fn message(sender: &UserId, kind: TimelineEventType, content: Box<RawValue>) -> Self {
        let sender = sender.to_owned();
        Self {
            sender,
            kind,
            state_key: None,
            content,
            redacts: None,
            timestamp: None,
            request: None,
        }
    }

    /// A state event.
    #[must_use]
    pub fn state(
        sender: &UserId,
        kind: StateEventType,
        state_key: &str,
        content: Box<RawValue>,
    ) -> Self {
        Self {
            state_key: Some(state_key.to_owned()),
            ..Self::message(sender, kind.to_string().into(), content)
        }
    }
}

/// What became of a draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    /// The event's ID.
    pub event_id: OwnedEventId,
    /// Whether it had been there before: the request was made before, or the state was just so already.
    pub existed: bool,
}

/// A room as it stands under its lock, for deciding what to append.
pub struct View<'a> {
    rooms: &'a Rooms,
    room: &'a Room,
    head: &'a mut Head,
}

impl<'a> View<'a> {
    /// The state event of this type and key.
    ///
    /// # Errors
    /// Storage's.
    pub fn state(&mut self, kind: &StateEventType, state_key: &str) -> Result<Option<Arc<Pdu>>> {
        known_state(self.rooms, self.room, self.head, kind, state_key)
    }

    /// The membership of a user; `None` for a stranger.
    ///
    /// # Errors
    /// Storage's.
    pub fn membership(&mut self, user: &UserId) -> Result<Option<Membership>> {
        Ok(self
            .state(&StateEventType::RoomMember, user.as_str())?
            .and_then(|member| membership(&member)))
    }

    /// How many users are joined.
    #[must_use]
    pub fn joined(&self) -> u64 {
        self.head.joined
    }

    /// Whether the request of a draft was made before.
    pub(crate) fn has_request(&self, draft: &Draft) -> Result<bool> {
        Ok(self.rooms.find_request(self.head, draft)?.is_some())
    }

    /// The relations to an event that the store may not hold yet.
    pub(crate) fn unwritten_relations(
        &self,
        parent: &EventId,
        rel_type: &str,
    ) -> impl Iterator<Item = &RelationRecord> {
        let to =
            move |(_, to, by, _): &&(_, OwnedEventId, String, _)| to == parent && by == rel_type;
        self.head
            .relations
            .iter()
            .filter(to)
            .map(|(.., record)| record)
    }

    /// The room.
    #[must_use]
    pub fn room(&self) -> &'a Room {
        self.room
    }
}

/// An event made and allowed, not yet written.
struct Made {
    pdu: Arc<Pdu>,
    json: Vec<u8>,
    request: Option<Request>,
    /// The state event it replaces.
    replaces: Option<Arc<Pdu>>,
    /// What it redacts.
    redacts: Option<Arc<StoredEvent>>,
}

enum Outcome {
    Made(usize),
    Existed(OwnedEventId),
}

impl Rooms {
    /// Appends what `decide` wants, seeing the room as it stands, all or nothing. Resolves when it is durable.
    ///
    /// # Errors
    /// Those of `decide`; [`Error::Forbidden`] if the auth rules refuse an event; [`Error::Event`] if
    /// what was sent cannot be one.
    pub async fn append<F>(&self, room: &Arc<Room>, decide: F) -> Result<Vec<Appended>>
    where
        F: FnOnce(&mut View<'_>) -> Result<Vec<Draft>> + Send,
    {
        let permit = self.inner.store.permit().await?;
        let (appended, pending, latest) = {
            let mut head = room.lock();
            let drafts = decide(&mut View {
                rooms: self,
                room,
                head: &mut head,
            })?;
            let (outcomes, made) = self.make(room, &mut head, drafts)?;
            let ids: Vec<_> = made.iter().map(|m| m.pdu.event_id.clone()).collect();
            let pending = if made.is_empty() {
                None
            } else {
                Some(self.write(room, &mut head, made, permit)?)
            };
            let appended: Vec<_> = outcomes.into_iter().map(|o| appended(o, &ids)).collect();
            (appended, pending, head.latest)
        };
        match pending {
            Some(pending) => pending.await?,
            // What existed may still be on its way to the disk, and an answer says that it is there to stay.
            None => self.settled(latest).await?,
        }
        Ok(appended)
    }

    /// Waits until everything up to a position is durable.
    async fn settled(&self, at: Position) -> Result<()> {
        if self.inner.store.visible() < at {
            // Batches are taken in order: once an empty one is through, so are those before it, or it fails as they did.
            self.inner.store.commit(Batch::new()).await?;
        }
        Ok(())
    }

    /// Appends one event.
    ///
    /// # Errors
    /// As [`Rooms::append`].
    pub async fn append_one(&self, room: &Arc<Room>, draft: Draft) -> Result<Appended> {
        let mut appended = self.append(room, |_| Ok(vec![draft])).await?;
        Ok(appended.pop().expect("one draft gives one outcome"))
    }

    /// Makes a room of its first events, the `m.room.create` first. Resolves when it is durable.
    ///
    /// # Errors
    /// As [`Rooms::append`], and [`Error::UnsupportedRoomVersion`].
    pub async fn append_new(
        &self,
        version: RoomVersionId,
        drafts: Vec<Draft>,
    ) -> Result<Arc<Room>> {
        self.append_new_with(version, drafts, |_, _| {}).await
    }

    /// As [`Rooms::append_new`], with more that is to be in the same batch; if a precondition of that does not hold, there
    /// is no room.
    pub(crate) async fn append_new_with(
        &self,
        version: RoomVersionId,
        drafts: Vec<Draft>,
        also: impl FnOnce(&Room, &mut Batch) + Send,
    ) -> Result<Arc<Room>> {
        let permit = self.inner.store.permit().await?;
        let rules = version
            .rules()
            .ok_or_else(|| Error::UnsupportedRoomVersion(version.to_string()))?;
        let mut drafts = drafts.into_iter();
        let create = drafts
            .next()
            .ok_or_else(|| Error::Internal("a room without events".to_owned()))?;
        let timestamp = create
            .timestamp
            .unwrap_or_else(|| self.time_of_a_new_room());
        let room_id = (rules.room_id_format == RoomIdFormatVersion::V1)
            .then(|| ruma::RoomId::new_v1(self.server_name()));
        let template = Template {
            room_id,
            sender: create.sender,
            kind: create.kind,
            state_key: create.state_key,
            content: create.content,
            redacts: None,
            prev_events: Vec::new(),
            auth_events: Vec::new(),
            depth: 1,
            origin_server_ts: timestamp,
        };
        let (pdu, json) = orvale_events::build(template, &rules, &self.inner.key)?;
        orvale_events::check(&rules.authorization, &pdu, |_| None, |_, _| None)
            .map_err(|e| Error::Forbidden(e.to_string()))?;
        if self.find(&pdu.room_id)?.is_some() {
            return Err(Error::Forbidden("that room exists already".to_owned()));
        }
        let pdu = Arc::new(pdu);
        let (room, pending) = {
            // The number is not known before the batch's place in the log is: until then, the room stands nowhere.
            let mut head = Head {
                extremities: vec![pdu.event_id.clone()],
                depth: 1,
                ..Head::default()
            };
            head.known.insert(
                (StateEventType::RoomCreate, String::new()),
                (Position::START, Some(pdu.clone())),
            );
            let placeless = Room::new(
                Position::START,
                pdu.room_id.clone(),
                version,
                Head::default(),
            )?;
            let (_, mut made) = self.make(&placeless, &mut head, drafts.collect())?;
            made.insert(
                0,
                Made {
                    pdu,
                    json,
                    request: None,
                    replaces: None,
                    redacts: None,
                },
            );
            self.write_new(placeless, head, made, permit, also)?
        };
        if let Err(error) = pending.await {
            self.inner.known.remove(&room);
            return Err(error.into());
        }
        Ok(room)
    }

    fn write_new(
        &self,
        placeless: Room,
        mut head: Head,
        made: Vec<Made>,
        permit: Permit,
        also: impl FnOnce(&Room, &mut Batch),
    ) -> Result<(Arc<Room>, Pending)> {
        let reserved = self.inner.store.reserve(permit, made.len() as u64 + 1);
        let room = Room::new(
            reserved.at(0),
            placeless.id,
            placeless.version,
            Head::default(),
        )?;
        head.extremities.clear();
        head.depth = 0;
        let mut batch = Batch::new();
        batch.log(Entry::Room {
            room_id: room.id.to_string(),
        });
        let record = RoomRecord {
            room_id: room.id.to_string(),
            version: room.version.to_string(),
        };
        batch
            .expect::<_, Position>(&ROOM_NUMBERS, (&room.id,), None)
            .put(&ROOMS, (room.number,), &record)
            .put(&ROOM_NUMBERS, (&room.id,), &room.number);
        let places: Vec<_> = (1..=made.len() as u64).map(|n| reserved.at(n)).collect();
        self.fill(&room, &mut head, made, &places, &mut batch)?;
        also(&room, &mut batch);
        let room = Arc::new(room);
        *room.lock() = head;
        let pending = self.inner.store.submit(reserved, batch);
        self.inner.known.insert(&room, self.inner.store.visible());
        Ok((room, pending))
    }

    /// Makes the events of drafts, in order, each on top of the ones before.
    fn make(
        &self,
        room: &Room,
        head: &mut Head,
        drafts: Vec<Draft>,
    ) -> Result<(Vec<Outcome>, Vec<Made>)> {
        let mut made: Vec<Made> = Vec::with_capacity(drafts.len());
        let mut changed: HashMap<(StateEventType, String), Arc<Pdu>> = HashMap::new();
        let mut outcomes = Vec::with_capacity(drafts.len());
        for draft in drafts {
            if let Some(id) = self.find_request(head, &draft)? {
                outcomes.push(Outcome::Existed(id));
                continue;
            }
            let mut state = |kind: &StateEventType, key: &str| match changed
                .get(&(kind.clone(), key.to_owned()))
            {
                Some(pdu) => Ok(Some(pdu.clone())),
                None => known_state(self, room, head, kind, key),
            };
            let replaces = match &draft.state_key {
                Some(key) => state(&draft.kind.to_string().into(), key)?,
                None => None,
            };
            if let Some(before) = &replaces
                && before.sender == draft.sender
                && draft.kind != TimelineEventType::RoomCreate
                && same_content(&before.content, &draft.content)
            {
                outcomes.push(Outcome::Existed(before.event_id.clone()));
                continue;
            }
            let wanted = orvale_events::auth_types(
                &draft.kind,
                &draft.sender,
                draft.state_key.as_deref(),
                &draft.content,
                &room.rules.authorization,
            )?;
            let mut authorising = Vec::with_capacity(wanted.len());
            for (kind, key) in &wanted {
                authorising.extend(state(kind, key)?);
            }
            // All that the rules may ask of the state is what authorises the event, and the create event, which v12 leaves
            // out of that.
            let create = state(&StateEventType::RoomCreate, "")?;
            let redacts = match &draft.redacts {
                Some(id) => redaction::target(self, room, id)?,
                None => None,
            };
            let (prev_events, depth) = match made.last() {
                Some(last) => (vec![last.pdu.event_id.clone()], last.pdu.depth + 1),
                None => (
                    head.extremities.iter().take(20).cloned().collect(),
                    head.depth + 1,
                ),
            };
            let template = Template {
                room_id: Some(room.id.clone()),
                sender: draft.sender,
                kind: draft.kind,
                state_key: draft.state_key,
                content: draft.content,
                redacts: draft.redacts,
                prev_events,
                auth_events: authorising.iter().map(|pdu| pdu.event_id.clone()).collect(),
                depth,
                origin_server_ts: draft.timestamp.unwrap_or_else(|| self.now()),
            };
            let (pdu, json) = orvale_events::build(template, &room.rules, &self.inner.key)?;
            let find = |kind: &StateEventType, key: &str| {
                let is = |pdu: &&Arc<Pdu>| {
                    pdu.kind.to_string() == kind.to_string()
                        && pdu.state_key.as_deref() == Some(key)
                };
                authorising.iter().chain(&create).find(is).cloned()
            };
            let by_id = |id: &ruma::EventId| {
                authorising
                    .iter()
                    .chain(&create)
                    .find(|pdu| pdu.event_id == id)
                    .cloned()
            };
            orvale_events::check(&room.rules.authorization, &pdu, by_id, find)
                .map_err(|e| Error::Forbidden(e.to_string()))?;
            if let Some(target) = &redacts {
                redaction::allowed(room, &pdu, target, find)?;
            }
            let pdu = Arc::new(pdu);
            if let Some(key) = &pdu.state_key {
                changed.insert((pdu.kind.to_string().into(), key.clone()), pdu.clone());
            }
            outcomes.push(Outcome::Made(made.len()));
            made.push(Made {
                pdu,
                json,
                request: draft.request,
                replaces,
                redacts,
            });
        }
        Ok((outcomes, made))
    }

    fn find_request(&self, head: &Head, draft: &Draft) -> Result<Option<OwnedEventId>> {
        let Some(request) = &draft.request else {
            return Ok(None);
        };
        let key = transaction_key(&draft.sender, request);
        if let Some((_, id)) = head.transactions.get(&key) {
            return Ok(Some(id.clone()));
        }
        let found = self
            .inner
            .store
            .get(&TRANSACTIONS, (&key.0, &key.1, &key.2))?;
        Ok(found.and_then(|id| id.try_into().ok()))
    }

    fn write(
        &self,
        room: &Room,
        head: &mut Head,
        made: Vec<Made>,
        permit: Permit,
    ) -> Result<Pending> {
        let reserved = self.inner.store.reserve(permit, made.len() as u64);
        let places: Vec<_> = (0..made.len() as u64).map(|n| reserved.at(n)).collect();
        let mut batch = Batch::new();
        self.fill(room, head, made, &places, &mut batch)?;
        Ok(self.inner.store.submit(reserved, batch))
    }

    /// Puts events and all that follows from them into a batch, and moves the head over them.
    fn fill(
        &self,
        room: &Room,
        head: &mut Head,
        made: Vec<Made>,
        places: &[Position],
        batch: &mut Batch,
    ) -> Result<()> {
        head.forget(self.inner.store.visible());
        for (made, at) in made.into_iter().zip(places.iter().copied()) {
            let Made {
                pdu,
                json,
                request,
                replaces,
                redacts,
            } = made;
            let state_before = head.state;
            if let Some(key) = &pdu.state_key {
                let kind = pdu.kind.to_string();
                let change = [(hash(&kind, key), Some(at))];
                head.state = self.inner.states.change(
                    head.state,
                    &change,
                    at,
                    &mut head.unwritten,
                    batch,
                )?;
                let mut record = StateRecord {
                    event: at,
                    membership: None,
                };
                if pdu.kind == TimelineEventType::RoomMember {
                    record.membership = membership(&pdu);
                    self.set_membership(room, head, &pdu, key, at, replaces.as_deref(), batch)?;
                }
                batch.put(&CURRENT_STATE, (room.number, &kind, key), &record);
                head.known
                    .insert((kind.into(), key.clone()), (at, Some(pdu.clone())));
            }
            if let Some(target) = &redacts {
                redaction::apply(self, room, head, target, &pdu, batch)?;
                self.inner.relations.lost(at);
            }
            if let Some(request) = &request {
                let key = transaction_key(&pdu.sender, request);
                batch.put(
                    &TRANSACTIONS,
                    (&key.0, &key.1, &key.2),
                    &pdu.event_id.to_string(),
                );
                head.transactions.insert(key, (at, pdu.event_id.clone()));
            }
            if let Some((parent, rel_type, key)) = relation(&pdu) {
                let record = RelationRecord {
                    room: room.number,
                    sender: pdu.sender.to_string(),
                    kind: pdu.kind.to_string(),
                    key,
                };
                batch.put(&RELATIONS, (&parent, &rel_type, at), &record);
                if rel_type == THREAD {
                    batch.put(&THREADS, (room.number, &parent), &());
                }
                self.inner.relations.gained(at);
                head.relations.push((at, parent, rel_type, record));
            }
            let record = EventRecord {
                room: room.number,
                event_id: pdu.event_id.to_string(),
                state_before: state_before.0,
                state_after: head.state.0,
                standing: Standing::Accepted,
                transaction: request.map(|r| Transaction {
                    device_id: r.device_id,
                    transaction_id: r.transaction_id,
                }),
                pdu: json.into(),
                unsigned: replaces
                    .as_ref()
                    .map(|before| StoredEvent::unsigned_replacing(&before.event_id))
                    .unwrap_or_default(),
            };
            batch.put(&TIMELINE, (room.number, Order::live(at).0), &at);
            batch.put(&EVENT_NUMBERS, (&pdu.event_id,), &at);
            batch.log(Entry::Event(record.clone()));
            head.extremities = vec![pdu.event_id.clone()];
            head.depth = head.depth.max(pdu.depth);
            head.latest = at;
            let event = StoredEvent::with_pdu(at, pdu, record, replaces.as_deref());
            self.inner.events.insert(at, Arc::new(event));
        }
        batch.put(&HEADS, (room.number,), &head.record());
        Ok(())
    }

    #[expect(clippy::too_many_arguments, reason = "one step of `fill`")]
    fn set_membership(
        &self,
        room: &Room,
        head: &mut Head,
        pdu: &Pdu,
        user: &str,
        at: Position,
        replaces: Option<&Pdu>,
        batch: &mut Batch,
    ) -> Result<()> {
        let Some(now) = membership(pdu) else {
            return Ok(());
        };
        let before = replaces.and_then(membership);
        for (count, counted) in [
            (&mut head.joined, Membership::Join),
            (&mut head.invited, Membership::Invite),
        ] {
            *count += u64::from(now == counted);
            *count = count.saturating_sub(u64::from(before == Some(counted)));
        }
        let last = match head.memberships.get(user) {
            Some((_, record)) => Some(*record),
            None if room.number == Position::START => None,
            None => self.inner.store.get(&MEMBERSHIPS, (user, room.number))?,
        };
        let was_joined = now == Membership::Join || last.is_some_and(|l| l.was_joined);
        let record = MembershipRecord {
            event: at,
            membership: now,
            before,
            was_joined,
            forgotten: false,
        };
        batch.put(&MEMBERSHIPS, (user, room.number), &record);
        head.memberships.insert(user.to_owned(), (at, record));
        Ok(())
    }
}

fn appended(outcome: Outcome, made: &[OwnedEventId]) -> Appended {
    match outcome {
        Outcome::Made(n) => Appended {
            event_id: made[n].clone(),
            existed: false,
        },
        Outcome::Existed(event_id) => Appended {
            event_id,
            existed: true,
        },
    }
}

fn transaction_key(sender: &UserId, request: &Request) -> (String, String, String) {
    let Request {
        device_id,
        transaction_id,
        scope,
    } = request;
    (
        sender.to_string(),
        device_id.clone(),
        format!("{scope}|{transaction_id}"),
    )
}

/// The state under the lock: what was looked up or appended before, else what the store holds.
fn known_state(
    rooms: &Rooms,
    room: &Room,
    head: &mut Head,
    kind: &StateEventType,
    key: &str,
) -> Result<Option<Arc<Pdu>>> {
    let wanted = (kind.clone(), key.to_owned());
    if let Some((_, known)) = head.known.get(&wanted) {
        return Ok(known.clone());
    }
    // A room that is being made has nothing in the store yet.
    let found = if room.number == Position::START {
        None
    } else {
        rooms.find_state(room, kind, key)?
    };
    let pdu = found.map(|event| event.pdu.clone());
    head.known.insert(wanted, (Position::START, pdu.clone()));
    Ok(pdu)
}

fn same_content(a: &RawValue, b: &RawValue) -> bool {
    let parse = |json: &RawValue| serde_json::from_str::<serde_json::Value>(json.get()).ok();
    a.get() == b.get() || parse(a).is_some_and(|a| Some(a) == parse(b))
}

/// The membership that an `m.room.member` event gives.
#[must_use]
pub fn membership(pdu: &Pdu) -> Option<Membership> {
    #[derive(Deserialize)]
    struct Content<'a> {
        #[serde(borrow)]
        membership: std::borrow::Cow<'a, str>,
    }
    let content: Content<'_> = serde_json::from_str(pdu.content.get()).ok()?;
    Some(match &*content.membership {
        "invite" => Membership::Invite,
        "join" => Membership::Join,
        "knock" => Membership::Knock,
        "leave" => Membership::Leave,
        "ban" => Membership::Ban,
        _ => return None,
    })
}

/// The parent, `rel_type` and key that an event's content names.
pub(crate) fn relation(pdu: &Pdu) -> Option<(OwnedEventId, String, String)> {
    match &pdu.state_key {
        Some(_) => None,
        None => relation_in(&pdu.content),
    }
}

/// As [`relation`], of a content that is no event yet.
pub(crate) fn relation_in(content: &RawValue) -> Option<(OwnedEventId, String, String)> {
    #[derive(Deserialize)]
    struct Content {
        #[serde(rename = "m.relates_to")]
        relates_to: RelatesTo,
    }
    #[derive(Deserialize)]
    struct RelatesTo {
        event_id: OwnedEventId,
        rel_type: String,
        #[serde(default)]
        key: String,
    }
    if !content.get().contains("m.relates_to") {
        return None;
    }
    let RelatesTo {
        event_id,
        rel_type,
        key,
    } = serde_json::from_str::<Content>(content.get())
        .ok()?
        .relates_to;
    Some((event_id, rel_type, key))
}
