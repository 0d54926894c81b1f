//! Uploads: streamed to the object store, hashed and measured on the way, recorded when they are whole.

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use orvale_storage::{
    Batch,
    trees::media::{LOOSE, MEDIA, MediaRecord, MediaState, PENDING, UPLOADS, Usage},
};
use ruma::{MilliSecondsSinceUnixEpoch, OwnedMxcUri, ServerName, UserId};

use crate::{
    Error, Media, Result,
    incoming::{Incoming, Received},
    media_id,
};

/// What the uploader says about an upload.
#[derive(Debug, Clone, Default)]
pub struct Details {
    /// The header `Content-Type`. Malformed ones are not kept.
    pub content_type: Option<String>,
    /// The name of the file.
    pub filename: Option<String>,
    /// The size, if it is known beforehand; an upload that would be too large is then refused at once.
    pub size: Option<u64>,
}

impl Media {
    /// Uploads content to a new media ID. When this returns, the content is on disk.
    ///
    /// # Errors
    /// [`Error::TooLarge`], [`Error::QuotaExceeded`], [`Error::Interrupted`], and failures of storage. Nothing is left of a
    /// failed upload.
    pub async fn upload<E: Send>(
        &self,
        user_id: &UserId,
        details: Details,
        body: impl Stream<Item = Result<Bytes, E>> + Send + Unpin,
        now: MilliSecondsSinceUnixEpoch,
    ) -> Result<OwnedMxcUri> {
        self.check_type(&details)?;
        self.check_quota(user_id, details.size)?;
        let received = self.receive(details.size, body).await?;
        let media_id = media_id::random(&mut rand::rng());
        let uri = self.uri(&media_id);
        self.record(user_id, media_id, received, details, now, None)
            .await?;
        Ok(uri)
    }

    /// Uploads the content of a media ID that its user made before.
    ///
    /// # Errors
    /// As [`Media::upload`]; [`Error::NotFound`] for an unknown or expired ID, [`Error::NotTheCreator`],
    /// [`Error::CannotOverwrite`].
    pub async fn upload_to<E: Send>(
        &self,
        user_id: &UserId,
        server_name: &ServerName,
        media_id: &str,
        details: Details,
        body: impl Stream<Item = Result<Bytes, E>> + Send + Unpin,
        now: MilliSecondsSinceUnixEpoch,
    ) -> Result<()> {
        if !self.is_ours(server_name) {
            return Err(Error::NotFound);
        }
        let pending = self.find_pending(user_id, media_id, now)?;
        self.check_type(&details)?;
        self.check_quota(user_id, details.size)?;
        let received = self.receive(details.size, body).await?;
        self.record(
            user_id,
            media_id.to_owned(),
            received,
            details,
            now,
            Some(pending),
        )
        .await
    }

    /// The record of a media ID that this user may upload to now.
    fn find_pending(
        &self,
        user_id: &UserId,
        media_id: &str,
        now: MilliSecondsSinceUnixEpoch,
    ) -> Result<MediaRecord> {
        if !media_id::is_valid(media_id) {
            return Err(Error::NotFound);
        }
        let record = self
            .inner
            .store
            .get(&MEDIA, (&self.inner.server_name, media_id))?
            .ok_or(Error::NotFound)?;
        if record.uploader.as_deref() != Some(user_id.as_str()) {
            return Err(Error::NotTheCreator);
        }
        match record.state {
            MediaState::Ready(_) => Err(Error::CannotOverwrite),
            MediaState::Pending { expires_at } if expires_at <= now.get().into() => {
                Err(Error::NotFound)
            }
            MediaState::Pending { .. } => Ok(record),
        }
    }

    fn check_type(&self, details: &Details) -> Result<()> {
        let config = self.config();
        if config.accepts(details.content_type.as_deref()) {
            return Ok(());
        }
        let accepted = config.accepted_types.join(", ").into();
        Err(Error::NotAccepted { accepted })
    }

    /// Refuses beforehand what would be refused afterwards.
    fn check_quota(&self, user_id: &UserId, size: Option<u64>) -> Result<()> {
        let usage = self.usage(user_id)?;
        self.within_quota(Usage {
            files: usage.files + 1,
            bytes: usage.bytes.saturating_add(size.unwrap_or(0)),
        })
    }

    fn within_quota(&self, usage: Usage) -> Result<()> {
        let config = self.config();
        let files = config
            .max_files_per_user
            .is_none_or(|limit| usage.files <= limit);
        let bytes = config
            .max_bytes_per_user
            .is_none_or(|limit| usage.bytes <= limit);
        if files && bytes {
            Ok(())
        } else {
            Err(Error::QuotaExceeded)
        }
    }

    pub(crate) async fn receive<E: Send>(
        &self,
        announced: Option<u64>,
        mut body: impl Stream<Item = Result<Bytes, E>> + Send + Unpin,
    ) -> Result<Received> {
        self.inner.store.check_health()?;
        let limit = self.config().max_upload_bytes;
        if announced.is_some_and(|size| size > limit) {
            return Err(Error::TooLarge { limit });
        }
        let mut incoming = Incoming::new(self.clone(), self.inner.names.take().await?);
        while let Some(chunk) = body.next().await {
            let chunk = chunk.map_err(|_| Error::Interrupted)?;
            if incoming.size + chunk.len() as u64 > limit {
                return Err(Error::TooLarge { limit });
            }
            incoming.push(chunk).await?;
        }
        if announced.is_some_and(|size| size != incoming.size) {
            return Err(Error::Interrupted);
        }
        // From here on it happens as a whole, whether or not the client is still there.
        let media = self.clone();
        let finishing = async move {
            let received = incoming.finish().await?;
            media.scanned(received).await
        };
        tokio::spawn(finishing).await.map_err(|_| Error::Closed)?
    }

    /// What the scanner lets through, if there is one; of the rest nothing is left.
    async fn scanned(&self, mut received: Received) -> Result<Received> {
        let Some(scanner) = &self.inner.scanner else {
            return Ok(received);
        };
        let (objects, object) = (&self.inner.objects, received.name.object());
        let content = objects.read(object, 0..received.size).await?;
        let Err(error) = scanner.look(content).await else {
            return Ok(received);
        };
        objects.remove(object).await?;
        received.name.unused();
        Err(error)
    }

    /// Writes the record of a received upload, which makes it exist.
    async fn record(
        &self,
        user_id: &UserId,
        media_id: String,
        received: Received,
        details: Details,
        now: MilliSecondsSinceUnixEpoch,
        pending: Option<MediaRecord>,
    ) -> Result<()> {
        let (media, user) = (self.clone(), user_id.as_str().to_owned());
        let recording = async move {
            let now = now.get().into();
            let content = received.content(&details, now);
            let Received { mut name, size, .. } = received;
            let record = MediaRecord {
                uploader: Some(user.clone()),
                created_at: pending.as_ref().map_or(now, |pending| pending.created_at),
                state: MediaState::Ready(content),
                quarantine: None,
            };
            let key = (&media.inner.server_name, &media_id);
            let change = |usage: &mut Usage, batch: &mut Batch| {
                if let Some(pending) = &pending {
                    match media.inner.store.get(&MEDIA, key)? {
                        Some(found) if found == *pending => {}
                        Some(MediaRecord {
                            state: MediaState::Ready(_),
                            ..
                        }) => return Err(Error::CannotOverwrite),
                        _ => return Err(Error::NotFound),
                    }
                    batch.expect(&MEDIA, key, Some(pending));
                    batch.delete(&PENDING, (&user, &media_id));
                }
                usage.files += 1;
                usage.bytes += size;
                media.within_quota(*usage)?;
                batch.put(&MEDIA, key, &record);
                batch.put(&UPLOADS, (&user, now, &media_id), &());
                batch.delete(&LOOSE, (name.object(),));
                Ok(())
            };
            let result = media.inner.accounts.commit(&user, change).await;
            match &result {
                Ok(()) => {
                    media
                        .inner
                        .waiters
                        .announce(media.inner.server_name.as_str(), &media_id);
                    metrics::counter!("orvale_media_uploads_total").increment(1);
                    metrics::counter!("orvale_media_uploaded_bytes_total").increment(size);
                }
                // The object stays loose: what cannot be removed now is removed at the next start.
                Err(Error::Storage(_)) => {}
                Err(_) => {
                    media.inner.objects.remove(name.object()).await?;
                    name.unused();
                }
            }
            result
        };
        tokio::spawn(recording).await.map_err(|_| Error::Closed)?
    }
}

#[cfg(test)]
mod tests {
    use std::{path::Path, time::Duration};

    use futures_util::{TryStreamExt, stream};
    use orvale_storage::Store;
    use ruma::{owned_server_name, owned_user_id, server_name};
    use sha2::{Digest, Sha256};

    use super::*;
    use crate::{
        Access, Config, MediaFile, Objects,
        incoming::PART,
        media::tests::{alice, at, body, media_with, upload},
    };

    async fn on_disk(path: &Path) -> Media {
        let objects = Objects::in_directory(path).unwrap();
        Media::open(
            Store::in_memory(),
            owned_server_name!("here"),
            objects,
            None,
            Config::default(),
        )
        .await
        .unwrap()
    }

    async fn find(media: &Media, id: &str) -> Result<MediaFile> {
        media
            .find(
                server_name!("here"),
                id,
                Access::Authenticated,
                Duration::ZERO,
                at(2000),
            )
            .await
    }

    async fn content(media: &Media, id: &str) -> Vec<u8> {
        let file = find(media, id).await.unwrap();
        let chunks: Vec<Bytes> = media
            .read(&file, 0..file.size())
            .await
            .unwrap()
            .try_collect()
            .await
            .unwrap();
        chunks.concat()
    }

    fn files(path: &Path) -> usize {
        let entries = std::fs::read_dir(path)
            .unwrap()
            .map(|entry| entry.unwrap().path());
        entries
            .map(|path| if path.is_dir() { files(&path) } else { 1 })
            .sum()
    }

    /// Waits for what happens in the background when an upload is dropped.
    async fn empty(path: &Path) {
        for _ in 0..500 {
            if files(path) == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{} files are left", files(path));
    }

    #[tokio::test]
    async fn content_comes_back_as_it_was_whatever_the_pieces() {
        let directory = tempfile::tempdir().unwrap();
        let media = on_disk(directory.path()).await;
        for (pieces, piece) in [
            (0, 0),
            (1, 0),
            (1, 1),
            (1, PART),
            (1, PART + 1),
            (3, PART),
            (77, 65_537),
            (1, 5 * PART + 3),
        ] {
            let pieces: Vec<Bytes> = (0..pieces).map(|n| vec![n as u8; piece].into()).collect();
            let whole = pieces.concat();
            let uri = media
                .upload(&alice(), Details::default(), body(pieces), at(1))
                .await
                .unwrap();
            let (_, id) = uri.parts().unwrap();
            assert!(content(&media, id).await == whole, "{} bytes", whole.len());
            assert_eq!(find(&media, id).await.unwrap().size(), whole.len() as u64);
            assert_eq!(
                find(&media, id).await.unwrap().sha256(),
                &<[u8; 32]>::from(Sha256::digest(&whole))
            );
        }
        assert_eq!(files(directory.path()), 8);
    }

    #[tokio::test]
    async fn an_upload_that_breaks_off_leaves_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let media = on_disk(directory.path()).await;
        for pieces in [1, 40] {
            let sent = (0..pieces).map(|_| Ok(Bytes::from(vec![7; 100_000])));
            let broken = stream::iter(sent.chain([Err("connection reset")]));
            let result = media
                .upload(&alice(), Details::default(), broken, at(1))
                .await;
            assert!(matches!(result, Err(Error::Interrupted)));
        }
        let short = Details {
            size: Some(2_000_001),
            ..Details::default()
        };
        let result = media
            .upload(
                &alice(),
                short,
                body(vec![vec![7; 2_000_000].into()]),
                at(1),
            )
            .await;
        assert!(matches!(result, Err(Error::Interrupted)));
        // A client that never comes back, in the middle of a part.
        let stuck = stream::iter((0..20).map(|_| Ok::<_, ()>(Bytes::from(vec![7; 100_000]))))
            .chain(stream::pending());
        let alice = alice();
        let upload = media.upload(&alice, Details::default(), stuck, at(1));
        tokio::time::timeout(Duration::from_millis(200), upload)
            .await
            .unwrap_err();
        empty(directory.path()).await;
        assert_eq!(media.usage(&alice).unwrap(), Usage::default());
        assert!(media.inner.store.prefix(&MEDIA, (), 1).unwrap().is_empty());
    }

    #[tokio::test]
    async fn too_much_is_refused_at_once_if_announced_and_where_it_passes_the_limit_if_not() {
        let media = media_with(Config {
            max_upload_bytes: 1000,
            ..Config::default()
        })
        .await;
        let announced = Details {
            size: Some(1001),
            ..Details::default()
        };
        let untouched = stream::poll_fn(|_| -> std::task::Poll<Option<Result<Bytes, ()>>> {
            panic!("was read")
        });
        let result = media.upload(&alice(), announced, untouched, at(1)).await;
        assert!(matches!(result, Err(Error::TooLarge { limit: 1000 })));
        let endless = stream::repeat_with(|| Ok::<_, ()>(Bytes::from(vec![7; 300])));
        let result = media
            .upload(&alice(), Details::default(), endless, at(1))
            .await;
        assert!(matches!(result, Err(Error::TooLarge { limit: 1000 })));
        upload(&media, vec![7; 1000], Details::default())
            .await
            .unwrap();
    }

    #[tokio::test]
    async fn files_of_types_that_are_not_accepted_are_refused() {
        let config = Config {
            accepted_types: vec!["image/*".to_owned()],
            ..Config::default()
        };
        let media = media_with(config).await;
        let of = |kind: Option<&str>| Details {
            content_type: kind.map(str::to_owned),
            ..Details::default()
        };
        upload(&media, "x", of(Some("image/png"))).await.unwrap();
        for kind in [Some("text/html"), None] {
            let refused = upload(&media, "x", of(kind)).await;
            assert!(
                matches!(refused, Err(Error::NotAccepted { .. })),
                "{kind:?}"
            );
        }
        assert_eq!(media.usage(&alice()).unwrap().files, 1);
    }

    #[tokio::test]
    async fn a_quota_holds_for_files_and_bytes() {
        let config = Config {
            max_bytes_per_user: Some(1000),
            max_files_per_user: Some(3),
            ..Config::default()
        };
        let media = media_with(config).await;
        upload(&media, vec![7; 600], Details::default())
            .await
            .unwrap();
        assert!(matches!(
            upload(&media, vec![7; 401], Details::default()).await,
            Err(Error::QuotaExceeded)
        ));
        upload(&media, vec![7; 400], Details::default())
            .await
            .unwrap();
        upload(&media, vec![], Details::default()).await.unwrap();
        assert!(matches!(
            upload(&media, vec![], Details::default()).await,
            Err(Error::QuotaExceeded)
        ));
        assert_eq!(
            media.usage(&alice()).unwrap(),
            Usage {
                files: 3,
                bytes: 1000
            }
        );
    }

    #[tokio::test]
    async fn content_is_uploaded_to_an_id_once_and_by_its_creator() {
        let media = media_with(Config::default()).await;
        let alice = alice();
        let uri = media.create(&alice, at(1000)).await.unwrap().content_uri;
        let (server, id) = uri.parts().unwrap();
        let send = |who, content: &'static str, now| {
            let media = media.clone();
            async move {
                media
                    .upload_to(
                        who,
                        server,
                        id,
                        Details::default(),
                        body(vec![content.into()]),
                        at(now),
                    )
                    .await
            }
        };
        let mallory = owned_user_id!("@mallory:here");
        assert!(matches!(
            send(&mallory, "evil", 1000).await,
            Err(Error::NotTheCreator)
        ));
        assert!(matches!(
            send(&alice, "late", u64::from(u32::MAX)).await,
            Err(Error::NotFound)
        ));
        send(&alice, "first", 2000).await.unwrap();
        assert!(matches!(
            send(&alice, "second", 2000).await,
            Err(Error::CannotOverwrite)
        ));
        assert!(matches!(
            send(&mallory, "evil", 2000).await,
            Err(Error::NotTheCreator)
        ));
        assert_eq!(content(&media, id).await, b"first");
        let elsewhere = media
            .upload_to(
                &alice,
                server_name!("there"),
                id,
                Details::default(),
                body(vec![]),
                at(1),
            )
            .await;
        assert!(matches!(elsewhere, Err(Error::NotFound)));
        let unknown = media
            .upload_to(
                &alice,
                server,
                "unknown",
                Details::default(),
                body(vec![]),
                at(1),
            )
            .await;
        assert!(matches!(unknown, Err(Error::NotFound)));
    }

    #[tokio::test]
    async fn of_two_uploads_to_one_id_one_wins_and_nothing_is_left_of_the_other() {
        let directory = tempfile::tempdir().unwrap();
        let media = on_disk(directory.path()).await;
        let uri = media.create(&alice(), at(1000)).await.unwrap().content_uri;
        let (server, id) = uri.parts().unwrap();
        let alice = alice();
        let send = |content: &'static str| {
            media.upload_to(
                &alice,
                server,
                id,
                Details::default(),
                body(vec![content.into()]),
                at(1000),
            )
        };
        let (a, b) = tokio::join!(send("a"), send("b"));
        let lost = if a.is_ok() { b } else { a };
        assert!(matches!(lost, Err(Error::CannotOverwrite)));
        assert_eq!(files(directory.path()), 1);
        assert_eq!(media.usage(&alice).unwrap(), Usage { files: 1, bytes: 1 });
    }

    #[tokio::test]
    async fn what_is_said_about_a_file_is_kept_as_far_as_it_is_sane() {
        let media = media_with(Config::default()).await;
        let said = |content_type: &str, filename: &str| Details {
            content_type: Some(content_type.to_owned()),
            filename: Some(filename.to_owned()),
            size: None,
        };
        let id = upload(&media, "x", said("Image/PNG", "Größe.png"))
            .await
            .unwrap();
        let file = find(&media, &id).await.unwrap();
        assert_eq!(
            (file.content_type(), file.filename()),
            (Some("Image/PNG"), Some("Größe.png"))
        );
        let id = upload(&media, "x", said("image/png\r\nX: y", "../a\r\nb"))
            .await
            .unwrap();
        let file = find(&media, &id).await.unwrap();
        assert_eq!(
            (file.content_type(), file.filename()),
            (None, Some(".._a__b"))
        );
    }
}
