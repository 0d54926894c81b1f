//! The content of an upload on its way to the object store, in parts.

use bytes::Bytes;
use object_store::MultipartUpload;
use orvale_storage::trees::media::MediaContent;
use sha2::{Digest, Sha256};
use tokio::task::JoinHandle;

use crate::{Details, Error, Media, Result, content_type, filename, names::Name};

/// Up to this size an upload is gathered in memory and written at once; beyond, it is written in parts of it, of which one is
/// being received while the one before is being written.
pub(crate) const PART: usize = 1024 * 1024;

/// A whole upload in the object store.
pub(crate) struct Received {
    pub(crate) name: Name,
    pub(crate) size: u64,
    pub(crate) sha256: [u8; 32],
}

impl Received {
    /// What is recorded of it.
    pub(crate) fn content(&self, details: &Details, uploaded_at: u64) -> MediaContent {
        let content_type = details.content_type.as_deref();
        MediaContent {
            object: self.name.object(),
            content_type: content_type
                .and_then(content_type::accept)
                .map(str::to_owned),
            filename: details.filename.as_deref().and_then(filename::clean),
            size: self.size,
            sha256: self.sha256,
            uploaded_at,
        }
    }
}

/// An upload on its way in. Dropped before its end, it leaves nothing.
pub(crate) struct Incoming {
    media: Media,
    name: Name,
    pub(crate) size: u64,
    hasher: Sha256,
    waiting: Vec<Bytes>,
    waiting_bytes: usize,
    parts: Option<Box<dyn MultipartUpload>>,
    writing: Option<JoinHandle<object_store::Result<()>>>,
}

impl Incoming {
    pub(crate) fn new(media: Media, name: Name) -> Self {
        Self {
            media,
            name,
            size: 0,
            hasher: Sha256::new(),
            waiting: Vec::new(),
            waiting_bytes: 0,
            parts: None,
            writing: None,
        }
    }

    /// Takes the next bytes of it.
    pub(crate) async fn push(&mut self, chunk: Bytes) -> Result<()> {
        if self.waiting_bytes + chunk.len() > PART && self.waiting_bytes > 0 {
            self.write_part().await?;
        }
        // Here, while it is in the processor's cache.
        self.hasher.update(&chunk);
        self.size += chunk.len() as u64;
        self.waiting_bytes += chunk.len();
        self.waiting.push(chunk);
        Ok(())
    }

    /// Hands what waits to the disk, once the part before is written.
    async fn write_part(&mut self) -> Result<()> {
        self.written().await?;
        if self.parts.is_none() {
            self.parts = Some(
                self.media
                    .inner
                    .objects
                    .put_parts(self.name.object())
                    .await?,
            );
        }
        let parts = self.parts.as_mut().expect("it was just begun");
        self.waiting_bytes = 0;
        let part = std::mem::take(&mut self.waiting);
        self.writing = Some(tokio::spawn(parts.put_part(part.into_iter().collect())));
        Ok(())
    }

    async fn written(&mut self) -> Result<()> {
        match self.writing.take() {
            Some(writing) => Ok(writing.await.map_err(|_| Error::Closed)??),
            None => Ok(()),
        }
    }

    /// Makes the object: whole, synced, under its name.
    pub(crate) async fn finish(mut self) -> Result<Received> {
        if self.parts.is_some() {
            if !self.waiting.is_empty() {
                self.write_part().await?;
            }
            self.written().await?;
            self.name.used();
            self.parts
                .as_mut()
                .expect("it was begun")
                .complete()
                .await?;
        } else {
            self.name.used();
            self.media
                .inner
                .objects
                .put(self.name.object(), std::mem::take(&mut self.waiting))
                .await?;
        }
        Ok(Received {
            name: self.name,
            size: self.size,
            sha256: self.hasher.finalize().into(),
        })
    }
}
