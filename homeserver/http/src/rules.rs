//! What stands before which endpoint: limits, and what people may still do whose account is locked or suspended.

use http::Method;

use crate::Class;

/// The rules of one endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rules {
    /// The limit of the caller.
    pub(crate) by_user: Option<Class>,
    /// The limit of the address, where the caller has not said who they are or proves it anew.
    pub(crate) by_address: Option<Class>,
    /// Whether the owner of a locked account may call it: to log out, no more.
    pub(crate) for_locked: bool,
    /// Whether the owner of a suspended account may call it: to read, not to act.
    pub(crate) for_suspended: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            by_user: None,
            by_address: None,
            for_locked: false,
            for_suspended: true,
        }
    }
}

impl Rules {
    /// The rules of an endpoint, by method and matched path.
    pub(crate) fn of(method: &Method, path: &str) -> Self {
        let read = matches!(*method, Method::GET | Method::HEAD);
        let by_user = |class| Self {
            by_user: Some(class),
            ..Self::default()
        };
        let by_address = |class| Self {
            by_address: Some(class),
            ..Self::default()
        };

        if path.starts_with("/_synapse/admin/v1/register") {
            return by_address(Class::Registration);
        }
        if path.starts_with("/_matrix/media/") || path.contains("/client/v1/media/") {
            if path.ends_with("/preview_url") {
                return by_user(Class::Preview);
            }
            let costly = !read || path.contains("/thumbnail/");
            return if costly {
                by_user(Class::Media)
            } else {
                Self::default()
            };
        }
        if path.starts_with("/_orvale/client/v1/direct/") {
            return by_user(Class::CreateRoom).acting();
        }
        match path.strip_prefix("/_orvale/client/v1/gifs/") {
            Some("search") => return by_user(Class::Search),
            Some(_) if read => return by_user(Class::Media),
            Some(_) => return by_user(Class::Media).acting(),
            None => {}
        }
        // `/_matrix/client/<version>/<call>`; unstable paths have one part more, and end the same.
        let Some(call) = path.strip_prefix("/_matrix/client/") else {
            return Self::default();
        };
        let call = call.split_once('/').map_or("", |(_, call)| call);
        match call {
            "login" | "login/get_token" | "account/password" | "account/deactivate" if !read => {
                by_address(Class::Login)
            }
            "register" if !read => by_address(Class::Registration),
            "register/m.login.registration_token/validity" => by_address(Class::Registration),
            "register/available" | "refresh" => by_address(Class::Other),
            "logout" | "logout/all" => Self {
                for_locked: true,
                ..Self::default()
            },
            "search" | "user_directory/search" | "publicRooms" => by_user(Class::Search),
            _ if read => Self::default(),
            // A sync by another name: clients ask as often as there is news.
            "org.matrix.simplified_msc3575/sync" => Self::default(),
            "createRoom" | "rooms/{room_id}/upgrade" => by_user(Class::CreateRoom).acting(),
            _ if call.starts_with("join/")
                || call.starts_with("knock/")
                || call.ends_with("/join") =>
            {
                by_user(Class::Join).acting()
            }
            _ if call.ends_with("/invite") => by_user(Class::Invite).acting(),
            // One's own events may be redacted; whose they are is for the room to find out.
            _ if call.contains("/redact/") => by_user(Class::Message),
            _ if call.contains("/send/") || call.contains("/state/") => {
                by_user(Class::Message).acting()
            }
            _ if call.starts_with("profile/") => by_user(Class::Other).acting(),
            _ => by_user(Class::Other),
        }
    }

    fn acting(self) -> Self {
        Self {
            for_suspended: false,
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_request_has_the_limit_of_its_kind() {
        let room = "/_matrix/client/v3/rooms/{room_id}";
        for (method, path, user, address) in [
            (
                Method::POST,
                "/_matrix/client/v3/login",
                None,
                Some(Class::Login),
            ),
            (Method::GET, "/_matrix/client/v3/login", None, None),
            (
                Method::POST,
                "/_matrix/client/v3/register",
                None,
                Some(Class::Registration),
            ),
            (
                Method::PUT,
                &format!("{room}/send/{{event_type}}/{{txn_id}}"),
                Some(Class::Message),
                None,
            ),
            (
                Method::PUT,
                &format!("{room}/state/{{event_type}}/{{state_key}}"),
                Some(Class::Message),
                None,
            ),
            (
                Method::GET,
                &format!("{room}/state/{{event_type}}/{{state_key}}"),
                None,
                None,
            ),
            (
                Method::POST,
                &format!("{room}/join"),
                Some(Class::Join),
                None,
            ),
            (
                Method::POST,
                "/_matrix/client/v3/join/{room_id_or_alias}",
                Some(Class::Join),
                None,
            ),
            (Method::GET, "/_matrix/client/v3/sync", None, None),
            (
                Method::PUT,
                &format!("{room}/typing/{{user_id}}"),
                Some(Class::Other),
                None,
            ),
            (
                Method::POST,
                "/_matrix/media/v3/upload",
                Some(Class::Media),
                None,
            ),
            (
                Method::GET,
                "/_matrix/client/v1/media/download/{server_name}/{media_id}",
                None,
                None,
            ),
            (
                Method::GET,
                "/_matrix/client/v1/media/thumbnail/{server_name}/{media_id}",
                Some(Class::Media),
                None,
            ),
            (Method::GET, "/", None, None),
        ] {
            let rules = Rules::of(&method, path);
            assert_eq!(
                (rules.by_user, rules.by_address),
                (user, address),
                "{method} {path}"
            );
        }
    }

    #[test]
    fn locked_people_may_log_out_alone_and_suspended_ones_may_not_act() {
        let rules = |method, call| Rules::of(&method, &format!("/_matrix/client/v3/{call}"));
        assert!(rules(Method::POST, "logout").for_locked);
        assert!(!rules(Method::GET, "sync").for_locked);
        for call in [
            "rooms/{room_id}/leave",
            "rooms/{room_id}/read_markers",
            "logout",
            "keys/upload",
        ] {
            assert!(rules(Method::POST, call).for_suspended, "{call}");
        }
        for call in [
            "join/{room_id_or_alias}",
            "createRoom",
            "rooms/{room_id}/invite",
        ] {
            assert!(!rules(Method::POST, call).for_suspended, "{call}");
        }
        assert!(!rules(Method::PUT, "rooms/{room_id}/send/{event_type}/{txn_id}").for_suspended);
        assert!(!rules(Method::PUT, "profile/{user_id}/displayname").for_suspended);
        assert!(rules(Method::GET, "profile/{user_id}/displayname").for_suspended);
    }
}
