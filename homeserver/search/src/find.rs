//! Searching: hits, judged one by one, in pages.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    ops::Bound,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use orvale_rooms::{Around, EventFilter, Membership, Reading, Shown, Side, StoredEvent, Viewer};
use orvale_storage::Position;
use ruma::{
    OwnedRoomId, RoomId, UserId,
    api::client::filter::{RoomEventFilter, UrlFilter},
    events::StateEventType,
};
use tantivy::{
    DocAddress, Order, Searcher, Term,
    collector::{Count, TopDocs},
    query::{BooleanQuery, ConstScoreQuery, Occur, Query, RangeQuery, TermQuery, TermSetQuery},
    schema::IndexRecordOption,
};

use crate::{
    Error, Group, GroupKey, Has, Hit, Key, Page, Profile, Result, Search, Token,
    query::Asked,
    schema::{EVENT, Fields, ROOM, SAID_BY, SENDER, hash},
    text::text,
    token::{After, Only},
};

/// The most hits on a page, and the most events around each.
const MAX_PAGE: usize = 100;
const MAX_AROUND: usize = 50;

/// How many hits one request judges before it gives what it has.
const MAX_LOOKS: usize = 2_000;

/// How far down the best hits go. Who wants more of them narrows the search.
const MAX_RANK: usize = 10_000;

/// How many older rooms a room takes along, which it came to replace.
const MAX_PREDECESSORS: usize = 50;

/// The most words that are told to be highlighted.
const MAX_HIGHLIGHTS: usize = 100;

/// The order of what is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Ordering {
    /// The newest first.
    Recent,
    /// The best first.
    #[default]
    Rank,
}

/// How many events around each hit are wanted.
#[derive(Debug, Clone, Copy)]
pub struct ContextLimits {
    /// Before it.
    pub before: usize,
    /// After it.
    pub after: usize,
    /// Whether to tell what the senders called themselves.
    pub include_profile: bool,
}

/// What is looked for.
#[derive(Debug)]
pub struct Wanted<'a> {
    /// What was typed.
    pub term: &'a str,
    /// Which texts are searched; `None` for all.
    pub keys: Option<&'a [Key]>,
    /// Which events.
    pub filter: &'a RoomEventFilter,
    /// From when on, in milliseconds since 1970.
    pub since: Option<u64>,
    /// Until before when.
    pub until: Option<u64>,
    /// What they all carry.
    pub has: &'a [Has],
    /// How many on a page.
    pub limit: usize,
    /// In which order.
    pub order: Ordering,
    /// What of the conversation around each.
    pub context: Option<ContextLimits>,
    /// How to group them.
    pub group_by: &'a [GroupKey],
    /// Where the page starts.
    pub from: Option<Token>,
}

impl Wanted<'_> {
    /// Whether it is a question even without words: by whom, from when, with what.
    fn is_narrow(&self) -> bool {
        self.filter.senders.is_some()
            || self.filter.url_filter == Some(UrlFilter::EventsWithUrl)
            || self.since.is_some()
            || self.until.is_some()
            || !self.has.is_empty()
    }
}

/// A document that matches.
#[derive(Debug, Clone, Copy)]
struct Match {
    score: f32,
    event: Position,
    said_by: Position,
    room: Position,
    sender: u64,
}

/// A room in which hits are judged.
struct Place<'a> {
    reading: Reading,
    viewer: Viewer<'a>,
}

impl Search {
    /// A page of the events that a user may see and that say what is looked for.
    ///
    /// # Errors
    /// [`Error::InvalidParam`] for a token of another search.
    pub fn find<'a>(
        &'a self,
        user: &'a UserId,
        device: &'a str,
        wanted: &Wanted<'_>,
    ) -> Result<Page<'a>> {
        // Files that were damaged since they were opened make tantivy panic.
        let found = catch_unwind(AssertUnwindSafe(|| {
            self.find_in_index(user, device, wanted)
        }));
        let found = found.unwrap_or(Err(Error::Panicked));
        if let Err(Error::Panicked | Error::Index(_)) = found {
            self.suspect();
        }
        found
    }

    fn find_in_index<'a>(
        &'a self,
        user: &'a UserId,
        device: &'a str,
        wanted: &Wanted<'_>,
    ) -> Result<Page<'a>> {
        let asked = match Asked::parse(wanted.term) {
            Some(asked) => asked,
            None if wanted.is_narrow() && wanted.term.trim().is_empty() => Asked::anything(),
            None => return Ok(Page::default()),
        };
        let rooms = self.searched(user, wanted)?;
        if rooms.is_empty() {
            return Ok(Page::default());
        }
        let index = self.inner.index.read().clone();
        let searcher = index.reader.searcher();
        let after = wanted.from.as_ref().map(|token| token.after);
        let (skip, as_of) = match (wanted.order, after) {
            (Ordering::Recent, None) => (0, Position::END),
            (Ordering::Recent, Some(After::Recent(before))) => {
                (0, Position(before.0.saturating_sub(1)))
            }
            (Ordering::Rank, None) => (0, self.seen()),
            (Ordering::Rank, Some(After::Rank { skip, as_of })) => (skip.min(MAX_RANK), as_of),
            (_, Some(_)) => {
                let message = "next_batch is of a search in another order";
                return Err(Error::InvalidParam(message.to_owned()));
            }
        };
        let query = narrowed(&index.fields, &asked, wanted, &rooms, as_of);
        let limit = wanted.limit.clamp(1, MAX_PAGE);
        let mut page = Page::default();
        // Which rooms is decided already, with those that they replaced.
        let mut filter = wanted.filter.clone();
        (filter.rooms, filter.not_rooms) = (None, Vec::new());
        let mut reading = Judging {
            search: self,
            user,
            device,
            places: HashMap::new(),
            filter,
            asked: &asked,
            highlights: BTreeSet::new(),
        };
        // Mostly everything is to be seen, so that one look into the index is enough.
        let mut reach = skip + limit + 1;
        let (mut looked, mut matches);
        looked = skip;
        loop {
            (page.count, matches) = top(&searcher, &*query, wanted.order, reach)?;
            while looked < matches.len() && page.hits.len() < limit {
                page.hits.extend(reading.judge(&matches[looked])?);
                looked += 1;
            }
            let is_all = matches.len() < reach;
            if page.hits.len() == limit || is_all || looked - skip >= MAX_LOOKS {
                break;
            }
            reach = skip + (reach - skip) * 4;
        }
        let looked = looked.min(matches.len());
        // What is hidden is not to be told by a number either.
        page.count = page
            .count
            .saturating_sub(looked.saturating_sub(skip) - page.hits.len());
        let is_more =
            looked < matches.len() && (wanted.order == Ordering::Recent || looked < MAX_RANK);
        let place = |group: Option<Only>, of_group: &dyn Fn(&Match) -> bool| {
            let before = matches[..looked].last().filter(|_| is_more)?;
            let after = match wanted.order {
                Ordering::Recent => After::Recent(before.event),
                Ordering::Rank => After::Rank {
                    skip: matches[..looked].iter().filter(|one| of_group(one)).count(),
                    as_of,
                },
            };
            Some(Token { after, group })
        };
        let same_group = wanted.from.as_ref().and_then(|token| token.group.clone());
        page.next = place(same_group, &|_| true);
        for key in wanted.group_by {
            page.groups.push((*key, group(*key, &page.hits, &place)?));
        }
        reading.surround(&mut page.hits, wanted.context)?;
        page.highlights = reading
            .highlights
            .into_iter()
            .take(MAX_HIGHLIGHTS)
            .collect();
        Ok(page)
    }

    /// The rooms that are searched: those that the user is or was in, as far as they are wanted.
    fn searched(&self, user: &UserId, wanted: &Wanted<'_>) -> Result<HashSet<Position>> {
        let rooms = &self.inner.rooms;
        let memberships = rooms.list_memberships(user)?.into_iter();
        let mut searched: HashSet<_> = memberships
            .filter(|(_, now)| {
                now.membership == Membership::Join || now.was_joined && !now.forgotten
            })
            .map(|(room, _)| room)
            .collect();
        if let Some(only) = &wanted.filter.rooms {
            let mut these = HashSet::new();
            for room in only {
                these.extend(self.with_predecessors(room)?);
            }
            searched.retain(|room| these.contains(room));
        }
        for room in &wanted.filter.not_rooms {
            if let Some(room) = rooms.find(room)? {
                searched.remove(&room.number);
            }
        }
        if let Some(Only::Room(only)) = wanted.from.as_ref().and_then(|token| token.group.as_ref())
        {
            let only = rooms.find(only)?.map(|room| room.number);
            searched.retain(|room| Some(*room) == only);
        }
        Ok(searched)
    }

    /// A room and those that it came to replace, one after the other.
    fn with_predecessors(&self, room: &RoomId) -> Result<Vec<Position>> {
        #[derive(serde::Deserialize)]
        struct Predecessor {
            room_id: OwnedRoomId,
        }
        let rooms = &self.inner.rooms;
        let mut next = rooms.find(room)?;
        let mut found = Vec::new();
        while let Some(room) = next.take() {
            if found.contains(&room.number) || found.len() == MAX_PREDECESSORS {
                break;
            }
            found.push(room.number);
            let create = rooms.find_state(&room, &StateEventType::RoomCreate, "")?;
            let before =
                create.and_then(|event| event.pdu.content_field::<Predecessor>("predecessor"));
            if let Some(before) = before {
                next = rooms.find(&before.room_id)?;
            }
        }
        Ok(found)
    }
}

/// Judges hits for a reader.
struct Judging<'a, 'q> {
    search: &'a Search,
    user: &'a UserId,
    device: &'a str,
    places: HashMap<Position, Option<Place<'a>>>,
    filter: RoomEventFilter,
    asked: &'q Asked,
    highlights: BTreeSet<String>,
}

impl<'a> Judging<'a, '_> {
    /// The hit that a match is, if the reader may see it and wants it.
    fn judge(&mut self, found: &Match) -> Result<Option<Hit<'a>>> {
        let rooms = &self.search.inner.rooms;
        if let std::collections::hash_map::Entry::Vacant(vacant) = self.places.entry(found.room) {
            let room = rooms.get_number(found.room)?;
            let place = match rooms.read(self.user, &room.id) {
                Ok(reading) => {
                    let viewer = Viewer::new(rooms, self.user, reading.now).on(self.device);
                    Some(Place { reading, viewer })
                }
                Err(orvale_rooms::Error::NotJoined) => None,
                Err(error) => return Err(error.into()),
            };
            vacant.insert(place);
        }
        let Some(Some(Place { reading, viewer })) = self.places.get_mut(&found.room) else {
            return Ok(None);
        };
        let event = rooms.event(found.event)?;
        let is_hidden = |event: &StoredEvent| {
            !event.is_shown()
                || event.is_redacted()
                || reading.until.is_some_and(|until| event.position > until)
        };
        if is_hidden(&event)
            || viewer.ignores(&event.pdu.sender)?
            || !EventFilter::new(&self.filter, &reading.room).matches(&event)
            || !viewer.sees(&event)?
        {
            return Ok(None);
        }
        // Who may not see an edit is not told what it says by finding it.
        if found.said_by != found.event {
            let edit = rooms.event(found.said_by)?;
            if is_hidden(&edit) || !viewer.sees(&edit)? {
                return Ok(None);
            }
        }
        let reader = viewer.reader(&event)?;
        // Of whom was erased, those who came later are shown no words, and find nothing by them.
        if reader.instead.is_some() {
            return Ok(None);
        }
        if let Some(text) = text(rooms, &event)? {
            self.asked.highlight(&text.text, &mut self.highlights);
        }
        Ok(Some(Hit {
            rank: found.score,
            room_id: event.room_id.clone(),
            event: Shown { reader, event },
            around: None,
            profiles: Vec::new(),
        }))
    }

    /// Adds what was said around hits.
    fn surround(&mut self, hits: &mut [Hit<'a>], limits: Option<ContextLimits>) -> Result<()> {
        let Some(limits) = limits else {
            return Ok(());
        };
        let rooms = &self.search.inner.rooms;
        let sides = [limits.before, limits.after].map(|most| Side::of(most.min(MAX_AROUND)));
        let all = RoomEventFilter::default();
        for hit in hits {
            let event = &hit.event.event;
            let Some(Some(Place { reading, viewer })) = self.places.get_mut(&event.room) else {
                continue;
            };
            let around = rooms.around(viewer, reading, event, sides, &all)?;
            if limits.include_profile {
                hit.profiles = self.search.profiles(event, &around)?;
            }
            hit.around = Some(around);
        }
        Ok(())
    }
}

impl Search {
    /// Who wrote these events, as they called themselves then.
    fn profiles(&self, event: &Arc<StoredEvent>, around: &Around<'_>) -> Result<Vec<Profile>> {
        let others = around.before.iter().chain(&around.after);
        let mut seen = HashSet::new();
        let mut profiles = Vec::new();
        for event in [event].into_iter().chain(others.map(|shown| &shown.event)) {
            if !seen.insert(event.pdu.sender.clone()) {
                continue;
            }
            let (kind, sender) = (StateEventType::RoomMember, event.pdu.sender.as_str());
            let member = self
                .inner
                .rooms
                .find_state_at(event.state_after(), &kind, sender)?;
            if let Some(member) = member {
                profiles.push(Profile {
                    user_id: event.pdu.sender.clone(),
                    display_name: member.pdu.content_field("displayname"),
                    avatar_url: member.pdu.content_field("avatar_url"),
                });
            }
        }
        Ok(profiles)
    }
}

/// Where a group goes on, given which matches are of it.
type Continuing<'a> = dyn Fn(Option<Only>, &dyn Fn(&Match) -> bool) -> Option<Token> + 'a;

/// Sorts hits into groups, in the order of the first of each.
fn group(key: GroupKey, hits: &[Hit<'_>], place: &Continuing<'_>) -> Result<Vec<Group>> {
    let mut groups: Vec<Group> = Vec::new();
    for hit in hits {
        let event = &hit.event.event;
        let value = match key {
            GroupKey::Room => hit.room_id.as_str(),
            GroupKey::Sender => event.pdu.sender.as_str(),
        };
        if let Some(group) = groups.iter_mut().find(|group| group.value == value) {
            group.events.push(event.event_id().to_owned());
            continue;
        }
        let next = match key {
            GroupKey::Room => {
                let room = event.room;
                place(Some(Only::Room(hit.room_id.clone())), &|one| {
                    one.room == room
                })
            }
            GroupKey::Sender => {
                let sender = &event.pdu.sender;
                let number = hash(sender);
                place(Some(Only::Sender(sender.clone())), &|one| {
                    one.sender == number
                })
            }
        };
        groups.push(Group {
            value: value.to_owned(),
            events: vec![event.event_id().to_owned()],
            next,
        });
    }
    Ok(groups)
}

/// The query, with all that can be decided by the index. What it cannot, each hit is judged by.
fn narrowed(
    fields: &Fields,
    asked: &Asked,
    wanted: &Wanted<'_>,
    rooms: &HashSet<Position>,
    as_of: Position,
) -> Box<dyn Query> {
    let mut parts = vec![(Occur::Must, asked.query(fields))];
    let mut only = |query: Box<dyn Query>| {
        parts.push((
            Occur::Must,
            Box::new(ConstScoreQuery::new(query, 0.0)) as Box<dyn Query>,
        ));
    };
    let numbers = |field, numbers: &mut dyn Iterator<Item = u64>| {
        let terms: Vec<_> = numbers.map(|n| Term::from_field_u64(field, n)).collect();
        Box::new(TermSetQuery::new(terms)) as Box<dyn Query>
    };
    let texts = |field, texts: &mut dyn Iterator<Item = &str>| {
        let terms: Vec<_> = texts
            .map(|text| Term::from_field_text(field, text))
            .collect();
        Box::new(TermSetQuery::new(terms)) as Box<dyn Query>
    };
    only(numbers(fields.room, &mut rooms.iter().map(|room| room.0)));
    if as_of != Position::END {
        let to = Bound::Included(Term::from_field_u64(fields.event, as_of.0));
        only(Box::new(RangeQuery::new(Bound::Unbounded, to)));
    }
    if let Some(keys) = wanted.keys {
        only(texts(fields.key, &mut keys.iter().map(|key| key.as_str())));
    }
    if let Some(senders) = &wanted.filter.senders {
        only(numbers(
            fields.sender,
            &mut senders.iter().map(|sender| hash(sender)),
        ));
    }
    if let Some(Only::Sender(sender)) = wanted.from.as_ref().and_then(|token| token.group.as_ref())
    {
        only(numbers(fields.sender, &mut [hash(sender)].into_iter()));
    }
    if let Some(types) = &wanted.filter.types
        && !types.iter().any(|kind| kind.contains('*'))
    {
        only(texts(fields.kind, &mut types.iter().map(String::as_str)));
    }
    if let Some(url) = wanted.filter.url_filter {
        let has = u64::from(url == UrlFilter::EventsWithUrl);
        let term = Term::from_field_u64(fields.url, has);
        only(Box::new(TermQuery::new(term, IndexRecordOption::Basic)));
    }
    if wanted.since.is_some() || wanted.until.is_some() {
        let term = |time| Term::from_field_u64(fields.time, time);
        let from = wanted
            .since
            .map_or(Bound::Unbounded, |time| Bound::Included(term(time)));
        let to = wanted
            .until
            .map_or(Bound::Unbounded, |time| Bound::Excluded(term(time)));
        only(Box::new(RangeQuery::new(from, to)));
    }
    for has in wanted.has {
        let term = Term::from_field_text(fields.has, has.as_str());
        only(Box::new(TermQuery::new(term, IndexRecordOption::Basic)));
    }
    Box::new(BooleanQuery::new(parts))
}

/// How many documents match, and the first `reach` of them.
fn top(
    searcher: &Searcher,
    query: &dyn Query,
    order: Ordering,
    reach: usize,
) -> Result<(usize, Vec<Match>)> {
    let best = TopDocs::with_limit(reach);
    let (count, found): (usize, Vec<(f32, DocAddress)>) = match order {
        Ordering::Rank => searcher.search(query, &(Count, best.order_by_score()))?,
        Ordering::Recent => {
            let newest = best.order_by_fast_field::<u64>(EVENT, Order::Desc);
            let (count, found) = searcher.search(query, &(Count, newest))?;
            // As far as the order is by time, all are as good.
            (count, found.into_iter().map(|(_, at)| (1.0, at)).collect())
        }
    };
    let mut columns = HashMap::new();
    let mut matches = Vec::with_capacity(found.len());
    for (
        score,
        DocAddress {
            segment_ord,
            doc_id,
        },
    ) in found
    {
        let columns = match columns.entry(segment_ord) {
            std::collections::hash_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::hash_map::Entry::Vacant(vacant) => {
                let fields = searcher.segment_reader(segment_ord).fast_fields();
                let columns = [EVENT, SAID_BY, ROOM, SENDER].map(|name| fields.u64(name));
                let [event, said_by, room, sender] = columns;
                vacant.insert([event?, said_by?, room?, sender?])
            }
        };
        let [event, said_by, room, sender] =
            [0, 1, 2, 3].map(|n: usize| columns[n].first(doc_id).unwrap_or_default());
        matches.push(Match {
            score,
            event: Position(event),
            said_by: Position(said_by),
            room: Position(room),
            sender,
        });
    }
    Ok((count, matches))
}
