//! GIFs of another service: looked for and fetched by this server, so that nobody's client tells the service who looks for what.
//!
//! - `provider` knows how each service is asked and what it answers.
//! - What was found is known by its ID for a while, and only what is known is fetched: clients name IDs, never addresses.
//! - All requests go through `orvale-outward`, as those for previews do, with the same bounds.

mod provider;
#[cfg(test)]
mod tests;

use std::{convert::Infallible, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::stream;
use orvale_outward::Guard;
use quick_cache::sync::Cache;
use reqwest::Url;
use ruma::{MilliSecondsSinceUnixEpoch, OwnedMxcUri, UserId};
use tokio::sync::Semaphore;

use self::provider::{Page, Provider};
use crate::{
    Details, Error, GifConfig, Media, PreviewConfig, Result,
    previews::{fetch::Fetcher, picture},
};

/// The most bytes of an answer that are read.
const ANSWER: usize = 1024 * 1024;
/// The longest words that are looked for, in characters.
const LONGEST_QUERY: usize = 100;
/// How many GIFs are known by their ID.
const KNOWN: usize = 20_000;
/// How many answers are remembered, and for how long, in milliseconds.
const ANSWERS: usize = 500;
const FRESH: u64 = 5 * 60_000;

/// What is looked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct GifQuery {
    /// The words; without any, what many people like at the moment.
    pub words: String,
    /// Where to go on: what the answer before named as next.
    pub from: String,
    /// The language of the words, of two letters.
    pub language: String,
}

/// A page of GIFs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundGifs {
    /// The service, as it is to be named beside them.
    pub provider: &'static str,
    /// In the order of the service.
    pub gifs: Vec<FoundGif>,
    /// Where to go on.
    pub next: Option<String>,
}

/// A GIF among others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundGif {
    /// Its ID, by which this server knows it for a while.
    pub id: String,
    /// What it shows, in words; may be empty.
    pub title: String,
    /// The size of the small one, in pixels.
    pub width: u32,
    /// The same.
    pub height: u32,
}

/// Which picture of a GIF.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GifSize {
    /// To choose from.
    Small,
    /// The same, without motion.
    Still,
    /// To be sent.
    Full,
}

/// The bytes of a GIF.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GifPicture {
    /// Their type, by what they are.
    pub content_type: &'static str,
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// The bytes.
    pub body: Bytes,
}

/// A GIF that has become media of this server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChosenGif {
    /// Where it is.
    pub uri: OwnedMxcUri,
    /// What it shows, in words; may be empty.
    pub title: String,
    /// Its type.
    pub content_type: &'static str,
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// In bytes.
    pub size: u64,
}

/// What it takes to ask the service.
pub(crate) struct Gifs {
    provider: Provider,
    fetcher: Fetcher,
    turns: Semaphore,
    patience: Duration,
    known: Cache<String, Arc<provider::Gif>>,
    answers: Cache<GifQuery, (u64, Arc<Page>)>,
}

impl Gifs {
    /// Nothing, if no service is named.
    pub(crate) fn new(config: &GifConfig) -> Result<Option<Self>> {
        let Some(provider) = Provider::new(config)? else {
            return Ok(None);
        };
        let guard = Guard::new(config.allowed_private_ranges.clone());
        let bounds = PreviewConfig {
            max_page_bytes: ANSWER,
            max_picture_bytes: config.max_picture_bytes,
            timeout_seconds: config.timeout_seconds,
            ..PreviewConfig::default()
        };
        Ok(Some(Self {
            provider,
            fetcher: Fetcher::new(guard, &bounds)?,
            turns: Semaphore::new(config.concurrency.max(1)),
            patience: Duration::from_secs(config.timeout_seconds.max(1)),
            known: Cache::new(KNOWN),
            answers: Cache::new(ANSWERS),
        }))
    }

    async fn page(&self, query: &GifQuery, now: u64) -> Result<Arc<Page>> {
        if let Some((at, page)) = self.answers.get(query)
            && now.saturating_sub(at) < FRESH
        {
            return Ok(page);
        }
        let url = self.provider.question(query);
        let answer = self.ask(self.fetcher.json(&url)).await?;
        let page = Arc::new(self.provider.read(&answer.body)?);
        for gif in &page.gifs {
            self.known.insert(gif.id.clone(), gif.clone());
        }
        self.answers.insert(query.clone(), (now, page.clone()));
        Ok(page)
    }

    fn known(&self, id: &str) -> Result<Arc<provider::Gif>> {
        self.known.get(id).ok_or(Error::NotFound)
    }

    async fn picture(&self, url: &Url) -> Result<GifPicture> {
        let found = self.ask(self.fetcher.picture(url)).await?;
        let (content_type, width, height) =
            picture::look(&found.body).ok_or_else(|| no_gifs("what came is no picture"))?;
        Ok(GifPicture {
            content_type,
            width,
            height,
            body: found.body.into(),
        })
    }

    /// Waits for a turn, then for the answer.
    async fn ask<T>(&self, request: impl Future<Output = Result<T>>) -> Result<T> {
        let turn = tokio::time::timeout(self.patience, self.turns.acquire()).await;
        let _turn = turn.map_err(|_| Error::Busy)?.map_err(|_| Error::Closed)?;
        match tokio::time::timeout(self.patience, request).await {
            Ok(Err(Error::NoPreview(why))) => Err(Error::NoGifs(why)),
            Ok(answer) => answer,
            Err(_) => Err(no_gifs("the service takes too long to answer")),
        }
    }
}

impl Media {
    /// Whether there is a service with GIFs.
    #[must_use]
    pub fn has_gifs(&self) -> bool {
        self.inner.gifs.is_some()
    }

    /// GIFs for some words.
    ///
    /// # Errors
    /// [`Error::NoGifs`], [`Error::Busy`].
    pub async fn search_gifs(
        &self,
        mut query: GifQuery,
        now: MilliSecondsSinceUnixEpoch,
    ) -> Result<FoundGifs> {
        let gifs = self.gifs()?;
        query.words = query.words.trim().chars().take(LONGEST_QUERY).collect();
        if query.from.len() > 256 || query.language.len() > 8 {
            return Err(no_gifs("that is not what an answer named as next"));
        }
        let page = gifs.page(&query, now.get().into()).await?;
        metrics::counter!("orvale_media_gif_searches_total").increment(1);
        let found = page.gifs.iter().map(|gif| FoundGif {
            id: gif.id.clone(),
            title: gif.title.clone(),
            width: gif.small.width,
            height: gif.small.height,
        });
        Ok(FoundGifs {
            provider: gifs.provider.name(),
            gifs: found.collect(),
            next: page.next.clone(),
        })
    }

    /// A picture of a GIF that was found not long ago.
    ///
    /// # Errors
    /// [`Error::NotFound`] if it was not; [`Error::NoGifs`], [`Error::Busy`].
    pub async fn gif(&self, id: &str, size: GifSize) -> Result<GifPicture> {
        let gifs = self.gifs()?;
        let gif = gifs.known(id)?;
        gifs.picture(match size {
            GifSize::Small => &gif.small.url,
            GifSize::Still => gif.still.as_ref().unwrap_or(&gif.small.url),
            GifSize::Full => &gif.full,
        })
        .await
    }

    /// Makes a GIF that was found not long ago an upload of a user.
    ///
    /// # Errors
    /// As [`Media::gif`] and [`Media::upload`].
    pub async fn keep_gif(
        &self,
        user_id: &UserId,
        id: &str,
        now: MilliSecondsSinceUnixEpoch,
    ) -> Result<ChosenGif> {
        let title = self.gifs()?.known(id)?.title.clone();
        let picture = self.gif(id, GifSize::Full).await?;
        let size = picture.body.len() as u64;
        let details = Details {
            content_type: Some(picture.content_type.to_owned()),
            filename: None,
            size: Some(size),
        };
        let body = stream::iter([Ok::<_, Infallible>(picture.body)]);
        Ok(ChosenGif {
            uri: self.upload(user_id, details, body, now).await?,
            title,
            content_type: picture.content_type,
            width: picture.width,
            height: picture.height,
            size,
        })
    }

    fn gifs(&self) -> Result<&Gifs> {
        let gifs = self.inner.gifs.as_ref();
        gifs.ok_or_else(|| no_gifs("this server has no service to ask for them"))
    }
}

fn no_gifs(why: &str) -> Error {
    Error::NoGifs(why.into())
}
