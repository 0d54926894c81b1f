//! What a page says of itself.
//!
//! Read as a stream of tags, not as a tree: nothing grows with the depth of a page. What is remembered is bounded, whatever the page says.

use std::cell::RefCell;

use html5ever::{
    tendril::StrTendril,
    tokenizer::{
        BufferQueue, CharacterTokens, StartTag, Tag, TagToken, Token, TokenSink, TokenSinkResult,
        Tokenizer, TokenizerOpts, states::RawKind,
    },
};
use serde::Deserialize;
use serde_json::Value;

use super::Properties;

/// Properties that are passed on as the page has them.
const PASSED_ON: [&str; 6] = [
    "og:title",
    "og:description",
    "og:site_name",
    "og:type",
    "og:locale",
    "og:image:alt",
];
/// Which stand in for which, the best first.
const STAND_INS: [(&str, &[&str]); 3] = [
    ("og:title", &["twitter:title", "<title>", "<h1>"]),
    (
        "og:description",
        &["twitter:description", "description", "<p>"],
    ),
    ("og:image:alt", &["twitter:image:alt"]),
];
const PICTURES: [&str; 5] = [
    "og:image:secure_url",
    "og:image",
    "og:image:url",
    "twitter:image",
    "twitter:image:src",
];
/// How many pictures are tried.
const MAX_PICTURES: usize = 3;
/// How many letters a property may have.
const MAX_LETTERS: usize = 1000;
/// How much of a page is read at once, in bytes.
const PIECE: usize = 4096;
/// How many pieces may go by without a whole tag or any text, which a page has no reason for and which costs more with each.
const MAX_SILENCE: usize = 8;

/// What a page says of itself.
#[derive(Debug, Default)]
pub(crate) struct Page {
    /// The first value of each name that matters.
    said: Vec<(&'static str, String)>,
    /// Where the page's service for previews is.
    pub(crate) oembed: Option<String>,
}

/// Reads a page.
pub(crate) fn read(text: &str) -> Page {
    let tokenizer = Tokenizer::new(Reader::default(), TokenizerOpts::default());
    let (mut rest, mut silence) = (text, 0);
    while !rest.is_empty() && silence < MAX_SILENCE {
        let (piece, after) = rest.split_at(rest.floor_char_boundary(PIECE.min(rest.len())));
        rest = after;
        let input = BufferQueue::default();
        input.push_back(StrTendril::from_slice(piece));
        let before = tokenizer.sink.0.borrow().tokens;
        // A script that was read stops the tokenizer, to be run; it is not.
        while !input.is_empty() {
            let _ = tokenizer.feed(&input);
        }
        let state = tokenizer.sink.0.borrow();
        if state.is_over {
            break;
        }
        silence = if state.tokens == before {
            silence + 1
        } else {
            0
        };
    }
    if rest.is_empty() {
        tokenizer.end();
    }
    tokenizer.sink.0.take().finish()
}

#[derive(Default)]
struct Reader(RefCell<Reading>);

#[derive(Default)]
struct Reading {
    page: Page,
    tokens: usize,
    /// Which element's text is being read.
    within: Option<&'static str>,
    text: String,
    is_over: bool,
}

impl TokenSink for Reader {
    type Handle = ();

    fn process_token(&self, token: Token, _: u64) -> TokenSinkResult<()> {
        let mut reading = self.0.borrow_mut();
        reading.tokens += 1;
        match token {
            TagToken(tag) if tag.kind == StartTag => return reading.start(&tag),
            TagToken(tag) => reading.end(&tag),
            CharacterTokens(text) if reading.within.is_some() => {
                let room = (4 * MAX_LETTERS).saturating_sub(reading.text.len());
                let text = &text[..text.floor_char_boundary(room.min(text.len()))];
                reading.text.push_str(text);
            }
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

impl Reading {
    fn start(&mut self, tag: &Tag) -> TokenSinkResult<()> {
        match &*tag.name {
            "meta" => self.meta(tag),
            "link" => self.link(tag),
            "h1" => self.begin("<h1>"),
            "p" => self.begin("<p>"),
            "title" => {
                self.begin("<title>");
                return TokenSinkResult::RawData(RawKind::Rcdata);
            }
            "textarea" => return TokenSinkResult::RawData(RawKind::Rcdata),
            "script" => return TokenSinkResult::RawData(RawKind::ScriptData),
            "style" | "xmp" | "iframe" | "noembed" | "noframes" => {
                return TokenSinkResult::RawData(RawKind::Rawtext);
            }
            "plaintext" => {
                self.is_over = true;
                return TokenSinkResult::Plaintext;
            }
            _ => {}
        }
        TokenSinkResult::Continue
    }

    fn end(&mut self, tag: &Tag) {
        let ends = match &*tag.name {
            "title" => "<title>",
            "h1" => "<h1>",
            "p" => "<p>",
            "head" => {
                // All else stands in a page's head.
                let has = |name| self.page.value(name).is_some();
                self.is_over = has("og:title") && (has("og:description") || has("description"));
                return;
            }
            _ => return,
        };
        if self.within == Some(ends) {
            self.within = None;
            let text = std::mem::take(&mut self.text);
            self.page.say(ends, &text);
        }
    }

    fn begin(&mut self, name: &'static str) {
        // Not every element is ended before the next one begins.
        if let Some(open) = self.within.take() {
            let text = std::mem::take(&mut self.text);
            self.page.say(open, &text);
        }
        if self.page.value(name).is_none() {
            self.within = Some(name);
            self.text.clear();
        }
    }

    fn meta(&mut self, tag: &Tag) {
        let content = attribute(tag, "content").unwrap_or_default();
        let names = [attribute(tag, "property"), attribute(tag, "name")];
        for name in names.into_iter().flatten() {
            let name = name.trim().to_ascii_lowercase();
            let stand_ins = STAND_INS
                .iter()
                .flat_map(|(_, names)| names.iter().copied());
            let mut known = PASSED_ON.into_iter().chain(stand_ins).chain(PICTURES);
            if let Some(name) = known.find(|known| *known == name) {
                self.page.say(name, content);
            }
        }
    }

    fn link(&mut self, tag: &Tag) {
        let is_oembed = attribute(tag, "type") == Some("application/json+oembed");
        if is_oembed && self.page.oembed.is_none() {
            self.page.oembed = attribute(tag, "href").map(str::to_owned);
        }
    }

    fn finish(mut self) -> Page {
        if let Some(name) = self.within {
            self.page.say(name, &self.text);
        }
        self.page
    }
}

fn attribute<'a>(tag: &'a Tag, name: &str) -> Option<&'a str> {
    let found = tag.attrs.iter().find(|attr| &*attr.name.local == name);
    found.map(|attr| &*attr.value)
}

impl Page {
    fn say(&mut self, name: &'static str, value: &str) {
        let value = clean(value);
        if !value.is_empty() && self.value(name).is_none() {
            self.said.push((name, value));
        }
    }

    fn value(&self, name: &str) -> Option<&str> {
        let found = self.said.iter().find(|(said, _)| *said == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Whether there is nothing that somebody else would have to say.
    pub(crate) fn is_complete(&self) -> bool {
        self.value("og:title").is_some() && self.pictures().next().is_some()
    }

    /// The properties, but for the picture.
    pub(crate) fn properties(&self) -> Properties {
        let mut properties = Properties::new();
        for name in PASSED_ON {
            let stand_ins = STAND_INS.iter().find(|(of, _)| *of == name);
            let mut names =
                std::iter::once(&name).chain(stand_ins.into_iter().flat_map(|(_, names)| *names));
            if let Some(value) = names.find_map(|name| self.value(name)) {
                put(&mut properties, name, value);
            }
        }
        properties
    }

    /// The addresses of pictures, the best first.
    pub(crate) fn pictures(&self) -> impl Iterator<Item = &str> {
        let found = PICTURES.iter().filter_map(|name| self.value(name));
        found.take(MAX_PICTURES)
    }

    /// Adds what the page's service for previews says, where the page says nothing.
    pub(crate) fn add_oembed(&mut self, json: &[u8]) {
        #[derive(Deserialize)]
        struct Oembed {
            #[serde(default)]
            title: Option<String>,
            #[serde(default)]
            author_name: Option<String>,
            #[serde(default)]
            provider_name: Option<String>,
            #[serde(default)]
            thumbnail_url: Option<String>,
        }
        let Ok(said) = serde_json::from_slice::<Oembed>(json) else {
            return;
        };
        for (name, value) in [
            ("og:title", said.title.or(said.author_name)),
            ("og:site_name", said.provider_name),
            ("og:image", said.thumbnail_url),
        ] {
            self.say(name, value.as_deref().unwrap_or_default());
        }
    }
}

/// Sets a property, if there is anything to say.
pub(crate) fn put(properties: &mut Properties, name: &str, value: &str) {
    let value = clean(value);
    if !value.is_empty() {
        properties.insert(name.to_owned(), Value::String(value));
    }
}

/// One line, without what cannot be seen, not too long.
fn clean(text: &str) -> String {
    let mut line = String::new();
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()) {
        let word = word.trim_matches(is_invisible);
        if word.is_empty() {
            continue;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.extend(word.chars().filter(|c| !is_invisible(*c)));
        if line.len() > 4 * MAX_LETTERS {
            break;
        }
    }
    match line.char_indices().nth(MAX_LETTERS) {
        Some((end, _)) => line[..end].trim_end().to_owned() + "…",
        None => line,
    }
}

/// Marks that turn the direction of text, so that it reads as something else, and letters of no width.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn properties(page: &str) -> Value {
        Value::Object(read(page).properties())
    }

    #[test]
    fn what_is_meant_for_previews_comes_first() {
        let page = r#"<!doctype html><html><head><title>Title</title>
            <meta name="description" content="Description">
            <meta property="og:title" content="OG &amp; title"><meta property="og:title" content="Second">
            <META NAME="twitter:description" CONTENT="Twitter's">
            <meta property="og:site_name" content=" The
              site "></head><body><h1>Heading</h1></body>"#;
        assert_eq!(
            properties(page),
            json!({"og:title": "OG & title", "og:description": "Twitter's", "og:site_name": "The site"})
        );
    }

    #[test]
    fn the_text_of_a_page_stands_in() {
        let page = "<body><h1>Head<b>ing</b></h1><script>'<h1>no</h1>'</script><p> </p><p>First.<p>Second.</p>";
        assert_eq!(
            properties(page),
            json!({"og:title": "Heading", "og:description": "First."})
        );
        let page = "<title>A <b>title</title><style><p>no</p></style>";
        assert_eq!(properties(page), json!({"og:title": "A <b>title"}));
        assert_eq!(
            properties("<title>never closed"),
            json!({"og:title": "never closed"})
        );
    }

    #[test]
    fn pictures_are_listed_the_best_first() {
        let page = read(
            r#"<meta name="twitter:image" content="/t.png"><meta property="og:image" content="/o.png">"#,
        );
        assert_eq!(page.pictures().collect::<Vec<_>>(), ["/o.png", "/t.png"]);
    }

    #[test]
    fn malformed_and_hostile_pages_are_read_as_far_as_they_go() {
        let deep = "<div>".repeat(100_000) + "<h1>Deep</h1>";
        assert_eq!(properties(&deep), json!({"og:title": "Deep"}));
        let names = (0..100_000).map(|n| format!(" a{n:x}")).collect::<String>();
        let endless = format!("<title>x</title><a{names}><p>after</p>");
        assert_eq!(properties(&endless), json!({"og:title": "x"}));
        for broken in [
            "",
            "<",
            "<!--",
            "<meta",
            "<title",
            "</",
            "<meta content='x",
            "&#xfffffff;",
            "<![CDATA[",
            "\0<\0>",
        ] {
            assert_eq!(properties(broken), json!({}), "{broken}");
        }
        let long = format!("<title>{}</title>", "ü ".repeat(100_000));
        let title = properties(&long)["og:title"].as_str().unwrap().to_owned();
        assert!(title.chars().count() <= MAX_LETTERS + 1 && title.ends_with('…'));
    }

    #[test]
    fn text_that_pretends_to_be_other_text_is_plain() {
        let page = "<title>safe\u{202e}gpj.exe\u{1}\u{7}</title>";
        assert_eq!(properties(page), json!({"og:title": "safegpj.exe"}));
    }

    #[test]
    fn what_the_page_does_not_say_its_service_may() {
        let mut page =
            read(r#"<link rel="alternate" type="application/json+oembed" href="/o?a=1&amp;b">"#);
        assert_eq!(page.oembed.as_deref(), Some("/o?a=1&b"));
        page.add_oembed(br#"{"title": "T", "provider_name": "P", "thumbnail_url": "https://x/y.png", "html": "<script>"}"#);
        let properties = Value::Object(page.properties());
        assert_eq!(properties, json!({"og:title": "T", "og:site_name": "P"}));
        assert_eq!(page.pictures().collect::<Vec<_>>(), ["https://x/y.png"]);
        page.add_oembed(b"no json");
    }
}
