//! How the services are asked, and what they answer.

use std::sync::Arc;

use reqwest::Url;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{GifQuery, no_gifs};
use crate::{GifConfig, GifFilter, GifProvider, Result};

/// How many GIFs are asked for at once.
const PAGE: &str = "24";
/// The longest title that is kept, in characters.
const TITLE: usize = 200;

/// What a service answers.
pub(super) struct Page {
    pub(super) gifs: Vec<Arc<Gif>>,
    pub(super) next: Option<String>,
}

/// A GIF and where its pictures are.
#[derive(Debug)]
pub(super) struct Gif {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) small: Picture,
    pub(super) still: Option<Url>,
    pub(super) full: Url,
}

/// Where a picture is, and how large it will be.
#[derive(Debug)]
pub(super) struct Picture {
    pub(super) url: Url,
    pub(super) width: u32,
    pub(super) height: u32,
}

/// A service.
pub(super) struct Provider {
    kind: GifProvider,
    base: Url,
    key: String,
    filter: GifFilter,
}

impl Provider {
    pub(super) fn new(config: &GifConfig) -> Result<Option<Self>> {
        let (Some(kind), Some(key)) = (config.provider, config.key.clone()) else {
            return Ok(None);
        };
        let usual = match kind {
            GifProvider::Tenor => "https://tenor.googleapis.com/v2/",
            GifProvider::Giphy => "https://api.giphy.com/v1/gifs/",
        };
        // What stands at the end of the path is a folder, with or without its slash.
        let base = config
            .base_url
            .as_deref()
            .map(|base| format!("{}/", base.trim_end_matches('/')));
        let base = Url::parse(base.as_deref().unwrap_or(usual));
        Ok(Some(Self {
            kind,
            base: base.map_err(|_| no_gifs("the service has no web address"))?,
            key,
            filter: config.filter,
        }))
    }

    /// The name that the service wants to stand beside its GIFs.
    pub(super) fn name(&self) -> &'static str {
        match self.kind {
            GifProvider::Tenor => "Tenor",
            GifProvider::Giphy => "GIPHY",
        }
    }

    /// The address to ask.
    pub(super) fn question(&self, query: &GifQuery) -> Url {
        let liked = query.words.is_empty();
        let (call, key, filter, rating, from, language) = match self.kind {
            GifProvider::Tenor => (
                if liked { "featured" } else { "search" },
                "key",
                "contentfilter",
                match self.filter {
                    GifFilter::Strict => "high",
                    GifFilter::Moderate => "medium",
                    GifFilter::Off => "off",
                },
                "pos",
                "locale",
            ),
            GifProvider::Giphy => (
                if liked { "trending" } else { "search" },
                "api_key",
                "rating",
                match self.filter {
                    GifFilter::Strict => "g",
                    GifFilter::Moderate => "pg-13",
                    GifFilter::Off => "r",
                },
                "offset",
                "lang",
            ),
        };
        let mut url = self.base.join(call).unwrap_or_else(|_| self.base.clone());
        let mut pairs = url.query_pairs_mut();
        pairs
            .append_pair(key, &self.key)
            .append_pair("limit", PAGE)
            .append_pair(filter, rating);
        for (name, value) in [
            ("q", &query.words),
            (from, &query.from),
            (language, &query.language),
        ] {
            if !value.is_empty() {
                pairs.append_pair(name, value);
            }
        }
        drop(pairs);
        url
    }

    /// Reads an answer. What of it makes no sense is left out.
    pub(super) fn read(&self, body: &[u8]) -> Result<Page> {
        let nonsense = |_| no_gifs("the service answers something else than GIFs");
        Ok(match self.kind {
            GifProvider::Tenor => serde_json::from_slice::<Tenor>(body)
                .map_err(nonsense)?
                .page(),
            GifProvider::Giphy => serde_json::from_slice::<Giphy>(body)
                .map_err(nonsense)?
                .page(),
        })
    }
}

#[derive(Deserialize)]
struct Tenor {
    results: Vec<Value>,
    #[serde(default)]
    next: String,
}

impl Tenor {
    fn page(self) -> Page {
        let gif = |value: &Value| {
            let formats = value.get("media_formats")?.as_object()?;
            Some(Gif {
                id: id(value)?,
                title: title(value, &["content_description", "title"]),
                small: first(formats, &["tinygif", "nanogif", "gif"])?,
                still: first(formats, &["tinygifpreview", "gifpreview"]).map(|picture| picture.url),
                full: first(formats, &["mediumgif", "gif"])?.url,
            })
        };
        let next = Some(self.next).filter(|next| !next.is_empty());
        Page {
            gifs: self.results.iter().filter_map(gif).map(Arc::new).collect(),
            next,
        }
    }
}

#[derive(Deserialize)]
struct Giphy {
    data: Vec<Value>,
    #[serde(default)]
    pagination: Pagination,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Pagination {
    offset: u64,
    count: u64,
    total_count: u64,
}

impl Giphy {
    fn page(self) -> Page {
        let gif = |value: &Value| {
            let images = value.get("images")?.as_object()?;
            Some(Gif {
                id: id(value)?,
                title: title(value, &["alt_text", "title"]),
                small: first(
                    images,
                    &["fixed_width_downsampled", "fixed_width", "original"],
                )?,
                still: first(images, &["fixed_width_still", "original_still"])
                    .map(|picture| picture.url),
                full: first(images, &["downsized", "original"])?.url,
            })
        };
        let Pagination {
            offset,
            count,
            total_count,
        } = self.pagination;
        let next = offset.saturating_add(count);
        Page {
            gifs: self.data.iter().filter_map(gif).map(Arc::new).collect(),
            next: (count > 0 && next < total_count).then(|| next.to_string()),
        }
    }
}

/// IDs stand in paths of ours.
fn id(gif: &Value) -> Option<String> {
    let id = gif.get("id")?.as_str()?;
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    (!id.is_empty() && id.len() <= 64 && id.chars().all(plain)).then(|| id.to_owned())
}

fn title(gif: &Value, names: &[&str]) -> String {
    let texts = names.iter().filter_map(|name| gif.get(*name)?.as_str());
    let text = texts.map(str::trim).find(|text| !text.is_empty());
    text.unwrap_or_default().chars().take(TITLE).collect()
}

/// The first of these pictures that there is.
fn first(pictures: &Map<String, Value>, names: &[&str]) -> Option<Picture> {
    names.iter().find_map(|name| picture(pictures.get(*name)?))
}

fn picture(value: &Value) -> Option<Picture> {
    let url = Url::parse(value.get("url")?.as_str()?).ok()?;
    let side = |name: &str, place: usize| {
        let dims = value.get("dims").and_then(|dims| dims.get(place));
        let side = number(dims.or_else(|| value.get(name))?)?;
        (1..=10_000).contains(&side).then_some(side)
    };
    Some(Picture {
        url,
        // A size that is not told is that of a square.
        width: side("width", 0).unwrap_or(200),
        height: side("height", 1).unwrap_or(200),
    })
}

/// A number, also where it is written as a text.
fn number(value: &Value) -> Option<u32> {
    match value {
        Value::String(text) => text.parse().ok(),
        number => u32::try_from(number.as_u64()?).ok(),
    }
}
