//! Whether what is stored about media agrees with the bytes, and with itself: for `orvale check`.

use std::collections::BTreeMap;

use futures_util::TryStreamExt;
use orvale_storage::trees::media::{MEDIA, MediaContent, MediaState, USAGE, Usage};
use sha2::{Digest, Sha256};

use crate::{Error, Media, Result, remote::OWNER};

/// What a check saw.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Checked {
    /// Media with content.
    pub media: u64,
    /// What does not agree, in sentences; none if all is well.
    pub faults: Vec<String>,
}

impl Media {
    /// Reads all content and compares it with what is known of it. Nothing may be uploaded or removed meanwhile.
    ///
    /// # Errors
    /// Storage's; what is found wrong is in the answer.
    pub async fn check(&self) -> Result<Checked> {
        let store = &self.inner.store;
        let mut checked = Checked::default();
        let mut contents = Vec::new();
        let mut usages = BTreeMap::<String, Usage>::new();
        store.for_each(&MEDIA, (), |(server_name, media_id), record| {
            if let MediaState::Ready(content) = record.state {
                let remote =
                    || (server_name != self.inner.server_name.as_str()).then(|| OWNER.to_owned());
                if let Some(owner) = record.uploader.or_else(remote) {
                    let usage = usages.entry(owner).or_default();
                    usage.files += 1;
                    usage.bytes += content.size;
                }
                contents.push((format!("mxc://{server_name}/{media_id}"), content));
            }
            Ok::<_, Error>(())
        })?;
        for (uri, content) in contents {
            checked.media += 1;
            if let Some(fault) = self.fault(&content).await {
                checked.faults.push(format!("{uri}: {fault}"));
            }
        }
        store.for_each(&USAGE, (), |(user_id,), usage| {
            let expected = usages.remove(&user_id).unwrap_or_default();
            if usage != expected {
                let fault = format!("{user_id} has {expected:?}, and {usage:?} is noted");
                checked.faults.push(fault);
            }
            Ok::<_, Error>(())
        })?;
        for (user_id, usage) in usages {
            let fault = format!("{user_id} has {usage:?}, and nothing is noted");
            checked.faults.push(fault);
        }
        Ok(checked)
    }

    /// What is wrong with the bytes.
    async fn fault(&self, content: &MediaContent) -> Option<String> {
        let mut hash = Sha256::new();
        let read = async {
            let mut bytes = self
                .inner
                .objects
                .read(content.object, 0..content.size)
                .await?;
            while let Some(chunk) = bytes.try_next().await? {
                hash.update(&chunk);
            }
            Ok::<_, Error>(())
        };
        match read.await {
            Err(error) => Some(format!("its content cannot be read: {error}")),
            Ok(()) if <[u8; 32]>::from(hash.finalize()) != content.sha256 => {
                Some("its content is not what was uploaded".to_owned())
            }
            Ok(()) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use futures_util::stream;
    use orvale_storage::{Batch, Store};
    use ruma::{MilliSecondsSinceUnixEpoch, UInt, server_name, user_id};

    use super::*;
    use crate::{Config, Details, Objects};

    #[tokio::test]
    async fn changed_and_missing_content_and_wrong_usage_are_found() {
        let directory = tempfile::tempdir().unwrap();
        let media = Media::open(
            Store::in_memory(),
            server_name!("x.example").to_owned(),
            Objects::in_directory(directory.path()).unwrap(),
            None,
            Config::default(),
        )
        .await
        .unwrap();
        let alice = user_id!("@alice:x.example");
        let now = MilliSecondsSinceUnixEpoch(UInt::from(1_u32));
        let body = stream::iter([Ok::<_, ()>(Bytes::from_static(b"a picture"))]);
        media
            .upload(alice, Details::default(), body, now)
            .await
            .unwrap();
        let whole = Checked {
            media: 1,
            faults: Vec::new(),
        };
        assert_eq!(media.check().await.unwrap(), whole);

        let mut wrong = Batch::new();
        wrong.put(&USAGE, (alice,), &Usage { files: 2, bytes: 9 });
        media.inner.store.commit(wrong).await.unwrap();
        assert_eq!(media.check().await.unwrap().faults.len(), 1);

        let folders = std::fs::read_dir(directory.path().join("files")).unwrap();
        let mut files =
            folders.flat_map(|folder| std::fs::read_dir(folder.unwrap().path()).unwrap());
        let file = files.next().unwrap().unwrap().path();
        std::fs::write(&file, b"a painting").unwrap();
        assert_eq!(media.check().await.unwrap().faults.len(), 2);
        std::fs::remove_file(&file).unwrap();
        assert_eq!(media.check().await.unwrap().faults.len(), 2);
    }
}
