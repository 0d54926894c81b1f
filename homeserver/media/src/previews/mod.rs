//! Previews of web pages: title, description and picture of what a link leads to.
//!
//! People name the addresses, and pages say what they like, so nothing here trusts either:
//!
//! - `fetch` asks: public addresses only (`orvale-outward`), also after every redirection and for every address found in a page; bounded in
//!   time, bytes (after unpacking) and number at once.
//! - `charset` makes text of bytes, `page` reads the text as a stream of tags: no tree, so depth costs nothing, and stops where a tag has no end.
//! - `picture` keeps the picture as media of this server's, if it is one.
//! - `cache` is which previews are known: in the store for hours, failures in memory for a minute.

mod cache;
mod charset;
pub(crate) mod fetch;
mod page;
pub(crate) mod picture;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use orvale_outward::Guard;
use orvale_storage::record::JsonText;
use quick_cache::sync::Cache;
use reqwest::Url;
use ruma::MilliSecondsSinceUnixEpoch;
use serde_json::{Map, Value};
use tokio::sync::Semaphore;

use self::{
    cache::Key,
    fetch::{Fetched, Fetcher},
    page::Page,
};
use crate::{Error, Media, PreviewConfig, Result};

/// The properties of a preview: `og:title` and so on.
pub(crate) type Properties = Map<String, Value>;

/// What it takes to make previews.
pub(crate) struct Previews {
    fetcher: Fetcher,
    turns: Semaphore,
    /// Made a moment ago, or failed a moment ago; who asks for one that is being made waits for it.
    recent: Cache<Key, Recent>,
}

#[derive(Clone)]
struct Recent {
    at: MilliSecondsSinceUnixEpoch,
    made: Result<Arc<JsonText>, Arc<str>>,
}

/// How long a failure is remembered, in milliseconds.
const FAILURE: u64 = 60_000;
/// The longest address that is looked at, in bytes.
const LONGEST_URL: usize = 4096;

impl Previews {
    pub(crate) fn new(config: &PreviewConfig) -> Result<Self> {
        let guard = Guard::new(config.allowed_private_ranges.clone());
        Ok(Self {
            fetcher: Fetcher::new(guard, config)?,
            turns: Semaphore::new(config.concurrency.max(1)),
            recent: Cache::new(1000),
        })
    }
}

impl Media {
    /// A preview of what is at an address: a JSON object with the properties of OpenGraph, the picture being media of this server.
    ///
    /// # Errors
    /// [`Error::NoPreview`] with the reason, [`Error::Busy`]; failures of storage.
    pub async fn preview(
        &self,
        url: &str,
        now: MilliSecondsSinceUnixEpoch,
    ) -> Result<Arc<JsonText>> {
        let config = &self.config().previews;
        if !config.enabled {
            return Err(no_preview("previews are switched off on this server"));
        }
        let url = self.address(url)?;
        let key = cache::key(&url);
        let lifetime = config.cache_seconds.saturating_mul(1000);
        let fresh = |recent: &Recent| {
            let age = u64::from(now.get()).saturating_sub(recent.at.get().into());
            age < if recent.made.is_ok() {
                lifetime
            } else {
                FAILURE
            }
        };
        if self
            .inner
            .previews
            .recent
            .peek(&key)
            .is_some_and(|recent| !fresh(&recent))
        {
            self.inner.previews.recent.remove(&key);
        }
        let make = async {
            if let Some(json) = self.find_preview(&key, lifetime, now)? {
                let made = Ok(Arc::new(json));
                return Ok(Recent { at: now, made });
            }
            // To its end, whether or not somebody still waits: a picture that was kept belongs to a preview.
            let (media, url) = (self.clone(), url.clone());
            let making = tokio::spawn(async move { media.make_and_keep(&url, &key, now).await });
            let made = match making.await.map_err(|_| Error::Closed)? {
                Ok(json) => Ok(Arc::new(json)),
                Err(Error::NoPreview(why)) => Err(why),
                Err(error) => return Err(error),
            };
            Ok(Recent { at: now, made })
        };
        let recent = self
            .inner
            .previews
            .recent
            .get_or_insert_async(&key, make)
            .await?;
        metrics::counter!("orvale_media_previews_total").increment(1);
        recent.made.map_err(Error::NoPreview)
    }

    /// The address that a person named, if it is one to be asked.
    fn address(&self, url: &str) -> Result<Url> {
        if url.len() > LONGEST_URL {
            return Err(no_preview("the address is too long"));
        }
        let mut url = Url::parse(url.trim()).map_err(|_| no_preview("it is not a web address"))?;
        self.inner.previews.fetcher.check(&url)?;
        // Which part of a page is meant changes nothing, and a password is not ours to use.
        url.set_fragment(None);
        let _ = url.set_username("");
        let _ = url.set_password(None);
        Ok(url)
    }

    async fn make_and_keep(
        &self,
        url: &Url,
        key: &Key,
        now: MilliSecondsSinceUnixEpoch,
    ) -> Result<JsonText> {
        let (properties, picture) = self.make_preview(url, now).await?;
        let json = JsonText(Value::Object(properties).to_string());
        self.keep_preview(key, &json, picture, now).await?;
        Ok(json)
    }

    async fn make_preview(
        &self,
        url: &Url,
        now: MilliSecondsSinceUnixEpoch,
    ) -> Result<(Properties, Option<String>)> {
        let previews = &self.inner.previews;
        let limit = Duration::from_secs(self.config().previews.timeout_seconds.max(1));
        let turn = tokio::time::timeout(limit, previews.turns.acquire()).await;
        let _turn = turn.map_err(|_| Error::Busy)?.map_err(|_| Error::Closed)?;
        let making = async {
            let Fetched {
                url,
                content_type,
                body,
            } = previews.fetcher.page(url).await?;
            if content_type.starts_with("image/") {
                let name = url
                    .path_segments()
                    .and_then(|mut parts| parts.next_back().map(str::to_owned));
                let mut properties = Properties::new();
                page::put(
                    &mut properties,
                    "og:title",
                    name.as_deref().unwrap_or_default(),
                );
                let picture = self
                    .keep_picture(&mut properties, &content_type, body, now)
                    .await?;
                return Ok((properties, picture));
            }
            if !is_page(&content_type) {
                return Err(no_preview("it is neither a page nor a picture"));
            }
            let text_and_page = move || {
                let text = charset::decode(&content_type, &body);
                page::read(&text)
            };
            let page = tokio::task::spawn_blocking(text_and_page).await;
            let mut page = page.map_err(|_| Error::Closed)?;
            if !page.is_complete()
                && let Some(address) = page.oembed.take()
            {
                self.ask_oembed(&url, &address, &mut page).await;
            }
            let mut properties = page.properties();
            let mut picture = None;
            for address in page.pictures() {
                let Ok(address) = url.join(address) else {
                    continue;
                };
                let Ok(found) = previews.fetcher.picture(&address).await else {
                    continue;
                };
                let kept = self.keep_picture(&mut properties, &found.content_type, found.body, now);
                picture = kept.await?;
                if picture.is_some() {
                    break;
                }
            }
            Ok((properties, picture))
        };
        let made = tokio::time::timeout(limit, making).await;
        made.unwrap_or_else(|_| Err(no_preview("it takes too long to answer")))
    }

    /// What the page's own service for previews says, where the page itself does not.
    async fn ask_oembed(&self, base: &Url, address: &str, page: &mut Page) {
        let Ok(address) = base.join(address) else {
            return;
        };
        if let Ok(answer) = self.inner.previews.fetcher.page(&address).await {
            page.add_oembed(&answer.body);
        }
    }
}

fn is_page(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    matches!(kind, "" | "text/html" | "application/xhtml+xml")
}

fn no_preview(why: &str) -> Error {
    Error::NoPreview(why.into())
}
