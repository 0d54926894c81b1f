//! What is fetched from strangers, and what of theirs is shown.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use orvale_tests::{Server, Settings, encode};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use super::people;

/// A web server at an address, that answers everything in one way and counts.
async fn site(
    address: &str,
    answer: impl Fn(u16) -> String + Send + 'static,
) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind((address, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::SeqCst);
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(answer(port).as_bytes()).await;
        }
    });
    (port, asked)
}

fn page(body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn line_14_no_page_leads_the_server_to_an_address_that_is_not_public() {
    // The secret is at one address of this machine; pages of strangers are at another, as if that were public.
    let (secret, asked) = site("127.0.0.1", |_| page("<title>secret</title>")).await;
    let hidden = format!("http://127.0.0.1:{secret}");
    let redirecting = hidden.clone();
    let (redirect, _) = site("127.0.0.2", move |_| {
        format!("HTTP/1.1 302 Found\r\nlocation: {redirecting}/\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
    })
    .await;
    let with_picture = hidden.clone();
    let (pictured, _) = site("127.0.0.2", move |_| {
        let oembed = format!(
            "<link rel='alternate' type='application/json+oembed' href='{with_picture}/oembed'>"
        );
        page(&format!(
            "<title>public</title><meta property='og:image' content='{with_picture}/a.png'>{oembed}"
        ))
    })
    .await;
    let ranges = "[media.previews]\nallowed_private_ranges = [\"127.0.0.2/32\"]";
    let server = Server::with(Settings::default().and(ranges)).await;
    let alice = server.register("alice").await;
    let preview = async |url: &str| {
        let ask = async |prefix: &str| {
            alice
                .get(&format!("{prefix}/preview_url?url={}", encode(url)))
                .await
        };
        // The way that clients went before leads nowhere else.
        let (old, new) = (
            ask("/_matrix/media/v3").await,
            ask("/_matrix/client/v1/media").await,
        );
        assert_eq!(old.status, new.status, "{url}");
        new
    };
    let mut urls = vec![hidden, format!("http://127.0.0.2:{redirect}/")];
    let others = [
        "localhost",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "0.0.0.0",
        "2130706433",
        "0x7f.1",
    ];
    urls.extend(others.map(|host| format!("http://{host}:{secret}/")));
    urls.extend(["file:///etc/passwd", "ftp://127.0.0.2/", "http://10.0.0.1/"].map(str::to_owned));
    for url in &urls {
        let answer = preview(url).await;
        assert!(answer.status.is_client_error(), "{url}: {}", answer.json);
        assert!(
            answer.json["error"]
                .as_str()
                .is_some_and(|why| !why.contains("secret"))
        );
    }
    let found = preview(&format!("http://127.0.0.2:{pictured}/")).await.ok();
    assert_eq!(
        (&found["og:title"], &found["og:image"]),
        (&"public".into(), &Value::Null)
    );
    assert_eq!(asked.load(Ordering::SeqCst), 0, "the secret was asked for");
}

#[tokio::test(flavor = "multi_thread")]
async fn line_14_what_could_run_is_not_shown_in_place_and_names_are_no_paths() {
    let server = Server::start().await;
    let [alice, bob, _] = people(&server).await;
    let script = "<script>alert(1)</script>";
    for kind in [
        "text/html",
        "TEXT/HTML; charset=x",
        "image/svg+xml",
        "Image/SVG+xml",
        "application/xhtml+xml",
        "text/xml",
        "nonsense",
    ] {
        let uri = alice.upload("x.html", kind, script).await;
        for prefix in ["/_matrix/client/v1/media", "/_matrix/media/v3"] {
            let id = uri.trim_start_matches("mxc://");
            let answer = bob.get(&format!("{prefix}/download/{id}")).await;
            if !answer.status.is_success() {
                continue;
            }
            assert!(
                answer
                    .header("content-disposition")
                    .starts_with("attachment"),
                "{kind}"
            );
            let policy = answer.header("content-security-policy");
            assert!(
                policy.contains("sandbox") && policy.contains("default-src 'none'"),
                "{kind}"
            );
            assert_eq!(answer.header("x-content-type-options"), "nosniff");
        }
        let id = uri.trim_start_matches("mxc://");
        let thumbnail =
            format!("/_matrix/client/v1/media/thumbnail/{id}?width=32&height=32&method=scale");
        assert!(bob.get(&thumbnail).await.status.is_client_error(), "{kind}");
    }
    for id in [
        "..%2F..%2Fetc%2Fpasswd",
        "%2Fetc%2Fpasswd",
        "..",
        "a%00b",
        "....%2F%2F",
    ] {
        for host in ["test.example", "other.example", "..%2F.."] {
            let answer = bob
                .get(&format!("/_matrix/client/v1/media/download/{host}/{id}"))
                .await;
            assert!(
                answer.status.is_client_error(),
                "{host}/{id}: {}",
                answer.status
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn line_15_pages_may_be_deep_and_endless() {
    let (deep, _) = site("127.0.0.2", |_| {
        let depth = 60_000;
        page(&format!(
            "<title>deep</title>{}x{}",
            "<div>".repeat(depth),
            "</div>".repeat(depth)
        ))
    })
    .await;
    let (endless, _) = site("127.0.0.2", |_| {
        let head =
            "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 99999999999\r\n\r\n";
        format!("{head}<title>endless</title>{}", "<p a=1>".repeat(300_000))
    })
    .await;
    let settings =
        "[media.previews]\nallowed_private_ranges = [\"127.0.0.2/32\"]\ntimeout_seconds = 5";
    let server = Server::with(Settings::default().and(settings)).await;
    let alice = server.register("alice").await;
    for (port, title) in [(deep, "deep"), (endless, "endless")] {
        let url = encode(&format!("http://127.0.0.2:{port}/"));
        let path = format!("/_matrix/client/v1/media/preview_url?url={url}");
        let start = std::time::Instant::now();
        assert_eq!(alice.get(&path).await.ok()["og:title"], title);
        assert!(
            start.elapsed().as_secs() < 20,
            "{title}: {:?}",
            start.elapsed()
        );
    }
}
