//! Thumbnails on demand.

use std::{collections::HashMap, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{
    FutureExt,
    future::{BoxFuture, Shared},
};
use orvale_storage::{Store, trees::media::MEDIA};
use parking_lot::Mutex;
use quick_cache::sync::Cache;
use tokio::sync::Semaphore;

use super::{
    Thumbnail, ThumbnailContent, ThumbnailRequest,
    picture::{self, Format, Made},
    variant::Variant,
};
use crate::{Error, MediaFile, Objects, Result, ThumbnailConfig};

/// How many thumbnails a picture has before odd sizes are answered with the next common one.
const MAX_KEPT: usize = 32;

/// Of how many pictures it is remembered that no thumbnail can be made of them.
const MAX_HOPELESS: usize = 4096;

/// What is kept in place of a thumbnail where the original serves, before the name of the original's type.
const ORIGINAL: &[u8] = b"original ";

type Job = Shared<BoxFuture<'static, Result<Thumbnail>>>;

#[derive(Clone)]
pub(crate) struct Thumbnailer {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    objects: Objects,
    config: ThumbnailConfig,
    /// A place for each picture in work.
    places: Arc<Semaphore>,
    /// Held while a large picture is decoded.
    large: Arc<Mutex<()>>,
    running: Mutex<HashMap<(u128, Variant), Job>>,
    hopeless: Cache<u128, Error>,
}

impl Thumbnailer {
    pub(crate) fn new(store: Store, objects: Objects, config: ThumbnailConfig) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let places = Arc::new(Semaphore::new(config.concurrency.unwrap_or(cores).max(1)));
        let hopeless = Cache::new(MAX_HOPELESS);
        Self {
            inner: Arc::new(Inner {
                store,
                objects,
                config,
                places,
                large: Arc::default(),
                running: Mutex::default(),
                hopeless,
            }),
        }
    }

    pub(crate) async fn get(
        &self,
        file: &MediaFile,
        request: ThumbnailRequest,
    ) -> Result<Thumbnail> {
        let mut variant = request.variant()?;
        let object = file.content.object;
        if let Some(kept) = self.kept(object, variant).await? {
            return Ok(kept);
        }
        if !variant.is_common() && self.inner.objects.count_thumbnails(object).await? >= MAX_KEPT {
            // Whoever thinks of ever more sizes gets no more work done for it.
            variant = variant.common();
            if let Some(kept) = self.kept(object, variant).await? {
                return Ok(kept);
            }
        }
        if let Some(error) = self.inner.hopeless.get(&object) {
            return Err(error);
        }
        if file.size() > self.inner.config.max_source_bytes {
            return Err(Error::TooLargeToThumbnail);
        }
        let job = self.join(file, variant);
        let wait = Duration::from_millis(self.inner.config.max_wait_ms);
        tokio::time::timeout(wait, job)
            .await
            .unwrap_or(Err(Error::Busy))
    }

    /// The thumbnail in the making, whoever asked for it first.
    fn join(&self, file: &MediaFile, variant: Variant) -> Job {
        let key = (file.content.object, variant);
        let mut running = self.inner.running.lock();
        if let Some(job) = running.get(&key) {
            return job.clone();
        }
        let (this, file) = (self.clone(), file.clone());
        // A task of its own: it goes on when the one who asked first leaves.
        let task = tokio::spawn(async move {
            let result = this.make(&file, variant).await;
            this.inner.running.lock().remove(&key);
            result
        });
        let this = self.clone();
        let job = async move {
            task.await.unwrap_or_else(|_| {
                this.inner.running.lock().remove(&key);
                Err(Error::Closed)
            })
        };
        let job = job.boxed().shared();
        running.insert(key, job.clone());
        job
    }

    async fn make(&self, file: &MediaFile, variant: Variant) -> Result<Thumbnail> {
        let object = file.content.object;
        let place = self
            .inner
            .places
            .clone()
            .acquire_owned()
            .await
            .map_err(|_| Error::Closed)?;
        // Somebody may have been faster.
        if let Some(kept) = self.kept(object, variant).await? {
            return Ok(kept);
        }
        let source = self
            .inner
            .objects
            .read_whole(object)
            .await
            .map_err(|error| match error {
                Error::Objects(error) if matches!(*error, object_store::Error::NotFound { .. }) => {
                    Error::NotFound
                }
                other => other,
            })?;
        let (config, large) = (self.inner.config.clone(), self.inner.large.clone());
        let started = std::time::Instant::now();
        let made = tokio::task::spawn_blocking(move || {
            // Held by the thread that works, not by whoever waits for it.
            let _place = place;
            picture::make(&source, variant, &config, &large)
        })
        .await
        .unwrap_or(Err(Error::NoThumbnail("the picture is damaged")));
        metrics::histogram!("orvale_media_thumbnail_seconds").record(started.elapsed());
        if let Err(error @ (Error::NoThumbnail(_) | Error::TooLargeToThumbnail)) = &made {
            self.inner.hopeless.insert(object, error.clone());
        }
        let (kept, thumbnail) = match made? {
            Made::Original(format) => {
                let content_type = format.content_type();
                let kept = Bytes::from([ORIGINAL, content_type.as_bytes()].concat());
                (
                    kept,
                    Thumbnail {
                        content_type,
                        content: ThumbnailContent::Original,
                    },
                )
            }
            Made::Picture(format, bytes) => {
                let bytes = Bytes::from(bytes);
                let content = ThumbnailContent::Made(bytes.clone());
                (
                    bytes,
                    Thumbnail {
                        content_type: format.content_type(),
                        content,
                    },
                )
            }
        };
        self.keep(file, variant, kept).await?;
        Ok(thumbnail)
    }

    async fn keep(&self, file: &MediaFile, variant: Variant, content: Bytes) -> Result<()> {
        let (object, objects) = (file.content.object, &self.inner.objects);
        objects
            .put_thumbnail(object, &variant.name(), content)
            .await?;
        // Removed while we worked: then this goes, too.
        if !self
            .inner
            .store
            .contains(&MEDIA, (&file.server_name, &file.media_id))?
        {
            objects.remove(object).await?;
        }
        Ok(())
    }

    async fn kept(&self, object: u128, variant: Variant) -> Result<Option<Thumbnail>> {
        let Some(kept) = self
            .inner
            .objects
            .thumbnail(object, &variant.name())
            .await?
        else {
            return Ok(None);
        };
        if let Some(original) = kept.strip_prefix(ORIGINAL) {
            let formats = [Format::Jpeg, Format::Png, Format::Gif, Format::WebP];
            let format = formats
                .into_iter()
                .find(|format| format.content_type().as_bytes() == original);
            return Ok(format.map(|format| Thumbnail {
                content_type: format.content_type(),
                content: ThumbnailContent::Original,
            }));
        }
        Ok(Format::of(&kept).map(|format| Thumbnail {
            content_type: format.content_type(),
            content: ThumbnailContent::Made(kept),
        }))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use image::{DynamicImage, ImageFormat, RgbImage};
    use ruma::server_name;

    use super::*;
    use crate::{
        Access, Config, Details, Media, Method,
        media::tests::{at, media_with, upload},
    };

    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut out = Cursor::new(Vec::new());
        DynamicImage::from(RgbImage::new(width, height))
            .write_to(&mut out, ImageFormat::Png)
            .unwrap();
        out.into_inner()
    }

    async fn uploaded(media: &Media, content: Vec<u8>, content_type: &str) -> MediaFile {
        let details = Details {
            content_type: Some(content_type.to_owned()),
            ..Details::default()
        };
        let id = upload(media, content, details).await.unwrap();
        media
            .find(
                server_name!("here"),
                &id,
                Access::Authenticated,
                Duration::ZERO,
                at(1),
            )
            .await
            .unwrap()
    }

    fn crop(side: u32) -> ThumbnailRequest {
        ThumbnailRequest {
            width: side,
            height: side,
            method: Method::Crop,
            animated: false,
        }
    }

    #[tokio::test]
    async fn one_thumbnail_is_made_however_many_ask() {
        let media = media_with(Config::default()).await;
        let file = uploaded(&media, png(300, 300), "image/png").await;
        let asking: Vec<_> = (0..20)
            .map(|_| {
                let (media, file) = (media.clone(), file.clone());
                tokio::spawn(async move { media.thumbnail(&file, crop(96)).await.unwrap() })
            })
            .collect();
        tokio::task::yield_now().await;
        let mut contents = Vec::new();
        for task in asking {
            let ThumbnailContent::Made(content) = task.await.unwrap().content else {
                panic!()
            };
            contents.push(content);
        }
        // The very same bytes, not only equal ones.
        assert!(
            contents
                .windows(2)
                .all(|pair| pair[0].as_ptr() == pair[1].as_ptr())
        );
        assert!(media.inner.thumbnailer.inner.running.lock().is_empty());
        let ThumbnailContent::Made(kept) = media.thumbnail(&file, crop(90)).await.unwrap().content
        else {
            panic!()
        };
        assert_eq!(kept, contents[0]);
        assert_eq!(
            media
                .inner
                .objects
                .count_thumbnails(file.content.object)
                .await
                .unwrap(),
            1
        );
    }

    #[tokio::test]
    async fn a_declared_type_is_not_believed() {
        let media = media_with(Config::default()).await;
        let picture = uploaded(&media, png(300, 300), "text/html").await;
        assert_eq!(
            media
                .thumbnail(&picture, crop(96))
                .await
                .unwrap()
                .content_type,
            "image/jpeg"
        );
        let page = uploaded(&media, b"<script>alert(1)</script>".to_vec(), "image/png").await;
        for _ in 0..2 {
            assert!(matches!(
                media.thumbnail(&page, crop(96)).await,
                Err(Error::NoThumbnail(_))
            ));
        }
        assert!(
            media
                .inner
                .thumbnailer
                .inner
                .hopeless
                .get(&page.content.object)
                .is_some()
        );
    }

    #[tokio::test]
    async fn a_small_original_serves_and_that_is_remembered() {
        let media = media_with(Config::default()).await;
        let file = uploaded(&media, png(20, 20), "image/png").await;
        for _ in 0..2 {
            let thumbnail = media.thumbnail(&file, crop(96)).await.unwrap();
            assert_eq!(
                thumbnail,
                Thumbnail {
                    content_type: "image/png",
                    content: ThumbnailContent::Original
                }
            );
        }
        assert_eq!(
            media
                .inner
                .objects
                .count_thumbnails(file.content.object)
                .await
                .unwrap(),
            1
        );
    }

    #[tokio::test]
    async fn only_so_many_odd_sizes_are_made() {
        let media = media_with(Config::default()).await;
        let file = uploaded(&media, png(400, 400), "image/png").await;
        let get = async |width| {
            let request = ThumbnailRequest { width, ..crop(97) };
            let ThumbnailContent::Made(content) =
                media.thumbnail(&file, request).await.unwrap().content
            else {
                panic!()
            };
            let small = image::load_from_memory(&content).unwrap();
            (small.width(), small.height())
        };
        for width in 1..=MAX_KEPT as u32 {
            assert!(get(width).await.0 < 320);
        }
        for width in 1..=MAX_KEPT as u32 {
            assert!(get(width).await.0 < 320);
            assert_eq!(get(MAX_KEPT as u32 + width).await, (320, 320));
        }
        let made = media
            .inner
            .objects
            .count_thumbnails(file.content.object)
            .await
            .unwrap();
        assert_eq!(made, MAX_KEPT + 1);
    }

    #[tokio::test]
    async fn who_waits_too_long_is_sent_away_and_the_work_goes_on() {
        let thumbnails = ThumbnailConfig {
            concurrency: Some(1),
            max_wait_ms: 50,
            ..ThumbnailConfig::default()
        };
        let media = media_with(Config {
            thumbnails,
            ..Config::default()
        })
        .await;
        let file = uploaded(&media, png(300, 300), "image/png").await;
        let place = media
            .inner
            .thumbnailer
            .inner
            .places
            .clone()
            .acquire_owned()
            .await
            .unwrap();
        assert!(matches!(
            media.thumbnail(&file, crop(96)).await,
            Err(Error::Busy)
        ));
        drop(place);
        while !media.inner.thumbnailer.inner.running.lock().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(
            media
                .inner
                .objects
                .count_thumbnails(file.content.object)
                .await
                .unwrap(),
            1
        );
    }

    #[tokio::test]
    async fn a_file_removed_meanwhile_leaves_no_thumbnail() {
        let media = media_with(Config::default()).await;
        let file = uploaded(&media, png(300, 300), "image/png").await;
        media
            .remove(server_name!("here"), &file.media_id)
            .await
            .unwrap();
        assert!(matches!(
            media.thumbnail(&file, crop(96)).await,
            Err(Error::NotFound)
        ));
        media
            .inner
            .thumbnailer
            .keep(&file, crop(96).variant().unwrap(), Bytes::from_static(b"x"))
            .await
            .unwrap();
        assert_eq!(
            media
                .inner
                .objects
                .count_thumbnails(file.content.object)
                .await
                .unwrap(),
            0
        );
    }

    #[tokio::test]
    async fn a_file_too_large_is_not_even_read() {
        let thumbnails = ThumbnailConfig {
            max_source_bytes: 10,
            ..ThumbnailConfig::default()
        };
        let media = media_with(Config {
            thumbnails,
            ..Config::default()
        })
        .await;
        let file = uploaded(&media, png(300, 300), "image/png").await;
        assert!(matches!(
            media.thumbnail(&file, crop(96)).await,
            Err(Error::TooLargeToThumbnail)
        ));
    }
}
