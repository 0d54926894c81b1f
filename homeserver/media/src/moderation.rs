//! Removing media and withdrawing it from view; what a user has.

use orvale_storage::{
    Batch,
    trees::media::{
        LOOSE, MEDIA, MediaRecord, MediaState, PENDING, Quarantine, UPLOADS, USAGE, Usage,
    },
};
use ruma::{MilliSecondsSinceUnixEpoch, OwnedMxcUri, ServerName, UserId};

use crate::{Error, Media, Result, media_id, remote::listed_as};

/// Media in a list of a user's uploads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Where it is.
    pub content_uri: OwnedMxcUri,
    /// When it was uploaded.
    pub uploaded_at: MilliSecondsSinceUnixEpoch,
    /// In bytes.
    pub size: u64,
    /// As declared by the uploader.
    pub content_type: Option<String>,
    /// As given by the uploader.
    pub filename: Option<String>,
    /// Whether it is withdrawn from view.
    pub quarantined: bool,
}

impl Media {
    /// How much a user has uploaded and not removed.
    ///
    /// # Errors
    /// [`Error::Storage`].
    pub fn usage(&self, user_id: &UserId) -> Result<Usage> {
        Ok(self
            .inner
            .store
            .get(&USAGE, (user_id.as_str(),))?
            .unwrap_or_default())
    }

    /// A user's uploads, oldest first, after the one given.
    ///
    /// # Errors
    /// [`Error::Storage`].
    pub fn list(
        &self,
        user_id: &UserId,
        after: Option<&Listed>,
        limit: usize,
    ) -> Result<Vec<Listed>> {
        let user = user_id.as_str();
        // Keys continue with the first after the one given.
        let next = |at: u64, media_id: &str| (at, format!("{media_id}\0"));
        let mut start = match after {
            Some(last) => next(
                last.uploaded_at.get().into(),
                last.content_uri.media_id().unwrap_or_default(),
            ),
            None => (0, String::new()),
        };
        let mut listed = Vec::new();
        while listed.len() < limit {
            let from = (user, start.0, &start.1);
            let page = self.inner.store.range(
                &UPLOADS,
                from,
                (user, u64::MAX),
                false,
                limit - listed.len(),
            )?;
            let Some(((_, at, media_id), ())) = page.last() else {
                break;
            };
            start = next(*at, media_id);
            for ((_, _, media_id), ()) in page {
                if let Some(record) = self
                    .inner
                    .store
                    .get(&MEDIA, (&self.inner.server_name, &media_id))?
                {
                    listed.extend(self.listed(&media_id, record));
                }
            }
        }
        Ok(listed)
    }

    fn listed(&self, media_id: &str, record: MediaRecord) -> Option<Listed> {
        let MediaState::Ready(content) = record.state else {
            return None;
        };
        Some(Listed {
            content_uri: self.uri(media_id),
            uploaded_at: MilliSecondsSinceUnixEpoch(
                content.uploaded_at.try_into().unwrap_or_default(),
            ),
            size: content.size,
            content_type: content.content_type,
            filename: content.filename,
            quarantined: record.quarantine.is_some(),
        })
    }

    /// Removes media for good: its record, then its bytes and thumbnails. Returns whether it was there.
    ///
    /// # Errors
    /// [`Error::Storage`], [`Error::Objects`], [`Error::Disk`].
    pub async fn remove(&self, server_name: &ServerName, media_id: &str) -> Result<bool> {
        if !media_id::is_valid(media_id) {
            return Ok(false);
        }
        let key = (server_name, media_id);
        let Some(record) = self.inner.store.get(&MEDIA, key)? else {
            return Ok(false);
        };
        let owner = record.uploader.unwrap_or_default();
        let listed = match self.is_ours(server_name) {
            true => media_id.to_owned(),
            false => listed_as(server_name, media_id),
        };
        let mut object = None;
        let change = |usage: &mut Usage, batch: &mut Batch| {
            let record = self.inner.store.get(&MEDIA, key)?.ok_or(Error::NotFound)?;
            batch.expect(&MEDIA, key, Some(&record));
            batch.delete(&MEDIA, key);
            batch.delete(&PENDING, (&owner, media_id));
            if let MediaState::Ready(content) = record.state {
                usage.files = usage.files.saturating_sub(1);
                usage.bytes = usage.bytes.saturating_sub(content.size);
                batch.delete(&UPLOADS, (&owner, content.uploaded_at, &listed));
                batch.put(&LOOSE, (content.object,), &());
                object = Some(content.object);
            }
            Ok(())
        };
        match self.inner.accounts.commit(&owner, change).await {
            Ok(()) => {}
            Err(Error::NotFound) => return Ok(false),
            Err(error) => return Err(error),
        }
        self.inner.waiters.announce(server_name.as_str(), media_id);
        if let Some(object) = object {
            self.inner.objects.remove(object).await?;
            let mut batch = Batch::new();
            batch.delete(&LOOSE, (object,));
            self.inner.store.commit(batch).await?;
        }
        Ok(true)
    }

    /// Withdraws media from view. It stays on disk and can be released.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Storage`].
    pub async fn quarantine(
        &self,
        server_name: &ServerName,
        media_id: &str,
        by: &UserId,
        now: MilliSecondsSinceUnixEpoch,
    ) -> Result<()> {
        let quarantine = Quarantine {
            by: by.to_string(),
            at: now.get().into(),
        };
        self.set_quarantine(server_name, media_id, Some(quarantine))
            .await
    }

    /// Ends a quarantine.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Storage`].
    pub async fn release(&self, server_name: &ServerName, media_id: &str) -> Result<()> {
        self.set_quarantine(server_name, media_id, None).await
    }

    async fn set_quarantine(
        &self,
        server_name: &ServerName,
        media_id: &str,
        to: Option<Quarantine>,
    ) -> Result<()> {
        if !media_id::is_valid(media_id) {
            return Err(Error::NotFound);
        }
        let key = (server_name, media_id);
        let uploader = self
            .inner
            .store
            .get(&MEDIA, key)?
            .ok_or(Error::NotFound)?
            .uploader
            .unwrap_or_default();
        let change = |_: &mut Usage, batch: &mut Batch| {
            let record = self.inner.store.get(&MEDIA, key)?.ok_or(Error::NotFound)?;
            batch.expect(&MEDIA, key, Some(&record));
            batch.put(
                &MEDIA,
                key,
                &MediaRecord {
                    quarantine: to.clone(),
                    ..record
                },
            );
            Ok(())
        };
        self.inner.accounts.commit(&uploader, change).await
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ruma::{owned_user_id, server_name};

    use super::*;
    use crate::{
        Access, Config, Details,
        media::tests::{alice, at, body, media_with, upload},
    };

    async fn is_visible(media: &Media, id: &str) -> bool {
        media
            .find(
                server_name!("here"),
                id,
                Access::Authenticated,
                Duration::ZERO,
                at(2000),
            )
            .await
            .is_ok()
    }

    #[tokio::test]
    async fn nothing_is_left_of_removed_media() {
        let media = media_with(Config::default()).await;
        let here = server_name!("here");
        let id = upload(&media, "hello", Details::default()).await.unwrap();
        let object = media
            .find(here, &id, Access::Authenticated, Duration::ZERO, at(1))
            .await
            .unwrap()
            .content
            .object;
        assert_eq!(media.usage(&alice()).unwrap(), Usage { files: 1, bytes: 5 });
        assert!(media.remove(here, &id).await.unwrap());
        assert!(!media.remove(here, &id).await.unwrap());
        assert!(!is_visible(&media, &id).await);
        assert!(media.inner.objects.read_whole(object).await.is_err());
        assert_eq!(media.usage(&alice()).unwrap(), Usage::default());
        assert!(media.list(&alice(), None, 10).unwrap().is_empty());
        assert!(!media.inner.store.contains(&LOOSE, (object,)).unwrap());
    }

    #[tokio::test]
    async fn removing_an_id_without_content_ends_its_upload() {
        let media = media_with(Config::default()).await;
        let uri = media.create(&alice(), at(1)).await.unwrap().content_uri;
        let (server, id) = uri.parts().unwrap();
        assert!(media.remove(server, id).await.unwrap());
        let result = media
            .upload_to(
                &alice(),
                server,
                id,
                Details::default(),
                body(vec!["x".into()]),
                at(1),
            )
            .await;
        assert!(matches!(result, Err(Error::NotFound)));
        assert!(
            media
                .inner
                .store
                .prefix(&PENDING, (), 1)
                .unwrap()
                .is_empty()
        );
    }

    #[tokio::test]
    async fn quarantined_media_is_hidden_until_it_is_released() {
        let media = media_with(Config::default()).await;
        let here = server_name!("here");
        let id = upload(&media, "hello", Details::default()).await.unwrap();
        media
            .quarantine(here, &id, &owned_user_id!("@admin:here"), at(5))
            .await
            .unwrap();
        assert!(!is_visible(&media, &id).await);
        assert!(media.list(&alice(), None, 10).unwrap()[0].quarantined);
        media.release(here, &id).await.unwrap();
        assert!(is_visible(&media, &id).await);
        let unknown = media
            .quarantine(here, "unknown", &owned_user_id!("@admin:here"), at(5))
            .await;
        assert!(matches!(unknown, Err(Error::NotFound)));
    }

    #[tokio::test]
    async fn pages_of_uploads_cover_each_once() {
        let media = media_with(Config::default()).await;
        for n in 0..17 {
            let user = if n == 8 {
                owned_user_id!("@alicia:here")
            } else {
                alice()
            };
            media
                .upload(&user, Details::default(), body(vec![]), at(1000 + n / 5))
                .await
                .unwrap();
        }
        for limit in [1, 3, 16, 100] {
            let mut all: Vec<Listed> = Vec::new();
            loop {
                let page = media.list(&alice(), all.last(), limit).unwrap();
                if page.is_empty() {
                    break;
                }
                assert!(page.len() <= limit);
                all.extend(page);
            }
            let mut uris: Vec<_> = all.iter().map(|listed| &listed.content_uri).collect();
            assert_eq!(uris.len(), 16, "pages of {limit}");
            uris.sort();
            uris.dedup();
            assert_eq!(uris.len(), 16);
            assert!(all.is_sorted_by_key(|listed| listed.uploaded_at));
        }
    }
}
