//! Sessions: logging in, the tokens that stand for a device, and ending them.

mod authenticate;
mod devices;
pub(crate) mod jwt;
pub(crate) mod last_seen;
mod login;
mod open;
mod refresh;
mod short_tokens;
pub(crate) mod tokens;

pub use authenticate::Session;
pub use devices::DeviceInfo;
pub use login::JwtLogin;
pub use open::NewSession;
pub(crate) use open::bounded;
pub use short_tokens::NewShortToken;
