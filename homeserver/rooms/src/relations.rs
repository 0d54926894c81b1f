//! What relates to an event: pages of it, and what is bundled with the event itself.

use std::{collections::HashSet, sync::Arc};

use orvale_storage::{
    Position,
    trees::rooms::{RELATIONS, RelationRecord},
};
use ruma::{
    EventId, OwnedEventId, RoomId, UserId,
    api::Direction,
    events::{TimelineEventType, relation::RelationType},
};

use crate::{
    Rooms, Shown, Viewer,
    append::relation,
    error::{Error, Result},
    event::{Reader, StoredEvent},
    timeline::Order,
};

const REPLACE: &str = "m.replace";

/// How far a recursive question goes.
const DEPTH: u8 = 3;

/// How many relations one question looks at.
const MAX_LOOKS: usize = 10_000;

/// How many of the newest replacements are compared; and how many references are bundled.
const MAX_BUNDLED: usize = 50;

/// Which of the events that relate to one are wanted.
#[derive(Debug, Clone)]
pub struct Relating<'a> {
    /// How they relate; `None` for all.
    pub rel_type: Option<&'a str>,
    /// Of which type they are.
    pub kind: Option<&'a str>,
    /// Where the page starts.
    pub from: Option<Order>,
    /// Where it ends at the latest.
    pub to: Option<Order>,
    /// Its direction.
    pub direction: Direction,
    /// How many events at most.
    pub limit: usize,
    /// Whether events that relate to these count too.
    pub recurse: bool,
}

/// A page of the events that relate to one.
#[derive(Debug)]
pub struct Related<'a> {
    /// The events.
    pub events: Vec<Shown<'a>>,
    /// Where the next page starts; `None` if nothing is left.
    pub end: Option<Order>,
    /// How deep a recursive question went.
    pub depth: Option<u8>,
}

impl Rooms {
    /// A page of the events that relate to one.
    ///
    /// # Errors
    /// [`Error::UnknownEvent`] if the user cannot see the event, [`Error::NotJoined`] if not even the room.
    pub fn list_relations<'a>(
        &'a self,
        user: &'a UserId,
        device: &'a str,
        room: &RoomId,
        parent: &EventId,
        relating: &Relating<'_>,
    ) -> Result<Related<'a>> {
        let reading = self.read(user, room)?;
        let parent = self.visible_event(user, &reading.room, parent)?;
        let (mut found, depth) = if relating.recurse {
            self.descendants(&parent)?
        } else {
            let relations = self.relations_of(parent.event_id(), relating.rel_type)?;
            (in_room(relations, parent.room), 0)
        };
        found.retain(|(_, rel_type, record)| {
            relating.rel_type.is_none_or(|wanted| wanted == rel_type)
                && relating.kind.is_none_or(|wanted| wanted == record.kind)
        });
        let mut places: Vec<Position> = found.into_iter().map(|(at, ..)| at).collect();
        places.sort_unstable();
        places.dedup();
        let (from, to) = (relating.from, relating.to);
        match relating.direction {
            Direction::Backward => {
                places.retain(|at| {
                    from.is_none_or(|from| Order::live(*at) <= from)
                        && to.is_none_or(|to| Order::live(*at) > to)
                });
                places.reverse();
            }
            Direction::Forward => places.retain(|at| {
                from.is_none_or(|from| Order::live(*at) > from)
                    && to.is_none_or(|to| Order::live(*at) <= to)
            }),
        }

        let mut viewer = Viewer::new(self, user, reading.now).on(device);
        let mut page = Related {
            events: Vec::new(),
            end: None,
            depth: relating.recurse.then_some(depth),
        };
        for at in places {
            let event = self.event(at)?;
            let is_hidden = !event.is_shown() || viewer.ignores(&event.pdu.sender)?;
            if is_hidden || !viewer.sees(&event)? {
                continue;
            }
            if page.events.len() == relating.limit {
                page.end = page.events.last().map(|last| {
                    let last = Order::live(last.position());
                    match relating.direction {
                        Direction::Backward => last.before(),
                        Direction::Forward => last,
                    }
                });
                break;
            }
            page.events.push(Shown {
                reader: viewer.reader(&event)?,
                event,
            });
        }
        Ok(page)
    }

    /// Who relates to an event, oldest first within a type of relation.
    pub(crate) fn relations_of(
        &self,
        parent: &EventId,
        rel_type: Option<&str>,
    ) -> Result<Vec<Relation>> {
        let found = match rel_type {
            Some(rel_type) => self
                .store()
                .prefix(&RELATIONS, (parent, rel_type), MAX_LOOKS)?,
            None => self.store().prefix(&RELATIONS, (parent,), MAX_LOOKS)?,
        };
        Ok(found
            .into_iter()
            .map(|((_, rel_type, at), record)| (at, rel_type, record))
            .collect())
    }

    /// Everything that relates to an event, to what relates to it, and so on; and how far that went.
    fn descendants(&self, ancestor: &StoredEvent) -> Result<(Vec<Relation>, u8)> {
        let mut seen = HashSet::from([ancestor.event_id().to_owned()]);
        let mut parents: Vec<OwnedEventId> = seen.iter().cloned().collect();
        let (mut found, mut depth) = (Vec::new(), 0);
        while depth < DEPTH && !parents.is_empty() && found.len() < MAX_LOOKS {
            let mut children = Vec::new();
            for parent in &parents {
                for child in in_room(self.relations_of(parent, None)?, ancestor.room) {
                    let event_id = self.event(child.0)?.event_id().to_owned();
                    if seen.insert(event_id.clone()) {
                        children.push(event_id);
                        found.push(child);
                    }
                }
            }
            depth += u8::from(!children.is_empty());
            parents = children;
        }
        Ok((found, depth))
    }

    /// The newest valid edit of an event, of those that `may_be` lets through.
    ///
    /// <https://spec.matrix.org/v1.19/client-server-api/#validity-of-replacement-events>
    ///
    /// # Errors
    /// Storage's.
    pub fn newest_edit(
        &self,
        event: &StoredEvent,
        mut may_be: impl FnMut(&StoredEvent) -> Result<bool>,
    ) -> Result<Option<Arc<StoredEvent>>> {
        if !is_editable(event) {
            return Ok(None);
        }
        let id = event.event_id();
        let newest = self.store().range(
            &RELATIONS,
            (id, REPLACE, event.position),
            (id, REPLACE, Position(u64::MAX)),
            true,
            MAX_BUNDLED,
        )?;
        let mut found: Option<Arc<StoredEvent>> = None;
        for ((_, _, at), record) in newest {
            let is_alike = record.room == event.room
                && record.sender == event.pdu.sender.as_str()
                && record.kind == event.pdu.kind.to_string();
            if !is_alike {
                continue;
            }
            let edit = self.event(at)?;
            let age =
                |event: &StoredEvent| (event.pdu.origin_server_ts, event.event_id().to_owned());
            let is_newest = found.as_ref().is_none_or(|best| age(&edit) > age(best));
            if is_newest && is_edit(&edit) && edit.is_shown() && may_be(&edit)? {
                found = Some(edit);
            }
        }
        Ok(found)
    }

    /// The event that an edit is of, if it is one that counts.
    ///
    /// # Errors
    /// Storage's.
    pub fn edited(&self, edit: &StoredEvent) -> Result<Option<Arc<StoredEvent>>> {
        let Some((parent, rel_type, _)) = relation(&edit.pdu) else {
            return Ok(None);
        };
        if rel_type != REPLACE || !is_edit(edit) {
            return Ok(None);
        }
        let parent = self.find_event(&parent)?.filter(|parent| {
            parent.room == edit.room
                && parent.pdu.sender == edit.pdu.sender
                && parent.pdu.kind == edit.pdu.kind
                && is_editable(parent)
        });
        Ok(parent)
    }

    /// Refuses a thread that starts from an event which is part of something itself.
    pub(crate) fn check_new_thread(&self, room: Position, parent: &EventId) -> Result<()> {
        let parent = self.find_event(parent)?;
        let is_part =
            parent.is_some_and(|parent| parent.room == room && relation(&parent.pdu).is_some());
        if is_part {
            return Err(Error::NestedThread);
        }
        Ok(())
    }
}

/// The position of an event that relates to another, how it does, and more about it.
type Relation = (Position, String, RelationRecord);

/// Relations count within a room.
fn in_room(mut relations: Vec<Relation>, room: Position) -> Vec<Relation> {
    relations.retain(|(_, _, record)| record.room == room);
    relations
}

impl Viewer<'_> {
    /// What is bundled with an event for this reader (`m.relations`), as the inside of a JSON object.
    pub(crate) fn bundle(&mut self, event: &StoredEvent) -> Result<Option<Box<str>>> {
        if event.pdu.state_key.is_some() || !self.rooms().inner.relations.may_have(event.position) {
            return Ok(None);
        }
        let id = event.event_id();
        if self
            .rooms()
            .store()
            .prefix(&RELATIONS, (id,), 1)?
            .is_empty()
        {
            return Ok(None);
        }
        let mut parts = Vec::new();
        if let Some(newest) = self.replacement(event)? {
            parts.push(format!("\"m.replace\":{}", self.plain(&newest)?));
        }
        if let Some(thread) = self.thread(event)? {
            parts.push(format!("\"m.thread\":{thread}"));
        }
        if let Some(references) = self.references(event)? {
            parts.push(format!("\"m.reference\":{{\"chunk\":[{references}]}}"));
        }
        let bundle =
            (!parts.is_empty()).then(|| format!("\"m.relations\":{{{}}}", parts.join(",")));
        Ok(bundle.map(Into::into))
    }

    /// The newest edit of an event that the reader may see.
    fn replacement(&mut self, event: &StoredEvent) -> Result<Option<Arc<StoredEvent>>> {
        let rooms = self.rooms();
        rooms.newest_edit(event, |edit| self.sees(edit))
    }

    /// The events that refer to one, as the inside of a JSON array.
    fn references(&mut self, event: &StoredEvent) -> Result<Option<String>> {
        let found = self.rooms().store().prefix(
            &RELATIONS,
            (event.event_id(), RelationType::Reference.as_str()),
            MAX_BUNDLED,
        )?;
        let mut ids = Vec::new();
        for ((_, _, at), record) in found {
            if record.room == event.room {
                let child = self.rooms().event(at)?;
                if child.is_shown() && !self.ignores(&child.pdu.sender)? && self.sees(&child)? {
                    ids.push(format!("{{\"event_id\":\"{}\"}}", child.event_id()));
                }
            }
        }
        Ok((!ids.is_empty()).then(|| ids.join(",")))
    }

    /// An event inside a bundle, without a bundle of its own.
    fn plain(&mut self, event: &StoredEvent) -> Result<String> {
        let reader = self.reader_alone(event)?;
        json(event, &reader)
    }

    /// An event inside a bundle, with what is bundled with it but a thread: it is part of one.
    pub(crate) fn with_bundle(&mut self, event: &StoredEvent) -> Result<String> {
        let mut reader = self.reader_alone(event)?;
        let mut parts = Vec::new();
        if let Some(edit) = self.replacement(event)? {
            parts.push(format!("\"m.replace\":{}", self.plain(&edit)?));
        }
        if let Some(references) = self.references(event)? {
            parts.push(format!("\"m.reference\":{{\"chunk\":[{references}]}}"));
        }
        if !parts.is_empty() {
            reader.bundled = Some(format!("\"m.relations\":{{{}}}", parts.join(",")).into());
        }
        json(event, &reader)
    }
}

/// Whether an event can be edited: neither state nor an edit itself, and still there.
fn is_editable(event: &StoredEvent) -> bool {
    let is_replacement =
        || relation(&event.pdu).is_some_and(|(_, rel_type, _)| rel_type == REPLACE);
    event.pdu.state_key.is_none() && !event.is_redacted() && !is_replacement()
}

fn is_edit(event: &StoredEvent) -> bool {
    // What is encrypted shows only the relation.
    event.pdu.kind == TimelineEventType::RoomEncrypted
        || event
            .pdu
            .content_field::<serde::de::IgnoredAny>("m.new_content")
            .is_some()
}

fn json(event: &StoredEvent, reader: &Reader<'_>) -> Result<String> {
    let mut out = Vec::with_capacity(1024);
    event.write_client_format(reader, &mut out)?;
    String::from_utf8(out).map_err(|error| Error::Internal(error.to_string()))
}
