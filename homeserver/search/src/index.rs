//! The index: opened, or begun anew where it cannot be.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::Arc,
};

use orvale_rooms::Rooms;
use orvale_storage::{Entry, Position};
use tantivy::{
    IndexReader, IndexWriter, ReloadPolicy,
    directory::MmapDirectory,
    indexer::{IndexWriterOptions, LogMergePolicy},
};

use crate::{
    Place, Result,
    schema::{Fields, VERSION, schema},
};

/// Segments with fewer documents than this are merged as if they had so many: each second of talk makes one.
const SMALL_SEGMENT: usize = 10_000;

/// An index that can be read.
pub(crate) struct Index {
    index: tantivy::Index,
    pub(crate) reader: IndexReader,
    pub(crate) fields: Fields,
}

/// What an index's last commit says of itself.
struct Mark {
    version: u32,
    at: Position,
    /// What the log had there, to tell one store from another.
    entry: u64,
}

impl Index {
    /// The index in a place, and the position up to which it has been filled. One that is missing, broken, of another form or
    /// not of this store is begun anew.
    pub(crate) fn open(place: &Place, rooms: &Rooms) -> Result<(Arc<Self>, Position)> {
        if let Place::Directory(directory) = place {
            // Files that end too early make tantivy panic.
            let opened = catch_unwind(AssertUnwindSafe(|| Self::open_directory(directory, rooms)));
            match opened {
                Ok(Ok(Some(opened))) => return Ok(opened),
                Ok(Ok(None)) => {}
                Ok(Err(error)) => tracing::warn!(%error, "the search index cannot be used"),
                Err(_) => tracing::warn!("the search index is broken and is made anew"),
            }
        }
        Ok((Self::begin(place)?, Position::START))
    }

    fn open_directory(directory: &Path, rooms: &Rooms) -> Result<Option<(Arc<Self>, Position)>> {
        if !directory.join("meta.json").exists() {
            return Ok(None);
        }
        let index = tantivy::Index::open(MmapDirectory::open(directory).map_err(broken)?)?;
        let (schema, fields) = schema();
        let mark = index
            .load_metas()?
            .payload
            .and_then(|text| Mark::parse(&text));
        let Some(mark) = mark.filter(|mark| mark.version == VERSION && index.schema() == schema)
        else {
            tracing::info!("the search index has another form and is made anew");
            return Ok(None);
        };
        if fingerprint(rooms, mark.at)? != mark.entry {
            tracing::warn!("the search index is not of this store and is made anew");
            return Ok(None);
        }
        Ok(Some((Arc::new(Self::reading(index, fields)?), mark.at)))
    }

    /// An empty index in the place of whatever was there.
    pub(crate) fn begin(place: &Place) -> Result<Arc<Self>> {
        let (schema, fields) = schema();
        let index = match place {
            Place::Memory => tantivy::Index::create_in_ram(schema),
            Place::Directory(directory) => {
                if directory.exists() {
                    std::fs::remove_dir_all(directory)?;
                }
                std::fs::create_dir_all(directory)?;
                let directory = MmapDirectory::open(directory).map_err(broken)?;
                tantivy::Index::create(directory, schema, tantivy::IndexSettings::default())?
            }
        };
        Ok(Arc::new(Self::reading(index, fields)?))
    }

    /// Whether every file is as it was written. Reads all of them.
    pub(crate) fn is_whole(&self) -> bool {
        let check = || self.index.validate_checksum();
        let damaged = catch_unwind(AssertUnwindSafe(check));
        matches!(damaged, Ok(Ok(damaged)) if damaged.is_empty())
    }

    fn reading(index: tantivy::Index, fields: Fields) -> Result<Self> {
        let reader = index
            .reader_builder()
            .reload_policy(ReloadPolicy::Manual)
            .try_into()?;
        Ok(Self {
            index,
            reader,
            fields,
        })
    }

    /// What writes it. There is one at a time.
    pub(crate) fn writer(&self, memory_bytes: usize) -> Result<IndexWriter> {
        let options = IndexWriterOptions::builder()
            .num_worker_threads(1)
            .num_merge_threads(1)
            .memory_budget_per_thread(memory_bytes)
            .build();
        let writer: IndexWriter = self.index.writer_with_options(options)?;
        let mut merging = LogMergePolicy::default();
        merging.set_min_layer_size(u32::try_from(SMALL_SEGMENT).unwrap_or(u32::MAX));
        writer.set_merge_policy(Box::new(merging));
        Ok(writer)
    }
}

/// What a commit that has been filled up to a position says of itself.
pub(crate) fn mark(rooms: &Rooms, at: Position) -> Result<String> {
    Ok(format!("{VERSION} {at} {}", fingerprint(rooms, at)?))
}

impl Mark {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(' ');
        Some(Self {
            version: parts.next()?.parse().ok()?,
            at: Position(parts.next()?.parse().ok()?),
            entry: parts.next()?.parse().ok()?,
        })
    }
}

/// A number for the entry of the log at a position; an event's does not change when it is redacted.
fn fingerprint(rooms: &Rooms, at: Position) -> Result<u64> {
    if at == Position::START {
        return Ok(0);
    }
    let before = Position(at.0 - 1);
    let entry = rooms.store().log(before, 1)?;
    let name = match entry.first() {
        Some((found, Entry::Event(record))) if *found == at => record.event_id.clone(),
        Some((found, entry)) if *found == at => format!("{entry:?}"),
        _ => return Ok(u64::MAX),
    };
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    Ok(name.bytes().fold(0xcbf2_9ce4_8422_2325, step) >> 1)
}

fn broken(error: impl Into<tantivy::TantivyError>) -> tantivy::TantivyError {
    error.into()
}
