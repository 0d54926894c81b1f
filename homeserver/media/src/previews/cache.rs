//! Which previews are known.

use orvale_storage::{
    Batch,
    record::JsonText,
    trees::media::{PREVIEW_AGES, PREVIEWS, PreviewRecord},
};
use reqwest::Url;
use ruma::MilliSecondsSinceUnixEpoch;
use sha2::{Digest, Sha256};

use crate::{Media, Result};

/// The SHA-256 of an address: addresses may be long, and are nobody's business.
pub(crate) type Key = [u8; 32];

pub(crate) fn key(url: &Url) -> Key {
    Sha256::digest(url.as_str()).into()
}

/// How many old previews are forgotten for each new one.
const FORGOTTEN_AT_ONCE: usize = 4;
/// For how many lifetimes a preview is kept, so that its picture is still there for those who were told of it last.
const LIFETIMES: u64 = 24;

impl Media {
    /// The preview of an address, if it is not too old.
    pub(crate) fn find_preview(
        &self,
        key: &Key,
        lifetime: u64,
        now: MilliSecondsSinceUnixEpoch,
    ) -> Result<Option<JsonText>> {
        let found = self.inner.store.get(&PREVIEWS, (key.to_vec(),))?;
        let now = u64::from(now.get());
        let fresh = found.filter(|found| now.saturating_sub(found.made_at) < lifetime);
        Ok(fresh.map(|found| found.properties))
    }

    /// Keeps a preview, in the place of an older one, and forgets some that are very old.
    pub(crate) async fn keep_preview(
        &self,
        key: &Key,
        properties: &JsonText,
        picture: Option<String>,
        now: MilliSecondsSinceUnixEpoch,
    ) -> Result<()> {
        let made_at = u64::from(now.get());
        let record = PreviewRecord {
            made_at,
            properties: properties.clone(),
            picture,
        };
        let (store, mut batch) = (&self.inner.store, Batch::new());
        let mut pictures = Vec::new();
        if let Some(before) = store.get(&PREVIEWS, (key.to_vec(),))? {
            batch.delete(&PREVIEW_AGES, (before.made_at, key.to_vec()));
            pictures.extend(before.picture);
        }
        let lifetime = self.config().previews.cache_seconds.saturating_mul(1000);
        let old = made_at.saturating_sub(lifetime.saturating_mul(LIFETIMES));
        for ((at, other), ()) in
            store.range(&PREVIEW_AGES, (0,), (old,), false, FORGOTTEN_AT_ONCE)?
        {
            if other != key {
                let before = store.get(&PREVIEWS, (other.clone(),))?;
                pictures.extend(before.and_then(|before| before.picture));
                batch.delete(&PREVIEWS, (other.clone(),));
            }
            batch.delete(&PREVIEW_AGES, (at, other));
        }
        batch.put(&PREVIEWS, (key.to_vec(),), &record).put(
            &PREVIEW_AGES,
            (made_at, key.to_vec()),
            &(),
        );
        store.commit(batch).await?;
        for picture in pictures {
            self.remove(&self.inner.server_name, &picture).await?;
        }
        Ok(())
    }
}
