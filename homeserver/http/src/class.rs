//! Which limit stands before which endpoint.

use http::Method;

use crate::Class;

/// A limit before an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Limited {
    /// By the caller.
    ByUser(Class),
    /// By the address, where the caller has not said who they are or proves it anew.
    ByAddress(Class),
}

impl Limited {
    /// The limit of an endpoint, by method and matched path.
    pub(crate) fn of(method: &Method, path: &str) -> Option<Self> {
        use Class::{CreateRoom, Invite, Join, Login, Media, Message, Other, Registration, Search};
        let read = matches!(*method, Method::GET | Method::HEAD);
        if path.starts_with("/_synapse/admin/v1/register") {
            return Some(Self::ByAddress(Registration));
        }
        if path.starts_with("/_matrix/media/") || path.contains("/client/v1/media/") {
            let costly = !read || path.contains("/thumbnail/") || path.ends_with("/preview_url");
            return costly.then_some(Self::ByUser(Media));
        }
        // `/_matrix/client/<version>/<call>`; unstable paths have one part more, and the same last ones.
        let call = path.strip_prefix("/_matrix/client/")?;
        let call = call.split_once('/').map_or("", |(_, call)| call);
        let limit = match call {
            "login" | "login/get_token" | "account/password" | "account/deactivate" if !read => {
                Self::ByAddress(Login)
            }
            "register" if !read => Self::ByAddress(Registration),
            "register/m.login.registration_token/validity" => Self::ByAddress(Registration),
            "register/available" | "refresh" => Self::ByAddress(Other),
            "createRoom" | "rooms/{room_id}/upgrade" => Self::ByUser(CreateRoom),
            "search" | "user_directory/search" | "publicRooms" => Self::ByUser(Search),
            _ if read => return None,
            _ if call.starts_with("join/")
                || call.starts_with("knock/")
                || call.ends_with("/join") =>
            {
                Self::ByUser(Join)
            }
            _ if call.ends_with("/invite") => Self::ByUser(Invite),
            _ if ["/send/", "/redact/", "/state/"]
                .iter()
                .any(|part| call.contains(part)) =>
            {
                Self::ByUser(Message)
            }
            _ => Self::ByUser(Other),
        };
        Some(limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_request_has_the_limit_of_its_kind() {
        for (method, path, limit) in [
            (
                Method::POST,
                "/_matrix/client/v3/login",
                Some(Limited::ByAddress(Class::Login)),
            ),
            (Method::GET, "/_matrix/client/v3/login", None),
            (
                Method::POST,
                "/_matrix/client/v3/register",
                Some(Limited::ByAddress(Class::Registration)),
            ),
            (
                Method::PUT,
                "/_matrix/client/v3/rooms/{room_id}/send/{event_type}/{txn_id}",
                Some(Limited::ByUser(Class::Message)),
            ),
            (
                Method::PUT,
                "/_matrix/client/v3/rooms/{room_id}/state/{event_type}/{state_key}",
                Some(Limited::ByUser(Class::Message)),
            ),
            (
                Method::GET,
                "/_matrix/client/v3/rooms/{room_id}/state/{event_type}/{state_key}",
                None,
            ),
            (
                Method::POST,
                "/_matrix/client/v3/rooms/{room_id}/join",
                Some(Limited::ByUser(Class::Join)),
            ),
            (
                Method::POST,
                "/_matrix/client/v3/join/{room_id_or_alias}",
                Some(Limited::ByUser(Class::Join)),
            ),
            (Method::GET, "/_matrix/client/v3/sync", None),
            (
                Method::PUT,
                "/_matrix/client/v3/rooms/{room_id}/typing/{user_id}",
                Some(Limited::ByUser(Class::Other)),
            ),
            (
                Method::POST,
                "/_matrix/media/v3/upload",
                Some(Limited::ByUser(Class::Media)),
            ),
            (
                Method::GET,
                "/_matrix/client/v1/media/download/{server_name}/{media_id}",
                None,
            ),
            (
                Method::GET,
                "/_matrix/client/v1/media/thumbnail/{server_name}/{media_id}",
                Some(Limited::ByUser(Class::Media)),
            ),
            (Method::GET, "/", None),
        ] {
            assert_eq!(Limited::of(&method, path), limit, "{method} {path}");
        }
    }
}
