//! The answer as a whole.

use std::{
    collections::{BTreeSet, HashSet},
    sync::Arc,
};

use bytes::Bytes;
use orvale_rooms::Membership;
use orvale_storage::Position;
use ruma::OwnedUserId;

use super::{
    Asked,
    json::{List, Object},
    lazy::Connection,
    token::Token,
};
use crate::{
    Result,
    delivery::Inner,
    follow::{RecentEvent, Standing},
};

/// Up to where it was looked for news.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reached {
    pub(super) position: Position,
    pub(super) typing: u64,
    pub(super) presence: u64,
}

impl Reached {
    /// Where the client is.
    pub(super) fn since(token: Option<&Token>) -> Self {
        let start = Self {
            position: Position::START,
            typing: 0,
            presence: 0,
        };
        token.map_or(start, |token| Self {
            position: token.position,
            typing: token.typing,
            presence: token.presence,
        })
    }
}

/// What there may be to tell: the places to look at, all of one moment.
#[derive(Debug)]
pub(super) struct News {
    /// Up to where the answer tells.
    pub(super) reached: Reached,
    pub(super) rooms: Vec<RoomNews>,
    pub(super) account_data: bool,
    pub(super) to_device: bool,
    pub(super) device_lists: bool,
    pub(super) key_counts: bool,
    pub(super) presence: bool,
}

/// A room with news.
#[derive(Debug)]
pub(super) struct RoomNews {
    /// Its number.
    pub(super) room: Position,
    /// How the user stands in it.
    pub(super) standing: Standing,
    /// The events since the client's token, where they are remembered.
    pub(super) recent: Option<Vec<RecentEvent>>,
    /// Whether typing is to be told.
    pub(super) typing: bool,
}

/// How many rooms are told afresh who types there, to a client that knew it from an earlier process.
const RETYPED_ROOMS: usize = 20;

impl Inner {
    /// What there may be to tell a client beyond what was reached; nothing if nothing happened, unless `always`.
    pub(super) fn news(&self, asked: &Asked, reached: &Reached, always: bool) -> Option<News> {
        let followed = self.follow.read();
        let session = followed.session(&asked.user_id)?;
        let since = asked.since.as_ref();
        let typed = session.typing > reached.typing;
        let presence = session.presence > reached.presence;
        if !always && !typed && !presence && session.last <= reached.position {
            return None;
        }
        let retype = since.is_some_and(|since| since.process != self.process);
        let typing: HashSet<Position> = match since {
            Some(since) if typed || retype => {
                let changed = self.rooms.typing().changed_since(since.typing).into_iter();
                let earlier = session
                    .latest()
                    .filter(|_| retype)
                    .take(RETYPED_ROOMS)
                    .map(|(room, _)| room);
                changed.chain(earlier).collect()
            }
            _ => HashSet::new(),
        };
        let news = |(room, standing): (Position, &Standing)| RoomNews {
            room,
            standing: *standing,
            recent: since.and_then(|since| {
                let online = followed
                    .room(room)
                    .filter(|_| standing.membership == Membership::Join);
                online.and_then(|online| online.recent.since(since.position))
            }),
            typing: typing.contains(&room),
        };
        let rooms = match since {
            Some(since) if !asked.full_state => {
                let mut rooms: Vec<_> = session
                    .changed(since.position.max(reached.position))
                    .map(news)
                    .collect();
                let typed_only = typing.iter().filter_map(|room| {
                    let standing = session.rooms.get(room)?;
                    let counted = standing.last > since.position.max(reached.position);
                    (standing.membership == Membership::Join && !counted)
                        .then_some((*room, standing))
                });
                rooms.extend(typed_only.map(news));
                rooms
            }
            _ => session.latest().map(news).collect(),
        };
        let position = since.map_or(Position::START, |since| since.position);
        let given = since.map_or(Position::START, |token| token.to_device());
        let unknown = since.is_none() || position < session.made;
        Some(News {
            reached: Reached {
                position: followed.at,
                typing: session.typing.max(reached.typing),
                presence: session.presence.max(reached.presence),
            },
            rooms,
            account_data: since.is_none() || session.account_data > position,
            to_device: unknown
                || session
                    .to_device(asked.device_id.as_str())
                    .is_some_and(|last| last > given),
            device_lists: since.is_some() && session.device_lists > position,
            key_counts: session.key_counts > position,
            presence: since.is_none() || session.presence > since.map_or(0, |since| since.presence),
        })
    }

    /// Writes the answer, and says whether there is nothing in it.
    pub(super) fn write(&self, asked: &Asked, news: &News) -> Result<(Bytes, bool)> {
        let since = asked.since.as_ref().map(|since| since.position);
        let mut writer = Writer {
            inner: self,
            asked,
            news,
            since,
            ignored: self.users.ignored_users(&asked.user_id)?,
            lazy: asked.filter.lazy.is_some().then(|| {
                self.lazy
                    .connection(&asked.user_id, &asked.device_id, asked.filter.hash, since)
            }),
        };
        let mut out = Vec::with_capacity(512 + 512 * news.rooms.len());
        let mut object = Object::open(&mut out);
        let rooms = writer.rooms()?;
        rooms.write(&mut object);
        if news.account_data {
            object.events("account_data", writer.account_data()?);
        }
        if news.presence {
            object.events("presence", writer.presence()?);
        }
        let (messages, given) = writer.to_device()?;
        object.events("to_device", messages);
        writer.device_lists(&mut object)?;
        let is_empty = object.is_empty() && !news.key_counts;
        writer.key_counts(&mut object)?;
        let token = Token {
            position: news.reached.position,
            typing: self.typing_reached(asked, news),
            presence: news.reached.presence,
            to_device: given,
            process: self.process,
        };
        object.value("next_batch", &token.to_string());
        object.close();
        Ok((out.into(), is_empty))
    }

    /// Up to which change of typing a client knows all: if none concerned it, that of its token.
    fn typing_reached(&self, asked: &Asked, news: &News) -> u64 {
        let before = asked.since.as_ref().map_or(0, |since| since.typing);
        news.reached.typing.max(before)
    }
}

/// What a sync's sections are written with.
pub(super) struct Writer<'a> {
    pub(super) inner: &'a Inner,
    pub(super) asked: &'a Asked,
    pub(super) news: &'a News,
    /// The position that the client comes from.
    pub(super) since: Option<Position>,
    pub(super) ignored: Arc<BTreeSet<OwnedUserId>>,
    pub(super) lazy: Option<Connection<'a>>,
}

/// The sections of rooms, by how the user stands in them: the insides of objects.
#[derive(Default)]
pub(super) struct RoomSections {
    join: List,
    invite: List,
    knock: List,
    leave: List,
}

impl RoomSections {
    fn write(&self, object: &mut Object<'_>) {
        let sections = [
            ("join", &self.join),
            ("invite", &self.invite),
            ("knock", &self.knock),
            ("leave", &self.leave),
        ];
        let written = object.object("rooms", |rooms| {
            for (key, section) in sections
                .into_iter()
                .filter(|(_, section)| !section.is_empty())
            {
                let out = rooms.key(key);
                out.push(b'{');
                out.extend_from_slice(&section.0);
                out.push(b'}');
            }
            Ok::<_, std::convert::Infallible>(())
        });
        let Ok(()) = written;
    }
}

impl Writer<'_> {
    fn rooms(&mut self) -> Result<RoomSections> {
        let mut sections = RoomSections::default();
        for news in &self.news.rooms {
            let section = match news.standing.membership {
                Membership::Join => &mut sections.join,
                Membership::Invite => &mut sections.invite,
                Membership::Knock => &mut sections.knock,
                Membership::Leave | Membership::Ban => &mut sections.leave,
            };
            let before = section.0.len();
            match self.room(news, section) {
                Ok(true) => {}
                Ok(false) => section.0.truncate(before),
                Err(error) => {
                    section.0.truncate(before);
                    self.lost(news, section, &error);
                }
            }
        }
        Ok(sections)
    }

    /// Writes a room's section, and says whether there is anything in it.
    fn room(&mut self, news: &RoomNews, section: &mut List) -> Result<bool> {
        let room = self.inner.rooms.get_number(news.room)?;
        if !self.asked.filter.rooms.takes(&*room.id) {
            return Ok(false);
        }
        let out = section.next();
        out.push(b'"');
        out.extend_from_slice(room.id.as_bytes());
        out.extend_from_slice(b"\":");
        match news.standing.membership {
            Membership::Join => self.joined(&room, news, out),
            Membership::Invite | Membership::Knock => self.invited(&news.standing, out),
            Membership::Leave | Membership::Ban => self.left(&room, news, out),
        }
    }
}
