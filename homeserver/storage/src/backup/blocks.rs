//! The files of a backup: writes in compressed blocks with checksums.

use std::{
    fs::File,
    io::{BufReader, BufWriter, Read, Write},
    path::Path,
};

use serde::{Deserialize, Serialize};

use crate::{Batch, Error, Result};

/// Writes in a block, in bytes before compression.
const BLOCK: usize = 1 << 20;
/// More than any block comes to: writes are far smaller.
const LARGEST: u32 = 1 << 30;
const LEVEL: i32 = 3;

/// What belongs in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contents {
    /// How many writes.
    pub writes: u64,
    /// Its length.
    pub bytes: u64,
    /// Checksum (CRC-32) of the checksums of its blocks.
    checksum: u32,
}

/// A file being written. A block is its compressed length, its checksum (each 4 bytes) and its compressed writes.
pub(super) struct Blocks {
    file: BufWriter<File>,
    block: Batch,
    contents: Contents,
    checksum: crc32fast::Hasher,
}

impl Blocks {
    pub(super) fn create(path: &Path) -> Result<Self> {
        Ok(Self {
            file: BufWriter::new(File::create_new(path)?),
            block: Batch::new(),
            contents: Contents {
                writes: 0,
                bytes: 0,
                checksum: 0,
            },
            checksum: crc32fast::Hasher::new(),
        })
    }

    /// Adds the one write that `add` puts into the batch.
    pub(super) fn write(&mut self, add: impl FnOnce(&mut Batch)) -> Result<()> {
        add(&mut self.block);
        self.contents.writes += 1;
        if self.block.writes.len() >= BLOCK {
            self.end_block()
        } else {
            Ok(())
        }
    }

    fn end_block(&mut self) -> Result<()> {
        let compressed = zstd::bulk::compress(&self.block.writes, LEVEL)?;
        let length = u32::try_from(compressed.len())
            .ok()
            .filter(|length| *length <= LARGEST);
        let length =
            length.ok_or_else(|| Error::Io("an entry is too large for a backup".to_owned()))?;
        let checksum = crc32fast::hash(&compressed).to_le_bytes();
        self.file.write_all(&length.to_le_bytes())?;
        self.file.write_all(&checksum)?;
        self.file.write_all(&compressed)?;
        self.checksum.update(&checksum);
        self.contents.bytes += 8 + u64::from(length);
        self.block.writes.clear();
        Ok(())
    }

    /// Ends the file; it is durable but for its name.
    pub(super) fn finish(mut self) -> Result<Contents> {
        if !self.block.writes.is_empty() {
            self.end_block()?;
        }
        self.file.flush()?;
        self.file.get_ref().sync_all()?;
        self.contents.checksum = self.checksum.finalize();
        Ok(self.contents)
    }
}

/// Calls `visit` with the writes of each block.
pub(super) fn read(
    path: &Path,
    contents: &Contents,
    mut visit: impl FnMut(bytes::Bytes) -> Result<()>,
) -> Result<()> {
    let damaged = |reason: &str| Error::damaged(path.display().to_string(), reason);
    let file = File::open(path).map_err(|e| damaged(&e.to_string()))?;
    if file.metadata()?.len() != contents.bytes {
        return Err(damaged("its length is not what the manifest says"));
    }
    let mut file = BufReader::new(file);
    let mut checksums = crc32fast::Hasher::new();
    let mut left = contents.bytes;
    let mut writes = 0;
    while left > 0 {
        let mut head = [0; 8];
        file.read_exact(&mut head)?;
        let (length, checksum) = head.split_at(4);
        let length = u32::from_le_bytes(*length.first_chunk().expect("four bytes"));
        let rest = left
            .checked_sub(8 + u64::from(length))
            .filter(|_| length <= LARGEST);
        left = rest.ok_or_else(|| damaged("a block is longer than the file"))?;
        let mut compressed = vec![0; length as usize];
        file.read_exact(&mut compressed)?;
        if crc32fast::hash(&compressed).to_le_bytes() != checksum {
            return Err(damaged("a block is not what was written"));
        }
        checksums.update(checksum);
        let block = bytes::Bytes::from(zstd::stream::decode_all(&compressed[..])?);
        writes += crate::batch::Writes(block.clone()).count() as u64;
        visit(block)?;
    }
    if writes == contents.writes && checksums.finalize() == contents.checksum {
        Ok(())
    } else {
        Err(damaged("its blocks are not those of the manifest"))
    }
}
