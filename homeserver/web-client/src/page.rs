//! The page, with the content security policy and what the page may use of the device.

use axum::{
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};

use crate::file::File;

/// The file that is the page.
pub(crate) const NAME: &str = "index.html";

/// What vite writes where the number of the answer belongs.
const PLACE: &str = "ORVALE_NONCE";

/// The camera, for this page alone: it scans the code of somebody who verifies themselves. Nothing else is asked for.
const PERMISSIONS: &str =
    "camera=(self), display-capture=(), geolocation=(), microphone=(), midi=(), payment=(), usb=()";

const NOT_BUILT: &str = include_str!("not-built.html");

/// The page with a number of its own.
///
/// The number allows the styles that the application makes while it runs; code comes from files of ours alone.
pub(crate) fn answer(files: &[File]) -> Response {
    let nonce = STANDARD.encode(rand::random::<[u8; 16]>());
    let page = files
        .iter()
        .find(|file| file.path == NAME)
        .map(|file| String::from_utf8_lossy(file.plain));
    let status = if page.is_some() {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let page = page.as_deref().unwrap_or(NOT_BUILT).replace(PLACE, &nonce);
    let policy = HeaderValue::from_str(&policy(&nonce)).expect("base64 is fit for a header");
    let fixed = HeaderValue::from_static;
    let headers = [
        (header::CONTENT_TYPE, fixed("text/html; charset=utf-8")),
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::CACHE_CONTROL, fixed("no-store")),
        (header::X_CONTENT_TYPE_OPTIONS, fixed("nosniff")),
        (header::REFERRER_POLICY, fixed("no-referrer")),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            fixed("same-origin"),
        ),
        (
            HeaderName::from_static("permissions-policy"),
            fixed(PERMISSIONS),
        ),
    ];
    (status, headers, page).into_response()
}

/// Nothing from anywhere else, nothing inline but styles with the number; encryption needs WebAssembly; pictures that were
/// decrypted, or not yet sent, are blobs.
fn policy(nonce: &str) -> String {
    [
        "default-src 'none'",
        "script-src 'self' 'wasm-unsafe-eval'",
        &format!("style-src 'self' 'nonce-{nonce}'"),
        "img-src 'self' blob:",
        "media-src 'self' blob:",
        "font-src 'self'",
        "connect-src 'self'",
        "worker-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]
    .join("; ")
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    async fn text(answer: Response) -> String {
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        String::from_utf8(body.to_vec()).unwrap()
    }

    fn nonce(answer: &Response) -> String {
        let policy = answer.headers()[header::CONTENT_SECURITY_POLICY]
            .to_str()
            .unwrap();
        let (_, rest) = policy.split_once("'nonce-").unwrap();
        rest.split_once('\'').unwrap().0.to_owned()
    }

    const PAGE: File = File {
        path: NAME,
        tag: "",
        plain: b"<meta property=\"csp-nonce\" nonce=\"ORVALE_NONCE\">",
        brotli: None,
        gzip: None,
    };

    #[tokio::test]
    async fn number_is_new_with_each_answer_and_the_same_in_page_and_policy() {
        let (one, other) = (answer(&[PAGE]), answer(&[PAGE]));
        let number = nonce(&one);
        assert_ne!(number, nonce(&other));
        assert!(text(one).await.contains(&format!("nonce=\"{number}\"")));
    }

    #[tokio::test]
    async fn page_without_a_build_says_what_to_do() {
        let answer = answer(&[]);
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        let page = text(answer).await;
        assert!(page.contains("cargo xtask run") && !page.contains(PLACE));
    }

    #[test]
    fn page_may_use_the_camera_itself_and_nothing_else_of_the_device() {
        let answer = answer(&[PAGE]);
        let permissions = answer.headers()["permissions-policy"].to_str().unwrap();
        let given: Vec<_> = permissions
            .split(", ")
            .filter(|one| !one.ends_with("=()"))
            .collect();
        assert_eq!(given, ["camera=(self)"]);
        assert!(permissions.contains("microphone=()"));
    }

    #[test]
    fn policy_allows_no_inline_code_and_nobody_else() {
        let policy = policy("x");
        assert!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"));
        assert!(!policy.contains("http") && !policy.contains('*'));
    }
}
