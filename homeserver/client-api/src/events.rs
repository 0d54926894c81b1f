//! Events in answers, written as they are kept.

use orvale_rooms::{Result, Shown};

/// Appends a JSON array of events.
pub(crate) fn write_list(events: &[Shown<'_>], out: &mut Vec<u8>) -> Result<()> {
    out.push(b'[');
    for (n, shown) in events.iter().enumerate() {
        if n > 0 {
            out.push(b',');
        }
        shown.write(out)?;
    }
    out.push(b']');
    Ok(())
}
