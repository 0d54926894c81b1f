//! What push rules ask about an event, found out when first asked and then kept for all who read it.

use std::{
    borrow::Cow,
    sync::{Arc, OnceLock},
};

use orvale_rooms::{Rooms, StoredEvent};
use orvale_storage::Position;
use quick_cache::{Weighter, sync::Cache};
use ruma::OwnedEventId;
use serde_json::Value;

use crate::{Result, sync::filter::path};

/// An event as push rules see it.
#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) event: Arc<StoredEvent>,
    kind: String,
    content: OnceLock<Value>,
    body: OnceLock<Option<String>>,
    joined: OnceLock<u64>,
    thread: OnceLock<Option<OwnedEventId>>,
}

impl Facts {
    pub(crate) fn new(event: Arc<StoredEvent>) -> Self {
        let kind = event.pdu.kind.to_string();
        Self {
            event,
            kind,
            content: OnceLock::new(),
            body: OnceLock::new(),
            joined: OnceLock::new(),
            thread: OnceLock::new(),
        }
    }

    /// The event's type.
    pub(crate) fn kind(&self) -> &str {
        &self.kind
    }

    fn content(&self) -> &Value {
        // Contents were parsed when the event was made.
        self.content
            .get_or_init(|| serde_json::from_str(self.event.pdu.content.get()).unwrap_or_default())
    }

    /// The property at a [dot-separated path].
    ///
    /// [dot-separated path]: https://spec.matrix.org/v1.19/appendices/#dot-separated-property-paths
    pub(crate) fn property(&self, key: &str) -> Option<Cow<'_, Value>> {
        let pdu = &self.event.pdu;
        let text = |text: &str| Some(Cow::Owned(Value::from(text)));
        match key {
            "event_id" => text(pdu.event_id.as_str()),
            "origin_server_ts" => Some(Cow::Owned(u64::from(pdu.origin_server_ts.get()).into())),
            "redacts" => pdu.redacts.as_ref().and_then(|id| text(id.as_str())),
            _ => match self.text(key) {
                Some(found) => text(found),
                None => self.inside(key).map(Cow::Borrowed),
            },
        }
    }

    /// The text at a path; nothing if something else is there.
    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        let pdu = &self.event.pdu;
        match key {
            "type" => Some(&self.kind),
            "sender" => Some(pdu.sender.as_str()),
            "room_id" => Some(self.event.room_id.as_str()),
            "state_key" => pdu.state_key.as_deref(),
            "event_id" => Some(pdu.event_id.as_str()),
            _ => self.inside(key)?.as_str(),
        }
    }

    /// What is at a path in the content.
    fn inside(&self, key: &str) -> Option<&Value> {
        let rest = key.strip_prefix("content.")?;
        if !rest.contains(['.', '\\']) {
            return self.content().get(rest);
        }
        path(rest)
            .iter()
            .try_fold(self.content(), |found, part| found.get(part))
    }

    /// The body in lower case.
    pub(crate) fn body(&self) -> Option<&str> {
        self.body
            .get_or_init(|| Some(self.content().get("body")?.as_str()?.to_lowercase()))
            .as_deref()
    }

    /// Whether it says whom it mentions.
    pub(crate) fn has_mentions(&self) -> bool {
        self.content().get("m.mentions").is_some()
    }

    /// How many users were in the room when this was first asked.
    pub(crate) fn joined(&self, rooms: &Rooms) -> Result<u64> {
        if let Some(joined) = self.joined.get() {
            return Ok(*joined);
        }
        let joined = rooms.count_joined(self.event.room)?;
        Ok(*self.joined.get_or_init(|| joined))
    }

    /// The root of the thread it is in; `None` for the main timeline.
    pub(crate) fn thread(&self, rooms: &Rooms) -> Result<Option<&OwnedEventId>> {
        if self.thread.get().is_none() {
            let thread = rooms.thread_of(&self.event)?;
            return Ok(self.thread.get_or_init(|| thread).as_ref());
        }
        Ok(self.thread.get().and_then(Option::as_ref))
    }
}

/// The facts about events that came lately.
pub(crate) struct FactsCache(Cache<Position, Arc<Facts>, Bytes>);

#[derive(Clone)]
struct Bytes;

impl Weighter<Position, Arc<Facts>> for Bytes {
    fn weight(&self, _: &Position, facts: &Arc<Facts>) -> u64 {
        // A parsed content takes several times its text.
        400 + 6 * facts.event.pdu.content.get().len() as u64
    }
}

impl FactsCache {
    pub(crate) fn new(bytes: u64) -> Self {
        let events = usize::try_from(bytes / 2000).unwrap_or(usize::MAX);
        Self(Cache::with_weighter(events.max(16), bytes, Bytes))
    }

    /// The facts about an event.
    pub(crate) fn of(&self, event: &Arc<StoredEvent>) -> Arc<Facts> {
        // Another value stands for the same event once it is redacted.
        if let Some(facts) = self
            .0
            .get(&event.position)
            .filter(|facts| Arc::ptr_eq(&facts.event.pdu, &event.pdu))
        {
            return facts;
        }
        let facts = Arc::new(Facts::new(event.clone()));
        self.0.insert(event.position, facts.clone());
        facts
    }
}
