//! `GET /_orvale/client/v1/openapi.json`

use orvale_http::{Json, MatrixError};
use utoipa::OpenApi;

use super::{direct, gifs, settings};

/// Orvale's endpoints for clients, as OpenAPI tells them.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Orvale: endpoints for clients",
        description = "What Matrix lacks and Orvale's own clients use. Access tokens and errors are those of the Matrix client-server API.",
        license(name = "AGPL-3.0-only"),
        version = "1"
    ),
    paths(
        settings::handle,
        direct::handle,
        gifs::search_gifs::handle,
        gifs::get_gif::handle,
        gifs::keep_gif::handle
    ),
    components(schemas(StandardError)),
    modifiers(&Bearer)
)]
pub(crate) struct Described;

/// The error body of Matrix.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "a description of what orvale-http writes")]
pub(crate) struct StandardError {
    /// What went wrong, for programs: `M_FORBIDDEN`.
    errcode: String,
    /// What went wrong, for people.
    error: String,
    /// More for programs, where an errcode has several causes.
    #[schema(rename = "com.orvale.reason")]
    reason: Option<String>,
}

struct Bearer;

impl utoipa::Modify for Bearer {
    fn modify(&self, api: &mut utoipa::openapi::OpenApi) {
        use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        if let Some(components) = &mut api.components {
            components.add_security_scheme("accessToken", SecurityScheme::Http(bearer));
        }
    }
}

pub(crate) async fn handle() -> Result<Json<utoipa::openapi::OpenApi>, MatrixError> {
    Ok(Json(Described::openapi()))
}
