//! Responses that carry files.

use std::{convert::Infallible, ops::Range, time::Duration};

use axum::{
    body::Body,
    extract::FromRequestParts,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures_util::TryStreamExt;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header, request::Parts};
use orvale_http::{MatrixError, Whole};
use orvale_media::{
    Access, Media, MediaFile, ThumbnailContent, ThumbnailRequest, content_type, filename,
};
use ruma::{MilliSecondsSinceUnixEpoch, ServerName, UInt};

use crate::Error;

/// What keeps a file from acting as a page of this server, whatever it is.
///
/// <https://spec.matrix.org/v1.19/client-server-api/#content-repository>
const FENCES: [(HeaderName, &str); 4] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "sandbox; default-src 'none'; script-src 'none'; plugin-types application/pdf; \
         style-src 'unsafe-inline'; object-src 'self';",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "cross-origin",
    ),
    (header::REFERRER_POLICY, "no-referrer"),
];

/// What a client has already and which part it wants.
#[derive(Debug, Clone)]
pub(crate) struct Conditions {
    headers: HeaderMap,
    /// Whether the body is wanted at all.
    body: bool,
}

impl<S: Sync> FromRequestParts<S> for Conditions {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let names = [header::IF_NONE_MATCH, header::IF_RANGE, header::RANGE];
        let found = names
            .into_iter()
            .filter_map(|name| Some((name.clone(), parts.headers.get(&name)?.clone())));
        Ok(Self {
            headers: found.collect(),
            body: parts.method != Method::HEAD,
        })
    }
}

impl Conditions {
    fn text(&self, name: HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Whether the client has just this. (`etag` with its quotes.)
    fn has(&self, etag: &str) -> bool {
        let known = self.text(header::IF_NONE_MATCH).unwrap_or_default();
        known
            .split(',')
            .map(str::trim)
            .any(|known| known == "*" || known.trim_start_matches("W/") == etag)
    }

    /// The part of these bytes that is wanted.
    fn part(&self, etag: &str, size: u64) -> Part {
        let Some(range) = self.text(header::RANGE) else {
            return Part::All;
        };
        // The rest of something else is of no use.
        match self.text(header::IF_RANGE) {
            Some(known) if known.trim() != etag => Part::All,
            _ => Part::of(range, size),
        }
    }
}

/// A part of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    All,
    Some(Range<u64>),
    Outside,
}

impl Part {
    /// What the header `Range` asks for. What is malformed, or several ranges at once, asks for all.
    ///
    /// <https://www.rfc-editor.org/rfc/rfc9110#name-range>
    fn of(header: &str, size: u64) -> Self {
        let spec = header
            .split_once('=')
            .filter(|(unit, _)| unit.trim().eq_ignore_ascii_case("bytes"));
        let Some((first, last)) = spec.and_then(|(_, spec)| spec.trim().split_once('-')) else {
            return Self::All;
        };
        match (number(first), number(last)) {
            (Some(first), Some(last)) if first > last => Self::All,
            (Some(first), _) if first >= size && (number(last).is_some() || last.is_empty()) => {
                Self::Outside
            }
            (Some(first), Some(last)) => Self::Some(first..last.saturating_add(1).min(size)),
            (Some(first), None) if last.is_empty() => Self::Some(first..size),
            (None, Some(length)) if first.is_empty() => match length {
                0 => Self::Outside,
                _ if size == 0 => Self::Outside,
                length => Self::Some(size.saturating_sub(length)..size),
            },
            _ => Self::All,
        }
    }
}

/// Digits alone; what is too large for a number is the largest.
fn number(digits: &str) -> Option<u64> {
    let digital = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    digital.then(|| digits.parse().unwrap_or(u64::MAX))
}

/// Finds a file, waiting for it as long as the client likes.
pub(crate) async fn find(
    media: &Media,
    access: Access,
    server_name: &ServerName,
    media_id: &str,
    timeout: Duration,
) -> Result<MediaFile, Error> {
    let now = MilliSecondsSinceUnixEpoch::now();
    Ok(media
        .find(server_name, media_id, access, timeout, now)
        .await?)
}

/// A file as it was uploaded, under this name.
pub(crate) async fn file(
    media: &Media,
    access: Access,
    file: &MediaFile,
    filename: Option<&str>,
    conditions: &Conditions,
) -> Result<Whole, Error> {
    let headers = Headers {
        etag: format!("\"{}\"", file.etag()),
        content_type: content_type::header(file.content_type()),
        disposition: filename::disposition(file.content_type(), filename),
        access,
    };
    original(media, file, &headers, conditions).await
}

/// What a client asks for, checked.
pub(crate) fn wanted(
    width: UInt,
    height: UInt,
    method: Option<ruma::media::Method>,
    animated: Option<bool>,
) -> Result<ThumbnailRequest, Error> {
    let method = match method {
        Some(ruma::media::Method::Crop) => orvale_media::Method::Crop,
        None | Some(ruma::media::Method::Scale) => orvale_media::Method::Scale,
        Some(_) => {
            return Err(MatrixError::invalid_param(
                "A thumbnail's method is \"crop\" or \"scale\"",
            )
            .into());
        }
    };
    let pixels = |side: UInt| u32::try_from(u64::from(side)).unwrap_or(u32::MAX);
    Ok(ThumbnailRequest {
        width: pixels(width),
        height: pixels(height),
        method,
        animated: animated.unwrap_or(false),
    })
}

/// A thumbnail of a file.
pub(crate) async fn thumbnail(
    media: &Media,
    access: Access,
    file: &MediaFile,
    wanted: ThumbnailRequest,
    conditions: &Conditions,
) -> Result<Whole, Error> {
    let etag = format!("\"{}\"", wanted.etag(file)?);
    if conditions.has(&etag) {
        return Ok(Whole(unchanged(&etag, access)));
    }
    let thumbnail = media.thumbnail(file, wanted).await?;
    let name = format!(
        "thumbnail.{}",
        thumbnail.content_type.trim_start_matches("image/")
    );
    let headers = Headers {
        etag,
        content_type: thumbnail.content_type.to_owned(),
        disposition: filename::disposition(Some(thumbnail.content_type), Some(&name)),
        access,
    };
    match thumbnail.content {
        ThumbnailContent::Original => original(media, file, &headers, conditions).await,
        ThumbnailContent::Made(bytes) => {
            let mut response = headers.response(StatusCode::OK, bytes.len() as u64);
            if conditions.body {
                *response.body_mut() = Body::from(bytes);
            }
            Ok(Whole(response))
        }
    }
}

/// What this server fetched for its people from somewhere else, to look at.
pub(crate) fn fetched(content_type: &'static str, body: Bytes) -> Whole {
    let mut response = Response::new(Body::from(body));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    let control = HeaderValue::from_static("private, max-age=86400");
    headers.insert(header::CACHE_CONTROL, control);
    for (name, value) in FENCES {
        headers.insert(name, HeaderValue::from_static(value));
    }
    Whole(response)
}

/// The bytes of a file, or the part that is wanted.
async fn original(
    media: &Media,
    file: &MediaFile,
    headers: &Headers,
    conditions: &Conditions,
) -> Result<Whole, Error> {
    if conditions.has(&headers.etag) {
        return Ok(Whole(unchanged(&headers.etag, headers.access)));
    }
    let size = file.size();
    let (status, range) = match conditions.part(&headers.etag, size) {
        Part::All => (StatusCode::OK, 0..size),
        Part::Some(range) => (StatusCode::PARTIAL_CONTENT, range),
        Part::Outside => {
            let refusal = Error::from(orvale_media::Error::NoSuchRange { size });
            let mut response = refusal.into_response();
            response
                .headers_mut()
                .insert(header::CONTENT_RANGE, ascii(&format!("bytes */{size}")));
            return Ok(Whole(response));
        }
    };
    let mut response = headers.response(status, range.end - range.start);
    if status == StatusCode::PARTIAL_CONTENT {
        let part = format!("bytes {}-{}/{size}", range.start, range.end - 1);
        response
            .headers_mut()
            .insert(header::CONTENT_RANGE, ascii(&part));
    }
    if conditions.body {
        let bytes = media.read(file, range).await?;
        let bytes = bytes.inspect_err(|error| tracing::error!(%error, "a download broke off"));
        *response.body_mut() = Body::from_stream(bytes);
    }
    Ok(Whole(response))
}

/// What is said about the bytes of a response.
struct Headers {
    /// With its quotes.
    etag: String,
    content_type: String,
    disposition: String,
    access: Access,
}

impl Headers {
    fn response(&self, status: StatusCode, length: u64) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, ascii(&self.content_type));
        headers.insert(header::CONTENT_DISPOSITION, ascii(&self.disposition));
        headers.insert(header::CONTENT_LENGTH, length.into());
        headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        cached(headers, &self.etag, self.access);
        for (name, value) in FENCES {
            headers.insert(name, HeaderValue::from_static(value));
        }
        response
    }
}

/// The client has it already.
fn unchanged(etag: &str, access: Access) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    cached(response.headers_mut(), etag, access);
    response
}

/// Media never changes. It may be withdrawn, though, so that a copy is good for a day, then asked about.
fn cached(headers: &mut HeaderMap, etag: &str, access: Access) {
    let control = match access {
        Access::Authenticated => "private, max-age=86400, immutable",
        Access::Legacy => "public, max-age=86400, immutable",
    };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(control));
    headers.insert(header::ETAG, ascii(etag));
}

fn ascii(value: &str) -> HeaderValue {
    HeaderValue::from_str(value)
        .expect("types, names and numbers of media are made of printable ASCII")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_a_part_of_the_file_or_outside_or_nonsense() {
        for (header, part) in [
            ("bytes=0-0", Part::Some(0..1)),
            ("bytes=0-", Part::Some(0..10)),
            ("Bytes = 3-5", Part::Some(3..6)),
            ("bytes=3-99999999999999999999999", Part::Some(3..10)),
            ("bytes=-3", Part::Some(7..10)),
            ("bytes=-30", Part::Some(0..10)),
            ("bytes=9-9", Part::Some(9..10)),
            ("bytes=10-", Part::Outside),
            ("bytes=10-11", Part::Outside),
            ("bytes=-0", Part::Outside),
            ("bytes=5-3", Part::All),
            ("bytes=0-1,3-4", Part::All),
            ("bytes=", Part::All),
            ("bytes=-", Part::All),
            ("bytes=a-b", Part::All),
            ("bytes=+1-2", Part::All),
            ("bytes=99-x", Part::All),
            ("lines=1-2", Part::All),
            ("", Part::All),
        ] {
            assert_eq!(Part::of(header, 10), part, "{header}");
        }
        assert_eq!(Part::of("bytes=0-", 0), Part::Outside);
        assert_eq!(Part::of("bytes=-1", 0), Part::Outside);
    }
}
