//! What those ask who carry a room's news outwards.

use std::sync::Arc;

use orvale_storage::{
    Place, Position,
    trees::rooms::{CURRENT_STATE, HEADS, Membership, RECEIPT_STREAM},
};
use ruma::{
    OwnedUserId, UserId,
    events::{StateEventType, TimelineEventType},
};
use serde_json::value::RawValue;

use crate::{Room, Rooms, StoredEvent, append::membership, error::Result, state::Unwritten};

/// How many members name a room that has no name.
const HEROES: usize = 5;
/// How many members are looked at at once to find these, and how often.
const LOOKS: usize = 1000;
const MAX_LOOKS: usize = 50;

/// What a client needs to show a room in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// How many users are in it.
    pub joined: u64,
    /// How many are invited.
    pub invited: u64,
    /// Some members by whom a room can be called that has neither a name nor an alias; `None` for one that has.
    pub heroes: Option<Vec<OwnedUserId>>,
}

/// The state that those see of a room who are asked in, or ask.
///
/// <https://spec.matrix.org/v1.19/client-server-api/#stripped-state>
pub(crate) const STRIPPED: [StateEventType; 8] = [
    StateEventType::RoomCreate,
    StateEventType::RoomName,
    StateEventType::RoomAvatar,
    StateEventType::RoomTopic,
    StateEventType::RoomJoinRules,
    StateEventType::RoomCanonicalAlias,
    StateEventType::RoomEncryption,
    StateEventType::RoomTombstone,
];

/// How a user came to stand in a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewMembership {
    /// The membership.
    pub membership: Membership,
    /// The member event's number.
    pub event: Position,
}

impl Rooms {
    /// The memberships that an event of a room's timeline changed: that which it gives, and where forks met, others'.
    ///
    /// # Errors
    /// Storage's.
    pub fn list_new_memberships(
        &self,
        event: &StoredEvent,
    ) -> Result<Vec<(OwnedUserId, NewMembership)>> {
        let of = |event: &StoredEvent, is_gone: bool| {
            let user = UserId::parse(event.pdu.state_key.as_deref()?).ok()?;
            let is_member = event.pdu.kind == TimelineEventType::RoomMember;
            let now = match is_gone {
                false => membership(&event.pdu)?,
                true => Membership::Leave,
            };
            is_member.then_some((
                user,
                NewMembership {
                    membership: now,
                    event: event.position,
                },
            ))
        };
        if event.record.place == Place::Live {
            return Ok(of(event, false).into_iter().collect());
        }
        let (before, after) = (event.room_before(), event.room_after());
        let changes = self
            .inner
            .states
            .diff(before, after, &Unwritten::default())?;
        let mut found = Vec::new();
        for change in changes {
            if let Some(at) = change.b.or(change.a) {
                found.extend(of(&*self.event(at)?, change.b.is_none()));
            }
        }
        Ok(found)
    }

    /// The position of the last event of a room's timeline, as far as it is visible.
    ///
    /// # Errors
    /// Storage's.
    pub fn last_event(&self, room: Position) -> Result<Position> {
        let head = self.inner.store.get(&HEADS, (room,))?;
        Ok(head.map_or(Position::START, |head| head.latest))
    }

    /// The position of the last change of a receipt in a room.
    ///
    /// # Errors
    /// Storage's.
    pub fn last_receipt(&self, room: Position) -> Result<Option<Position>> {
        let (from, to) = ((room,), (room.next(),));
        let last = self.inner.store.range(&RECEIPT_STREAM, from, to, true, 1)?;
        Ok(last.first().map(|((_, at), _)| *at))
    }

    /// How many users are in a room now.
    ///
    /// # Errors
    /// Storage's.
    pub fn count_joined(&self, room: Position) -> Result<u64> {
        Ok(self
            .inner
            .store
            .get(&HEADS, (room,))?
            .map_or(0, |head| head.joined))
    }

    /// Type and state key of a room's current state but for its members: a handful, however many those are.
    ///
    /// # Errors
    /// Storage's.
    pub fn list_state_keys_but_members(&self, room: &Room) -> Result<Vec<(String, String)>> {
        let (number, member) = (room.number, StateEventType::RoomMember.to_string());
        let store = &self.inner.store;
        let mut found = store.range(
            &CURRENT_STATE,
            (number,),
            (number, &member),
            false,
            usize::MAX,
        )?;
        // No type sorts between this one and the next longer one.
        let after = format!("{member}\0");
        found.extend(store.range(
            &CURRENT_STATE,
            (number, &after),
            (number.next(),),
            false,
            usize::MAX,
        )?);
        Ok(found
            .into_iter()
            .map(|((_, kind, key), _)| (kind, key))
            .collect())
    }

    /// Whether a room's state has more than so many member events.
    pub(crate) fn has_more_members(&self, room: &Room, than: usize) -> Result<bool> {
        let kind = StateEventType::RoomMember.to_string();
        let found = self
            .store()
            .prefix(&CURRENT_STATE, (room.number, &kind), than + 1)?;
        Ok(found.len() > than)
    }

    /// What `for_user` needs to show a room in a list.
    ///
    /// # Errors
    /// Storage's.
    pub fn summary(&self, room: &Room, for_user: &UserId) -> Result<Summary> {
        let head = self
            .inner
            .store
            .get(&HEADS, (room.number,))?
            .unwrap_or_default();
        let has = |kind: StateEventType, field: &str| -> Result<bool> {
            let event = self.find_state(room, &kind, "")?;
            let value = event.and_then(|event| event.pdu.content_field::<String>(field));
            Ok(value.is_some_and(|value| !value.is_empty()))
        };
        let is_named = has(StateEventType::RoomName, "name")?
            || has(StateEventType::RoomCanonicalAlias, "alias")?;
        let heroes = if is_named {
            None
        } else {
            Some(self.heroes(room, for_user)?)
        };
        Ok(Summary {
            joined: head.joined,
            invited: head.invited,
            heroes,
        })
    }

    /// The first members of a room but one, by when they came; where nobody is left, those who were.
    fn heroes(&self, room: &Room, but: &UserId) -> Result<Vec<OwnedUserId>> {
        let is_here =
            |membership| matches!(membership, Some(Membership::Join | Membership::Invite));
        let kind = StateEventType::RoomMember.to_string();
        let (mut others, mut after, mut here) = (Vec::new(), String::new(), 0);
        for _ in 0..MAX_LOOKS {
            let from = (room.number, &kind, &after);
            // The keys of the next type sort after all of this one's.
            let to = (room.number, format!("{kind}\u{1}"));
            let page = self
                .inner
                .store
                .range(&CURRENT_STATE, from, to, false, LOOKS)?;
            let is_last = page.len() < LOOKS;
            for ((_, _, user), record) in page {
                after = format!("{user}\u{1}");
                if user != but.as_str() {
                    here += usize::from(is_here(record.membership));
                    others.push((record, user));
                }
            }
            // Of a room that many have left, those who are there may come late.
            if is_last || here >= HEROES {
                break;
            }
        }
        if others.iter().any(|(record, _)| is_here(record.membership)) {
            others.retain(|(record, _)| is_here(record.membership));
        } else {
            others.retain(|(record, _)| {
                matches!(record.membership, Some(Membership::Leave | Membership::Ban))
            });
        }
        others.sort_by_key(|(record, _)| record.event);
        Ok(others
            .into_iter()
            .filter_map(|(_, user)| UserId::parse(user).ok())
            .take(HEROES)
            .collect())
    }

    /// The stripped state that goes with an invite or a knock: of the room as it was then, the member event last.
    ///
    /// # Errors
    /// Storage's.
    pub fn stripped_state(&self, member: &StoredEvent) -> Result<Vec<Box<RawValue>>> {
        if !member.has_state() {
            let mut stripped = self.noted_state(member)?;
            stripped.push(member.stripped_format()?);
            return Ok(stripped);
        }
        let mut events: Vec<Arc<StoredEvent>> = Vec::new();
        for kind in &STRIPPED {
            events.extend(self.find_state_at(member.state_after(), kind, "")?);
        }
        let sender = member.pdu.sender.as_str();
        if member.pdu.state_key.as_deref() != Some(sender) {
            events.extend(self.find_state_at(
                member.state_after(),
                &StateEventType::RoomMember,
                sender,
            )?);
        }
        let mut stripped = events
            .iter()
            .map(|event| event.stripped_format())
            .collect::<Result<Vec<_>>>()?;
        stripped.push(member.stripped_format()?);
        Ok(stripped)
    }
}

#[cfg(test)]
mod tests {
    use ruma::RoomVersionId;
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::{member, rooms, state, user};

    #[tokio::test]
    async fn heroes_are_members_but_oneself_and_only_where_the_room_has_no_name() {
        let rooms = rooms();
        let (alice, bob, carol) = (user("alice"), user("bob"), user("carol"));
        let room = rooms.public_room(RoomVersionId::V12).await;
        rooms
            .did(&room, member(&carol, &carol, "join"))
            .await
            .unwrap();
        rooms
            .did(&room, member(&alice, &bob, "invite"))
            .await
            .unwrap();
        let summary = rooms.summary(&room, &alice).unwrap();
        assert_eq!(
            summary,
            Summary {
                joined: 2,
                invited: 1,
                heroes: Some(vec![carol.clone(), bob.clone()])
            }
        );
        rooms
            .did(&room, member(&carol, &carol, "leave"))
            .await
            .unwrap();
        rooms.did(&room, member(&bob, &bob, "leave")).await.unwrap();
        let summary = rooms.summary(&room, &alice).unwrap();
        assert_eq!(
            summary,
            Summary {
                joined: 1,
                invited: 0,
                heroes: Some(vec![carol, bob])
            }
        );
        rooms
            .did(
                &room,
                state(&alice, "m.room.name", "", &json!({"name": "Room"})),
            )
            .await
            .unwrap();
        assert_eq!(rooms.summary(&room, &alice).unwrap().heroes, None);
        rooms
            .did(
                &room,
                state(&alice, "m.room.name", "", &json!({"name": ""})),
            )
            .await
            .unwrap();
        assert!(rooms.summary(&room, &alice).unwrap().heroes.is_some());
    }

    #[tokio::test]
    async fn heroes_are_found_behind_many_who_left() {
        let rooms = rooms();
        let alice = user("alice");
        let room = rooms.public_room(RoomVersionId::V12).await;
        for n in 0..LOOKS {
            let gone = user(&format!("b{n:04}"));
            let come_and_go = vec![member(&gone, &gone, "join"), member(&gone, &gone, "leave")];
            rooms.append(&room, |_| Ok(come_and_go)).await.unwrap();
        }
        let zoe = user("zoe");
        rooms.did(&room, member(&zoe, &zoe, "join")).await.unwrap();
        let summary = rooms.summary(&room, &alice).unwrap();
        assert_eq!(summary.heroes, Some(vec![zoe]));
    }

    #[tokio::test]
    async fn an_invite_shows_the_room_as_it_was() {
        let rooms = rooms();
        let (alice, bob) = (user("alice"), user("bob"));
        let room = rooms.public_room(RoomVersionId::V12).await;
        rooms
            .did(
                &room,
                state(&alice, "m.room.name", "", &json!({"name": "Before"})),
            )
            .await
            .unwrap();
        let invite = rooms
            .did(&room, member(&alice, &bob, "invite"))
            .await
            .unwrap();
        rooms
            .did(
                &room,
                state(&alice, "m.room.name", "", &json!({"name": "After"})),
            )
            .await
            .unwrap();
        let stripped = rooms.stripped_state(&invite).unwrap();
        let stripped: Vec<Value> = stripped
            .iter()
            .map(|event| serde_json::from_str(event.get()).unwrap())
            .collect();
        let kinds: Vec<_> = stripped
            .iter()
            .map(|event| event["type"].as_str().unwrap())
            .collect();
        assert_eq!(
            kinds,
            [
                "m.room.create",
                "m.room.name",
                "m.room.join_rules",
                "m.room.member",
                "m.room.member"
            ]
        );
        assert_eq!(stripped[1]["content"]["name"], "Before");
        assert_eq!(stripped[4]["state_key"], bob.as_str());
        assert!(stripped.iter().all(|event| event.get("event_id").is_none()));
    }

    #[tokio::test]
    async fn the_state_but_members_is_complete() {
        let rooms = rooms();
        let alice = user("alice");
        let room = rooms.public_room(RoomVersionId::V12).await;
        for kind in ["m.room.membe", "m.room.member_", "m.room.members", "a", "z"] {
            rooms
                .did(&room, state(&alice, kind, "k", &json!({})))
                .await
                .unwrap();
        }
        let mut expected: Vec<_> = rooms
            .list_state(&room)
            .unwrap()
            .into_iter()
            .map(|e| e.pdu.kind.to_string())
            .collect();
        expected.retain(|kind| kind != "m.room.member");
        let found: Vec<_> = rooms
            .list_state_keys_but_members(&room)
            .unwrap()
            .into_iter()
            .map(|(kind, _)| kind)
            .collect();
        assert_eq!(found, expected);
        assert_eq!(found.len(), 8);
    }
}
