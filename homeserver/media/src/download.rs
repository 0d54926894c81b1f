//! Downloads: finding media, waiting for it, reading it.

use std::{ops::Range, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use futures_util::stream::BoxStream;
use orvale_storage::trees::media::{MEDIA, MediaContent, MediaState};
use ruma::{MilliSecondsSinceUnixEpoch, OwnedServerName, ServerName};
use tokio::time::Instant;

use crate::{Error, Media, Result, media_id};

/// By which door a download is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// With an access token, or by another server.
    Authenticated,
    /// By the old endpoints, which ask nobody who they are: what they serve is up to the settings.
    Legacy,
}

/// Media that can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaFile {
    pub(crate) server_name: OwnedServerName,
    pub(crate) media_id: String,
    pub(crate) content: MediaContent,
}

impl MediaFile {
    /// The type its uploader declared. Not to be believed: see [`crate::content_type`].
    #[must_use]
    pub fn content_type(&self) -> Option<&str> {
        self.content.content_type.as_deref()
    }

    /// The name its uploader gave it.
    #[must_use]
    pub fn filename(&self) -> Option<&str> {
        self.content.filename.as_deref()
    }

    /// In bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.content.size
    }

    /// The SHA-256 of its bytes.
    #[must_use]
    pub fn sha256(&self) -> &[u8; 32] {
        &self.content.sha256
    }

    /// A name for exactly these bytes, fit for the header `ETag`, without its quotes.
    #[must_use]
    pub fn etag(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.content.sha256)
    }
}

impl Media {
    /// Finds media, waiting for its content as long as `wait` and the settings allow.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::NotYetUploaded`], [`Error::Storage`].
    pub async fn find(
        &self,
        server_name: &ServerName,
        media_id: &str,
        access: Access,
        wait: Duration,
        now: MilliSecondsSinceUnixEpoch,
    ) -> Result<MediaFile> {
        if !media_id::is_valid(media_id) || !self.allows(access) {
            return Err(Error::NotFound);
        }
        let started = Instant::now();
        let wait = wait.min(Duration::from_millis(self.config().max_wait_ms));
        // The old endpoints ask nobody who they are: for them, other servers are not asked.
        if !self.is_ours(server_name)
            && access == Access::Authenticated
            && !self.inner.store.contains(&MEDIA, (server_name, media_id))?
        {
            self.fetch(server_name, media_id, wait, now).await?;
        }
        if let Some(file) = self.look(server_name, media_id, access, now)? {
            return Ok(file);
        }
        loop {
            let place = self.inner.waiters.join(server_name.as_str(), media_id);
            let announced = place.notify().notified();
            if let Some(file) = self.look(server_name, media_id, access, now)? {
                return Ok(file);
            }
            if tokio::time::timeout_at(started + wait, announced)
                .await
                .is_err()
            {
                return Err(Error::NotYetUploaded);
            }
        }
    }

    /// The file, or nothing as long as it is announced and not there.
    fn look(
        &self,
        server_name: &ServerName,
        media_id: &str,
        access: Access,
        now: MilliSecondsSinceUnixEpoch,
    ) -> Result<Option<MediaFile>> {
        let record = self
            .inner
            .store
            .get(&MEDIA, (server_name, media_id))?
            .ok_or(Error::NotFound)?;
        let frozen = self
            .config()
            .legacy_frozen_at
            .filter(|_| access == Access::Legacy);
        if record.quarantine.is_some() || frozen.is_some_and(|at| record.created_at >= at) {
            return Err(Error::NotFound);
        }
        match record.state {
            MediaState::Ready(content) => Ok(Some(MediaFile {
                server_name: server_name.to_owned(),
                media_id: media_id.to_owned(),
                content,
            })),
            MediaState::Pending { expires_at } if expires_at <= now.get().into() => {
                Err(Error::NotFound)
            }
            MediaState::Pending { .. } => Ok(None),
        }
    }

    fn allows(&self, access: Access) -> bool {
        access == Access::Authenticated || self.config().allow_legacy_media
    }

    /// Reads a range of a file. Whoever began to read goes on even if the media is removed meanwhile.
    ///
    /// # Errors
    /// [`Error::NoSuchRange`], [`Error::NotFound`] if the content is gone, and failures of storage; also in the stream.
    pub async fn read(
        &self,
        file: &MediaFile,
        range: Range<u64>,
    ) -> Result<BoxStream<'static, Result<Bytes>>> {
        if range.start > range.end || range.end > file.size() {
            return Err(Error::NoSuchRange { size: file.size() });
        }
        let bytes = range.end - range.start;
        match self.inner.objects.read(file.content.object, range).await {
            Ok(stream) => {
                metrics::counter!("orvale_media_downloads_total").increment(1);
                metrics::counter!("orvale_media_downloaded_bytes_total").increment(bytes);
                Ok(stream)
            }
            Err(Error::Objects(error))
                if matches!(*error, object_store::Error::NotFound { .. }) =>
            {
                if self
                    .inner
                    .store
                    .contains(&MEDIA, (&file.server_name, &file.media_id))?
                {
                    tracing::error!(
                        media_id = file.media_id,
                        "the content of media is missing from the object store"
                    );
                }
                Err(Error::NotFound)
            }
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use ruma::server_name;

    use super::*;
    use crate::{
        Config, Details,
        media::tests::{DAY, alice, at, body, media_with, upload},
    };

    async fn find(media: &Media, id: &str, access: Access) -> Result<MediaFile> {
        media
            .find(server_name!("here"), id, access, Duration::ZERO, at(2000))
            .await
    }

    #[tokio::test]
    async fn a_download_waits_for_content_that_was_announced() {
        let media = media_with(Config::default()).await;
        let uri = media.create(&alice(), at(1000)).await.unwrap().content_uri;
        let (server, id) = uri.parts().unwrap();
        let waiting = media.find(
            server,
            id,
            Access::Authenticated,
            Duration::from_secs(30),
            at(1000),
        );
        let uploading = async {
            tokio::task::yield_now().await;
            media
                .upload_to(
                    &alice(),
                    server,
                    id,
                    Details::default(),
                    body(vec!["hello".into()]),
                    at(1000),
                )
                .await
        };
        let (found, uploaded) = tokio::join!(waiting, uploading);
        uploaded.unwrap();
        assert_eq!(found.unwrap().size(), 5);
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_longer_than_asked_or_allowed() {
        let media = media_with(Config {
            max_wait_ms: 5000,
            ..Config::default()
        })
        .await;
        let uri = media.create(&alice(), at(1000)).await.unwrap().content_uri;
        let (server, id) = uri.parts().unwrap();
        for (asked, waited) in [(0, 0), (300, 300), (1_000_000, 5000)] {
            let started = Instant::now();
            let result = media
                .find(
                    server,
                    id,
                    Access::Authenticated,
                    Duration::from_millis(asked),
                    at(1000),
                )
                .await;
            assert!(matches!(result, Err(Error::NotYetUploaded)));
            let elapsed = started.elapsed().as_millis();
            assert!((waited..waited + 10).contains(&elapsed), "{elapsed} ms");
        }
        let expired = media
            .find(
                server,
                id,
                Access::Authenticated,
                Duration::ZERO,
                at(1000 + DAY),
            )
            .await;
        assert!(matches!(expired, Err(Error::NotFound)));
    }

    #[tokio::test]
    async fn what_is_no_id_of_ours_is_not_found() {
        let media = media_with(Config::default()).await;
        let id = upload(&media, "x", Details::default()).await.unwrap();
        for odd in ["", "..", "../secret", "%2e%2e", "x/../y", "a\0b", "unknown"] {
            assert!(
                matches!(
                    find(&media, odd, Access::Authenticated).await,
                    Err(Error::NotFound)
                ),
                "{odd}"
            );
        }
        let elsewhere = media
            .find(
                server_name!("there"),
                &id,
                Access::Authenticated,
                Duration::from_secs(9),
                at(1),
            )
            .await;
        assert!(matches!(elsewhere, Err(Error::NotFound)));
    }

    #[tokio::test]
    async fn the_old_door_shows_what_the_settings_allow() {
        for (allow, frozen_at, visible) in [
            (true, None, true),
            (false, None, false),
            (true, Some(1000), false),
            (true, Some(1001), true),
        ] {
            let config = Config {
                allow_legacy_media: allow,
                legacy_frozen_at: frozen_at,
                ..Config::default()
            };
            let media = media_with(config).await;
            let id = upload(&media, "x", Details::default()).await.unwrap();
            assert_eq!(
                find(&media, &id, Access::Legacy).await.is_ok(),
                visible,
                "{allow} {frozen_at:?}"
            );
            find(&media, &id, Access::Authenticated).await.unwrap();
        }
    }

    #[tokio::test]
    async fn a_range_outside_of_the_file_is_refused() {
        let media = media_with(Config::default()).await;
        let id = upload(&media, "hello", Details::default()).await.unwrap();
        let file = find(&media, &id, Access::Authenticated).await.unwrap();
        for range in [0..6, 6..6, 9..20] {
            assert!(matches!(
                media.read(&file, range).await,
                Err(Error::NoSuchRange { size: 5 })
            ));
        }
        assert!(media.read(&file, 5..5).await.is_ok());
    }
}
