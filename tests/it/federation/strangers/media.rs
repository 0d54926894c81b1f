//! 14: outward fetches and served media.

use orvale_tests::{Answer, encode};
use serde_json::json;

use super::Meeting;

const DOWNLOAD: &str = "/_matrix/federation/v1/media/download/";
const THUMBNAIL: &str = "/_matrix/federation/v1/media/thumbnail/";

/// Has the stranger answer with a file, whose part has these headers.
fn give(meeting: &Meeting, at: &str, headers: &str, content: &[u8]) {
    let mut body = b"--cut\r\ncontent-type: application/json\r\n\r\n{}\r\n--cut\r\n".to_vec();
    body.extend_from_slice(headers.as_bytes());
    body.extend_from_slice(b"\r\n\r\n");
    body.extend_from_slice(content);
    body.extend_from_slice(b"\r\n--cut--\r\n");
    let mixed = "multipart/mixed; boundary=cut";
    meeting.stranger.answer_bytes(at, mixed, &body);
}

async fn download(meeting: &Meeting, id: &str) -> Answer {
    let server = encode(&meeting.stranger.name);
    let path = format!("/_matrix/client/v1/media/download/{server}/{id}");
    meeting.alice.get(&path).await
}

#[tokio::test]
async fn no_file_of_a_stranger_runs_as_a_page_of_ours() {
    let meeting = Meeting::new().await;
    let page = b"<html><script>alert(1)</script></html>";
    for (n, kind) in [
        "text/html",
        "TEXT/HTML",
        "Text/Html; charset=utf-8",
        "image/svg+xml",
        "IMAGE/SVG+XML",
        "application/xhtml+xml",
        "text/xml",
        "application/javascript",
        "application/pdf",
        "text/html, image/png",
        "nonsense",
        "",
    ]
    .into_iter()
    .enumerate()
    {
        let headers =
            format!("content-type: {kind}\r\ncontent-disposition: inline; filename=\"a.html\"");
        give(&meeting, DOWNLOAD, &headers, page);
        let answer = download(&meeting, &format!("page{n}")).await;
        if !answer.status.is_success() {
            assert!(!answer.status.is_redirection(), "{kind}");
            continue;
        }
        let disposition = answer.header("content-disposition");
        assert!(
            disposition.starts_with("attachment"),
            "{kind}: {disposition}"
        );
        let policy = answer.header("content-security-policy");
        assert!(policy.contains("sandbox"), "{kind}: {policy}");
        assert!(policy.contains("default-src 'none'"), "{kind}: {policy}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
    }
}

#[tokio::test]
async fn media_ids_are_no_paths() {
    let meeting = Meeting::new().await;
    give(
        &meeting,
        DOWNLOAD,
        "content-type: text/plain",
        b"of the stranger",
    );
    let long = "a".repeat(5_000);
    for id in [
        "..%2F..%2Forvale.toml",
        "..%2Forvale.toml",
        "%2e%2e%2f%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "%2Fetc%2Fpasswd",
        "..",
        "%2E%2E",
        "a%00b",
        "a%2F..%2Fb",
        "..%5C..%5Corvale.toml",
        "C%3A%5Cx",
        &long,
    ] {
        let answer = download(&meeting, id).await;
        let said = String::from_utf8_lossy(&answer.body).into_owned();
        assert!(
            !said.contains("server_name") && !said.contains("root:"),
            "{id}: {said}"
        );
        assert!(
            answer.status.as_u16() < 500 || answer.status == 502,
            "{id}: {}",
            answer.status
        );
    }
    // Nothing was written but where the server writes.
    let home = std::fs::read_dir(meeting.server.home()).expect("it is there");
    for entry in home {
        let name = entry.expect("a name").file_name();
        let known = ["data", "log", "orvale.toml", "certificate.pem", "key.pem"];
        assert!(known.iter().any(|known| name == *known), "{name:?}");
    }
}

#[tokio::test]
async fn media_that_are_elsewhere_are_not_fetched_from_a_private_network() {
    let meeting = Meeting::new().await;
    for place in [
        "http://169.254.169.254/latest/meta-data/",
        "https://10.0.0.1/secret",
        "https://[::ffff:192.168.0.1]/secret",
        "https://0.0.0.0/secret",
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
        "nonsense",
        "",
    ] {
        let id = format!("at{}", place.len());
        give(&meeting, DOWNLOAD, &format!("location: {place}"), b"");
        let answer = download(&meeting, &id).await;
        assert!(!answer.status.is_success(), "{place}: {:?}", answer.body);
        assert!(!answer.status.is_redirection(), "{place}");
    }
}

#[tokio::test]
async fn files_that_are_no_pictures_or_no_answers_do_no_harm() {
    let meeting = Meeting::new().await;
    // A picture of 60,000 by 60,000 by its head, which would be 14 GB.
    let mut vast = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR".to_vec();
    vast.extend_from_slice(&60_000_u32.to_be_bytes());
    vast.extend_from_slice(&60_000_u32.to_be_bytes());
    vast.extend_from_slice(&[8, 6, 0, 0, 0, 0, 0, 0, 0]);
    let server = encode(&meeting.stranger.name);
    for (n, content) in [
        &b"no picture"[..],
        &vast,
        b"GIF89a",
        b"\xff\xd8\xff",
        b"",
        b"RIFF\xff\xff\xff\xffWEBPVP8 ",
    ]
    .into_iter()
    .enumerate()
    {
        for at in [DOWNLOAD, THUMBNAIL] {
            give(&meeting, at, "content-type: image/png", content);
        }
        let path = format!(
            "/_matrix/client/v1/media/thumbnail/{server}/picture{n}?width=64&height=64&method=crop"
        );
        let answer = meeting.alice.get(&path).await;
        assert_ne!(answer.status, 500, "{n}: {}", answer.json);
        let answer = download(&meeting, &format!("picture{n}")).await;
        assert_ne!(answer.status, 500, "{n}: {}", answer.json);
    }
    for (n, (kind, body)) in [
        ("multipart/mixed; boundary=cut", &b""[..]),
        ("multipart/mixed; boundary=cut", b"--cut"),
        ("multipart/mixed; boundary=cut", b"--cut\r\n\r\n--cut--"),
        ("multipart/mixed; boundary=", b"--\r\n\r\n----"),
        ("multipart/mixed", b"--cut\r\n\r\n"),
        ("text/html", b"<html>"),
        ("application/json", b"{}"),
    ]
    .into_iter()
    .enumerate()
    {
        meeting.stranger.answer_bytes(DOWNLOAD, kind, body);
        let answer = download(&meeting, &format!("broken{n}")).await;
        assert!(!answer.status.is_success(), "{kind} {body:?}");
        assert_ne!(answer.status, 500, "{kind}: {}", answer.json);
    }
    // More than anybody may have, which ends before it is all there.
    let huge = vec![0; 200 << 20];
    give(
        &meeting,
        DOWNLOAD,
        "content-type: application/octet-stream",
        &huge,
    );
    let answer = download(&meeting, "huge").await;
    assert!(!answer.status.is_success(), "{}", answer.status);
    let error = json!({ "errcode": "M_NOT_FOUND", "error": "gone" });
    meeting.stranger.answer(DOWNLOAD, 404, error);
    let answer = download(&meeting, "gone").await;
    assert_eq!(answer.status, 404);
}
