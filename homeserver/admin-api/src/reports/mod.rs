//! What people reported, for administrators to read and to put away.

pub(crate) mod find;
pub(crate) mod list;
pub(crate) mod remove;

use orvale_http::MatrixError;
use orvale_rooms::{ReportRecord, ReportSubject};
use serde::Serialize;
use serde_json::value::RawValue;

#[cfg(test)]
mod tests;

/// A report.
#[derive(Serialize)]
pub(crate) struct Shown {
    /// Its number.
    id: u64,
    /// Who reported.
    reporter: String,
    /// When, in milliseconds since 1970.
    received_at: u64,
    reason: String,
    /// `event`, `room` or `user`.
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    room_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_id: Option<String>,
    /// Who is reported: the sender of the event, or the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<String>,
    /// The event as it was when it was reported.
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<Box<RawValue>>,
}

impl Shown {
    fn new(id: u64, report: ReportRecord) -> Self {
        let shown = Self {
            id,
            reporter: report.reporter,
            received_at: report.at,
            reason: report.reason,
            kind: "event",
            room_id: None,
            event_id: None,
            user_id: None,
            event: None,
        };
        match report.subject {
            ReportSubject::Event {
                room_id,
                event_id,
                sender,
                event,
            } => Self {
                room_id: Some(room_id),
                event_id: Some(event_id),
                user_id: Some(sender),
                event: RawValue::from_string(event.0).ok(),
                ..shown
            },
            ReportSubject::Room { room_id } => Self {
                kind: "room",
                room_id: Some(room_id),
                ..shown
            },
            ReportSubject::User { user_id } => Self {
                kind: "user",
                user_id: Some(user_id),
                ..shown
            },
        }
    }
}

fn failed(error: orvale_rooms::Error) -> MatrixError {
    MatrixError::unexpected(&error)
}

fn not_found() -> MatrixError {
    MatrixError::not_found("There is no report with this number")
}
