//! The page at `/connect`: what runs here, and how to connect a client.

use axum::{
    Router,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
    routing::get,
};
use ruma::ServerName;

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");

/// Nothing but the page's own style may be loaded, nothing may be sent, nobody may frame it.
const POLICY: &str = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The page of a server that clients reach at `base_url`, or else at the address the page was fetched from.
pub(crate) fn routes<S: Clone + Send + Sync + 'static>(
    server_name: &ServerName,
    base_url: Option<&str>,
) -> Router<S> {
    let name = escape(server_name.as_str());
    let base_url = base_url.map(escape);
    let page = move |headers: http::HeaderMap| {
        let host = headers
            .get(header::HOST)
            .and_then(|host| host.to_str().ok())
            .map(escape);
        let address = base_url
            .clone()
            .or_else(|| host.map(|host| format!("http://{host}")));
        let address = address.unwrap_or_else(|| "the address of this page".to_owned());
        let page = PAGE
            .replace("{server_name}", &name)
            .replace("{address}", &address);
        async move { with_headers("text/html; charset=utf-8", page) }
    };
    Router::new().route("/connect", get(page)).route(
        "/landing.css",
        get(async || with_headers("text/css; charset=utf-8", STYLE.to_owned())),
    )
}

fn with_headers(content_type: &'static str, body: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, content_type),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (
        headers.map(|(name, value)| (name, HeaderValue::from_static(value))),
        body,
    )
        .into_response()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use http_body_util::BodyExt;
    use ruma::server_name;
    use tower::ServiceExt;

    use super::*;

    async fn page(base_url: Option<&str>, host: &str) -> (Response<()>, String) {
        let router: Router = routes(server_name!("chat.example.org"), base_url);
        let request = http::Request::get("/connect")
            .header("host", host)
            .body(Body::empty())
            .unwrap();
        let (parts, body) = router.oneshot(request).await.unwrap().into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        (
            Response::from_parts(parts, ()),
            String::from_utf8(body.to_vec()).unwrap(),
        )
    }

    #[tokio::test]
    async fn page_names_the_server_and_its_address() {
        let (response, page) = page(None, "127.0.0.1:8008").await;
        assert!(page.contains("chat.example.org") && page.contains("http://127.0.0.1:8008"));
        assert!(!page.contains('{'), "every place is filled");
        assert!(!page.contains("<script") && !page.contains("style="));
        assert!(
            response.headers()[header::CONTENT_SECURITY_POLICY]
                .to_str()
                .unwrap()
                .contains("default-src 'none'")
        );
        let (_, page) = super::tests::page(Some("https://matrix.example.org"), "x").await;
        assert!(page.contains("https://matrix.example.org"));
    }

    #[tokio::test]
    async fn host_header_cannot_bring_markup() {
        let (_, page) = page(None, "<b>\"'").await;
        assert!(!page.contains("<b>"));
    }
}
