//! Users of other servers come and go, and are invited.

pub(crate) mod create_invite;
pub(crate) mod create_join_event;
pub(crate) mod create_knock_event;
pub(crate) mod create_leave_event;
pub(crate) mod prepare_join_event;
pub(crate) mod prepare_knock_event;
pub(crate) mod prepare_leave_event;

#[cfg(test)]
mod tests;

use orvale_http::{JsonBytes, MatrixError};
use ruma::api::{OutgoingResponse, OutgoingResponseExt};

use crate::Error;

/// An answer as the first version of its endpoint gives it: in a list, after the status.
fn first_version(answer: impl OutgoingResponse) -> Result<JsonBytes, Error> {
    let answer = answer.try_into_http_response::<Vec<u8>>();
    let answer = answer.map_err(|error| MatrixError::unexpected(&error))?;
    let whole = [&b"[200,"[..], answer.body(), b"]"].concat();
    Ok(JsonBytes(whole.into()))
}
