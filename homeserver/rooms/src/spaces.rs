//! Spaces: the rooms in them, and in the spaces in them.

use std::{collections::HashSet, str::FromStr, sync::Arc};

use orvale_storage::Position;
use ruma::{MilliSecondsSinceUnixEpoch, OwnedRoomId, RoomId, UserId, events::StateEventType};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    Room, RoomSummary, Rooms, StoredEvent,
    error::{Error, Result},
};

/// How many rooms a page has, and how many at most.
const PAGE: usize = 50;
const MAX_PAGE: usize = 200;

/// How deep a walk goes.
const MAX_DEPTH: u16 = 20;

/// How many rooms one request looks at.
const MAX_LOOKS: usize = 5_000;

/// The longest `order` that counts.
const MAX_ORDER: usize = 50;

/// A room in a space, as the space's state says.
#[derive(Debug, Clone)]
pub(crate) struct Child {
    pub(crate) room_id: OwnedRoomId,
    is_suggested: bool,
    order: Option<String>,
    timestamp: MilliSecondsSinceUnixEpoch,
    /// The stripped event.
    json: Arc<RawValue>,
}

impl Child {
    pub(crate) fn bytes(&self) -> usize {
        2 * self.room_id.as_str().len() + self.json.get().len() + 150
    }
}

/// Which part of a space is wanted.
#[derive(Debug, Clone, Default)]
pub struct Walk {
    /// Where the page starts.
    pub from: Option<HierarchyToken>,
    /// How many rooms at most.
    pub limit: Option<usize>,
    /// How deep to go.
    pub max_depth: Option<usize>,
    /// Whether only suggested rooms count.
    pub suggested_only: bool,
}

/// A part of a space.
#[derive(Debug, Default)]
pub struct Hierarchy {
    /// Its rooms, each before those in it.
    pub rooms: Vec<SpaceRoom>,
    /// Where the next part starts.
    pub next: Option<HierarchyToken>,
}

/// A room of a space.
#[derive(Debug)]
pub struct SpaceRoom {
    /// What is shown of it.
    pub summary: RoomSummary,
    /// The events that put rooms into it, stripped.
    pub children: Vec<Arc<RawValue>>,
}

/// A place in a walk through a space: after a room, with the walk's other parameters, which stay as they are. The walk is made
/// again from the start, over what is remembered of each room: nothing is kept for clients that may never come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HierarchyToken {
    after: Position,
    max_depth: u16,
    suggested_only: bool,
}

impl std::fmt::Display for HierarchyToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let which = if self.suggested_only { 's' } else { 'a' };
        write!(f, "h{}_{}_{which}", self.after, self.max_depth)
    }
}

impl FromStr for HierarchyToken {
    type Err = Error;

    fn from_str(token: &str) -> Result<Self> {
        let parse = || {
            let mut parts = token.strip_prefix('h')?.split('_');
            let after = Position(parts.next()?.parse().ok()?);
            let max_depth = parts.next()?.parse().ok()?;
            let suggested_only = match parts.next()? {
                "s" => true,
                "a" => false,
                _ => return None,
            };
            parts.next().is_none().then_some(Self {
                after,
                max_depth,
                suggested_only,
            })
        };
        parse().ok_or_else(|| unknown_token(token))
    }
}

fn unknown_token(token: impl std::fmt::Display) -> Error {
    Error::InvalidParam(format!(
        "\"{token}\" is no place in this space: start again without one"
    ))
}

impl Rooms {
    /// A part of a space as a user may know it, each room once.
    ///
    /// # Errors
    /// [`Error::Forbidden`] if the user may not know of the space; [`Error::InvalidParam`] for a token of another walk.
    pub fn list_hierarchy(&self, user: &UserId, id: &RoomId, walk: &Walk) -> Result<Hierarchy> {
        let forbidden = || Error::Forbidden("you may not view this room".to_owned());
        let root = self.find(id)?.ok_or_else(forbidden)?;
        if !self.may_know(Some(user), &root, &*self.outside(&root)?)? {
            return Err(forbidden());
        }
        let max_depth = walk.max_depth.map_or(MAX_DEPTH, |depth| {
            u16::try_from(depth).unwrap_or(MAX_DEPTH).min(MAX_DEPTH)
        });
        let suggested_only = walk.suggested_only;
        if let Some(from) = walk.from
            && (from.max_depth, from.suggested_only) != (max_depth, suggested_only)
        {
            let message = "suggested_only and max_depth stay the same from page to page";
            return Err(Error::InvalidParam(message.to_owned()));
        }
        let limit = walk.limit.unwrap_or(PAGE).clamp(1, MAX_PAGE);
        let mut skipping = walk.from.map(|from| from.after);
        let (mut page, mut last) = (Hierarchy::default(), None);
        let mut seen = HashSet::new();
        let mut waiting = vec![(root, 0)];
        while let Some((room, depth)) = waiting.pop() {
            if seen.len() == MAX_LOOKS || !seen.insert(room.number) {
                continue;
            }
            let outside = self.outside(&room)?;
            if !self.may_know(Some(user), &room, &outside)? {
                continue;
            }
            if page.rooms.len() == limit {
                page.next = last.map(|after| HierarchyToken {
                    after,
                    max_depth,
                    suggested_only,
                });
                return Ok(page);
            }
            let children = || {
                let wanted = |child: &&Child| child.is_suggested || !suggested_only;
                outside.children.iter().filter(wanted)
            };
            if depth < max_depth {
                for child in children().collect::<Vec<_>>().into_iter().rev() {
                    if let Some(child) = self.find(&child.room_id)? {
                        waiting.push((child, depth + 1));
                    }
                }
            }
            if let Some(after) = skipping {
                if after == room.number {
                    skipping = None;
                }
                continue;
            }
            last = Some(room.number);
            page.rooms.push(SpaceRoom {
                summary: self.summary_now(&room, &outside)?,
                children: children().map(|child| child.json.clone()).collect(),
            });
        }
        match walk.from.filter(|_| skipping.is_some()) {
            // What the last page ended with is gone, or hidden by now.
            Some(token) => Err(unknown_token(token)),
            None => Ok(page),
        }
    }

    /// The rooms that a space's state puts into it, in the order they are shown in.
    pub(crate) fn children(&self, space: &Room) -> Result<Vec<Child>> {
        let keys = self.list_state_keys(space, &StateEventType::SpaceChild)?;
        let mut children = Vec::with_capacity(keys.len());
        for (room_id, record) in keys {
            let event = self.event(record.event)?;
            if let Ok(room_id) = OwnedRoomId::try_from(room_id) {
                children.extend(child(room_id, &event));
            }
        }
        children.sort_by(|a, b| place(a).cmp(&place(b)));
        Ok(children)
    }
}

/// Those with an order come first.
fn place(child: &Child) -> impl Ord + use<'_> {
    let Child {
        order,
        timestamp,
        room_id,
        ..
    } = child;
    (order.is_none(), order, timestamp, room_id)
}

/// The room that an event puts into a space. Without servers to reach it by, it is taken out.
fn child(room_id: OwnedRoomId, event: &StoredEvent) -> Option<Child> {
    #[derive(Deserialize)]
    struct Content {
        via: Vec<String>,
    }
    let content: Content = serde_json::from_str(event.pdu.content.get()).ok()?;
    if content.via.is_empty() {
        return None;
    }
    let is_valid = |order: &String| {
        order.len() <= MAX_ORDER && order.bytes().all(|byte| (b' '..=b'~').contains(&byte))
    };
    let json = serde_json::json!({
        "type": event.pdu.kind,
        "state_key": room_id,
        "sender": event.pdu.sender,
        "origin_server_ts": event.pdu.origin_server_ts,
        "content": &event.pdu.content,
    });
    Some(Child {
        is_suggested: event.pdu.content_field("suggested").unwrap_or(false),
        order: event.pdu.content_field("order").filter(is_valid),
        timestamp: event.pdu.origin_server_ts,
        json: serde_json::value::to_raw_value(&json).ok()?.into(),
        room_id,
    })
}

#[cfg(test)]
mod tests {
    use ruma::room::RoomType;
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        NewRoom, Preset,
        testing::{rooms, state},
    };

    async fn room(
        rooms: &Rooms,
        by: &UserId,
        name: &str,
        preset: Preset,
        space: bool,
    ) -> Arc<Room> {
        let creation = json!({"type": RoomType::Space});
        let new = NewRoom {
            name: Some(name.to_owned()),
            preset,
            creation_content: space.then(|| crate::json::raw(&creation)),
            ..NewRoom::default()
        };
        rooms.create(by, new).await.unwrap()
    }

    async fn put(rooms: &Rooms, by: &UserId, space: &Arc<Room>, child: &Room, content: Value) {
        let draft = state(by, "m.space.child", child.id.as_str(), &content);
        rooms.did(space, draft).await.unwrap();
    }

    fn names(page: &Hierarchy) -> Vec<&str> {
        let names = page.rooms.iter().map(|room| room.summary.name.as_deref());
        names.map(Option::unwrap_or_default).collect()
    }

    fn via() -> Value {
        json!({"via": ["orvale.test"]})
    }

    #[tokio::test]
    async fn children_come_by_order_then_time_and_those_taken_out_do_not() {
        let rooms = rooms();
        let [alice] = rooms.people(["alice"]).await;
        let space = room(&rooms, &alice, "space", Preset::Public, true).await;
        for (name, order) in [
            ("late", json!(null)),
            ("later", json!("\u{e9} is no order")),
            ("second", json!("b")),
            ("first", json!(" ")),
            ("gone", json!("a")),
            ("latest", json!("x".repeat(51))),
        ] {
            let child = room(&rooms, &alice, name, Preset::Public, false).await;
            let content = json!({"via": ["orvale.test"], "order": order});
            put(&rooms, &alice, &space, &child, content).await;
            if name == "gone" {
                put(&rooms, &alice, &space, &child, json!({})).await;
            }
        }
        let page = rooms
            .list_hierarchy(&alice, &space.id, &Walk::default())
            .unwrap();
        assert_eq!(
            names(&page),
            ["space", "first", "second", "late", "later", "latest"]
        );
        let child: Value = serde_json::from_str(page.rooms[0].children[0].get()).unwrap();
        assert_eq!(child["content"]["order"], " ");
        assert!(child["origin_server_ts"].is_u64() && child["event_id"].is_null());
        assert_eq!(page.rooms[0].children.len(), 5);
        assert!(page.rooms[1].children.is_empty());
    }

    #[tokio::test]
    async fn a_walk_goes_deep_first_meets_each_room_once_and_ends_in_loops() {
        let rooms = rooms();
        let [alice] = rooms.people(["alice"]).await;
        let space = room(&rooms, &alice, "space", Preset::Public, true).await;
        let inner = room(&rooms, &alice, "inner", Preset::Public, true).await;
        let [a, b, c] =
            ["a", "b", "c"].map(|name| room(&rooms, &alice, name, Preset::Public, false));
        let (a, b, c) = (a.await, b.await, c.await);
        put(&rooms, &alice, &space, &inner, via()).await;
        put(&rooms, &alice, &inner, &a, via()).await;
        put(&rooms, &alice, &inner, &space, via()).await;
        let suggested = json!({"via": ["orvale.test"], "suggested": true});
        put(&rooms, &alice, &space, &b, suggested).await;
        put(&rooms, &alice, &inner, &b, via()).await;
        put(&rooms, &alice, &space, &c, via()).await;
        let list = |walk: Walk| rooms.list_hierarchy(&alice, &space.id, &walk).unwrap();
        let all = list(Walk::default());
        assert_eq!(names(&all), ["space", "inner", "a", "b", "c"]);
        assert_eq!(all.next, None);
        let shallow = |max_depth| {
            let max_depth = Some(max_depth);
            names(&list(Walk {
                max_depth,
                ..Walk::default()
            }))
            .join(" ")
        };
        assert_eq!(shallow(0), "space");
        assert_eq!(shallow(1), "space inner b c");
        let suggested_only = true;
        let page = list(Walk {
            suggested_only,
            ..Walk::default()
        });
        assert_eq!(names(&page), ["space", "b"]);

        let (mut seen, mut from) = (Vec::new(), None);
        loop {
            let page = list(Walk {
                from,
                limit: Some(2),
                ..Walk::default()
            });
            seen.extend(names(&page).into_iter().map(ToOwned::to_owned));
            // As a client would hand it back.
            let Some(next) = page.next else { break };
            from = Some(next.to_string().parse().unwrap());
        }
        assert_eq!(seen, ["space", "inner", "a", "b", "c"]);
        for (from, max_depth) in [("h3_20_s", None), ("h3_20_a", Some(1)), ("h3_20_a", None)] {
            let from = Some(from.parse().unwrap());
            let walk = Walk {
                from,
                max_depth,
                ..Walk::default()
            };
            let refused = rooms.list_hierarchy(&alice, &space.id, &walk);
            assert!(matches!(refused, Err(Error::InvalidParam(_))), "{walk:?}");
        }
        assert!("h3_20".parse::<HierarchyToken>().is_err());
    }

    #[tokio::test]
    async fn each_room_is_shown_to_those_who_may_know_of_it() {
        let rooms = rooms();
        let [alice, bob] = rooms.people(["alice", "bob"]).await;
        let space = room(&rooms, &alice, "space", Preset::Public, true).await;
        let private = room(&rooms, &alice, "private", Preset::Private, true).await;
        let hidden = room(&rooms, &alice, "hidden", Preset::Public, false).await;
        let open = room(&rooms, &alice, "open", Preset::Private, false).await;
        let knock = room(&rooms, &alice, "knock", Preset::Private, false).await;
        let members = room(&rooms, &alice, "members", Preset::Private, false).await;
        for child in [&private, &open, &knock, &members] {
            put(&rooms, &alice, &space, child, via()).await;
        }
        // Who may not know of a space does not see through it.
        put(&rooms, &alice, &private, &hidden, via()).await;
        let set = async |room: &Arc<Room>, kind: &str, content: Value| {
            rooms
                .did(room, state(&alice, kind, "", &content))
                .await
                .unwrap();
        };
        let readable = json!({"history_visibility": "world_readable"});
        set(&open, "m.room.history_visibility", readable).await;
        set(&knock, "m.room.join_rules", json!({"join_rule": "knock"})).await;
        let allow = json!([{"type": "m.room_membership", "room_id": space.id}]);
        let restricted = json!({"join_rule": "restricted", "allow": allow});
        set(&members, "m.room.join_rules", restricted).await;
        let seen_by = |user: &UserId| {
            let page = rooms.list_hierarchy(user, &space.id, &Walk::default());
            names(&page.unwrap()).join(" ")
        };
        assert_eq!(seen_by(&alice), "space private hidden open knock members");
        assert_eq!(seen_by(&bob), "space open knock");
        rooms.join(&bob, &space, None).await.unwrap();
        assert_eq!(seen_by(&bob), "space open knock members");
        let refused = rooms.list_hierarchy(&bob, &private.id, &Walk::default());
        assert!(matches!(refused, Err(Error::Forbidden(_))));

        let known = |user: Option<&UserId>, room: &Room| rooms.room_summary(user, &room.id).is_ok();
        assert!(known(None, &space) && known(None, &open) && known(None, &knock));
        assert!(!known(None, &members) && known(Some(&bob), &members));
        assert!(!known(Some(&bob), &private) && known(Some(&alice), &private));
        rooms
            .did(&space, crate::testing::member(&alice, &bob, "ban"))
            .await
            .unwrap();
        assert!(!known(Some(&bob), &space));
        let (summary, membership) = rooms.room_summary(Some(&alice), &members.id).unwrap();
        assert_eq!(summary.allowed_room_ids, std::slice::from_ref(&space.id));
        assert_eq!(
            (summary.num_joined_members, membership),
            (1, Some(crate::Membership::Join))
        );
    }
}
