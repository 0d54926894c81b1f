//! `PUT /_matrix/federation/v1/send/{txnId}`

use axum::extract::State;
use http::StatusCode;
use orvale_delivery::Delivery;
use orvale_http::{MatrixError, Ruma};
use orvale_rooms::Rooms;
use ruma::{
    ServerName,
    api::federation::transactions::send_transaction_message::v1::{Request, Response},
};

use super::Transactions;
use crate::{Error, Origin};

/// The most PDUs in a transaction.
const MOST_PDUS: usize = 50;
/// The most EDUs in a transaction.
const MOST_EDUS: usize = 100;

pub(crate) async fn handle(
    State(rooms): State<Rooms>,
    State(delivery): State<Delivery>,
    State(transactions): State<Transactions>,
    origin: Origin,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    let sent = (request.pdus.len(), request.edus.len());
    if sent.0 > MOST_PDUS || sent.1 > MOST_EDUS {
        let message = format!(
            "A transaction has at most {MOST_PDUS} PDUs and {MOST_EDUS} EDUs, not {} and {}",
            sent.0, sent.1
        );
        return Err(MatrixError::new(StatusCode::BAD_REQUEST, "M_TOO_LARGE", message).into());
    }
    if request.origin != *origin {
        let message = "The origin of the transaction is not who sent it";
        return Err(MatrixError::invalid_param(message).into());
    }
    let origin = (*origin).to_owned();
    let answer = transactions.answer(&origin, &request.transaction_id);
    // On its own feet: whoever sent it may not wait until it is done, and asks again.
    let done = tokio::spawn(async move {
        let found = answer.get_or_init(async || {
            let turn = transactions.turn(&origin);
            let _turn = turn.lock().await;
            let answer = take(&rooms, &delivery, &origin, &request).await;
            if answer.is_err() {
                transactions.forget(&origin, &request.transaction_id);
            }
            answer.map_err(Into::into)
        });
        found.await.clone()
    });
    let answer = done
        .await
        .map_err(|error| MatrixError::unexpected(&error))?;
    Ok(answer?)
}

async fn take(
    rooms: &Rooms,
    delivery: &Delivery,
    origin: &ServerName,
    request: &Request,
) -> Result<Response, Error> {
    // Beside each other: an event may have to wait for others that are fetched first, and the key to read it is an EDU.
    let pdus = rooms.receive(origin, request.pdus.clone());
    let edus = async {
        for edu in &request.edus {
            delivery.hear_edu(origin, edu).await?;
        }
        Ok::<_, Error>(())
    };
    let (pdus, edus) = tokio::join!(pdus, edus);
    edus?;
    Ok(Response::new(pdus?))
}
