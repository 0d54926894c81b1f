//! Events as servers exchange them.

use orvale_http::MatrixError;
use orvale_rooms::StoredEvent;
use serde_json::value::RawValue;

use crate::Error;

/// An event as it is stored: canonical JSON, with its signatures.
pub(crate) fn one(event: &StoredEvent) -> Result<Box<RawValue>, Error> {
    raw(event.record.pdu.to_vec())
}

/// Events as they are stored.
pub(crate) fn list<'a>(
    events: impl IntoIterator<Item = &'a std::sync::Arc<StoredEvent>>,
) -> Result<Vec<Box<RawValue>>, Error> {
    events.into_iter().map(|event| one(event)).collect()
}

/// The JSON of an event that was made for one server.
pub(crate) fn raw(json: Vec<u8>) -> Result<Box<RawValue>, Error> {
    let text = String::from_utf8(json).map_err(|error| MatrixError::unexpected(&error))?;
    RawValue::from_string(text).map_err(|error| MatrixError::unexpected(&error).into())
}
