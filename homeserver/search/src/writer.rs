//! From the log into the index.

use std::{collections::HashMap, sync::Arc};

use orvale_rooms::{Order, Rooms, StoredEvent};
use orvale_storage::{Entry, Position, Standing};
use ruma::events::TimelineEventType;
use tantivy::{IndexWriter, Term, collector::TopDocs, query::TermQuery, schema::IndexRecordOption};

use crate::{
    Error, Result,
    index::{Index, mark},
    schema::EVENT,
    text::text,
};

/// How many entries of the log are read at a time.
const READ: usize = 500;

/// Works through the log. What it writes of an event is always what is so now, so that reading an entry twice does no harm.
pub(crate) struct Writer {
    rooms: Rooms,
    index: Arc<Index>,
    writer: IndexWriter,
    /// The last entry that is in the index, or on its way.
    at: Position,
    committed: Position,
    /// Documents on their way: the event that says the text → the event that is found by it. Only those that differ.
    said: HashMap<u64, u64>,
}

impl Writer {
    pub(crate) fn new(
        rooms: Rooms,
        index: Arc<Index>,
        memory_bytes: usize,
        at: Position,
    ) -> Result<Self> {
        Ok(Self {
            writer: index.writer(memory_bytes)?,
            rooms,
            index,
            at,
            committed: at,
            said: HashMap::new(),
        })
    }

    /// Takes the next entries in; `false` if there are none.
    pub(crate) fn advance(&mut self) -> Result<bool> {
        let entries = self.rooms.store().log(self.at, READ)?;
        for (at, entry) in &entries {
            match self.take_entry(*at, entry) {
                // One event that cannot be read shall not keep all others from being found.
                Err(Error::Rooms(error)) => {
                    tracing::warn!(position = %at, %error, "an event is not searched");
                }
                taken => taken?,
            }
            self.at = *at;
        }
        Ok(!entries.is_empty())
    }

    /// The last entry that searches take into account.
    pub(crate) fn committed(&self) -> Position {
        self.committed
    }

    /// How many entries are not yet taken into account, at most.
    pub(crate) fn waiting(&self) -> u64 {
        self.at.0 - self.committed.0
    }

    /// Makes what was taken in durable, and found.
    pub(crate) fn commit(&mut self) -> Result<()> {
        if self.at == self.committed {
            return Ok(());
        }
        let mark = mark(&self.rooms, self.at)?;
        let mut commit = self.writer.prepare_commit()?;
        commit.set_payload(&mark);
        commit.commit()?;
        self.index.reader.reload()?;
        self.said.clear();
        self.committed = self.at;
        metrics::gauge!("orvale_search_documents")
            .set(self.index.reader.searcher().num_docs() as f64);
        Ok(())
    }

    /// Starts from the first entry, with an empty index; what there was is searched until the next commit.
    pub(crate) fn begin_again(&mut self) -> Result<()> {
        self.writer.rollback()?;
        self.writer.delete_all_documents()?;
        self.said.clear();
        (self.at, self.committed) = (Position::START, Position::START);
        Ok(())
    }

    fn take_entry(&mut self, at: Position, entry: &Entry) -> Result<()> {
        match entry {
            Entry::Event(record) if record.standing == Standing::Accepted => {
                let event = self.rooms.load(at, record.clone())?;
                self.take(&event, false)
            }
            // Of the room's state once, of what is read there from now on.
            Entry::Arrived { event } => {
                let event = self.rooms.event(*event)?;
                match event.record.standing {
                    Standing::Accepted => self.take(&event, true),
                    _ => Ok(()),
                }
            }
            Entry::Whole { room } => self.take_again(*room, at),
            _ => Ok(()),
        }
    }

    /// Takes in anew what was said in a room until all its members were known: what somebody redacted who turned out not to be allowed to is
    /// as it was.
    fn take_again(&mut self, room: Position, until: Position) -> Result<()> {
        let room = self.rooms.get_number(room)?;
        let mut from = Order::live(Position::START);
        loop {
            let said = self
                .rooms
                .list_forwards(&room, from, Order::live(until), READ)?;
            let Some((last, _)) = said.last() else {
                return Ok(());
            };
            from = *last;
            for (_, event) in &said {
                self.take(event, true)?;
            }
        }
    }

    fn take(&mut self, event: &StoredEvent, again: bool) -> Result<()> {
        if event.pdu.kind != TimelineEventType::RoomRedaction {
            return self.take_said(event, again);
        }
        let Some(target) = &event.pdu.redacts else {
            return Ok(());
        };
        match self.rooms.find_event(target)? {
            Some(target) if target.is_redacted() => self.take_redacted(&target),
            // Whoever wanted it redacted may not, or may not any more.
            Some(target) if target.is_shown() => self.take_said(&target, true),
            _ => Ok(()),
        }
    }

    fn take_said(&mut self, event: &StoredEvent, again: bool) -> Result<()> {
        match self.rooms.edited(event)? {
            Some(original) => self.put(&original, true),
            None => self.put(event, again),
        }
    }

    /// An event that lost its content is found no more, and what it was an edit of by what it says else.
    fn take_redacted(&mut self, redacted: &StoredEvent) -> Result<()> {
        let number = redacted.position.0;
        self.writer
            .delete_term(self.index.fields.event_term(number));
        if let Some(original) = self.said_by(number)? {
            let original = self.rooms.event(Position(original))?;
            self.put(&original, true)?;
        }
        Ok(())
    }

    fn put(&mut self, event: &StoredEvent, again: bool) -> Result<()> {
        let fields = self.index.fields;
        if again {
            self.writer.delete_term(fields.event_term(event.position.0));
        }
        if let Some(text) = text(&self.rooms, event)? {
            self.writer.add_document(fields.document(event, &text))?;
            if text.said_by != event.position {
                self.said.insert(text.said_by.0, event.position.0);
            }
        }
        Ok(())
    }

    /// The event that is found by what another one says.
    fn said_by(&self, number: u64) -> Result<Option<u64>> {
        if let Some(original) = self.said.get(&number) {
            return Ok(Some(*original));
        }
        let term = Term::from_field_u64(self.index.fields.said_by, number);
        let query = TermQuery::new(term, IndexRecordOption::Basic);
        let searcher = self.index.reader.searcher();
        let found = searcher.search(&query, &TopDocs::with_limit(1).order_by_score())?;
        let Some((_, address)) = found.first() else {
            return Ok(None);
        };
        let segment = searcher.segment_reader(address.segment_ord);
        let events = segment.fast_fields().u64(EVENT)?;
        let original = events.first(address.doc_id);
        Ok(original.filter(|original| *original != number))
    }
}
