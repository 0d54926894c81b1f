//! The content repository as clients meet it.

use std::{collections::HashMap, io::Cursor, sync::Arc};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::FromRef,
    response::Response,
};
use http::{HeaderName, Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use image::{DynamicImage, ImageFormat, RgbImage};
use orvale_http::{Authenticator, Limits, LimitsConfig};
use orvale_media::{Config, Media, Objects};
use orvale_storage::Store;
use orvale_users::NewAccount;
use ruma::owned_server_name;
use serde_json::Value;
use tower::ServiceExt;

#[derive(Clone, FromRef)]
struct Api {
    authenticator: Authenticator,
    media: Media,
}

/// A server whose users are called by their names in the place of tokens.
struct Server {
    router: Router,
    tokens: HashMap<String, String>,
}

impl Server {
    async fn start(config: Config) -> Self {
        let objects = Objects::in_memory();
        let media = Media::open(
            Store::in_memory(),
            owned_server_name!("here"),
            objects,
            None,
            config,
        )
        .await
        .unwrap();
        let users = crate::testing::users(&Store::in_memory());
        let mut tokens = HashMap::new();
        for name in ["alice", "mallory", "guest"] {
            let account = NewAccount {
                localpart: Some(name),
                guest: name == "guest",
                ..NewAccount::default()
            };
            let user_id = users.create_account(account).await.unwrap();
            let session = users
                .open_session(&user_id, None, None, false)
                .await
                .unwrap();
            tokens.insert(name.to_owned(), session.access_token);
        }
        let authenticator = Authenticator::new(users, Limits::new(LimitsConfig::default()), false);
        let router = crate::routes::media::routes::<Api>().with_state(Api {
            authenticator,
            media,
        });
        Self { router, tokens }
    }

    async fn answer(&self, mut request: Request<Body>) -> Answer {
        if let Some(value) = request.headers_mut().get_mut(header::AUTHORIZATION) {
            let name = value
                .to_str()
                .unwrap()
                .trim_start_matches("Bearer ")
                .to_owned();
            let token = self.tokens.get(&name).unwrap_or(&name);
            *value = format!("Bearer {token}").parse().unwrap();
        }
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        orvale_tests::record("client-api", method.as_str(), &path, status);
        Answer::of(response).await
    }

    async fn get(&self, path: &str, headers: &[(HeaderName, &str)]) -> Answer {
        self.answer(request(
            Method::GET,
            path,
            Some("alice"),
            headers,
            Body::empty(),
        ))
        .await
    }

    async fn upload(&self, query: &str, content_type: &str, content: impl Into<Body>) -> String {
        let path = format!("/_matrix/media/v3/upload{query}");
        let headers = [(header::CONTENT_TYPE, content_type)];
        let answer = self
            .answer(request(
                Method::POST,
                &path,
                Some("alice"),
                &headers,
                content.into(),
            ))
            .await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        let uri = answer.json()["content_uri"].as_str().unwrap().to_owned();
        uri.strip_prefix("mxc://").unwrap().to_owned()
    }

    async fn download(&self, id: &str) -> Answer {
        self.get(&format!("/_matrix/client/v1/media/download/{id}"), &[])
            .await
    }
}

#[derive(Debug)]
struct Answer {
    status: StatusCode,
    headers: http::HeaderMap,
    body: Bytes,
}

impl Answer {
    async fn of(response: Response) -> Self {
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Self {
            status: parts.status,
            headers: parts.headers,
            body,
        }
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    #[track_caller]
    fn refused(&self, status: u16, errcode: &str) {
        assert_eq!(
            (
                self.status.as_u16(),
                self.json()["errcode"].as_str().unwrap()
            ),
            (status, errcode)
        );
    }
}

fn request(
    method: Method,
    path: &str,
    token: Option<&str>,
    headers: &[(HeaderName, &str)],
    body: Body,
) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    for (name, value) in headers {
        request = request.header(name, *value);
    }
    request.body(body).unwrap()
}

fn png(width: u32, height: u32) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    DynamicImage::from(RgbImage::new(width, height))
        .write_to(&mut out, ImageFormat::Png)
        .unwrap();
    out.into_inner()
}

#[tokio::test]
async fn a_file_comes_back_with_its_type_and_name_and_fences_around_it() {
    let server = Server::start(Config::default()).await;
    let id = server
        .upload("?filename=Gr%C3%B6%C3%9Fe.png", "image/png", "not really")
        .await;
    let answer = server.download(&id).await;
    assert_eq!(
        (answer.status, &answer.body[..]),
        (StatusCode::OK, &b"not really"[..])
    );
    assert_eq!(answer.header("content-type"), "image/png");
    assert_eq!(
        answer.header("content-disposition"),
        "inline; filename*=utf-8''Gr%C3%B6%C3%9Fe.png"
    );
    assert_eq!(answer.header("content-length"), "10");
    assert!(
        answer
            .header("content-security-policy")
            .starts_with("sandbox; default-src 'none';")
    );
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert_eq!(
        answer.header("cross-origin-resource-policy"),
        "cross-origin"
    );
    assert!(answer.header("cache-control").starts_with("private"));
    let renamed = server
        .get(
            &format!("/_matrix/client/v1/media/download/{id}/other.png"),
            &[],
        )
        .await;
    assert_eq!(
        renamed.header("content-disposition"),
        "inline; filename=other.png"
    );
}

#[tokio::test]
async fn what_could_run_scripts_is_never_shown_in_place() {
    let server = Server::start(Config::default()).await;
    for (declared, served, disposition) in [
        ("text/html", "text/html; charset=utf-8", "attachment"),
        ("TeXt/HtMl", "TeXt/HtMl; charset=utf-8", "attachment"),
        ("image/svg+xml", "image/svg+xml", "attachment"),
        ("IMAGE/SVG+XML", "IMAGE/SVG+XML", "attachment"),
        (
            "application/xhtml+xml",
            "application/xhtml+xml",
            "attachment",
        ),
        (
            "image/png, text/html",
            "application/octet-stream",
            "attachment",
        ),
        ("nonsense", "application/octet-stream", "attachment"),
        ("Image/PNG", "Image/PNG", "inline"),
        ("text/plain", "text/plain; charset=utf-8", "inline"),
    ] {
        let id = server
            .upload("", declared, "<svg><script>alert(1)</script></svg>")
            .await;
        let answer = server.download(&id).await;
        let got = (
            answer.header("content-type"),
            answer.header("content-disposition"),
        );
        assert_eq!(got, (served, disposition), "{declared}");
    }
}

#[tokio::test]
async fn names_cannot_add_headers_or_lead_elsewhere() {
    let server = Server::start(Config::default()).await;
    let id = server
        .upload("?filename=a%0D%0ASet-Cookie:%20b%3Dc%22", "image/png", "x")
        .await;
    for path in [
        format!("/_matrix/client/v1/media/download/{id}"),
        format!("/_matrix/client/v1/media/download/{id}/a%0D%0ASet-Cookie:%20b%3Dc%22"),
    ] {
        let answer = server.get(&path, &[]).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert!(answer.headers.get(header::SET_COOKIE).is_none());
        assert_eq!(
            answer.header("content-disposition"),
            "inline; filename=\"a__Set-Cookie: b=c\\\"\""
        );
    }
    for odd in ["..%2F..%2Fetc%2Fpasswd", "..", "%00", "a%2Fb", "%C3%A4"] {
        let answer = server
            .get(
                &format!("/_matrix/client/v1/media/download/here/{odd}"),
                &[],
            )
            .await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{odd}");
    }
    let answer = server
        .get("/_matrix/client/v1/media/download/..%2F../x", &[])
        .await;
    answer.refused(400, "M_INVALID_PARAM");
}

#[tokio::test]
async fn parts_and_copies_are_served_as_http_says() {
    let server = Server::start(Config::default()).await;
    let id = server.upload("", "video/mp4", "0123456789").await;
    let path = format!("/_matrix/client/v1/media/download/{id}");
    let whole = server.get(&path, &[]).await;
    let etag = whole.header("etag");
    assert_eq!(whole.header("accept-ranges"), "bytes");

    let part = server.get(&path, &[(header::RANGE, "bytes=2-4")]).await;
    assert_eq!(
        (part.status, &part.body[..]),
        (StatusCode::PARTIAL_CONTENT, &b"234"[..])
    );
    assert_eq!(
        (part.header("content-range"), part.header("content-length")),
        ("bytes 2-4/10", "3")
    );
    let part = server
        .get(
            &path,
            &[(header::RANGE, "bytes=2-4"), (header::IF_RANGE, etag)],
        )
        .await;
    assert_eq!(part.status, StatusCode::PARTIAL_CONTENT);
    let other = server
        .get(
            &path,
            &[
                (header::RANGE, "bytes=2-4"),
                (header::IF_RANGE, "\"other\""),
            ],
        )
        .await;
    assert_eq!((other.status, other.body.len()), (StatusCode::OK, 10));
    let outside = server.get(&path, &[(header::RANGE, "bytes=10-")]).await;
    outside.refused(416, "M_INVALID_PARAM");
    assert_eq!(outside.header("content-range"), "bytes */10");

    for known in [
        etag,
        "*",
        &format!("W/{etag}"),
        &format!("\"other\", {etag}"),
    ] {
        let same = server.get(&path, &[(header::IF_NONE_MATCH, known)]).await;
        assert_eq!(
            (same.status, same.body.len(), same.header("etag")),
            (StatusCode::NOT_MODIFIED, 0, etag)
        );
    }
    let head = server
        .answer(request(
            Method::HEAD,
            &path,
            Some("alice"),
            &[],
            Body::empty(),
        ))
        .await;
    assert_eq!(
        (head.status, head.body.len(), head.header("content-length")),
        (StatusCode::OK, 0, "10")
    );
    // The same bytes are the same, whatever they are called.
    let twin = server.upload("", "image/png", "0123456789").await;
    assert_eq!(server.download(&twin).await.header("etag"), etag);
}

#[tokio::test]
async fn content_may_follow_its_id() {
    let server = Server::start(Config {
        max_pending_uploads: 2,
        ..Config::default()
    })
    .await;
    let create = || {
        request(
            Method::POST,
            "/_matrix/media/v1/create",
            Some("alice"),
            &[],
            Body::empty(),
        )
    };
    let created = server.answer(create()).await.json();
    assert!(created["unused_expires_at"].as_u64().unwrap() > 1_700_000_000_000);
    let id = created["content_uri"]
        .as_str()
        .unwrap()
        .strip_prefix("mxc://")
        .unwrap();
    server.answer(create()).await;
    server
        .answer(create())
        .await
        .refused(429, "M_LIMIT_EXCEEDED");

    let download = format!("/_matrix/client/v1/media/download/{id}?timeout_ms=10");
    server
        .get(&download, &[])
        .await
        .refused(504, "M_NOT_YET_UPLOADED");
    let upload = |token, id: &str| {
        let path = format!("/_matrix/media/v3/upload/{id}?filename=a.txt");
        request(
            Method::PUT,
            &path,
            Some(token),
            &[(header::CONTENT_TYPE, "text/plain")],
            "hello".into(),
        )
    };
    server
        .answer(upload("mallory", id))
        .await
        .refused(403, "M_FORBIDDEN");
    server
        .answer(upload("alice", "here/unknown"))
        .await
        .refused(404, "M_NOT_FOUND");
    server
        .answer(upload("alice", "there/unknown"))
        .await
        .refused(404, "M_NOT_FOUND");
    let uploaded = server.answer(upload("alice", id)).await;
    assert_eq!(
        (uploaded.status, uploaded.json()),
        (StatusCode::OK, serde_json::json!({}))
    );
    server
        .answer(upload("alice", id))
        .await
        .refused(409, "M_CANNOT_OVERWRITE_MEDIA");
    let answer = server.get(&download, &[]).await;
    assert_eq!(
        (&answer.body[..], answer.header("content-disposition")),
        (&b"hello"[..], "inline; filename=a.txt")
    );
}

#[tokio::test]
async fn a_body_that_is_too_large_or_breaks_off_is_refused() {
    let server = Server::start(Config {
        max_upload_bytes: 10,
        ..Config::default()
    })
    .await;
    let upload = |headers: &[(HeaderName, &str)], body| {
        server.answer(request(
            Method::POST,
            "/_matrix/media/v3/upload",
            Some("alice"),
            headers,
            body,
        ))
    };
    upload(&[(header::CONTENT_LENGTH, "11")], Body::empty())
        .await
        .refused(413, "M_TOO_LARGE");
    upload(&[], "12345678901".into())
        .await
        .refused(413, "M_TOO_LARGE");
    upload(&[(header::CONTENT_LENGTH, "9")], "1234".into())
        .await
        .refused(400, "M_UNKNOWN");
    let broken = [
        Ok(Bytes::from_static(b"123")),
        Err(std::io::Error::other("reset")),
    ];
    upload(&[], Body::from_stream(futures_util::stream::iter(broken)))
        .await
        .refused(400, "M_UNKNOWN");
    assert_eq!(
        upload(&[], "1234567890".into()).await.status,
        StatusCode::OK
    );
    for path in [
        "/_matrix/client/v1/media/config",
        "/_matrix/media/v3/config",
        "/_matrix/media/r0/config",
    ] {
        assert_eq!(
            server.get(path, &[]).await.json(),
            serde_json::json!({ "m.upload.size": 10 })
        );
    }
}

#[tokio::test]
async fn who_has_no_token_sees_what_the_old_endpoints_show() {
    for (allow_legacy_media, status) in [(true, 200), (false, 404)] {
        let server = Server::start(Config {
            allow_legacy_media,
            ..Config::default()
        })
        .await;
        let id = server.upload("", "image/png", png(300, 300)).await;
        let get =
            |path: String| server.answer(request(Method::GET, &path, None, &[], Body::empty()));
        get(format!("/_matrix/client/v1/media/download/{id}"))
            .await
            .refused(401, "M_MISSING_TOKEN");
        let size = "width=32&height=32&method=crop";
        get(format!("/_matrix/client/v1/media/thumbnail/{id}?{size}"))
            .await
            .refused(401, "M_MISSING_TOKEN");
        get("/_matrix/media/v3/config".to_owned())
            .await
            .refused(401, "M_MISSING_TOKEN");
        for version in ["v3", "r0", "v1"] {
            let base = format!("/_matrix/media/{version}");
            for path in [
                format!("{base}/download/{id}?allow_remote=false&allow_redirect=true"),
                format!("{base}/download/{id}/a.png"),
                format!("{base}/thumbnail/{id}?{size}"),
            ] {
                let answer = get(path.clone()).await;
                assert_eq!(answer.status.as_u16(), status, "{path}");
                assert!(status == 404 || answer.header("cache-control").starts_with("public"));
            }
        }
    }
    let server = Server::start(Config::default()).await;
    let uploads = ["/_matrix/media/v3/upload", "/_matrix/media/v1/create"];
    for path in uploads {
        let nobody = server
            .answer(request(Method::POST, path, None, &[], Body::empty()))
            .await;
        nobody.refused(401, "M_MISSING_TOKEN");
        let guest = server
            .answer(request(
                Method::POST,
                path,
                Some("guest"),
                &[],
                Body::empty(),
            ))
            .await;
        guest.refused(403, "M_GUEST_ACCESS_FORBIDDEN");
    }
}

#[tokio::test]
async fn media_of_other_servers_is_not_found() {
    let server = Server::start(Config::default()).await;
    server
        .download("elsewhere.example/abc?timeout_ms=0")
        .await
        .refused(404, "M_NOT_FOUND");
    let thumbnail =
        "/_matrix/media/v3/thumbnail/elsewhere.example/abc?width=5&height=5&allow_remote=true";
    server.get(thumbnail, &[]).await.refused(404, "M_NOT_FOUND");
}

#[tokio::test]
async fn thumbnails_are_made_of_pictures_alone() {
    let server = Server::start(Config::default()).await;
    // What it is declared to be makes no difference.
    let id = server
        .upload("?filename=x.html", "text/html", png(300, 200))
        .await;
    let get = async |id: &str, query: &str| {
        server
            .get(
                &format!("/_matrix/client/v1/media/thumbnail/{id}?{query}"),
                &[],
            )
            .await
    };
    let answer = get(&id, "width=96&height=96&method=crop").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("content-type"), "image/jpeg");
    assert_eq!(
        answer.header("content-disposition"),
        "inline; filename=thumbnail.jpeg"
    );
    assert_eq!(
        answer.header("content-length"),
        answer.body.len().to_string()
    );
    let small = image::load_from_memory(&answer.body).unwrap();
    assert_eq!((small.width(), small.height()), (96, 96));
    let path = format!("/_matrix/client/v1/media/thumbnail/{id}?width=96&height=96&method=crop");
    let again = server
        .get(&path, &[(header::IF_NONE_MATCH, answer.header("etag"))])
        .await;
    assert_eq!(again.status, StatusCode::NOT_MODIFIED);
    // Larger than it is: the original, as the picture that it is.
    let answer = get(&id, "width=640&height=480&animated=true").await;
    assert_eq!(
        (answer.header("content-type"), &answer.body[..]),
        ("image/png", &png(300, 200)[..])
    );
    assert_eq!(
        answer.header("content-disposition"),
        "inline; filename=thumbnail.png"
    );

    for query in [
        "width=0&height=5",
        "width=-1&height=5",
        "width=a&height=5",
        "width=5&height=5&method=stretch",
    ] {
        get(&id, query).await.refused(400, "M_INVALID_PARAM");
    }
    get(&id, "width=5").await.refused(400, "M_MISSING_PARAM");
    for (declared, content) in [
        ("image/png", "<html><script>alert(1)</script></html>"),
        (
            "image/svg+xml",
            "<svg xmlns=\"http://www.w3.org/2000/svg\"/>",
        ),
        ("image/jpeg", ""),
    ] {
        let id = server.upload("", declared, content).await;
        get(&id, "width=32&height=32&method=crop")
            .await
            .refused(400, "M_UNKNOWN");
    }
}

#[tokio::test]
async fn many_clients_at_once_get_what_is_theirs() {
    let server = Arc::new(Server::start(Config::default()).await);
    let tasks = (0..40u8).map(|n| {
        let server = server.clone();
        tokio::spawn(async move {
            let content = vec![n; 3000 * usize::from(n)];
            let id = server
                .upload("", "application/octet-stream", content.clone())
                .await;
            assert!(server.download(&id).await.body == content);
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
}
