//! Accounts: making them, ending them, and what administrators decide about them.

pub(crate) mod appservices;
mod create;
mod deactivate;
pub(crate) mod erased;
pub(crate) mod localpart;
pub(crate) mod passwords;
mod registration_tokens;
pub(crate) mod shared_secret;
mod standing;

pub use appservices::AppserviceId;
pub use create::NewAccount;
pub use passwords::LogoutAllBut;
pub use registration_tokens::RegistrationTokenInfo;
pub use shared_secret::SharedSecretRegistration;
pub use standing::Standing;
