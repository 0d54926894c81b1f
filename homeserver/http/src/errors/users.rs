//! What is answered to the errors of accounts.

use http::StatusCode;
use orvale_users::Error as E;
use serde_json::Value;

use crate::MatrixError;

impl From<E> for MatrixError {
    fn from(error: E) -> Self {
        let message = error.to_string();
        let bad_request = |errcode, message| Self::new(StatusCode::BAD_REQUEST, errcode, message);
        let refused = |errcode, message| Self::new(StatusCode::FORBIDDEN, errcode, message);
        match error {
            E::Storage(_) | E::Internal(_) | E::Config { .. } => Self::unexpected(&error),
            E::NotLocal(_) | E::NoSuchUser | E::NoSuchDevice | E::NotFound(_) => {
                Self::not_found(message)
            }
            E::Forbidden(_) | E::LoginRefused(_) | E::RegistrationClosed => {
                Self::forbidden(message)
            }
            E::InvalidParam(_) => Self::invalid_param(message),
            E::BadJson(_) => Self::bad_json(message),
            E::MissingParam(_) => Self::missing_param(message),
            E::InvalidSignature(_) => bad_request("M_INVALID_SIGNATURE", message),
            E::ProofNeeded => Self::forbidden(message),
            E::WrongBackupVersion { current } => {
                refused("M_WRONG_ROOM_KEYS_VERSION", message).with("current_version", current)
            }
            E::TooLarge(_) => Self::too_large(message),
            E::UserInUse => bad_request("M_USER_IN_USE", message),
            E::InvalidUsername(_) => bad_request("M_INVALID_USERNAME", message),
            E::Exclusive => bad_request("M_EXCLUSIVE", message),
            E::GuestsRefused | E::GuestForbidden => refused("M_GUEST_ACCESS_FORBIDDEN", message),
            E::WeakPassword { .. } => bad_request("M_WEAK_PASSWORD", message),
            E::Deactivated => refused("M_USER_DEACTIVATED", message),
            E::Locked => Self::new(StatusCode::UNAUTHORIZED, "M_USER_LOCKED", message)
                .with("soft_logout", true),
            E::Suspended => refused("M_USER_SUSPENDED", message),
            E::UnknownToken => Self::unknown_token(false),
            E::TokenExpired => Self::unknown_token(true),
            E::Uia(info) => match serde_json::to_value(&*info) {
                Ok(Value::Object(shape)) => Self::of_shape(StatusCode::UNAUTHORIZED, shape),
                Ok(_) => Self::unexpected(&E::Uia(info)),
                Err(error) => Self::unexpected(&error),
            },
            E::ProfileKeyTooLarge => bad_request("M_KEY_TOO_LARGE", message),
            E::ProfileTooLarge => bad_request("M_PROFILE_TOO_LARGE", message),
            E::ConflictingUnsubscription => Self::new(
                StatusCode::CONFLICT,
                "IO.ELEMENT.MSC4306.M_CONFLICTING_UNSUBSCRIPTION",
                message,
            ),
            // The specification's answer, though one would expect another errcode.
            E::ManagedAccountData(_) => {
                Self::new(StatusCode::METHOD_NOT_ALLOWED, "M_BAD_JSON", message)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use ruma::api::client::uiaa::{AuthFlow, AuthType, UiaaInfo};

    use super::*;

    #[test]
    fn request_for_authentication_has_the_shape_that_clients_expect() {
        let mut info = UiaaInfo::new(vec![AuthFlow::new(vec![AuthType::Password])]);
        info.session = Some("abc".to_owned());
        let error = MatrixError::from(E::Uia(Box::new(info)));
        assert_eq!(error.status(), StatusCode::UNAUTHORIZED);
        let body = error.body();
        assert_eq!(body["session"], "abc");
        assert_eq!(body["flows"][0]["stages"][0], "m.login.password");
        assert!(!body.contains_key("errcode"));
    }
}
