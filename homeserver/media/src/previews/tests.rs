//! Previews of a web server that means no good.

use std::{
    collections::HashMap,
    io::Write as _,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use crate::{
    Access, Config, Error, Media, PreviewConfig,
    media::tests::{at, media_with},
};

/// What is answered at a path.
#[derive(Clone)]
enum Answer {
    /// These bytes, headers and all; then the connection ends.
    Bytes(Vec<u8>),
    /// A byte now and then, without end.
    Drip,
    /// Zeros without end.
    Flood,
    /// Nothing.
    Silence,
}

fn html(page: &str) -> Answer {
    typed("text/html", page.as_bytes())
}

fn typed(content_type: &str, body: &[u8]) -> Answer {
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    Answer::Bytes([head.as_bytes(), body].concat())
}

fn redirect(to: &str) -> Answer {
    let head = format!("HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n");
    Answer::Bytes(head.into_bytes())
}

/// A web server on this machine.
struct Web {
    address: SocketAddr,
    asked: Arc<AtomicUsize>,
}

impl Web {
    async fn start(host: &str, pages: impl IntoIterator<Item = (&str, Answer)>) -> Self {
        let listener = TcpListener::bind((host, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let pages = pages
            .into_iter()
            .map(|(path, answer)| (path.to_owned(), answer));
        let pages: Arc<HashMap<String, Answer>> = Arc::new(pages.collect());
        let asked = Arc::new(AtomicUsize::new(0));
        let count = asked.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(stream, pages.clone()));
            }
        });
        Self { address, asked }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

async fn serve(mut stream: TcpStream, pages: Arc<HashMap<String, Answer>>) {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => request.push(byte),
            Err(_) => return,
        }
    }
    let request = String::from_utf8(request).unwrap();
    let path = request.split(' ').nth(1).unwrap();
    let endless = b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n\r\n<title>Endless</title>";
    // The other side ends what it does not want.
    match pages.get(path) {
        Some(Answer::Bytes(bytes)) => {
            let _ = stream.write_all(bytes).await;
        }
        Some(Answer::Silence) => std::future::pending().await,
        Some(Answer::Flood) => {
            let _ = stream.write_all(endless).await;
            while stream.write_all(&[b' '; 65536]).await.is_ok() {}
        }
        Some(Answer::Drip) => {
            let _ = stream.write_all(endless).await;
            while stream.write_all(b" ").await.is_ok() {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        }
        None => {
            let none = b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n";
            let _ = stream.write_all(none).await;
        }
    }
}

/// Media that may look at 127.0.0.1, and at no other address of this machine.
async fn media() -> Media {
    media_of(PreviewConfig {
        timeout_seconds: 2,
        ..PreviewConfig::default()
    })
    .await
}

async fn media_of(previews: PreviewConfig) -> Media {
    let previews = PreviewConfig {
        allowed_private_ranges: vec!["127.0.0.1".parse().unwrap()],
        ..previews
    };
    media_with(Config {
        previews,
        ..Config::default()
    })
    .await
}

async fn preview(media: &Media, url: &str) -> Result<Value, String> {
    match media.preview(url, at(1000)).await {
        Ok(json) => Ok(json.parse().unwrap()),
        Err(Error::NoPreview(why)) => Err(why.to_string()),
        Err(error) => panic!("{error}"),
    }
}

fn png() -> Vec<u8> {
    let mut bytes = Vec::new();
    let picture = image::RgbImage::from_pixel(40, 20, image::Rgb([200, 30, 30]));
    picture
        .write_to(
            &mut std::io::Cursor::new(&mut bytes),
            image::ImageFormat::Png,
        )
        .unwrap();
    bytes
}

#[tokio::test]
async fn a_page_is_previewed_with_its_picture() {
    let page =
        r#"<meta property="og:title" content="Tea"><meta property="og:image" content="/tea.png">"#;
    let web = Web::start(
        "127.0.0.1",
        [("/", html(page)), ("/tea.png", typed("image/png", &png()))],
    )
    .await;
    let media = media().await;
    let found = preview(&media, &web.url("/#part")).await.unwrap();
    let uri = found["og:image"].as_str().unwrap().to_owned();
    let size = png().len();
    assert_eq!(
        found,
        json!({"og:title": "Tea", "og:image": uri, "og:image:type": "image/png",
            "og:image:width": 40, "og:image:height": 20, "matrix:image:size": size})
    );
    let id = uri.strip_prefix("mxc://here/").unwrap();
    let server = ruma::server_name!("here");
    let wait = std::time::Duration::ZERO;
    let kept = media.find(server, id, Access::Authenticated, wait, at(1000));
    assert!(kept.await.is_ok());
    // Told again from what is known.
    let asked = web.asked();
    assert_eq!(preview(&media, &web.url("/")).await.unwrap(), found);
    assert_eq!(web.asked(), asked);
}

#[tokio::test]
async fn many_who_ask_at_once_ask_the_page_once() {
    let web = Web::start("127.0.0.1", [("/", html("<title>Tea</title>"))]).await;
    let media = media().await;
    let url = web.url("/");
    let asking = (0..20).map(|_| preview(&media, &url));
    for found in futures_util::future::join_all(asking).await {
        assert_eq!(found.unwrap(), json!({"og:title": "Tea"}));
    }
    assert_eq!(web.asked(), 1);
}

#[tokio::test]
async fn a_page_is_asked_again_when_its_preview_is_old_and_the_old_picture_goes() {
    let page =
        r#"<meta property="og:title" content="Tea"><meta property="og:image" content="/tea.png">"#;
    let web = Web::start(
        "127.0.0.1",
        [("/", html(page)), ("/tea.png", typed("image/png", &png()))],
    )
    .await;
    let media = media().await;
    let ask = async |now| media.preview(&web.url("/"), at(now)).await.unwrap();
    let first = ask(1000).await;
    let second = ask(1000 + 3_600_000).await;
    assert_ne!(first.0, second.0, "the picture is a new one");
    let usage = media.usage(&media.previewer()).unwrap();
    assert_eq!(usage.files, 1);
}

#[tokio::test]
async fn private_addresses_are_not_asked_whichever_way_leads_there() {
    let secret = Web::start("127.0.0.2", [("/", html("<title>Secret</title>"))]).await;
    let picture = format!(
        r#"<title>x</title><meta property="og:image" content="{}">"#,
        secret.url("/")
    );
    let oembed = format!(
        r#"<link type="application/json+oembed" href="{}">"#,
        secret.url("/")
    );
    let chain = redirect("/chain");
    let web = Web::start(
        "127.0.0.1",
        [
            ("/redirect", redirect(&secret.url("/"))),
            ("/name", redirect("http://localhost.localdomain./")),
            ("/ipv6", redirect("http://[::1]/")),
            (
                "/number",
                redirect(&format!("http://2130706434:{}/", secret.address.port())),
            ),
            ("/file", redirect("file:///etc/passwd")),
            ("/picture", html(&picture)),
            ("/oembed", html(&oembed)),
            ("/twice", chain),
            ("/chain", redirect(&secret.url("/"))),
        ],
    )
    .await;
    let media = media().await;
    for path in ["/redirect", "/name", "/ipv6", "/number", "/file", "/twice"] {
        let refused = preview(&media, &web.url(path)).await;
        assert!(refused.is_err(), "{path}: {refused:?}");
    }
    assert!(preview(&media, &secret.url("/")).await.is_err());
    let found = preview(&media, &web.url("/picture")).await.unwrap();
    assert_eq!(found, json!({"og:title": "x"}));
    assert_eq!(
        preview(&media, &web.url("/oembed")).await.unwrap(),
        json!({})
    );
    assert_eq!(secret.asked(), 0);
}

#[tokio::test]
async fn names_that_lead_into_this_network_are_not_connected_to() {
    let web = Web::start("127.0.0.1", [("/", html("<title>x</title>"))]).await;
    let nothing_allowed = media_with(Config::default()).await;
    let url = format!("http://localhost:{}/", web.address.port());
    assert!(preview(&nothing_allowed, &url).await.is_err());
    assert_eq!(web.asked(), 0);
}

#[tokio::test]
async fn what_takes_too_long_or_never_ends_is_cut_off() {
    let mut bomb = Vec::new();
    let packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    let mut packed = packed;
    packed.write_all(b"<title>Bomb</title>").unwrap();
    for _ in 0..200 {
        packed.write_all(&[b' '; 1 << 20]).unwrap();
    }
    let packed = packed.finish().unwrap();
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n",
        packed.len()
    );
    bomb.extend_from_slice(head.as_bytes());
    bomb.extend_from_slice(&packed);
    let large = [png(), vec![0; 6 << 20]].concat();
    let web = Web::start(
        "127.0.0.1",
        [
            ("/bomb", Answer::Bytes(bomb)),
            ("/flood", Answer::Flood),
            ("/drip", Answer::Drip),
            ("/silence", Answer::Silence),
            ("/large", typed("image/png", &large)),
            ("/round", redirect("/round")),
        ],
    )
    .await;
    let media = media().await;
    let bomb = preview(&media, &web.url("/bomb")).await;
    assert_eq!(bomb.unwrap(), json!({"og:title": "Bomb"}));
    let flood = preview(&media, &web.url("/flood")).await;
    assert_eq!(flood.unwrap(), json!({"og:title": "Endless"}));
    for path in ["/drip", "/silence", "/large", "/round"] {
        let refused = preview(&media, &web.url(path)).await;
        // A page that drips is read as far as it came, if it came in time.
        assert!(refused.is_err() || path == "/drip", "{path}: {refused:?}");
    }
    assert_eq!(media.usage(&media.previewer()).unwrap().files, 0);
}

#[tokio::test]
async fn odd_answers_are_previews_or_none_but_never_a_failure() {
    let web = Web::start(
        "127.0.0.1",
        [
            (
                "/latin",
                typed(
                    "text/html; charset=iso-8859-1",
                    b"<title>Gr\xfc\xdfe</title>",
                ),
            ),
            (
                "/nonsense",
                typed("text/html; charset=ÿ", b"<title>x</title>"),
            ),
            ("/binary", typed("application/octet-stream", &[0; 100])),
            ("/lie", typed("image/png", b"<script>alert(1)</script>")),
            ("/svg", typed("image/svg+xml", b"<svg onload='alert(1)'/>")),
            ("/empty", html("")),
            ("/picture.png", typed("image/png; charset=x", &png())),
            ("/http", Answer::Bytes(b"SSH-2.0-OpenSSH\r\n\r\n".to_vec())),
            (
                "/nowhere",
                Answer::Bytes(b"HTTP/1.1 302 Found\r\n\r\n".to_vec()),
            ),
        ],
    )
    .await;
    let media = media().await;
    let of = async |path: &str| preview(&media, &web.url(path)).await;
    assert_eq!(of("/latin").await.unwrap(), json!({"og:title": "Grüße"}));
    assert_eq!(of("/empty").await.unwrap(), json!({}));
    assert_eq!(of("/picture.png").await.unwrap()["og:image:width"], 40);
    for path in ["/lie", "/svg"] {
        assert_eq!(of(path).await.unwrap().get("og:image"), None, "{path}");
    }
    for path in ["/binary", "/http", "/nowhere", "/missing"] {
        assert!(of(path).await.is_err(), "{path}");
    }
    let _ = of("/nonsense").await;
    for url in [
        "",
        "x",
        "javascript:alert(1)",
        "http://",
        "http://127.0.0.1:22/",
        "data:text/html,x",
    ] {
        assert!(preview(&media, url).await.is_err(), "{url}");
    }
    let long = format!("http://127.0.0.1/{}", "x".repeat(5000));
    assert!(preview(&media, &long).await.is_err());
}

#[tokio::test]
async fn the_settings_are_kept() {
    let web = Web::start("127.0.0.1", [("/", html("<title>x</title>"))]).await;
    let off = media_of(PreviewConfig {
        enabled: false,
        ..PreviewConfig::default()
    })
    .await;
    assert!(preview(&off, &web.url("/")).await.is_err());
    let denied = media_of(PreviewConfig {
        denied_hosts: vec!["0.0.1".to_owned(), "Example.org".to_owned()],
        ..PreviewConfig::default()
    })
    .await;
    for url in [
        &web.url("/"),
        "http://www.example.org/",
        "http://example.org./",
    ] {
        let why = preview(&denied, url).await.unwrap_err();
        assert!(why.contains("makes no previews"), "{url}: {why}");
    }
    assert_eq!(web.asked(), 0);
}
