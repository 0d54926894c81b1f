//! What of an event is searched.

use orvale_rooms::{Rooms, StoredEvent};
use orvale_storage::{Position, Standing};
use ruma::events::TimelineEventType;
use serde::{Deserialize, de::IgnoredAny};

use crate::Result;

/// Which text of an event is searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// What a message says (`content.body`).
    Body,
    /// The name of a room (`content.name`).
    Name,
    /// The topic of a room (`content.topic`).
    Topic,
}

impl Key {
    /// As it is called in requests.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Body => "content.body",
            Self::Name => "content.name",
            Self::Topic => "content.topic",
        }
    }
}

/// What a message carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Has {
    /// Any file, pictures and films among them.
    File,
    /// A picture.
    Image,
    /// A film.
    Video,
    /// A sound.
    Audio,
    /// The address of a web page in its text.
    Link,
}

impl Has {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::File,
        Self::Image,
        Self::Video,
        Self::Audio,
        Self::Link,
    ];

    /// As it is called in requests.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Image => "image",
            Self::Video => "video",
            Self::Audio => "audio",
            Self::Link => "link",
        }
    }
}

/// What an event that says a text carries.
pub(crate) fn carried(event: &StoredEvent, text: &Text) -> Vec<Has> {
    let mut carried = Vec::new();
    if event.pdu.content_field::<IgnoredAny>("url").is_some() && text.key == Key::Body {
        carried.push(Has::File);
        let kind: Option<String> = event.pdu.content_field("msgtype");
        carried.extend(match kind.as_deref() {
            Some("m.image") => Some(Has::Image),
            Some("m.video") => Some(Has::Video),
            Some("m.audio") => Some(Has::Audio),
            _ => None,
        });
    }
    if text.key == Key::Body
        && ["https://", "http://"]
            .iter()
            .any(|web| text.text.contains(web))
    {
        carried.push(Has::Link);
    }
    carried
}

/// The text by which an event is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Text {
    pub(crate) key: Key,
    pub(crate) text: String,
    /// The event that says so: the event itself, or its newest edit.
    pub(crate) said_by: Position,
}

/// Longer texts are found by how they begin.
const MAX_BYTES: usize = 32 * 1024;

#[derive(Deserialize)]
struct Message {
    body: Option<String>,
    filename: Option<String>,
    #[serde(rename = "m.relates_to")]
    relates_to: Option<RelatesTo>,
    #[serde(rename = "m.new_content")]
    new_content: Option<Box<Self>>,
}

#[derive(Deserialize)]
struct RelatesTo {
    #[serde(rename = "m.in_reply_to")]
    in_reply_to: Option<IgnoredAny>,
}

/// The text by which an event is found now; `None` for one that is not found. An edit is found as what it edits.
pub(crate) fn text(rooms: &Rooms, event: &StoredEvent) -> Result<Option<Text>> {
    if event.record.standing != Standing::Accepted || event.is_redacted() {
        return Ok(None);
    }
    let said = |key, text: String| Text {
        key,
        text: short(text),
        said_by: event.position,
    };
    let pdu = &event.pdu;
    Ok(match (&pdu.kind, pdu.state_key.as_deref()) {
        (TimelineEventType::RoomName, Some("")) => {
            pdu.content_field("name").map(|name| said(Key::Name, name))
        }
        (TimelineEventType::RoomTopic, Some("")) => pdu
            .content_field("topic")
            .map(|topic| said(Key::Topic, topic)),
        (_, Some(_)) | (TimelineEventType::RoomEncrypted, None) => None,
        (_, None) => {
            let Ok(message) = serde_json::from_str::<Message>(pdu.content.get()) else {
                return Ok(None);
            };
            if message.new_content.is_some() {
                // An edit that counts is found as what it edits; one that does not, not at all.
                return Ok(None);
            }
            let Some(original) = body(&message, &message) else {
                return Ok(None);
            };
            let edit = rooms.newest_edit(event, |_| Ok(true))?;
            let edited = edit.and_then(|edit| {
                let content: Message = serde_json::from_str(edit.pdu.content.get()).ok()?;
                let text = body(content.new_content.as_deref()?, &message)?;
                Some((text, edit.position))
            });
            match edited {
                Some((text, said_by)) => Some(Text {
                    said_by,
                    ..said(Key::Body, text)
                }),
                None => Some(said(Key::Body, original)),
            }
        }
    })
}

/// What a message says, without what it quotes, and with the name of the file that it carries.
fn body(message: &Message, original: &Message) -> Option<String> {
    let body = message.body.as_deref()?;
    let is_reply = original
        .relates_to
        .as_ref()
        .is_some_and(|relates_to| relates_to.in_reply_to.is_some());
    let body = if is_reply { without_quote(body) } else { body };
    Some(match &message.filename {
        Some(filename) if filename != body => format!("{body}\n{filename}"),
        _ => body.to_owned(),
    })
}

/// Clients used to put what they answer to before the answer.
fn without_quote(body: &str) -> &str {
    if !body.starts_with("> ") {
        return body;
    }
    let mut rest = body;
    while rest.starts_with('>') {
        rest = rest.split_once('\n').map_or("", |(_, rest)| rest);
    }
    rest.trim_start_matches('\n')
}

fn short(mut text: String) -> String {
    if text.len() > MAX_BYTES {
        let end = (0..=MAX_BYTES)
            .rev()
            .find(|end| text.is_char_boundary(*end));
        text.truncate(end.unwrap_or_default());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_answer_quotes_is_not_what_it_says() {
        assert_eq!(
            without_quote("> <@a:b> tea?\n> or\n\nyes\n> no"),
            "yes\n> no"
        );
        assert_eq!(without_quote("> only"), "");
        assert_eq!(without_quote("plain"), "plain");
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        let text = short("é".repeat(MAX_BYTES));
        assert_eq!(text.len(), MAX_BYTES);
        assert_eq!(
            short(format!("a{}", "é".repeat(MAX_BYTES))).len(),
            MAX_BYTES - 1
        );
    }
}
