//! The bytes of a segment: a header page, then frames, each starting a page.
//!
//! A frame is one group: all batches that one sync made durable. It starts a page of its own, so that no write ever touches
//! a page that holds something acknowledged, and a checksum covers it whole, so that a torn one is no frame at all. It names
//! its segment, by number and by a random salt: files are used again, and neither what an older use left in one nor what
//! somebody wrote into an event may look like a frame.

use bytes::Bytes;

/// Frames start at multiples of this: what a disk writes at once.
pub(crate) const PAGE: usize = 4096;

const MAGIC: [u8; 8] = *b"orv log\x01";
const HEADER: usize = 36;
const FRAME_HEADER: usize = 28;
const BATCH_HEADER: usize = 16;

/// What a segment says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) number: u64,
    pub(crate) salt: u64,
    /// The group of its first frame.
    pub(crate) first: u64,
}

/// A batch in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Logged {
    /// Its first position, and how many it has.
    pub(crate) first: u64,
    pub(crate) count: u32,
    /// As [`crate::batch::Writes`] reads them.
    pub(crate) writes: Bytes,
}

/// A frame found in a segment.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) group: u64,
    /// That of its segment, else it is none of the segment's.
    pub(crate) salt: u64,
    pub(crate) batches: Vec<Logged>,
    /// Where the next one would start.
    pub(crate) end: usize,
}

impl Header {
    pub(crate) fn to_page(self) -> Vec<u8> {
        let mut page = Vec::with_capacity(PAGE);
        page.extend_from_slice(&MAGIC);
        for number in [self.number, self.salt, self.first] {
            page.extend_from_slice(&number.to_le_bytes());
        }
        page.extend_from_slice(&crc32fast::hash(&page).to_le_bytes());
        page.resize(PAGE, 0);
        page
    }

    /// The header of a segment; `None` if there is none, or a torn one.
    pub(crate) fn read(segment: &[u8]) -> Option<Self> {
        let header = segment.get(..HEADER)?;
        let (fields, checksum) = header.split_at(HEADER - 4);
        let number = |n: usize| {
            u64::from_le_bytes(*fields[8 + 8 * n..].first_chunk().expect("three numbers"))
        };
        (fields.starts_with(&MAGIC) && crc32fast::hash(fields).to_le_bytes() == checksum).then(
            || Self {
                number: number(0),
                salt: number(1),
                first: number(2),
            },
        )
    }
}

impl Header {
    /// The frame of this segment that starts at `at`.
    pub(crate) fn frame(&self, segment: &Bytes, at: usize) -> Option<Frame> {
        read(segment, self.number, at).filter(|frame| frame.salt == self.salt)
    }
}

/// Appends a frame, to the end of its last page.
pub(crate) fn append<'a>(
    out: &mut Vec<u8>,
    (segment, salt): (u64, u64),
    group: u64,
    batches: impl Iterator<Item = (u64, u32, &'a [u8])>,
) {
    let at = out.len();
    out.extend_from_slice(&[0; 8]);
    out.extend_from_slice(&group.to_le_bytes());
    out.extend_from_slice(&salt.to_le_bytes());
    out.extend_from_slice(&[0; 4]);
    let mut number = 0u32;
    for (first, count, writes) in batches {
        out.extend_from_slice(&first.to_le_bytes());
        out.extend_from_slice(&count.to_le_bytes());
        out.extend_from_slice(
            &u32::try_from(writes.len())
                .expect("a batch is far below 4 GiB")
                .to_le_bytes(),
        );
        out.extend_from_slice(writes);
        number += 1;
    }
    let length = u32::try_from(out.len() - at - FRAME_HEADER).expect("a group is far below 4 GiB");
    out[at + 4..at + 8].copy_from_slice(&length.to_le_bytes());
    out[at + 24..at + 28].copy_from_slice(&number.to_le_bytes());
    let checksum = checksum(segment, &out[at + 4..]);
    out[at..at + 4].copy_from_slice(&checksum.to_le_bytes());
    out.resize(at + (out.len() - at).next_multiple_of(PAGE), 0);
}

/// The frame of a segment that starts at `at`; `None` if none does: an unused page, a torn frame, something else.
pub(crate) fn read(bytes: &Bytes, segment: u64, at: usize) -> Option<Frame> {
    let frame = bytes.get(at..)?;
    let header: &[u8; FRAME_HEADER] = frame.first_chunk()?;
    let length = u32::from_le_bytes(*header[4..].first_chunk()?) as usize;
    let end = FRAME_HEADER.checked_add(length)?;
    if header[..4] != checksum(segment, frame.get(4..end)?).to_le_bytes() {
        return None;
    }
    let group = u64::from_le_bytes(*header[8..].first_chunk()?);
    let salt = u64::from_le_bytes(*header[16..].first_chunk()?);
    let number = u32::from_le_bytes(*header[24..].first_chunk()?);
    let end = at + end;
    let mut batches = Vec::new();
    let mut next = at + FRAME_HEADER;
    for _ in 0..number {
        let head: &[u8; BATCH_HEADER] = bytes.get(next..end)?.first_chunk()?;
        let length = u32::from_le_bytes(*head[12..].first_chunk()?) as usize;
        let writes = next + BATCH_HEADER..(next + BATCH_HEADER).checked_add(length)?;
        next = writes.end;
        if next > end {
            return None;
        }
        batches.push(Logged {
            first: u64::from_le_bytes(*head.first_chunk()?),
            count: u32::from_le_bytes(*head[8..].first_chunk()?),
            writes: bytes.slice(writes),
        });
    }
    (next == end).then(|| Frame {
        group,
        salt,
        batches,
        end: end.next_multiple_of(PAGE),
    })
}

fn checksum(segment: u64, bytes: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&segment.to_le_bytes());
    hasher.update(bytes);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_frame_comes_back_and_no_other_segment_or_changed_byte_passes(
            batches in proptest::collection::vec((any::<u64>(), any::<u32>(), proptest::collection::vec(any::<u8>(), 0..3000)), 0..5),
            segment: u64, salt: u64, group: u64, flip: prop::sample::Index,
        ) {
            let mut out = vec![9; PAGE];
            append(&mut out, (segment, salt), group, batches.iter().map(|(f, c, w)| (*f, *c, &w[..])));
            prop_assert_eq!(out.len() % PAGE, 0);
            let length = u32::from_le_bytes(*out[PAGE + 4..].first_chunk().unwrap()) as usize;
            let bytes = Bytes::from(out.clone());
            let frame = read(&bytes, segment, PAGE).unwrap();
            prop_assert_eq!((frame.group, frame.salt, frame.end), (group, salt, out.len()));
            let found: Vec<_> = frame.batches.into_iter().map(|b| (b.first, b.count, b.writes.to_vec())).collect();
            prop_assert_eq!(found, batches);
            prop_assert_eq!(read(&bytes, segment ^ 1, PAGE), None);
            prop_assert_eq!(read(&bytes, segment, 0), None);
            out[PAGE + flip.index(FRAME_HEADER + length)] ^= 0x10;
            prop_assert_eq!(read(&out.into(), segment, PAGE), None);
        }

        #[test]
        fn a_header_comes_back(number: u64, salt: u64, first: u64, flip in 0..HEADER) {
            let header = Header { number, salt, first };
            let mut page = header.to_page();
            prop_assert_eq!(Header::read(&page), Some(header));
            page[flip] ^= 1;
            prop_assert_eq!(Header::read(&page), None);
        }
    }
}
