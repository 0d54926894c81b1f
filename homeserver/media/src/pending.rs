//! Media IDs whose content follows later.

use std::time::Duration;

use orvale_storage::{
    Batch,
    trees::media::{MEDIA, MediaRecord, MediaState, PENDING},
};
use rand::rng;
use ruma::{MilliSecondsSinceUnixEpoch, OwnedMxcUri, UInt, UserId};

use crate::{Error, Media, Result, media_id};

/// How long an upload that began before its ID expired may take beyond that.
const GRACE_MS: u64 = 60 * 60 * 1000;

/// A media ID that waits for its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Created {
    /// Where the content will be.
    pub content_uri: OwnedMxcUri,
    /// Until when the content must have come.
    pub unused_expires_at: MilliSecondsSinceUnixEpoch,
}

impl Media {
    /// Makes a media ID for content that follows.
    ///
    /// # Errors
    /// [`Error::TooManyPending`], [`Error::Storage`].
    pub async fn create(
        &self,
        user_id: &UserId,
        now: MilliSecondsSinceUnixEpoch,
    ) -> Result<Created> {
        let now = now.get().into();
        let user = user_id.as_str();
        let media_id = media_id::random(&mut rng());
        let expires_at = now + self.config().pending_upload_seconds * 1000;
        let record = MediaRecord {
            uploader: Some(user.to_owned()),
            created_at: now,
            state: MediaState::Pending { expires_at },
            quarantine: None,
        };
        self.inner
            .accounts
            .commit(user, |_, batch| {
                let expiries = self
                    .inner
                    .store
                    .prefix(&PENDING, (user,), usize::MAX)?
                    .into_iter()
                    .map(|(_, at)| at);
                let live: Vec<u64> = expiries.filter(|&at| at > now).collect();
                if live.len() >= self.config().max_pending_uploads {
                    let first = live.into_iter().min().unwrap_or(now + 1000);
                    return Err(Error::TooManyPending {
                        retry_after: Duration::from_millis(first - now),
                    });
                }
                batch.put(&MEDIA, (&self.inner.server_name, &media_id), &record);
                batch.put(&PENDING, (user, &media_id), &expires_at);
                Ok(())
            })
            .await?;
        metrics::counter!("orvale_media_created_total").increment(1);
        let unused_expires_at = UInt::try_from(expires_at).map_or(UInt::MAX, |at| at);
        Ok(Created {
            content_uri: self.uri(&media_id),
            unused_expires_at: MilliSecondsSinceUnixEpoch(unused_expires_at),
        })
    }

    /// Does now and every hour what keeps the repository tidy. Never ends; to be dropped when the server stops.
    pub async fn tend(&self) {
        let mut hours = tokio::time::interval(Duration::from_secs(60 * 60));
        loop {
            hours.tick().await;
            match self.prune(MilliSecondsSinceUnixEpoch::now()).await {
                Ok(0) => {}
                Ok(pruned) => tracing::info!(pruned, "media IDs expired without content"),
                Err(error) => tracing::warn!(%error, "expired media IDs could not be removed"),
            }
        }
    }

    /// Forgets the media IDs that have expired without content; returns how many.
    ///
    /// # Errors
    /// [`Error::Storage`].
    pub async fn prune(&self, now: MilliSecondsSinceUnixEpoch) -> Result<usize> {
        let due = u64::from(now.get()).saturating_sub(GRACE_MS);
        let expired: Vec<(String, String)> = tokio::task::spawn_blocking({
            let store = self.inner.store.clone();
            move || {
                let pending = store.prefix(&PENDING, (), usize::MAX)?;
                let expired = pending
                    .into_iter()
                    .filter(|&(_, at)| at < due)
                    .map(|(key, _)| key)
                    .collect();
                Ok::<_, Error>(expired)
            }
        })
        .await
        .map_err(|_| Error::Closed)??;
        let mut pruned = 0;
        for (user, media_id) in expired {
            let Some(record) = self
                .inner
                .store
                .get(&MEDIA, (&self.inner.server_name, &media_id))?
            else {
                continue;
            };
            if !matches!(record.state, MediaState::Pending { .. }) {
                continue;
            }
            let mut batch = Batch::new();
            batch.expect(&MEDIA, (&self.inner.server_name, &media_id), Some(&record));
            batch.delete(&MEDIA, (&self.inner.server_name, &media_id));
            batch.delete(&PENDING, (&user, &media_id));
            match self.inner.store.commit(batch).await {
                Ok(_) => pruned += 1,
                // Its content came just now.
                Err(orvale_storage::Error::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(pruned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Access, Config, Details,
        media::tests::{DAY, alice, at, body, media_with},
    };

    async fn media(max_pending_uploads: usize) -> Media {
        media_with(Config {
            max_pending_uploads,
            ..Config::default()
        })
        .await
    }

    #[tokio::test]
    async fn a_user_has_only_so_many_ids_without_content() {
        let media = media(2).await;
        let first = media.create(&alice(), at(1000)).await.unwrap();
        media.create(&alice(), at(2000)).await.unwrap();
        assert_eq!(first.unused_expires_at, at(1000 + DAY));
        let Err(Error::TooManyPending { retry_after }) = media.create(&alice(), at(3000)).await
        else {
            panic!()
        };
        assert_eq!(retry_after, Duration::from_millis(DAY - 2000));
        media
            .create(&ruma::owned_user_id!("@bob:here"), at(3000))
            .await
            .unwrap();
        // Content makes place, and so does time.
        let (server, id) = first.content_uri.parts().unwrap();
        media
            .upload_to(
                &alice(),
                server,
                id,
                Details::default(),
                body(vec!["x".into()]),
                at(3000),
            )
            .await
            .unwrap();
        media.create(&alice(), at(3000)).await.unwrap();
        media.create(&alice(), at(3000)).await.unwrap_err();
        media.create(&alice(), at(2000 + DAY)).await.unwrap();
    }

    #[tokio::test]
    async fn many_at_once_stay_within_the_limit() {
        let media = media(5).await;
        let tries = (0..20).map(|_| {
            let media = media.clone();
            tokio::spawn(async move { media.create(&alice(), at(1000)).await.is_ok() })
        });
        let mut made = 0;
        for task in tries.collect::<Vec<_>>() {
            made += usize::from(task.await.unwrap());
        }
        assert_eq!(made, 5);
    }

    #[tokio::test]
    async fn expired_ids_are_forgotten_and_used_ones_are_not() {
        let media = media(5).await;
        let used = media.create(&alice(), at(1000)).await.unwrap();
        media.create(&alice(), at(1000)).await.unwrap();
        media.create(&alice(), at(2 * DAY)).await.unwrap();
        let (server, id) = used.content_uri.parts().unwrap();
        media
            .upload_to(
                &alice(),
                server,
                id,
                Details::default(),
                body(vec!["x".into()]),
                at(1000),
            )
            .await
            .unwrap();
        assert_eq!(media.prune(at(1000 + DAY)).await.unwrap(), 0);
        assert_eq!(media.prune(at(2 * DAY)).await.unwrap(), 1);
        assert_eq!(media.inner.store.prefix(&PENDING, (), 9).unwrap().len(), 1);
        assert_eq!(media.inner.store.prefix(&MEDIA, (), 9).unwrap().len(), 2);
        media
            .find(
                server,
                id,
                Access::Authenticated,
                Duration::ZERO,
                at(3 * DAY),
            )
            .await
            .unwrap();
    }
}
