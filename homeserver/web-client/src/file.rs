//! One file: its type, how long it is kept, in which compression it goes out.

use axum::{
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

/// A file as vite wrote it.
pub(crate) struct File {
    /// Where it is, from the root of the site.
    pub(crate) path: &'static str,
    /// Its entity tag, quotes included.
    pub(crate) tag: &'static str,
    pub(crate) plain: &'static [u8],
    pub(crate) brotli: Option<&'static [u8]>,
    pub(crate) gzip: Option<&'static [u8]>,
}

impl File {
    /// The file, or that the caller has it already.
    pub(crate) fn answer(&self, request: &HeaderMap) -> Response {
        let mut headers = HeaderMap::new();
        headers.insert(
            header::CACHE_CONTROL,
            HeaderValue::from_static(self.kept_for()),
        );
        headers.insert(header::ETAG, HeaderValue::from_static(self.tag));
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        if lists(request, &header::IF_NONE_MATCH, self.tag) {
            return (StatusCode::NOT_MODIFIED, headers).into_response();
        }
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static(self.content_type()),
        );
        headers.insert(
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        );
        let (body, encoding) = self.body(request);
        if let Some(encoding) = encoding {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
        (headers, body).into_response()
    }

    fn body(&self, request: &HeaderMap) -> (&'static [u8], Option<&'static str>) {
        let wanted = |name: &str| lists(request, &header::ACCEPT_ENCODING, name);
        match (self.brotli, self.gzip) {
            (Some(brotli), _) if wanted("br") => (brotli, Some("br")),
            (_, Some(gzip)) if wanted("gzip") => (gzip, Some("gzip")),
            _ => (self.plain, None),
        }
    }

    fn kept_for(&self) -> &'static str {
        if self.path.starts_with("assets/") {
            "public, max-age=31536000, immutable"
        } else {
            "no-cache"
        }
    }

    fn content_type(&self) -> &'static str {
        match self.path.rsplit_once('.').map(|(_, extension)| extension) {
            Some("js") => "text/javascript; charset=utf-8",
            Some("css") => "text/css; charset=utf-8",
            Some("html") => "text/html; charset=utf-8",
            Some("json") => "application/json",
            Some("webmanifest") => "application/manifest+json",
            Some("svg") => "image/svg+xml",
            Some("png") => "image/png",
            Some("ico") => "image/vnd.microsoft.icon",
            Some("woff2") => "font/woff2",
            Some("wasm") => "application/wasm",
            Some("mp3") => "audio/mpeg",
            Some("ogg") => "audio/ogg",
            Some("wav") => "audio/wav",
            Some("txt") => "text/plain; charset=utf-8",
            _ => "application/octet-stream",
        }
    }
}

/// Whether a header lists this value, not with a weight of nothing.
fn lists(headers: &HeaderMap, name: &header::HeaderName, value: &str) -> bool {
    headers
        .get_all(name)
        .iter()
        .filter_map(|header| header.to_str().ok())
        .flat_map(|header| header.split(','))
        .any(|part| {
            let (one, weight) = part.split_once(';').unwrap_or((part, ""));
            let refused = weight.trim().strip_prefix("q=").is_some_and(|weight| {
                weight
                    .trim()
                    .parse::<f32>()
                    .is_ok_and(|weight| weight <= 0.0)
            });
            one.trim().trim_start_matches("W/") == value && !refused
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: File = File {
        path: "assets/index-abc.js",
        tag: "\"1\"",
        plain: b"plain",
        brotli: Some(b"br"),
        gzip: Some(b"gz"),
    };

    fn headers(name: header::HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    #[test]
    fn best_accepted_compression_is_sent() {
        let body = |accepted| FILE.body(&headers(header::ACCEPT_ENCODING, accepted)).1;
        assert_eq!(body("gzip, deflate, br, zstd"), Some("br"));
        assert_eq!(body("gzip;q=0.5, br;q=0"), Some("gzip"));
        assert_eq!(body("identity"), None);
        assert_eq!(FILE.body(&HeaderMap::new()), (&b"plain"[..], None));
    }

    #[test]
    fn file_the_caller_has_is_not_sent_again() {
        let answer = FILE.answer(&headers(header::IF_NONE_MATCH, "W/\"0\", \"1\""));
        assert_eq!(answer.status(), StatusCode::NOT_MODIFIED);
        assert_eq!(FILE.answer(&HeaderMap::new()).status(), StatusCode::OK);
    }

    #[test]
    fn only_files_with_a_hash_in_their_name_are_kept() {
        assert!(FILE.kept_for().contains("immutable"));
        let favicon = File {
            path: "favicon.svg",
            ..FILE
        };
        assert_eq!(favicon.kept_for(), "no-cache");
        assert_eq!(favicon.content_type(), "image/svg+xml");
    }
}
