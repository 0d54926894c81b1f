//! `DELETE /_orvale/admin/v1/reports/{id}`

use axum::extract::State;
use orvale_http::{Caller, Json, MatrixError, Path};
use orvale_rooms::Rooms;
use serde_json::{Value, json};

use super::{failed, not_found};

pub(crate) async fn handle(
    State(rooms): State<Rooms>,
    caller: Caller,
    Path(id): Path<u64>,
) -> Result<Json<Value>, MatrixError> {
    caller.must_be_admin()?;
    if rooms.remove_report(id).await.map_err(failed)? {
        Ok(Json(json!({})))
    } else {
        Err(not_found())
    }
}
