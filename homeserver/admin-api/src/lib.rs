//! The admin API: Orvale's own, `/_orvale/admin`, and the part of Synapse's that existing tools speak, `/_synapse/admin`.
//!
//! - `register`: accounts for tools that know the registration secret.
//! - `reports/`: reading and putting away what people reported.
//! - `registration_tokens/`: making, changing and removing registration tokens.
//!
//! One file per endpoint; its first line gives method and path. [`routes`] lists them all. Everything but `register` is for
//! administrators: a handler begins with [`Caller::must_be_admin`](orvale_http::Caller::must_be_admin).

mod register;
mod registration_tokens;
mod reports;
mod state;
#[cfg(test)]
mod testing;

use axum::{Router, routing::get};

pub use state::AdminState;

/// The router of the admin API.
pub fn routes() -> Router<AdminState> {
    let tokens = "/_synapse/admin/v1/registration_tokens";
    Router::new()
        .route(
            "/_synapse/admin/v1/register",
            get(register::nonce).post(register::handle),
        )
        .route(tokens, get(registration_tokens::list::handle))
        .route(
            &format!("{tokens}/new"),
            axum::routing::post(registration_tokens::create::handle),
        )
        .route("/_orvale/admin/v1/reports", get(reports::list::handle))
        .route(
            "/_orvale/admin/v1/reports/{id}",
            get(reports::find::handle).delete(reports::remove::handle),
        )
        .route(
            &format!("{tokens}/{{token}}"),
            get(registration_tokens::find::handle)
                .put(registration_tokens::change::handle)
                .delete(registration_tokens::remove::handle),
        )
}
