//! Media of other servers: fetched when somebody here asks for it, and kept as long as there is room.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures_util::{StreamExt, stream::BoxStream};
use http::{HeaderMap, Request, header};
use orvale_federation_client::{Bounds, FederationClient, Opened};
use orvale_storage::{
    Batch,
    trees::media::{LOOSE, MEDIA, MediaRecord, MediaState, UPLOADS, USAGE, Usage},
};
use parking_lot::Mutex;
use quick_cache::sync::Cache;
use ruma::{
    MilliSecondsSinceUnixEpoch, OwnedServerName, ServerName,
    api::federation::authenticated_media::get_content, http_headers::ContentDisposition,
};

use crate::{Details, Error, Media, Result, incoming::Received, multipart};

/// Under this name it is noted what media of other servers takes up: no user has it.
pub(crate) const OWNER: &str = "";

/// How long it is remembered that a server did not give something out.
const FAILURE: Duration = Duration::from_secs(60);
/// How long a whole file may take.
const LONGEST: Duration = Duration::from_secs(600);

type Key = (OwnedServerName, String);

/// The way to media of other servers.
pub(crate) struct Remote {
    client: FederationClient,
    /// One fetch at a time of each file.
    fetching: Mutex<HashMap<Key, Arc<tokio::sync::Mutex<()>>>>,
    failed: Cache<Key, Instant>,
}

impl Remote {
    pub(crate) fn new(client: FederationClient) -> Self {
        Self {
            client,
            fetching: Mutex::default(),
            failed: Cache::new(10_000),
        }
    }
}

/// A file on its way.
struct Arriving {
    details: Details,
    body: BoxStream<'static, std::result::Result<Bytes, multipart::Malformed>>,
}

impl Media {
    /// Sees to it that media of another server is here, unless that server does not give it out.
    pub(crate) async fn fetch(
        &self,
        server: &ServerName,
        media_id: &str,
        wait: Duration,
        now: MilliSecondsSinceUnixEpoch,
    ) -> Result<()> {
        let (media, server, media_id) = (self.clone(), server.to_owned(), media_id.to_owned());
        // It goes on even if who asked for it goes away: others may wait for it.
        let fetching = async move { media.fetch_in_turn(&server, &media_id, wait, now).await };
        tokio::spawn(fetching).await.map_err(|_| Error::Closed)?
    }

    async fn fetch_in_turn(
        &self,
        server: &ServerName,
        media_id: &str,
        wait: Duration,
        now: MilliSecondsSinceUnixEpoch,
    ) -> Result<()> {
        let Some(remote) = &self.inner.remote else {
            return Err(Error::NotFound);
        };
        let key = (server.to_owned(), media_id.to_owned());
        let turn = remote
            .fetching
            .lock()
            .entry(key.clone())
            .or_default()
            .clone();
        let taken = turn.lock().await;
        let failed = remote.failed.get(&key);
        let result = if self.inner.store.contains(&MEDIA, (server, media_id))? {
            Ok(())
        } else if failed.is_some_and(|at| at.elapsed() < FAILURE) {
            Err(Error::NotFound)
        } else {
            let fetching = self.fetch_now(remote, server, media_id, wait, now);
            let fetched = tokio::time::timeout(LONGEST, fetching).await;
            let fetched = fetched.unwrap_or(Err(Error::Interrupted));
            if let Err(error) = &fetched {
                tracing::debug!(server_name = %server, media_id, %error, "no media from another server");
                remote.failed.insert(key.clone(), Instant::now());
            }
            fetched
        };
        drop(taken);
        let mut fetching = remote.fetching.lock();
        // Here and in the map: nobody else waits.
        if Arc::strong_count(&turn) <= 2 {
            fetching.remove(&key);
        }
        result
    }

    async fn fetch_now(
        &self,
        remote: &Remote,
        server: &ServerName,
        media_id: &str,
        wait: Duration,
        now: MilliSecondsSinceUnixEpoch,
    ) -> Result<()> {
        let arriving = open(&remote.client, server, media_id, wait).await?;
        let Arriving { details, body } = arriving;
        let received = self.receive(None, body).await?;
        self.record_remote(server, media_id, received, &details, now)
            .await?;
        self.make_room().await
    }

    async fn record_remote(
        &self,
        server: &ServerName,
        media_id: &str,
        received: Received,
        details: &Details,
        now: MilliSecondsSinceUnixEpoch,
    ) -> Result<()> {
        let now = now.get().into();
        let content = received.content(details, now);
        let Received { name, size, .. } = received;
        let record = MediaRecord {
            uploader: None,
            created_at: now,
            state: MediaState::Ready(content),
            quarantine: None,
        };
        let key = (server, media_id);
        let change = |usage: &mut Usage, batch: &mut Batch| {
            usage.files += 1;
            usage.bytes += size;
            batch.expect::<_, MediaRecord>(&MEDIA, key, None);
            batch.put(&MEDIA, key, &record);
            batch.put(&UPLOADS, (OWNER, now, listed_as(server, media_id)), &());
            batch.delete(&LOOSE, (name.object(),));
            Ok(())
        };
        self.inner.accounts.commit(OWNER, change).await
    }

    /// Removes what was fetched longest ago, until what is left is no more than the settings allow.
    async fn make_room(&self) -> Result<()> {
        let store = &self.inner.store;
        loop {
            let usage = store.get(&USAGE, (OWNER,))?;
            if usage.unwrap_or_default().bytes <= self.config().max_remote_bytes {
                return Ok(());
            }
            let oldest = store.prefix(&UPLOADS, (OWNER,), 1)?;
            let Some(((_, at, listed), ())) = oldest.into_iter().next() else {
                return Ok(());
            };
            let removed = match listed.split_once('/') {
                Some((server, media_id)) => match <&ServerName>::try_from(server) {
                    Ok(server) => self.remove(server, media_id).await?,
                    Err(_) => false,
                },
                None => false,
            };
            if !removed {
                let mut batch = Batch::new();
                batch.delete(&UPLOADS, (OWNER, at, listed));
                store.commit(batch).await?;
            }
        }
    }
}

/// How media of another server is listed: media IDs of two servers may be the same.
pub(crate) fn listed_as(server: &ServerName, media_id: &str) -> String {
    format!("{server}/{media_id}")
}

/// Asks a server for a file: by the endpoint for servers, or the one that all had before there was one.
async fn open(
    client: &FederationClient,
    server: &ServerName,
    media_id: &str,
    wait: Duration,
) -> Result<Arriving> {
    let bounds = Bounds {
        timeout: client.bounds().timeout.max(wait + Duration::from_secs(10)),
        max_bytes: 64 << 10,
    };
    let mut request = get_content::v1::Request::new(media_id.to_owned());
    request.timeout_ms = wait;
    match client.open(server, request, bounds).await {
        Ok(opened) => in_parts(client, opened).await,
        Err(error) if error.is_unrecognised() => {
            let path = format!("/_matrix/media/v3/download/{server}/{media_id}?allow_remote=false");
            let request = Request::get(path).body(Vec::new());
            let request = request.map_err(|_| Error::NotFound)?;
            let opened = client.open_http(server, request, bounds).await;
            Ok(whole(opened.map_err(|error| refused(&error))?))
        }
        Err(error) => Err(refused(&error)),
    }
}

async fn in_parts(client: &FederationClient, opened: Opened) -> Result<Arriving> {
    let (parts, body) = opened.into_parts();
    let content_type = parts.headers.get(header::CONTENT_TYPE);
    let content_type = content_type.and_then(|value| value.to_str().ok());
    let boundary = content_type.and_then(multipart::boundary);
    let boundary = boundary.ok_or(Error::NotFound)?;
    let file = multipart::second_part(&boundary, body).await;
    let file = file.map_err(|malformed| {
        tracing::debug!(error = malformed.0, "media of another server is malformed");
        Error::NotFound
    })?;
    match multipart::location(&file.headers) {
        Some(url) => {
            let opened = client.open_page(url).await;
            Ok(whole(opened.map_err(|error| refused(&error))?))
        }
        None => Ok(Arriving {
            details: details(&file.headers),
            body: file.body,
        }),
    }
}

/// An answer that is the file itself.
fn whole(opened: Opened) -> Arriving {
    let (parts, body) = opened.into_parts();
    let body = body.map(|piece| piece.map_err(|error| multipart::Malformed(error.to_string())));
    Arriving {
        details: details(&parts.headers),
        body: body.boxed(),
    }
}

fn details(headers: &HeaderMap) -> Details {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let disposition = text(header::CONTENT_DISPOSITION);
    let disposition = disposition.and_then(|value| value.parse::<ContentDisposition>().ok());
    Details {
        content_type: text(header::CONTENT_TYPE).map(str::to_owned),
        filename: disposition.and_then(|disposition| disposition.filename),
        size: None,
    }
}

fn refused(error: &orvale_federation_client::Error) -> Error {
    let errcode = error.answered().map(|answered| answered.errcode.as_str());
    tracing::debug!(%error, "another server gave out no media");
    match errcode {
        Some("M_NOT_YET_UPLOADED") => Error::NotYetUploaded,
        _ => Error::NotFound,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use axum::{Router, http::StatusCode, routing::get};
    use futures_util::TryStreamExt;
    use orvale_federation_client::testing::Network;
    use orvale_storage::Store;
    use ruma::owned_server_name;

    use super::*;
    use crate::{Access, Config, MediaFile, Objects, media::tests::at};

    const PARTS: &str = "--B\r\nContent-Type: application/json\r\n\r\n{}\r\n--B\r\n\
        Content-Type: image/png\r\nContent-Disposition: inline; filename=\"../a.png\"\r\n\r\nbytes\r\n--B--";

    /// A repository in a network with one server, which answers what it is asked for media with this, and counts.
    struct Here {
        media: Media,
        them: OwnedServerName,
        asked: Arc<AtomicUsize>,
        _network: Network,
    }

    impl Here {
        async fn start(router: impl FnOnce(Arc<AtomicUsize>) -> Router, config: Config) -> Self {
            let network = Network::new().await;
            let asked = Arc::<AtomicUsize>::default();
            let port = network.serve(&["localhost"], router(asked.clone())).await;
            let client = network.client("here", network.config(), 9);
            let media = Media::open(
                Store::in_memory(),
                owned_server_name!("here"),
                Objects::in_memory(),
                Some(client),
                config,
            );
            Self {
                media: media.await.unwrap(),
                them: OwnedServerName::try_from(format!("localhost:{port}")).unwrap(),
                asked,
                _network: network,
            }
        }

        async fn find(&self, id: &str, access: Access) -> Result<MediaFile> {
            let wait = Duration::from_secs(1);
            self.media
                .find(&self.them, id, access, wait, at(1000))
                .await
        }

        async fn read(&self, file: &MediaFile) -> Vec<u8> {
            let bytes = self.media.read(file, 0..file.size()).await.unwrap();
            bytes.try_collect::<Vec<_>>().await.unwrap().concat()
        }
    }

    /// Answers in parts.
    fn in_parts(asked: Arc<AtomicUsize>) -> Router {
        let answer = async move || {
            asked.fetch_add(1, Ordering::Relaxed);
            ([("content-type", "multipart/mixed; boundary=B")], PARTS)
        };
        Router::new().route("/_matrix/federation/v1/media/download/{id}", get(answer))
    }

    #[tokio::test]
    async fn file_of_another_server_is_fetched_once_for_all_who_ask() {
        let here = Here::start(in_parts, Config::default()).await;
        let finding = (0..5).map(|_| here.find("abc", Access::Authenticated));
        for found in futures_util::future::join_all(finding).await {
            let file = found.unwrap();
            assert_eq!(here.read(&file).await, b"bytes");
            assert_eq!(file.content_type(), Some("image/png"));
            assert!(!file.filename().unwrap().contains('/'));
        }
        assert_eq!(here.asked.load(Ordering::Relaxed), 1);
        // What is here already, the old endpoints serve too.
        assert!(here.find("abc", Access::Legacy).await.is_ok());
        assert!(here.media.check().await.unwrap().faults.is_empty());
    }

    #[tokio::test]
    async fn nobody_is_asked_for_strangers_nor_for_what_is_no_id_nor_again_at_once() {
        let gone = |asked: Arc<AtomicUsize>| {
            let answer = async move || {
                asked.fetch_add(1, Ordering::Relaxed);
                (
                    StatusCode::NOT_FOUND,
                    r#"{"errcode":"M_NOT_FOUND","error":""}"#,
                )
            };
            Router::new().fallback(answer)
        };
        let here = Here::start(gone, Config::default()).await;
        for (id, access) in [("abc", Access::Legacy), ("../abc", Access::Authenticated)] {
            assert!(matches!(here.find(id, access).await, Err(Error::NotFound)));
        }
        assert_eq!(here.asked.load(Ordering::Relaxed), 0);
        for _ in 0..3 {
            let found = here.find("abc", Access::Authenticated).await;
            assert!(matches!(found, Err(Error::NotFound)));
        }
        assert_eq!(here.asked.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn server_without_the_endpoint_is_asked_as_it_was_before() {
        let old = |_| {
            let answer = async || ([("content-type", "text/plain")], "old");
            Router::new().route("/_matrix/media/v3/download/{server}/{id}", get(answer))
        };
        let here = Here::start(old, Config::default()).await;
        let file = here.find("abc", Access::Authenticated).await.unwrap();
        assert_eq!(here.read(&file).await, b"old");
        assert_eq!(file.content_type(), Some("text/plain"));
    }

    #[tokio::test]
    async fn what_is_too_large_or_breaks_off_is_not_kept() {
        let config = Config {
            max_upload_bytes: 4,
            ..Config::default()
        };
        let here = Here::start(in_parts, config).await;
        let found = here.find("abc", Access::Authenticated).await;
        assert!(matches!(found, Err(Error::TooLarge { limit: 4 })));

        let broken = |_| {
            let answer = async || {
                let half = &PARTS[..PARTS.len() - 6];
                ([("content-type", "multipart/mixed; boundary=B")], half)
            };
            Router::new().fallback(answer)
        };
        let here = Here::start(broken, Config::default()).await;
        assert!(here.find("abc", Access::Authenticated).await.is_err());
        assert_eq!(here.media.check().await.unwrap().media, 0);
    }

    #[tokio::test]
    async fn what_was_fetched_longest_ago_makes_room() {
        let config = Config {
            max_remote_bytes: 12,
            ..Config::default()
        };
        let here = Here::start(in_parts, config).await;
        for (n, id) in ["a", "b", "c"].into_iter().enumerate() {
            let (wait, now) = (Duration::ZERO, at(1000 + n as u64));
            let found = here
                .media
                .find(&here.them, id, Access::Authenticated, wait, now);
            found.await.unwrap();
        }
        let kept = |id| {
            here.media
                .inner
                .store
                .contains(&MEDIA, (&here.them, id))
                .unwrap()
        };
        assert_eq!((kept("a"), kept("b"), kept("c")), (false, true, true));
        let checked = here.media.check().await.unwrap();
        assert_eq!((checked.media, checked.faults), (2, Vec::new()));
    }
}
