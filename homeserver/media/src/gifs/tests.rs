//! GIFs of a service on this machine.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use axum::{
    Router,
    extract::{RawQuery, State},
    http::header,
    routing::get,
};
use parking_lot::Mutex;
use ruma::server_name;
use serde_json::{Value, json};

use crate::{
    Access, Config, Error, GifConfig, GifFilter, GifProvider, GifQuery, GifSize, Media,
    media::tests::{alice, at, media_with},
};

/// A GIF of two by three pixels.
const GIF: &[u8] =
    b"GIF89a\x02\x00\x03\x00\x80\x00\x00\xff\xff\xff\x00\x00\x00,\x00\x00\x00\x00\x02\x00\x03\x00\x00\x02\x03D|\x05\x00;";

#[derive(Clone, Default)]
struct Service {
    questions: Arc<Mutex<Vec<String>>>,
    pictures: Arc<AtomicUsize>,
    answer: Arc<Mutex<Value>>,
}

/// The service, and where it is.
async fn service() -> (Service, String) {
    async fn question(State(service): State<Service>, RawQuery(query): RawQuery) -> String {
        service.questions.lock().push(query.unwrap_or_default());
        service.answer.lock().to_string()
    }
    async fn picture(
        State(service): State<Service>,
    ) -> ([(header::HeaderName, &'static str); 1], &'static [u8]) {
        service.pictures.fetch_add(1, Ordering::SeqCst);
        ([(header::CONTENT_TYPE, "image/gif")], GIF)
    }
    let service = Service::default();
    let router = Router::new()
        .route("/api/search", get(question))
        .route("/api/featured", get(question))
        .route("/api/trending", get(question))
        .route("/pictures/{name}", get(picture))
        .route(
            "/page.gif",
            get(async || ([(header::CONTENT_TYPE, "image/gif")], "<html>")),
        )
        .with_state(service.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (service, base)
}

async fn media(provider: GifProvider, base: &str) -> Media {
    let gifs = GifConfig {
        provider: Some(provider),
        key: Some("secret".to_owned()),
        base_url: Some(format!("{base}/api")),
        allowed_private_ranges: vec!["127.0.0.0/8".parse().unwrap()],
        ..GifConfig::default()
    };
    media_with(Config {
        gifs,
        ..Config::default()
    })
    .await
}

fn words(words: &str) -> GifQuery {
    GifQuery {
        words: words.to_owned(),
        language: "de".to_owned(),
        ..GifQuery::default()
    }
}

fn of_tenor(base: &str) -> Value {
    let picture = |name: &str| json!({"url": format!("{base}/pictures/{name}"), "dims": [220, 124], "size": 9});
    json!({"results": [
        {"id": "123", "title": "", "content_description": "A cat jumps",
            "media_formats": {"tinygif": picture("small"), "gif": picture("large"), "gifpreview": picture("still")}},
        {"id": "../x", "media_formats": {"tinygif": picture("small"), "gif": picture("large")}},
        {"id": "9", "media_formats": {"mp4": picture("film")}},
        "nonsense",
    ], "next": "CAgQ"})
}

#[tokio::test]
async fn gifs_are_found_shown_and_kept_by_their_ids() {
    let (service, base) = service().await;
    let media = media(GifProvider::Tenor, &base).await;
    *service.answer.lock() = of_tenor(&base);
    let found = media.search_gifs(words(" cat "), at(1)).await.unwrap();
    assert_eq!(
        (found.provider, found.next.as_deref()),
        ("Tenor", Some("CAgQ"))
    );
    let [gif] = &found.gifs[..] else {
        panic!("what makes no sense is left out: {found:?}")
    };
    assert_eq!(
        (gif.id.as_str(), gif.title.as_str()),
        ("123", "A cat jumps")
    );
    assert_eq!((gif.width, gif.height), (220, 124));
    assert_eq!(
        service.questions.lock()[..],
        ["key=secret&limit=24&contentfilter=high&q=cat&locale=de"]
    );

    for size in [GifSize::Small, GifSize::Still, GifSize::Full] {
        let picture = media.gif("123", size).await.unwrap();
        assert_eq!(
            (picture.content_type, picture.width, picture.height),
            ("image/gif", 2, 3)
        );
        assert_eq!(picture.body, GIF);
    }
    let kept = media.keep_gif(&alice(), "123", at(2)).await.unwrap();
    assert_eq!(
        (kept.width, kept.height, kept.size),
        (2, 3, GIF.len() as u64)
    );
    let id = kept.uri.media_id().unwrap();
    let wait = std::time::Duration::ZERO;
    let file = media
        .find(server_name!("here"), id, Access::Authenticated, wait, at(3))
        .await
        .unwrap();
    assert_eq!(file.content_type(), Some("image/gif"));
    assert_eq!(service.pictures.load(Ordering::SeqCst), 4);
}

#[tokio::test]
async fn an_answer_is_remembered_for_some_minutes_and_each_page_by_itself() {
    let (service, base) = service().await;
    let media = media(GifProvider::Giphy, &base).await;
    let image = json!({"url": format!("{base}/pictures/a"), "width": "200", "height": "113"});
    *service.answer.lock() = json!({
        "data": [{"id": "aBc", "title": "Hello GIF", "images": {"fixed_width": image, "original": image}}],
        "pagination": {"offset": 24, "count": 24, "total_count": 60},
    });
    let found = media.search_gifs(words(""), at(1)).await.unwrap();
    assert_eq!((found.gifs[0].width, found.gifs[0].height), (200, 113));
    let next = found.next.unwrap();
    assert_eq!(next, "48");
    media.search_gifs(words(""), at(200_000)).await.unwrap();
    assert_eq!(service.questions.lock().len(), 1);
    let more = GifQuery {
        from: next,
        ..words("")
    };
    media.search_gifs(more, at(200_000)).await.unwrap();
    media.search_gifs(words(""), at(301_000)).await.unwrap();
    assert_eq!(
        service.questions.lock()[1..],
        [
            "api_key=secret&limit=24&rating=g&offset=48&lang=de",
            "api_key=secret&limit=24&rating=g&lang=de"
        ]
    );
}

#[tokio::test]
async fn only_what_was_found_is_fetched_and_only_pictures_come_back() {
    let (service, base) = service().await;
    let media = media(GifProvider::Tenor, &base).await;
    let unknown = media.gif("123", GifSize::Full).await;
    assert!(matches!(unknown, Err(Error::NotFound)), "{unknown:?}");
    let at_page = json!({"url": format!("{base}/page.gif"), "dims": [1, 1]});
    let inside = json!({"url": "http://10.0.0.1/secret.gif", "dims": [1, 1]});
    *service.answer.lock() = json!({"results": [
        {"id": "page", "media_formats": {"gif": at_page}},
        {"id": "inside", "media_formats": {"gif": inside}},
    ]});
    media.search_gifs(words("x"), at(1)).await.unwrap();
    for id in ["page", "inside"] {
        let refused = media.gif(id, GifSize::Full).await;
        assert!(
            matches!(refused, Err(Error::NoGifs(_))),
            "{id}: {refused:?}"
        );
    }
    *service.answer.lock() = json!("down for maintenance");
    let nonsense = media.search_gifs(words("y"), at(1)).await;
    assert!(matches!(nonsense, Err(Error::NoGifs(_))), "{nonsense:?}");
}

#[tokio::test]
async fn without_a_service_nobody_is_asked() {
    let media = media_with(Config::default()).await;
    assert!(!media.has_gifs());
    let refused = media.search_gifs(words("cat"), at(1)).await;
    assert!(matches!(refused, Err(Error::NoGifs(_))), "{refused:?}");
}

#[test]
fn a_service_needs_a_key_and_an_address_of_the_web() {
    let config = |change: fn(&mut GifConfig)| {
        let mut config = Config::default();
        config.gifs.provider = Some(GifProvider::Giphy);
        config.gifs.filter = GifFilter::Off;
        change(&mut config.gifs);
        config.check().err().map(|(key, _)| key)
    };
    assert_eq!(config(|_| ()), Some("gifs.key"));
    assert_eq!(
        config(|gifs| gifs.key = Some(String::new())),
        Some("gifs.key")
    );
    assert_eq!(config(|gifs| gifs.key = Some("k".to_owned())), None);
    let odd = |gifs: &mut GifConfig| {
        gifs.key = Some("k".to_owned());
        gifs.base_url = Some("file:///etc".to_owned());
    };
    assert_eq!(config(odd), Some("gifs.base_url"));
}
