//! Requests to addresses that strangers name: push gateways, pages to preview.
//!
//! Who names an address could make this server ask a machine of its own network, which trusts it. The promise of this crate: a client made by a
//! [`Guard`] connects to public addresses only, and to those that the settings allow besides.
//!
//! - `guard`: [`Guard`]. A name is resolved once, what it resolves to is checked, and the very addresses that were checked are connected to. An
//!   address in the URL itself needs no resolving, so [`Guard::check`] looks at that. Redirections are not followed: whoever wants to go where one
//!   leads checks it as any other URL. No proxy is used, which would resolve names itself.
//! - `ranges`: [`AddressRange`], and which addresses are public.

mod guard;
mod ranges;

pub use guard::{Guard, Refused};
pub use ranges::{AddressRange, is_public};
