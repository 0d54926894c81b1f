//! `GET /_orvale/admin/v1/reports/{id}`

use axum::extract::State;
use orvale_http::{Caller, Json, MatrixError, Path};
use orvale_rooms::Rooms;

use super::{Shown, failed, not_found};

pub(crate) async fn handle(
    State(rooms): State<Rooms>,
    caller: Caller,
    Path(id): Path<u64>,
) -> Result<Json<Shown>, MatrixError> {
    caller.must_be_admin()?;
    let report = rooms
        .find_report(id)
        .map_err(failed)?
        .ok_or_else(not_found)?;
    Ok(Json(Shown::new(id, report)))
}
