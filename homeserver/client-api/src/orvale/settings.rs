//! `GET /_orvale/client/v1/settings`

use axum::extract::State;
use orvale_calls::Turn;
use orvale_http::{Json, MatrixError};
use orvale_media::Media;
use orvale_rooms::Rooms;
use orvale_users::{Users, config::RegistrationMode};
use serde::Serialize;
use utoipa::ToSchema;

/// What a client shall know of this server before it offers something.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Settings {
    /// The name in everybody's user ID.
    #[schema(example = "example.org")]
    server_name: String,
    /// What time it is here, in milliseconds since 1970. Windows are measured by this clock, whatever that of the client says.
    #[schema(example = 1_767_225_600_000_u64)]
    server_time: u64,
    messages: Messages,
    media: MediaSettings,
    registration: Registration,
    calls: Calls,
    presence: Presence,
}

/// For how long people may change messages of theirs, counted from the `origin_server_ts` of the message.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Messages {
    /// Editing, in milliseconds; `null` for ever.
    #[schema(example = 180_000)]
    edit_window_ms: Option<u64>,
    /// Deleting, in milliseconds; `null` for ever. Who has the power to redact may at any time.
    #[schema(example = 180_000)]
    delete_window_ms: Option<u64>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MediaSettings {
    /// The most bytes one upload may have.
    #[schema(example = 52_428_800)]
    max_upload_bytes: u64,
    /// The types of files that may be uploaded, like `image/*`; none, and all may.
    #[schema(example = json!(["image/*", "application/pdf"]))]
    accepted_types: Vec<String>,
    /// Whether links can be previewed.
    url_previews: bool,
    /// Whether there is a service in which GIFs are found.
    gifs: bool,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Registration {
    /// Who may make an account.
    mode: Mode,
    /// Whether guest accounts may be made.
    guests: bool,
    /// The fewest characters of a password.
    #[schema(example = 8)]
    min_password_length: usize,
}

/// Who may make an account.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Mode {
    /// Everybody.
    Open,
    /// Who has a registration token.
    Token,
    /// Nobody; administrators make accounts.
    Closed,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Calls {
    /// Whether there are TURN servers for calls of two.
    turn: bool,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Presence {
    /// Whether people see who is online.
    enabled: bool,
    /// Whether people may say something of themselves besides: the `status_msg` of presence, and what the profile field `com.orvale.status` holds.
    status_messages: bool,
    /// The most characters of that.
    #[schema(example = 100)]
    max_status_message_chars: usize,
}

/// What this server allows and offers, for clients to show. Needs no access token.
#[utoipa::path(
    get,
    path = "/_orvale/client/v1/settings",
    operation_id = "getSettings",
    responses((status = 200, description = "The settings.", body = Settings))
)]
pub(crate) async fn handle(
    State(rooms): State<Rooms>,
    State(users): State<Users>,
    State(media): State<Media>,
    State(turn): State<Turn>,
) -> Result<Json<Settings>, MatrixError> {
    let policy = &rooms.config().policy;
    let millis =
        |window: std::time::Duration| u64::try_from(window.as_millis()).unwrap_or(u64::MAX);
    let config = users.config();
    Ok(Json(Settings {
        server_name: rooms.server_name().to_string(),
        server_time: rooms.now().get().into(),
        messages: Messages {
            edit_window_ms: policy.edit_window().map(millis),
            delete_window_ms: policy.delete_window().map(millis),
        },
        media: MediaSettings {
            max_upload_bytes: media.config().max_upload_bytes,
            accepted_types: media.config().accepted_types.clone(),
            url_previews: media.config().previews.enabled,
            gifs: media.has_gifs(),
        },
        registration: Registration {
            mode: match config.registration.mode {
                RegistrationMode::Open => Mode::Open,
                RegistrationMode::Token => Mode::Token,
                RegistrationMode::Closed => Mode::Closed,
            },
            guests: config.registration.guests,
            min_password_length: config.passwords.min_length,
        },
        calls: Calls {
            turn: turn.is_available(),
        },
        presence: Presence {
            enabled: config.presence.enabled,
            status_messages: config.presence.status_messages,
            max_status_message_chars: config.presence.status_message_chars,
        },
    }))
}
