//! `GET /_orvale/admin/v1/reports`

use axum::extract::State;
use orvale_http::{Caller, Json, MatrixError, Query};
use orvale_rooms::Rooms;
use serde::{Deserialize, Serialize};

use super::{Shown, failed};

/// The most reports in one answer.
const MOST: usize = 500;

#[derive(Deserialize)]
pub(crate) struct Page {
    /// Where the page before ended.
    from: Option<u64>,
    limit: Option<usize>,
    /// `b`, the newest first, or `f`.
    #[serde(default)]
    dir: Direction,
}

#[derive(Default, PartialEq, Eq, Deserialize)]
enum Direction {
    #[default]
    #[serde(rename = "b")]
    Backward,
    #[serde(rename = "f")]
    Forward,
}

#[derive(Serialize)]
pub(crate) struct Response {
    reports: Vec<Shown>,
    /// Where the next page begins, if there may be one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_from: Option<u64>,
}

pub(crate) async fn handle(
    State(rooms): State<Rooms>,
    caller: Caller,
    Query(page): Query<Page>,
) -> Result<Json<Response>, MatrixError> {
    caller.must_be_admin()?;
    let limit = page.limit.unwrap_or(100).clamp(1, MOST);
    let newest_first = page.dir == Direction::Backward;
    let found = rooms
        .list_reports(page.from, newest_first, limit)
        .map_err(failed)?;
    let next_from = found.last().map(|(number, _)| *number);
    Ok(Json(Response {
        next_from: next_from.filter(|_| found.len() == limit),
        reports: found
            .into_iter()
            .map(|(id, report)| Shown::new(id, report))
            .collect(),
    }))
}
