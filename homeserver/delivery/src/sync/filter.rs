//! Filters, made ready for use: what of all news a client wants to see.

use std::{
    collections::HashSet,
    hash::{DefaultHasher, Hash, Hasher},
};

use orvale_rooms::StoredEvent;
use ruma::{
    OwnedRoomId, OwnedUserId, RoomId, UserId,
    api::client::filter::{
        EventFormat, FilterDefinition, LazyLoadOptions, RoomEventFilter, UrlFilter,
    },
};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{Error, Result, push::glob};

/// How many events of a timeline a client gets that does not say.
const DEFAULT_LIMIT: usize = 10;
/// How many events of a timeline a client gets at most.
const MAX_LIMIT: usize = 500;

/// A filter.
#[derive(Debug, Default)]
pub(crate) struct Filter {
    /// Tells filters of one device apart.
    pub(crate) hash: u64,
    pub(crate) rooms: Choice<OwnedRoomId>,
    pub(crate) include_leave: bool,
    pub(crate) timeline: EventFilter,
    pub(crate) timeline_limit: usize,
    pub(crate) state: EventFilter,
    pub(crate) ephemeral: EventFilter,
    pub(crate) room_account_data: EventFilter,
    pub(crate) account_data: EventFilter,
    pub(crate) presence: EventFilter,
    /// Whether members are sent only with what they wrote.
    pub(crate) lazy: Option<Lazy>,
    /// Whether threads are counted apart.
    pub(crate) thread_counts: bool,
    /// The fields of events to send, each as a path.
    pub(crate) fields: Option<Vec<Vec<String>>>,
    /// Whether events are wanted as servers exchange them.
    pub(crate) federation_format: bool,
}

/// How members are loaded lazily.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lazy {
    /// Whether members are sent again that the client has.
    pub(crate) redundant: bool,
}

/// What of a set of things is wanted.
#[derive(Debug)]
pub(crate) struct Choice<T> {
    only: Option<HashSet<T>>,
    not: HashSet<T>,
}

impl<T> Default for Choice<T> {
    fn default() -> Self {
        Self {
            only: None,
            not: HashSet::new(),
        }
    }
}

impl<T: Hash + Eq> Choice<T> {
    fn new(only: Option<&[T]>, not: &[T]) -> Self
    where
        T: Clone,
    {
        let only = only.map(|only| only.iter().cloned().collect());
        Self {
            only,
            not: not.iter().cloned().collect(),
        }
    }

    pub(crate) fn takes<Q>(&self, one: &Q) -> bool
    where
        T: std::borrow::Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.only.as_ref().is_none_or(|only| only.contains(one))
            && (self.not.is_empty() || !self.not.contains(one))
    }
}

/// Which events are wanted.
#[derive(Debug, Default)]
pub(crate) struct EventFilter {
    types: Option<Vec<String>>,
    not_types: Vec<String>,
    senders: Choice<OwnedUserId>,
    rooms: Choice<OwnedRoomId>,
    url: Option<bool>,
    /// Whether there is anything to look at, for the common case.
    narrow: bool,
}

impl EventFilter {
    fn new(from: &RoomEventFilter) -> Self {
        let url = match from.url_filter {
            Some(UrlFilter::EventsWithUrl) => Some(true),
            Some(UrlFilter::EventsWithoutUrl) => Some(false),
            _ => None,
        };
        Self {
            types: from.types.clone(),
            not_types: from.not_types.clone(),
            senders: Choice::new(from.senders.as_deref(), &from.not_senders),
            rooms: Choice::new(from.rooms.as_deref(), &from.not_rooms),
            url,
            narrow: from.types.is_some()
                || from.senders.is_some()
                || from.rooms.is_some()
                || url.is_some()
                || !(from.not_types.is_empty()
                    && from.not_senders.is_empty()
                    && from.not_rooms.is_empty()),
        }
    }

    fn global(from: &ruma::api::client::filter::Filter) -> Self {
        let mut room = RoomEventFilter::default();
        room.types = from.types.clone();
        room.not_types = from.not_types.clone();
        room.senders = from.senders.clone();
        room.not_senders = from.not_senders.clone();
        Self::new(&room)
    }

    /// Whether anything of this room is wanted.
    pub(crate) fn takes_room(&self, room: &RoomId) -> bool {
        !self.narrow || self.rooms.takes(room)
    }

    /// Whether events of this type are wanted.
    pub(crate) fn takes_type(&self, kind: &str) -> bool {
        let is = |pattern: &String| {
            if pattern.contains('*') {
                glob::matches_type(pattern, kind)
            } else {
                pattern == kind
            }
        };
        !self.narrow
            || self.types.as_ref().is_none_or(|types| types.iter().any(is))
                && !self.not_types.iter().any(is)
    }

    /// Whether anything at all can be wanted: a filter of no type takes nothing.
    pub(crate) fn takes_nothing(&self) -> bool {
        self.types.as_ref().is_some_and(Vec::is_empty)
            || self.not_types.iter().any(|pattern| pattern == "*")
    }

    /// Whether events of this sender are wanted.
    pub(crate) fn takes_sender(&self, sender: &UserId) -> bool {
        !self.narrow || self.senders.takes(sender)
    }

    /// Whether an event of a room is wanted.
    pub(crate) fn takes(&self, event: &StoredEvent) -> bool {
        !self.narrow
            || self.rooms.takes(&*event.room_id)
                && self.takes_sender(&event.pdu.sender)
                && self.takes_type(&event.pdu.kind.to_string())
                && self
                    .url
                    .is_none_or(|wanted| wanted == has_url(&event.pdu.content))
    }
}

fn has_url(content: &RawValue) -> bool {
    #[derive(Deserialize)]
    struct Content<'a> {
        #[serde(borrow)]
        url: Option<&'a RawValue>,
    }
    content.get().contains("\"url\"")
        && serde_json::from_str::<Content<'_>>(content.get())
            .is_ok_and(|content| content.url.is_some_and(|url| url.get().starts_with('"')))
}

impl Filter {
    /// The filter that takes everything.
    pub(crate) fn everything() -> Self {
        Self {
            timeline_limit: DEFAULT_LIMIT,
            ..Self::default()
        }
    }

    /// The filter of a JSON object.
    ///
    /// # Errors
    /// [`Error::InvalidFilter`] if it is none.
    pub(crate) fn parse(json: &str) -> Result<Self> {
        let invalid =
            |e: serde_json::Error| Error::InvalidFilter(format!("this is not a filter: {e}"));
        let filter: FilterDefinition = serde_json::from_str(json).map_err(invalid)?;
        Self::new(&filter)
    }

    /// The filter of a definition.
    ///
    /// # Errors
    /// [`Error::InvalidFilter`] if a limit is zero.
    pub(crate) fn new(from: &FilterDefinition) -> Result<Self> {
        let mut hasher = DefaultHasher::new();
        serde_json::to_string(from)
            .unwrap_or_default()
            .hash(&mut hasher);
        let room = &from.room;
        let limit = match room.timeline.limit.map(u64::from) {
            Some(0) => {
                return Err(Error::InvalidFilter(
                    "room.timeline.limit: must be greater than 0".to_owned(),
                ));
            }
            Some(limit) => usize::try_from(limit).unwrap_or(MAX_LIMIT).min(MAX_LIMIT),
            None => DEFAULT_LIMIT,
        };
        let lazy = |filter: &RoomEventFilter| match filter.lazy_load_options {
            LazyLoadOptions::Enabled {
                include_redundant_members,
            } => Some(Lazy {
                redundant: include_redundant_members,
            }),
            LazyLoadOptions::Disabled => None,
        };
        Ok(Self {
            hash: hasher.finish(),
            rooms: Choice::new(room.rooms.as_deref(), &room.not_rooms),
            include_leave: room.include_leave,
            timeline: EventFilter::new(&room.timeline),
            timeline_limit: limit,
            state: EventFilter::new(&room.state),
            ephemeral: EventFilter::new(&room.ephemeral),
            room_account_data: EventFilter::new(&room.account_data),
            account_data: EventFilter::global(&from.account_data),
            presence: EventFilter::global(&from.presence),
            lazy: lazy(&room.state),
            thread_counts: room.timeline.unread_thread_notifications,
            fields: from
                .event_fields
                .as_ref()
                .map(|fields| fields.iter().map(|field| path(field)).collect()),
            federation_format: from.event_format == EventFormat::Federation,
        })
    }
}

/// The parts of a dot-separated path, in which a backslash takes the meaning from a dot or a backslash.
///
/// <https://spec.matrix.org/v1.19/appendices/#dot-separated-property-paths>
pub(crate) fn path(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let last = parts.last_mut().expect("there is always one");
        match c {
            '.' => parts.push(String::new()),
            '\\' if chars.peek().is_some_and(|next| matches!(next, '.' | '\\')) => {
                last.extend(chars.next());
            }
            c => last.push(c),
        }
    }
    parts
}

/// What of an event a client wants that names its fields.
pub(crate) fn pick(event: &serde_json::Value, fields: &[Vec<String>]) -> serde_json::Value {
    let mut picked = serde_json::Value::Object(serde_json::Map::new());
    for field in fields {
        let mut found = event;
        let Some((last, parents)) = field.split_last() else {
            continue;
        };
        if !field.iter().all(|part| match found.get(part) {
            Some(inner) => {
                found = inner;
                true
            }
            None => false,
        }) {
            continue;
        }
        let mut into = &mut picked;
        for parent in parents {
            let serde_json::Value::Object(object) = into else {
                break;
            };
            into = object
                .entry(parent.clone())
                .or_insert_with(|| serde_json::Value::Object(serde_json::Map::new()));
        }
        if let serde_json::Value::Object(object) = into {
            object.insert(last.clone(), found.clone());
        }
    }
    picked
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn types_match_with_stars_and_exclusion_wins() {
        let filter = Filter::parse(
            r#"{"room": {"timeline": {"types": ["m.room.*"], "not_types": ["m.room.topic"]}}}"#,
        )
        .unwrap();
        assert!(filter.timeline.takes_type("m.room.message"));
        assert!(!filter.timeline.takes_type("m.room.topic"));
        assert!(!filter.timeline.takes_type("m.reaction"));
        // Types are told apart by case.
        assert!(!filter.timeline.takes_type("M.ROOM.message"));
        assert!(
            Filter::parse(r#"{"presence": {"not_types": ["*"]}}"#)
                .unwrap()
                .presence
                .takes_nothing()
        );
    }

    #[test]
    fn limits_are_bounded() {
        assert_eq!(Filter::parse("{}").unwrap().timeline_limit, DEFAULT_LIMIT);
        assert_eq!(
            Filter::parse(r#"{"room": {"timeline": {"limit": 99999}}}"#)
                .unwrap()
                .timeline_limit,
            MAX_LIMIT
        );
        assert!(Filter::parse(r#"{"room": {"timeline": {"limit": 0}}}"#).is_err());
        assert!(Filter::parse("[]").is_err());
    }

    #[test]
    fn fields_are_picked_by_path() {
        assert_eq!(
            path(r"content.m\.relates_to.x\\y"),
            ["content", "m.relates_to", r"x\y"]
        );
        let event = json!({"type": "t", "content": {"body": "b", "m.x": {"y": 1}}, "sender": "s"});
        let fields = [
            path("content.body"),
            path(r"content.m\.x.y"),
            path("type"),
            path("content.none.deeper"),
        ];
        assert_eq!(
            pick(&event, &fields),
            json!({"type": "t", "content": {"body": "b", "m.x": {"y": 1}}})
        );
    }
}
