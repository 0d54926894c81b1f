//! What every API of Orvale shares: taking requests, answering them, refusing them.
//!
//! - [`Ruma`] is a request of the specification, parsed and checked; [`Json`], [`Query`] and [`Path`] do the same for
//!   endpoints of ours.
//! - [`Endpoints::endpoint`] adds a handler to a router under all paths the specification gives it; what it may answer is an
//!   [`Answer`].
//! - [`Caller`] is who calls, by the access token; [`Limits`] is how often they may.
//! - [`Attempts`] slows down who guesses passwords.
//! - [`Edge`] is around every request: CORS, limits by address, the request's span, its figures.
//! - [`MatrixError`] is the standard error response; `errors/` says what is answered to each error of the crates below.
//!
//! A handler takes what it needs, the request last:
//!
//! ```ignore
//! pub async fn handle(
//!     State(rooms): State<Rooms>,
//!     caller: Caller,
//!     Ruma(request): Ruma<create_typing_event::v3::Request>,
//! ) -> Result<create_typing_event::v3::Response, Error>
//! ```

mod answer;
mod attempts;
mod caller;
mod edge;
mod endpoint;
mod error;
mod errors;
mod heavy;
mod limits;
mod linger;
mod request;
mod rules;

pub use answer::{Answer, JsonBytes, Whole};
pub use attempts::Attempts;
pub use caller::{Authenticator, Caller, ClientAddress, OptionalCaller};
pub use edge::{Edge, EdgeService};
pub use endpoint::{EndpointHandler, Endpoints, paths_of};
pub use error::MatrixError;
pub use heavy::heavy;
pub use limits::{Class, Limits, LimitsConfig, Rate};
pub use request::{BodyLimit, Json, Path, Query, Ruma, read_body};
