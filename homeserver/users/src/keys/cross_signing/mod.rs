//! Cross-signing: a user's master key, which signs a key for the own devices and one for other users' master keys.
//!
//! <https://spec.matrix.org/latest/client-server-api/#cross-signing>
//!
//! - `upload.rs`: the keys themselves.
//! - `signatures.rs`: signatures that come later, each verified before it is kept.
//! - `visible.rs`: what whom is shown.

mod signatures;
#[cfg(test)]
mod tests;
mod upload;
mod visible;

pub use signatures::{KeyFailures, SignedKeys};
pub use upload::CrossSigningKeys;
pub use visible::VisibleKeys;

use ruma::CanonicalJsonValue;

use super::signed::{Signed, is_public_key};
use crate::Result;

/// What a cross-signing key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Usage {
    Master,
    SelfSigning,
    UserSigning,
}

impl Usage {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Master => "master",
            Self::SelfSigning => "self_signing",
            Self::UserSigning => "user_signing",
        }
    }
}

/// The public key of a cross-signing key object, if it has one as it should be: one key, whose ID is the key itself.
pub(super) fn public_key(key: &Signed) -> Option<String> {
    let mut keys = key.object("keys")?.iter();
    let (Some((key_id, CanonicalJsonValue::String(public))), None) = (keys.next(), keys.next())
    else {
        return None;
    };
    let names_itself = key_id.strip_prefix("ed25519:") == Some(public.as_str());
    (names_itself && is_public_key(public)).then(|| public.clone())
}

/// A stored key and its public key.
pub(super) fn stored(
    text: Option<&orvale_storage::record::JsonText>,
) -> Result<Option<(Signed, String)>> {
    let Some(text) = text else { return Ok(None) };
    let key = Signed::stored(text)?;
    let public = public_key(&key).ok_or_else(|| {
        crate::Error::Internal("a stored cross-signing key has no key".to_owned())
    })?;
    Ok(Some((key, public)))
}
