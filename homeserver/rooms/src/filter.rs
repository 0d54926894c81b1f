//! Which events of a room a client wants.

use ruma::api::client::filter::{RoomEventFilter, UrlFilter};
use serde::de::IgnoredAny;

use crate::{event::StoredEvent, room::Room};

/// A client's filter, for the events of one room.
pub struct EventFilter<'a> {
    filter: &'a RoomEventFilter,
    wants_room: bool,
}

impl<'a> EventFilter<'a> {
    /// The part of a filter that decides about single events; `limit` and lazy loading are the caller's.
    #[must_use]
    pub fn new(filter: &'a RoomEventFilter, room: &Room) -> Self {
        let listed = filter
            .rooms
            .as_ref()
            .is_none_or(|rooms| rooms.contains(&room.id));
        Self {
            filter,
            wants_room: listed && !filter.not_rooms.contains(&room.id),
        }
    }

    /// Whether it lets no event of the room through, whatever it is.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        let is_empty = |list: &Option<Vec<_>>| list.as_ref().is_some_and(Vec::is_empty);
        !self.wants_room
            || is_empty(&self.filter.types)
            || self.filter.senders.as_ref().is_some_and(Vec::is_empty)
    }

    /// Whether the client wants this event.
    #[must_use]
    pub fn matches(&self, event: &StoredEvent) -> bool {
        let RoomEventFilter {
            types,
            not_types,
            senders,
            not_senders,
            url_filter,
            ..
        } = self.filter;
        let kind = event.pdu.kind.to_string();
        let sender = &event.pdu.sender;
        let is_one = |patterns: &[String]| patterns.iter().any(|pattern| wildcard(pattern, &kind));
        let has_url = || event.pdu.content_field::<IgnoredAny>("url").is_some();
        self.wants_room
            && !is_one(not_types)
            && types.as_ref().is_none_or(|types| is_one(types))
            && !not_senders.contains(sender)
            && senders
                .as_ref()
                .is_none_or(|senders| senders.contains(sender))
            && url_filter.is_none_or(|wanted| has_url() == (wanted == UrlFilter::EventsWithUrl))
    }
}

/// Whether a text is what a pattern describes, in which `*` stands for any characters.
fn wildcard(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(mut text) = text.strip_prefix(first) else {
        return false;
    };
    let mut parts = rest.split('*').peekable();
    // Taking each part at the first place it fits leaves the most for those after it.
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return text.ends_with(part);
        }
        match text.find(part) {
            Some(at) => text = &text[at + part.len()..],
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::wildcard;

    #[test]
    fn a_star_stands_for_any_characters() {
        for (pattern, text, fits) in [
            ("m.room.message", "m.room.message", true),
            ("m.room.message", "m.room.messages", false),
            ("m.room.*", "m.room.name", true),
            ("*", "", true),
            ("m.*.a*b", "m.x.a.b.ab", true),
            ("m.*.a*b", "m.x.a.b.a", false),
            ("a*a", "a", false),
            ("*name", "m.room.name", true),
            ("org.*.name", "m.room.name", false),
        ] {
            assert_eq!(wildcard(pattern, text), fits, "{pattern} {text}");
        }
    }
}
