//! The public directory: the rooms that are listed for everybody.

use std::{cmp::Reverse, str::FromStr, sync::Arc};

use orvale_storage::{
    Batch, Entry, Position,
    trees::rooms::{HEADS, PUBLISHED},
};
use ruma::{
    UInt, UserId,
    directory::{Filter, PublicRoomsChunk, PublicRoomsChunkInit, RoomNetwork, RoomTypeFilter},
    events::{
        StateEventType,
        room::{guest_access::GuestAccess, history_visibility::HistoryVisibility},
    },
    room::{JoinRuleKind, RoomType},
};

use crate::{
    Room, Rooms,
    error::{Error, Result},
    state::StateId,
};

/// The most rooms that a page of the directory has.
const MAX_ROOMS: usize = 500;

/// What the directory shows of a room, as of one of its states.
#[derive(Debug)]
pub(crate) struct Listing {
    state: StateId,
    chunk: PublicRoomsChunk,
    /// What people may search for.
    words: String,
}

/// A page of the directory, as all endpoints tell it.
#[derive(Debug, Default)]
pub struct DirectoryPage {
    /// The rooms, those with most members first.
    pub chunk: Vec<PublicRoomsChunk>,
    /// Where the next page starts.
    pub next_batch: Option<String>,
    /// Where the page before starts.
    pub prev_batch: Option<String>,
    /// How many rooms there are on all pages.
    pub total_room_count_estimate: Option<UInt>,
}

/// A place in the directory: beside a room, which may gain and lose members meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct DirectoryToken {
    is_backwards: bool,
    joined: u64,
    room: Position,
}

impl std::fmt::Display for DirectoryToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let direction = if self.is_backwards { 'p' } else { 'n' };
        write!(f, "{direction}{}_{}", self.joined, self.room)
    }
}

impl FromStr for DirectoryToken {
    type Err = Error;

    fn from_str(token: &str) -> Result<Self> {
        let parse = || {
            let (is_backwards, rest) = match token.strip_prefix('p') {
                Some(rest) => (true, rest),
                None => (false, token.strip_prefix('n')?),
            };
            let (joined, room) = rest.split_once('_')?;
            let room = Position(room.parse().ok()?);
            Some(Self {
                is_backwards,
                joined: joined.parse().ok()?,
                room,
            })
        };
        parse().ok_or_else(|| {
            Error::InvalidParam(format!("{token:?} is no place in this server's directory"))
        })
    }
}

impl Rooms {
    /// Whether the directory lists a room.
    ///
    /// # Errors
    /// Storage's.
    pub fn is_published(&self, room: &Room) -> Result<bool> {
        Ok(self.store().contains(&PUBLISHED, (room.number,))?)
    }

    /// Lists a room in the directory, or no more. Members who may change the room's canonical alias may, and who administers
    /// this server.
    ///
    /// # Errors
    /// [`Error::NotJoined`], [`Error::Forbidden`].
    pub async fn set_published(
        &self,
        user: &UserId,
        room: &Room,
        is_published: bool,
        is_admin: bool,
    ) -> Result<()> {
        if !is_admin {
            self.must_be_joined(user, room)?;
            let levels = self.power_levels(room)?;
            if !levels.user_can_send_state(user, StateEventType::RoomCanonicalAlias) {
                let message =
                    "who may change a room's canonical alias may list it in the directory";
                return Err(Error::Forbidden(message.to_owned()));
            }
        }
        if self.is_published(room)? == is_published {
            return Ok(());
        }
        let mut batch = Batch::new();
        if is_published {
            batch.put(&PUBLISHED, (room.number,), &());
        } else {
            batch.delete(&PUBLISHED, (room.number,));
        }
        batch.log(Entry::Directory {
            room_id: room.id.to_string(),
        });
        self.store().commit(batch).await?;
        Ok(())
    }

    /// A page of the directory. Reads something of every listed room.
    ///
    /// # Errors
    /// [`Error::InvalidParam`] for a `since` that is no place in it; storage's.
    pub fn list_published(
        &self,
        filter: &Filter,
        network: &RoomNetwork,
        since: Option<&str>,
        limit: Option<UInt>,
    ) -> Result<DirectoryPage> {
        // The rooms of bridges are listed by the bridges' own servers, if at all.
        if matches!(network, RoomNetwork::ThirdParty(_)) {
            return Ok(DirectoryPage::default());
        }
        let since = since.map(DirectoryToken::from_str).transpose()?;
        let limit = limit.and_then(|limit| usize::try_from(limit).ok());
        let words = filter
            .generic_search_term
            .as_ref()
            .map(|words| words.to_lowercase());
        let mut found = Vec::new();
        for ((number,), ()) in self.store().prefix(&PUBLISHED, (), usize::MAX)? {
            let head = self.store().get(&HEADS, (number,))?.unwrap_or_default();
            // Nobody is left there whom one could meet.
            if head.joined == 0 {
                continue;
            }
            let listing = self.listing(number, StateId(head.state))?;
            let is_named = words
                .as_ref()
                .is_none_or(|words| listing.words.contains(words));
            if is_named && has_type(filter, listing.chunk.room_type.as_ref()) {
                found.push((Reverse(head.joined), number, listing));
            }
        }
        found.sort_unstable_by_key(|(joined, number, _)| (*joined, *number));
        let limit = limit.unwrap_or(MAX_ROOMS).clamp(1, MAX_ROOMS);
        let place = |token: DirectoryToken| {
            let key = (Reverse(token.joined), token.room);
            (key, token.is_backwards)
        };
        let (start, end) = match since.map(place) {
            None => (0, limit),
            Some((key, false)) => {
                let start = found.partition_point(|(joined, number, _)| (*joined, *number) <= key);
                (start, start + limit)
            }
            Some((key, true)) => {
                let end = found.partition_point(|(joined, number, _)| (*joined, *number) < key);
                (end.saturating_sub(limit), end)
            }
        };
        let end = end.min(found.len());
        let page = &found[start.min(end)..end];
        let token = |(joined, number, _): &(Reverse<u64>, Position, Arc<Listing>), is_backwards| {
            DirectoryToken {
                is_backwards,
                joined: joined.0,
                room: *number,
            }
            .to_string()
        };
        let chunks = page.iter().map(|(joined, _, listing)| {
            let mut chunk = listing.chunk.clone();
            chunk.num_joined_members = UInt::new_saturating(joined.0);
            chunk
        });
        Ok(DirectoryPage {
            chunk: chunks.collect(),
            next_batch: page
                .last()
                .filter(|_| end < found.len())
                .map(|last| token(last, false)),
            prev_batch: page
                .first()
                .filter(|_| start > 0)
                .map(|first| token(first, true)),
            total_room_count_estimate: UInt::try_from(found.len()).ok(),
        })
    }

    /// What the directory shows of a room; made once for each of its states.
    fn listing(&self, number: Position, state: StateId) -> Result<Arc<Listing>> {
        if let Some(listing) = self
            .inner
            .listings
            .get(&number)
            .filter(|listing| listing.state == state)
        {
            return Ok(listing);
        }
        let room = self.get_number(number)?;
        let chunk = self.public_chunk(&room, state)?;
        let alias = chunk.canonical_alias.as_ref().map(|alias| alias.as_str());
        let words: Vec<&str> = [chunk.name.as_deref(), chunk.topic.as_deref(), alias]
            .into_iter()
            .flatten()
            .collect();
        let listing = Arc::new(Listing {
            state,
            words: words.join("\n").to_lowercase(),
            chunk,
        });
        self.inner.listings.insert(number, listing.clone());
        Ok(listing)
    }

    pub(crate) fn public_chunk(&self, room: &Room, state: StateId) -> Result<PublicRoomsChunk> {
        let get = |kind: StateEventType| self.find_state_at(state, &kind, "");
        let text = |kind: StateEventType, field: &str| -> Result<Option<String>> {
            let value = get(kind)?.and_then(|event| event.pdu.content_field::<String>(field));
            Ok(value.filter(|value| !value.is_empty()))
        };
        let visibility = get(StateEventType::RoomHistoryVisibility)?;
        let visibility = visibility.and_then(|event| event.pdu.content_field("history_visibility"));
        let guests = get(StateEventType::RoomGuestAccess)?;
        let guests = guests.and_then(|event| event.pdu.content_field("guest_access"));
        let rule = get(StateEventType::RoomJoinRules)?;
        let rule: Option<JoinRuleKind> =
            rule.and_then(|event| event.pdu.content_field("join_rule"));
        let mut chunk = PublicRoomsChunk::from(PublicRoomsChunkInit {
            num_joined_members: UInt::MIN,
            room_id: room.id.clone(),
            world_readable: visibility == Some(HistoryVisibility::WorldReadable),
            guest_can_join: guests == Some(GuestAccess::CanJoin),
        });
        chunk.name = text(StateEventType::RoomName, "name")?;
        chunk.topic = text(StateEventType::RoomTopic, "topic")?;
        chunk.avatar_url = text(StateEventType::RoomAvatar, "url")?.map(Into::into);
        let alias = text(StateEventType::RoomCanonicalAlias, "alias")?;
        chunk.canonical_alias = alias.and_then(|alias| alias.try_into().ok());
        chunk.join_rule = rule.unwrap_or(JoinRuleKind::Invite);
        chunk.room_type = text(StateEventType::RoomCreate, "type")?.map(Into::into);
        Ok(chunk)
    }
}

fn has_type(filter: &Filter, room_type: Option<&RoomType>) -> bool {
    let wanted = |wanted: &RoomTypeFilter| wanted.as_str() == room_type.map(RoomType::as_str);
    filter.room_types.is_empty() || filter.room_types.iter().any(wanted)
}

#[cfg(test)]
mod tests {
    use ruma::uint;

    use super::*;
    use crate::{
        NewRoom, Preset,
        testing::{member, rooms, user},
    };

    fn named(name: &str) -> NewRoom {
        NewRoom {
            name: Some(name.to_owned()),
            preset: Preset::Public,
            is_published: true,
            ..NewRoom::default()
        }
    }

    fn names(page: &DirectoryPage) -> Vec<&str> {
        page.chunk
            .iter()
            .filter_map(|room| room.name.as_deref())
            .collect()
    }

    #[tokio::test]
    async fn rooms_are_listed_by_size_in_pages_that_go_both_ways() {
        let rooms = rooms();
        let [alice, bob] = rooms.people(["alice", "bob"]).await;
        for n in 1..=5 {
            let room = rooms.create(&alice, named(&n.to_string())).await.unwrap();
            if n == 4 {
                rooms.join(&bob, &room, None).await.unwrap();
            }
        }
        rooms
            .create(
                &alice,
                NewRoom {
                    is_published: false,
                    ..named("hidden")
                },
            )
            .await
            .unwrap();
        let list = |since: Option<String>| {
            rooms
                .list_published(
                    &Filter::new(),
                    &RoomNetwork::Matrix,
                    since.as_deref(),
                    Some(uint!(2)),
                )
                .unwrap()
        };
        let one = list(None);
        assert_eq!(
            (names(&one), one.total_room_count_estimate),
            (vec!["4", "1"], Some(uint!(5)))
        );
        assert_eq!(one.prev_batch, None);
        let two = list(one.next_batch);
        assert_eq!(names(&two), ["2", "3"]);
        let three = list(two.next_batch);
        assert_eq!(names(&three), ["5"]);
        assert_eq!(three.next_batch, None);
        assert_eq!(names(&list(three.prev_batch)), ["2", "3"]);
        assert_eq!(names(&list(two.prev_batch)), ["4", "1"]);
        assert!("x1_2".parse::<DirectoryToken>().is_err());
    }

    #[tokio::test]
    async fn rooms_are_found_by_their_words_and_types_as_they_are_now() {
        let rooms = rooms();
        let [alice] = rooms.people(["alice"]).await;
        let tea = NewRoom {
            topic: Some("Leaves and WATER".to_owned()),
            alias: Some("chai".to_owned()),
            ..named("Tea")
        };
        let room = rooms.create(&alice, tea).await.unwrap();
        let space = crate::json::raw(&serde_json::json!({"type": "m.space"}));
        rooms
            .create(
                &alice,
                NewRoom {
                    creation_content: Some(space),
                    ..named("Space")
                },
            )
            .await
            .unwrap();
        let find = |words: &str, types: Vec<RoomTypeFilter>| {
            let mut filter = Filter::new();
            filter.generic_search_term = Some(words.to_owned()).filter(|words| !words.is_empty());
            filter.room_types = types;
            let page = rooms
                .list_published(&filter, &RoomNetwork::Matrix, None, None)
                .unwrap();
            names(&page)
                .into_iter()
                .map(ToOwned::to_owned)
                .collect::<Vec<_>>()
        };
        for words in ["tea", "water", "#CHAI:"] {
            assert_eq!(find(words, vec![]), ["Tea"], "{words}");
        }
        assert_eq!(find("", vec![RoomTypeFilter::Space]), ["Space"]);
        assert_eq!(find("", vec![RoomTypeFilter::Default]), ["Tea"]);
        let name = crate::testing::state(
            &alice,
            "m.room.name",
            "",
            &serde_json::json!({"name": "Coffee"}),
        );
        rooms.did(&room, name).await.unwrap();
        assert_eq!(find("tea", vec![]), [""; 0]);
        assert_eq!(find("coffee", vec![]), ["Coffee"]);
    }

    #[tokio::test]
    async fn only_who_may_name_a_room_lists_it() {
        let rooms = rooms();
        let [alice, bob] = rooms.people(["alice", "bob"]).await;
        let room = rooms.create(&alice, named("Tea")).await.unwrap();
        assert!(matches!(
            rooms.set_published(&bob, &room, false, false).await,
            Err(Error::NotJoined)
        ));
        rooms.join(&bob, &room, None).await.unwrap();
        assert!(matches!(
            rooms.set_published(&bob, &room, false, false).await,
            Err(Error::Forbidden(_))
        ));
        rooms
            .set_published(&alice, &room, false, false)
            .await
            .unwrap();
        assert!(!rooms.is_published(&room).unwrap());
        rooms
            .set_published(&user("root"), &room, true, true)
            .await
            .unwrap();
        assert!(rooms.is_published(&room).unwrap());
    }

    #[tokio::test]
    async fn empty_rooms_are_not_listed() {
        let rooms = rooms();
        let [alice] = rooms.people(["alice"]).await;
        let room = rooms.create(&alice, named("Tea")).await.unwrap();
        rooms
            .did(&room, member(&alice, &alice, "leave"))
            .await
            .unwrap();
        let page = rooms
            .list_published(&Filter::new(), &RoomNetwork::Matrix, None, None)
            .unwrap();
        assert_eq!(page.total_room_count_estimate, Some(uint!(0)));
    }
}
