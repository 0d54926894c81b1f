//! Redaction: what is left of an event whose content was taken back. Hashes and signatures cover just that.
//! <https://spec.matrix.org/v1.19/client-server-api/#redactions>

use ruma::{
    CanonicalJsonObject, OwnedEventId, canonical_json::redact_in_place,
    room_version_rules::RoomVersionRules,
};

use crate::{
    Error,
    build::event_id_of,
    canonical::{self, Reading},
};

/// The redacted form of an event: canonical JSON in, canonical JSON out. Its event ID and signatures stay valid.
pub fn redact(json: &[u8], rules: &RoomVersionRules) -> Result<Vec<u8>, Error> {
    let mut object = canonical::parse_object(json, Reading::PDU)?;
    redact_in_place(&mut object, &rules.redaction, None)
        .map_err(|error| Error::Format(error.to_string()))?;
    Ok(canonical::to_vec(&object))
}

/// The event ID of an event, whole or redacted: its reference hash.
pub(crate) fn event_id(
    object: &CanonicalJsonObject,
    rules: &RoomVersionRules,
) -> Result<OwnedEventId, Error> {
    let mut object = object.clone();
    redact_in_place(&mut object, &rules.redaction, None)
        .map_err(|error| Error::Format(error.to_string()))?;
    object.remove("signatures");
    Ok(event_id_of(&canonical::to_vec(&object)))
}

#[cfg(test)]
mod tests;
