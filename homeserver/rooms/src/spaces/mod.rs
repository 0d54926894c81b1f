//! Spaces: the rooms in them, and in the spaces in them.

mod child;
mod token;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use ruma::{OwnedRoomId, OwnedServerName, RoomId, UserId};
use serde_json::value::RawValue;

use self::{
    child::{child_of_json, place},
    token::{hash, unknown_token},
};
use crate::{
    RoomSummary, Rooms,
    error::{Error, Result},
    summary::Outside,
};

pub(crate) use child::Child;
pub use token::HierarchyToken;

/// How many rooms a page has, and how many at most.
const PAGE: usize = 50;
const MAX_PAGE: usize = 200;

/// How deep a walk goes.
const MAX_DEPTH: u16 = 20;

/// How many rooms one request looks at.
const MAX_LOOKS: usize = 5_000;

/// A room that is not here, as another server tells of it.
#[derive(Debug)]
pub struct Elsewhere {
    /// What is shown of it.
    pub summary: RoomSummary,
    children: Vec<Child>,
}

/// What is known of rooms that are not here, `None` of those of which no server tells.
pub type Others = HashMap<OwnedRoomId, Option<Arc<Elsewhere>>>;

impl Elsewhere {
    /// A room as another server tells of it: its summary, and the stripped events that put rooms into it.
    #[must_use]
    pub fn new<'a>(summary: RoomSummary, children: impl IntoIterator<Item = &'a RawValue>) -> Self {
        let children = children
            .into_iter()
            .take(MAX_LOOKS)
            .filter_map(child_of_json);
        let mut children: Vec<_> = children.collect();
        children.sort_by(|a, b| place(a).cmp(&place(b)));
        Self { summary, children }
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
    /// Rooms that are not here and were not known, with servers that may know them: once they are asked, there is more to tell.
    pub missing: Vec<(OwnedRoomId, Vec<OwnedServerName>)>,
}

/// A room of a space.
#[derive(Debug)]
pub struct SpaceRoom {
    /// What is shown of it.
    pub summary: RoomSummary,
    /// The events that put rooms into it, stripped.
    pub children: Vec<Arc<RawValue>>,
}

impl Rooms {
    /// A part of a space as a user may know it, each room once; with rooms that are not here, as far as `others` knows them.
    ///
    /// # Errors
    /// [`Error::Forbidden`] if the user may not know of the space; [`Error::InvalidParam`] for a token of another walk.
    pub fn list_hierarchy(
        &self,
        user: &UserId,
        id: &RoomId,
        walk: &Walk,
        others: &Others,
    ) -> Result<Hierarchy> {
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
        let of_id = id.server_name().map(ToOwned::to_owned);
        let mut waiting = vec![(id.to_owned(), of_id.into_iter().collect(), 0)];
        while let Some((id, via, depth)) = waiting.pop() {
            if seen.len() == MAX_LOOKS || !seen.insert(id.clone()) {
                continue;
            }
            let looked = self.look(user, &id, others)?;
            let Looked::Shown { summary, children } = looked else {
                if matches!(looked, Looked::Missing) {
                    page.missing.push((id, via));
                } else if depth == 0 {
                    let message = "you may not view this room";
                    return Err(Error::Forbidden(message.to_owned()));
                }
                continue;
            };
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
                children.children().iter().filter(wanted)
            };
            if depth < max_depth {
                for child in children().collect::<Vec<_>>().into_iter().rev() {
                    waiting.push((child.room_id.clone(), child.via.clone(), depth + 1));
                }
            }
            if let Some(after) = skipping {
                if after == hash(&id) {
                    skipping = None;
                }
                continue;
            }
            last = Some(hash(&id));
            page.rooms.push(SpaceRoom {
                summary: *summary,
                children: children().map(|child| child.json.clone()).collect(),
            });
        }
        match walk
            .from
            .filter(|_| skipping.is_some() && page.missing.is_empty())
        {
            // What the last page ended with is gone, or hidden by now.
            Some(token) => Err(unknown_token(token)),
            None => Ok(page),
        }
    }

    /// Looks at a room, here or elsewhere.
    fn look(&self, user: &UserId, id: &RoomId, others: &Others) -> Result<Looked> {
        if let Some(room) = self.find(id)? {
            let outside = self.outside(&room)?;
            if !self.may_know(Some(user), &room, &outside)? {
                return Ok(Looked::Hidden);
            }
            return Ok(Looked::Shown {
                summary: self.summary_now(&room, &outside)?.into(),
                children: Children::Here(outside),
            });
        }
        Ok(match others.get(id) {
            None => Looked::Missing,
            Some(Some(room)) if self.may_know_elsewhere(user, &room.summary)? => Looked::Shown {
                summary: room.summary.clone().into(),
                children: Children::Elsewhere(room.clone()),
            },
            Some(_) => Looked::Hidden,
        })
    }
}

/// What a look at a room shows.
enum Looked {
    Shown {
        summary: Box<RoomSummary>,
        children: Children,
    },
    /// The user may not know of it, or nobody does.
    Hidden,
    /// It is not here, and nobody was asked yet.
    Missing,
}

/// The rooms in a room, wherever they are kept.
enum Children {
    Here(Arc<Outside>),
    Elsewhere(Arc<Elsewhere>),
}

impl Children {
    fn children(&self) -> &[Child] {
        match self {
            Self::Here(room) => &room.children,
            Self::Elsewhere(room) => &room.children,
        }
    }
}

#[cfg(test)]
mod tests {
    use ruma::room::RoomType;
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        NewRoom, Preset, Room,
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
            .list_hierarchy(&alice, &space.id, &Walk::default(), &Others::new())
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
        let list = |walk: Walk| {
            rooms
                .list_hierarchy(&alice, &space.id, &walk, &Others::new())
                .unwrap()
        };
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
            let refused = rooms.list_hierarchy(&alice, &space.id, &walk, &Others::new());
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
            let page = rooms.list_hierarchy(user, &space.id, &Walk::default(), &Others::new());
            names(&page.unwrap()).join(" ")
        };
        assert_eq!(seen_by(&alice), "space private hidden open knock members");
        assert_eq!(seen_by(&bob), "space open knock");
        rooms.join(&bob, &space, None).await.unwrap();
        assert_eq!(seen_by(&bob), "space open knock members");
        let refused = rooms.list_hierarchy(&bob, &private.id, &Walk::default(), &Others::new());
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

    #[tokio::test]
    async fn rooms_that_are_not_here_are_named_until_they_are_known() {
        let rooms = rooms();
        let [alice, bob] = rooms.people(["alice", "bob"]).await;
        let space = room(&rooms, &alice, "space", Preset::Public, true).await;
        let last = room(&rooms, &alice, "last", Preset::Public, false).await;
        let far: OwnedRoomId = "!far:far.test".try_into().unwrap();
        let farther: OwnedRoomId = "!farther:far.test".try_into().unwrap();
        let content = json!({"via": ["far.test", "near.test"], "order": "a"});
        let child = state(&alice, "m.space.child", far.as_str(), &content);
        rooms.did(&space, child).await.unwrap();
        put(&rooms, &alice, &space, &last, via()).await;

        let mut others = Others::new();
        let list = |user: &UserId, walk: Walk, others: &Others| {
            rooms
                .list_hierarchy(user, &space.id, &walk, others)
                .unwrap()
        };
        let page = list(&alice, Walk::default(), &others);
        assert_eq!(names(&page), ["space", "last"]);
        let via: Vec<OwnedServerName> = ["far.test", "near.test"]
            .map(|s| s.try_into().unwrap())
            .into();
        assert_eq!(page.missing, [(far.clone(), via)]);

        let summary = |id: &RoomId, name: &str, rule: &str| RoomSummary {
            name: Some(name.to_owned()),
            join_rule: rule.into(),
            allowed_room_ids: vec![last.id.clone()],
            ..RoomSummary::from(ruma::room::RoomSummary::new(
                id.to_owned(),
                ruma::room::JoinRuleSummary::Public,
                false,
                ruma::UInt::MIN,
                false,
            ))
        };
        let inner = json!({
            "type": "m.space.child", "state_key": farther, "sender": "@x:far.test", "origin_server_ts": 5,
            "content": {"via": ["far.test"]},
        });
        let inner = crate::json::raw(&inner);
        let known = Elsewhere::new(summary(&far, "far", "public"), [&*inner]);
        others.insert(far.clone(), Some(Arc::new(known)));
        let page = list(&alice, Walk::default(), &others);
        assert_eq!(names(&page), ["space", "far", "last"]);
        assert_eq!(page.missing[0].0, farther);

        // Members of another room alone may know of it.
        let known = Elsewhere::new(summary(&farther, "farther", "restricted"), []);
        others.insert(farther, Some(Arc::new(known)));
        let page = list(&alice, Walk::default(), &others);
        assert_eq!(names(&page), ["space", "far", "farther", "last"]);
        let page = list(&bob, Walk::default(), &others);
        assert_eq!(names(&page), ["space", "far", "last"]);
        let first = list(
            &alice,
            Walk {
                limit: Some(2),
                ..Walk::default()
            },
            &others,
        );
        let rest = list(
            &alice,
            Walk {
                from: first.next,
                ..Walk::default()
            },
            &others,
        );
        assert_eq!(names(&rest), ["farther", "last"]);
        // Of those nobody tells of, there is nothing to show.
        others.insert(far, None);
        assert_eq!(
            names(&list(&alice, Walk::default(), &others)),
            ["space", "last"]
        );
    }
}
