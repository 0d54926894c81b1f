//! Where the bytes are.
//!
//! ```text
//! files/3f/3f9c…            the content of media, by the object's name: 32 hex digits of ours
//! files/3f/3f9c…#1          content on its way in; becomes the above when it is whole
//! thumbnails/3f/3f9c…/crop-96x96
//! ```
//!
//! A write is done when the file and its directory are synced. Directories are made (and synced) at start, so that no write
//! has to.

use std::{
    fs,
    io::{self, Read, Seek, SeekFrom},
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use futures_util::{
    StreamExt, TryStreamExt,
    stream::{self, BoxStream},
};
use object_store::{
    GetOptions, GetResultPayload, MultipartUpload, ObjectStore, ObjectStoreExt, PutPayload,
    local::LocalFileSystem, memory::InMemory, path::Path as Location,
};

use crate::{Error, Result};

/// How much is read at once. A file up to this size costs one trip to the threads that may block.
const CHUNK: u64 = 256 * 1024;

/// An object store for media. Cheap to clone.
#[derive(Clone)]
pub struct Objects {
    store: Arc<dyn ObjectStore>,
    /// The directory, if these are files of this machine.
    directory: Option<Arc<Path>>,
}

impl Objects {
    /// Files in a directory, which is made if missing.
    ///
    /// # Errors
    /// The directory cannot be made or written to.
    pub fn in_directory(path: impl Into<PathBuf>) -> Result<Self> {
        let path = path.into();
        fs::create_dir_all(&path)?;
        for kind in ["files", "thumbnails"] {
            let parent = path.join(kind);
            let mut made = make_directory(&parent)?;
            for fan in 0..=u8::MAX {
                made |= make_directory(&parent.join(format!("{fan:02x}")))?;
            }
            if made {
                fs::File::open(&parent)?.sync_all()?;
            }
        }
        fs::File::open(&path)?.sync_all()?;
        let store = LocalFileSystem::new_with_prefix(&path)?.with_fsync(true);
        Ok(Self {
            store: Arc::new(store),
            directory: Some(path.into()),
        })
    }

    /// Memory, gone with the last clone. For tests of what stands on it.
    #[must_use]
    pub fn in_memory() -> Self {
        Self {
            store: Arc::new(InMemory::new()),
            directory: None,
        }
    }

    /// Writes an object that is in memory as a whole.
    pub(crate) async fn put(&self, object: u128, content: Vec<Bytes>) -> Result<()> {
        self.store
            .put(&file(object), PutPayload::from_iter(content))
            .await?;
        Ok(())
    }

    /// Starts to write an object in parts. It is there when the upload completes, never in part.
    pub(crate) async fn put_parts(&self, object: u128) -> Result<Box<dyn MultipartUpload>> {
        Ok(self.store.put_multipart(&file(object)).await?)
    }

    /// A range of an object. The first chunk has been read when this returns; of the rest, one chunk is read ahead.
    pub(crate) async fn read(
        &self,
        object: u128,
        range: Range<u64>,
    ) -> Result<BoxStream<'static, Result<Bytes>>> {
        let location = file(object);
        if range.end - range.start <= CHUNK {
            let chunk = if range.is_empty() {
                Bytes::new()
            } else {
                self.store.get_range(&location, range).await?
            };
            return Ok(stream::once(async { Ok(chunk) }).boxed());
        }
        let options = GetOptions::new().with_range(Some(range.clone()));
        let found = self.store.get_opts(&location, options).await?;
        match found.payload {
            GetResultPayload::File(file, _) => read_file(file, range).await,
            GetResultPayload::Stream(stream) => Ok(stream.map_err(Error::from).boxed()),
        }
    }

    /// A whole object.
    pub(crate) async fn read_whole(&self, object: u128) -> Result<Bytes> {
        Ok(self.store.get(&file(object)).await?.bytes().await?)
    }

    /// Removes an object, if it is there, and everything made from it or left of it.
    pub(crate) async fn remove(&self, object: u128) -> Result<()> {
        self.remove_unfinished(object).await?;
        let folder = thumbnails(object);
        let made: Vec<_> = self
            .store
            .list(Some(&folder))
            .map_ok(|found| found.location)
            .try_collect()
            .await?;
        for location in std::iter::once(file(object)).chain(made) {
            match self.store.delete(&location).await {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        if let Some(directory) = &self.directory {
            let _ = tokio::fs::remove_dir(directory.join(folder.as_ref())).await;
        }
        Ok(())
    }

    /// Removes what an interrupted write has left. (The object store does so while it runs, and hides these files.)
    async fn remove_unfinished(&self, object: u128) -> Result<()> {
        let Some(directory) = &self.directory else {
            return Ok(());
        };
        let path = directory.join(file(object).as_ref());
        for n in 1..=8 {
            let mut unfinished = path.clone().into_os_string();
            unfinished.push(format!("#{n}"));
            match tokio::fs::remove_file(unfinished).await {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// A thumbnail made before.
    pub(crate) async fn thumbnail(&self, object: u128, variant: &str) -> Result<Option<Bytes>> {
        match self.store.get(&thumbnails(object).join(variant)).await {
            Ok(found) => Ok(Some(found.bytes().await?)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Keeps a thumbnail.
    pub(crate) async fn put_thumbnail(
        &self,
        object: u128,
        variant: &str,
        content: Bytes,
    ) -> Result<()> {
        self.store
            .put(&thumbnails(object).join(variant), content.into())
            .await?;
        Ok(())
    }

    /// How many thumbnails of an object are kept.
    pub(crate) async fn count_thumbnails(&self, object: u128) -> Result<usize> {
        let folder = thumbnails(object);
        Ok(self
            .store
            .list(Some(&folder))
            .try_fold(0, |n, _| async move { Ok(n + 1) })
            .await?)
    }
}

fn make_directory(path: &Path) -> io::Result<bool> {
    match fs::create_dir(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}

fn file(object: u128) -> Location {
    place("files", object)
}

fn thumbnails(object: u128) -> Location {
    place("thumbnails", object)
}

fn place(kind: &str, object: u128) -> Location {
    let name = format!("{object:032x}");
    Location::from_iter([kind, &name[..2], &name])
}

async fn read_file(
    mut file: fs::File,
    range: Range<u64>,
) -> Result<BoxStream<'static, Result<Bytes>>> {
    let mut left = range.end - range.start;
    let size = left.min(CHUNK);
    left -= size;
    let first = tokio::task::spawn_blocking(move || {
        file.seek(SeekFrom::Start(range.start))?;
        read_chunk(file, size)
    });
    let (file, chunk) = joined(first.await)?;
    let rest = stream::try_unfold(
        Ahead {
            left,
            reading: ahead(file, left),
        },
        |mut state| async move {
            let Some(reading) = state.reading.take() else {
                return Ok(None);
            };
            let (file, chunk) = joined(reading.await)?;
            state.left -= chunk.len() as u64;
            state.reading = ahead(file, state.left);
            Ok(Some((chunk, state)))
        },
    );
    Ok(stream::once(async { Ok(chunk) }).chain(rest).boxed())
}

type Reading = tokio::task::JoinHandle<io::Result<(fs::File, Bytes)>>;

struct Ahead {
    /// Not yet given to the caller.
    left: u64,
    reading: Option<Reading>,
}

fn ahead(file: fs::File, left: u64) -> Option<Reading> {
    (left > 0).then(|| tokio::task::spawn_blocking(move || read_chunk(file, left.min(CHUNK))))
}

fn read_chunk(file: fs::File, size: u64) -> io::Result<(fs::File, Bytes)> {
    let mut chunk = Vec::with_capacity(usize::try_from(size).expect("a chunk is small"));
    let read = (&file).take(size).read_to_end(&mut chunk)?;
    if read as u64 == size {
        Ok((file, chunk.into()))
    } else {
        Err(io::ErrorKind::UnexpectedEof.into())
    }
}

fn joined<T>(result: Result<io::Result<T>, tokio::task::JoinError>) -> Result<T> {
    result.map_err(|_| Error::Closed)?.map_err(Error::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn collect(stream: BoxStream<'static, Result<Bytes>>) -> Vec<u8> {
        let chunks: Vec<Bytes> = stream.try_collect().await.unwrap();
        chunks.concat()
    }

    #[tokio::test]
    async fn every_range_of_a_file_comes_back() {
        let directory = tempfile::tempdir().unwrap();
        let objects = Objects::in_directory(directory.path()).unwrap();
        let size = 3 * CHUNK + 17;
        let content: Vec<u8> = (0..size).map(|n| (n % 251) as u8).collect();
        objects.put(7, vec![content.clone().into()]).await.unwrap();
        for range in [
            0..size,
            0..0,
            5..5,
            1..size,
            0..CHUNK,
            0..CHUNK + 1,
            CHUNK - 1..2 * CHUNK + 3,
            size - 1..size,
        ] {
            let got = collect(objects.read(7, range.clone()).await.unwrap()).await;
            assert!(
                got == content[range.start as usize..range.end as usize],
                "{range:?}"
            );
        }
    }

    #[tokio::test]
    async fn a_file_that_is_removed_can_still_be_read_by_who_has_begun() {
        let directory = tempfile::tempdir().unwrap();
        let objects = Objects::in_directory(directory.path()).unwrap();
        let size = 8 * CHUNK;
        objects
            .put(7, vec![vec![1; size as usize].into()])
            .await
            .unwrap();
        let reading = objects.read(7, 0..size).await.unwrap();
        objects.remove(7).await.unwrap();
        assert_eq!(collect(reading).await.len() as u64, size);
        assert!(matches!(
            objects.read(7, 0..size).await,
            Err(Error::Objects(_))
        ));
    }

    #[tokio::test]
    async fn nothing_is_left_of_a_removed_object() {
        let directory = tempfile::tempdir().unwrap();
        let objects = Objects::in_directory(directory.path()).unwrap();
        objects
            .put(7, vec![Bytes::from_static(b"x")])
            .await
            .unwrap();
        objects
            .put_thumbnail(7, "crop-32x32", Bytes::from_static(b"y"))
            .await
            .unwrap();
        let unfinished = directory.path().join(format!("{}#1", file(7)));
        fs::write(&unfinished, b"half").unwrap();
        objects.remove(7).await.unwrap();
        let files: Vec<_> = walk(directory.path()).collect();
        assert!(files.is_empty(), "{files:?}");
        objects.remove(7).await.unwrap();
    }

    fn walk(path: &Path) -> Box<dyn Iterator<Item = PathBuf>> {
        Box::new(fs::read_dir(path).unwrap().flat_map(|entry| {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path)
            } else {
                Box::new(std::iter::once(path))
            }
        }))
    }
}
