//! Redaction: what is left of an event whose content was taken back.

use ruma::{canonical_json::redact_in_place, room_version_rules::RoomVersionRules};

use crate::{Error, canonical};

/// The redacted form of an event: canonical JSON in, canonical JSON out. Its event ID and signatures stay valid.
pub fn redact(json: &[u8], rules: &RoomVersionRules) -> Result<Vec<u8>, Error> {
    let mut object = canonical::parse_object(json, canonical::MAX_DEPTH)?;
    redact_in_place(&mut object, &rules.redaction, None)
        .map_err(|error| Error::Format(format!("{error}.")))?;
    Ok(canonical::to_vec(&object))
}
