//! Direct messages: the one room in which two people of this server write each other.
//!
//! Any client may make rooms it calls direct, as many as it likes. Who asks here gets one, and always the same: `DIRECT_ROOMS` keeps which, and
//! claims it in the batch that makes the room, so that two who write each other first at the same moment meet in one room.

use std::sync::Arc;

use orvale_storage::{
    Batch, Position,
    trees::rooms::{DIRECT_ROOMS, HEADS, Membership},
};
use ruma::{OwnedRoomId, OwnedUserId, UserId, events::StateEventType};
use serde_json::json;

use crate::{
    NewRoom, Preset, Room, Rooms,
    error::{Error, Result},
    json::raw,
};

/// How many of a user's direct rooms are looked at for one to go on with, the newest first.
const MAX_LOOKS: usize = 20;
/// How many upgrades of a room are followed.
const MAX_UPGRADES: usize = 20;

/// The room in which two people write each other.
#[derive(Debug, Clone)]
pub struct Direct {
    /// The room; who asked is joined.
    pub room: Arc<Room>,
    /// Whether it was made now.
    pub is_new: bool,
}

impl Rooms {
    /// The room in which two people write each other: theirs if they have one, a new one else. Who asks is joined, the other joined or
    /// invited, and `m.direct` of both says so.
    ///
    /// # Errors
    /// [`Error::InvalidParam`] for oneself, [`Error::UnknownUser`], [`Error::RemoteUser`], [`Error::InviteBlocked`].
    pub async fn direct(&self, user: &UserId, other: &UserId, encrypted: bool) -> Result<Direct> {
        if user == other {
            let why = "a direct message is for somebody else than yourself";
            return Err(Error::InvalidParam(why.to_owned()));
        }
        if !self.is_local(other) {
            return Err(Error::RemoteUser(other.to_owned()));
        }
        if !self.users().exists(other)? {
            return Err(Error::UnknownUser(other.to_owned()));
        }
        loop {
            let kept = self.store().get(&DIRECT_ROOMS, pair(user, other))?;
            let kept_room = kept.map(|number| self.get_number(number)).transpose()?;
            let found = match kept_room.map(|room| self.newest(room)).transpose()? {
                Some(room) if self.go_on_in(user, other, &room).await? => Some(room),
                _ => self.adopt(user, other).await?,
            };
            if let Some(room) = found {
                if !self.keep(user, other, kept, room.number).await? {
                    continue;
                }
                self.call_direct(user, other, &room).await?;
                let is_new = false;
                return Ok(Direct { room, is_new });
            }
            match self.make_direct(user, other, encrypted, kept).await {
                Ok(room) => {
                    self.call_direct(user, other, &room).await?;
                    let is_new = true;
                    return Ok(Direct { room, is_new });
                }
                // The other one was quicker, and that room is there now.
                Err(Error::Storage(orvale_storage::Error::Conflict { .. })) => {}
                Err(error) => return Err(error),
            }
        }
    }

    async fn make_direct(
        &self,
        user: &UserId,
        other: &UserId,
        encrypted: bool,
        kept: Option<Position>,
    ) -> Result<Arc<Room>> {
        self.check_invitable(user, other)?;
        let encryption =
            json!({"type": "m.room.encryption", "content": {"algorithm": "m.megolm.v1.aes-sha2"}});
        let new = NewRoom {
            preset: Preset::TrustedPrivate,
            initial_state: encrypted.then(|| raw(&encryption)).into_iter().collect(),
            invite: vec![other.to_owned()],
            is_direct: true,
            ..NewRoom::default()
        };
        self.create_with(user, new, |room, batch| {
            batch
                .expect(&DIRECT_ROOMS, pair(user, other), kept.as_ref())
                .put(&DIRECT_ROOMS, pair(user, other), &room.number);
        })
        .await
    }

    /// Notes which room it is; false if somebody else noted another meanwhile.
    async fn keep(
        &self,
        user: &UserId,
        other: &UserId,
        kept: Option<Position>,
        room: Position,
    ) -> Result<bool> {
        if kept == Some(room) {
            return Ok(true);
        }
        let mut batch = Batch::new();
        batch
            .expect(&DIRECT_ROOMS, pair(user, other), kept.as_ref())
            .put(&DIRECT_ROOMS, pair(user, other), &room);
        match self.store().commit(batch).await {
            Ok(_) => Ok(true),
            Err(orvale_storage::Error::Conflict { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// A room of just these two that one of them calls direct already, made by some client.
    async fn adopt(&self, user: &UserId, other: &UserId) -> Result<Option<Arc<Room>>> {
        let rooms = self.users().direct_rooms(user, other)?;
        for id in rooms.iter().rev().take(MAX_LOOKS) {
            let Some(room) = self.find(id)? else { continue };
            let room = self.newest(room)?;
            if self.are_two(&room)? && self.go_on_in(user, other, &room).await? {
                return Ok(Some(room));
            }
        }
        Ok(None)
    }

    /// Whether two people can write each other in a room, who asks being joined and the other there or invited again.
    async fn go_on_in(&self, user: &UserId, other: &UserId, room: &Arc<Room>) -> Result<bool> {
        let standing = |who: &UserId| -> Result<Option<Membership>> {
            let found = self.find_membership(room, who)?;
            Ok(found.map(|record| record.membership))
        };
        match standing(user)? {
            Some(Membership::Join) => {}
            Some(Membership::Invite) => match self.join(user, room, None).await {
                Ok(()) => {}
                Err(Error::Forbidden(_)) => return Ok(false),
                Err(error) => return Err(error),
            },
            // Nobody is there any more to let them in again.
            _ => return Ok(false),
        }
        match standing(other)? {
            Some(Membership::Join | Membership::Invite) => Ok(true),
            Some(Membership::Ban) => Ok(false),
            _ => match self.invite(user, other, room, None).await {
                Ok(()) => Ok(true),
                // They came while we asked, or the room does not let us.
                Err(Error::Forbidden(_)) => Ok(matches!(
                    standing(other)?,
                    Some(Membership::Join | Membership::Invite)
                )),
                Err(error) => Err(error),
            },
        }
    }

    /// The room that has taken the place of one, if one has.
    fn newest(&self, room: Arc<Room>) -> Result<Arc<Room>> {
        let mut room = room;
        for _ in 0..MAX_UPGRADES {
            let tombstone = self.find_state(&room, &StateEventType::RoomTombstone, "")?;
            let next = tombstone
                .and_then(|event| event.pdu.content_field::<OwnedRoomId>("replacement_room"));
            match next.map(|id| self.find(&id)).transpose()?.flatten() {
                Some(next) if self.is_successor(&next, &room)? => room = next,
                _ => break,
            }
        }
        Ok(room)
    }

    /// Whether a room says itself that it takes the place of another, and is no larger. Either of the two could name any room as the next, one of
    /// many others among them, to be asked into it.
    fn is_successor(&self, next: &Room, room: &Room) -> Result<bool> {
        #[derive(serde::Deserialize)]
        struct Predecessor {
            room_id: OwnedRoomId,
        }
        let create = self.find_state(next, &StateEventType::RoomCreate, "")?;
        let before = create.and_then(|event| event.pdu.content_field::<Predecessor>("predecessor"));
        Ok(before.is_some_and(|before| before.room_id == room.id) && self.are_two(next)?)
    }

    /// Who is in a room or invited.
    pub(crate) fn people_in(&self, room: &Room) -> Result<Vec<OwnedUserId>> {
        let members = self.list_state_keys(room, &StateEventType::RoomMember)?;
        let is_there =
            |membership| matches!(membership, Some(Membership::Join | Membership::Invite));
        Ok(members
            .into_iter()
            .filter(|(_, record)| is_there(record.membership))
            .filter_map(|(id, _)| OwnedUserId::try_from(id).ok())
            .collect())
    }

    /// Whether it is the room in which the two people in it write each other.
    pub(crate) fn is_kept_as_direct(&self, room: &Room, people: &[OwnedUserId]) -> Result<bool> {
        let [one, other] = people else {
            return Ok(false);
        };
        if !self.is_local(one) || !self.is_local(other) {
            return Ok(false);
        }
        let kept = self.store().get(&DIRECT_ROOMS, pair(one, other))?;
        Ok(kept == Some(room.number))
    }

    /// Whether at most two people are in a room or invited.
    pub(crate) fn are_two(&self, room: &Room) -> Result<bool> {
        let head = self.store().get(&HEADS, (room.number,))?;
        Ok(head.is_some_and(|head| head.joined + head.invited <= 2))
    }

    /// Lists a room among the direct ones of both.
    async fn call_direct(&self, user: &UserId, other: &UserId, room: &Room) -> Result<()> {
        self.users().add_direct_room(user, other, &room.id).await?;
        self.users().add_direct_room(other, user, &room.id).await?;
        Ok(())
    }
}

fn pair<'a>(one: &'a UserId, other: &'a UserId) -> (&'a str, &'a str) {
    let (one, other) = (one.localpart(), other.localpart());
    (one.min(other), one.max(other))
}

#[cfg(test)]
mod tests {
    use tokio::task::JoinSet;

    use super::*;
    use crate::testing::{rooms, user};

    fn membership(rooms: &Rooms, room: &Room, user: &UserId) -> Membership {
        let found = rooms.find_membership(room, user).unwrap();
        found.unwrap().membership
    }

    #[tokio::test]
    async fn many_who_ask_at_once_get_one_room() {
        let rooms = rooms();
        let [alice, bob] = rooms.people(["alice", "bob"]).await;
        let mut asking = JoinSet::new();
        for n in 0..10 {
            let (rooms, alice, bob) = (rooms.clone(), alice.clone(), bob.clone());
            asking.spawn(async move {
                let (one, other): (OwnedUserId, OwnedUserId) = match n % 2 {
                    0 => (alice, bob),
                    _ => (bob, alice),
                };
                rooms.direct(&one, &other, false).await.unwrap()
            });
        }
        let answers = asking.join_all().await;
        assert_eq!(answers.iter().filter(|direct| direct.is_new).count(), 1);
        let room = &answers[0].room;
        assert!(answers.iter().all(|direct| direct.room.id == room.id));
        for (one, other) in [(&alice, &bob), (&bob, &alice)] {
            assert_eq!(membership(&rooms, room, one), Membership::Join);
            let listed = rooms.users().direct_rooms(one, other).unwrap();
            assert_eq!(listed, std::slice::from_ref(&room.id));
        }
    }

    #[tokio::test]
    async fn who_left_is_asked_in_again_and_a_room_both_left_is_not_taken_up() {
        let rooms = rooms();
        let [alice, bob] = rooms.people(["alice", "bob"]).await;
        let first = rooms.direct(&alice, &bob, true).await.unwrap().room;
        let kind = StateEventType::RoomEncryption;
        assert!(rooms.find_state(&first, &kind, "").unwrap().is_some());
        rooms.leave(&bob, &first, None).await.unwrap();
        let again = rooms.direct(&alice, &bob, false).await.unwrap();
        assert!(!again.is_new && again.room.id == first.id);
        assert_eq!(membership(&rooms, &first, &bob), Membership::Invite);
        rooms.leave(&alice, &first, None).await.unwrap();
        let second = rooms.direct(&alice, &bob, false).await.unwrap();
        assert!(second.is_new && second.room.id != first.id);
        let met = rooms.direct(&bob, &alice, false).await.unwrap();
        assert_eq!(met.room.id, second.room.id);
    }

    #[tokio::test]
    async fn a_room_that_another_client_made_direct_is_gone_on_with() {
        let rooms = rooms();
        let [alice, bob] = rooms.people(["alice", "bob"]).await;
        let new = NewRoom {
            invite: vec![bob.clone()],
            is_direct: true,
            ..NewRoom::default()
        };
        let made = rooms.create(&alice, new).await.unwrap();
        let content = json!({bob.as_str(): ["!gone:orvale.test", made.id]}).to_string();
        let users = rooms.users();
        let set = users.set_account_data(&alice, None, "m.direct", &content);
        set.await.unwrap();
        let direct = rooms.direct(&alice, &bob, false).await.unwrap();
        assert!(!direct.is_new && direct.room.id == made.id);
    }

    #[tokio::test]
    async fn an_upgraded_direct_room_is_followed() {
        let rooms = rooms();
        let [alice, bob] = rooms.people(["alice", "bob"]).await;
        let old = rooms.direct(&alice, &bob, false).await.unwrap().room;
        let version = ruma::RoomVersionId::V12;
        let new = rooms.upgrade(&alice, &old, version, &[]).await.unwrap();
        let direct = rooms.direct(&alice, &bob, false).await.unwrap();
        assert!(!direct.is_new && direct.room.id == new.id);
        assert_eq!(membership(&rooms, &new, &bob), Membership::Invite);
    }

    #[tokio::test]
    async fn a_room_that_only_one_side_calls_the_next_is_not_gone_to() {
        let rooms = rooms();
        let [alice, mallory] = rooms.people(["alice", "mallory"]).await;
        let secret = rooms.create(&alice, NewRoom::default()).await.unwrap();
        let room = rooms.direct(&alice, &mallory, false).await.unwrap().room;
        rooms.join(&mallory, &room, None).await.unwrap();
        let next = json!({"body": "", "replacement_room": secret.id});
        let lure = crate::testing::state(&mallory, "m.room.tombstone", "", &next);
        let lured = rooms.did(&room, lure).await;
        let direct = rooms.direct(&alice, &mallory, false).await.unwrap();
        assert_eq!(direct.room.id, room.id, "{lured:?}");
        assert!(rooms.find_membership(&secret, &mallory).unwrap().is_none());
    }

    #[tokio::test]
    async fn there_is_no_direct_message_to_oneself_or_to_nobody() {
        let rooms = rooms();
        let [alice] = rooms.people(["alice"]).await;
        let asked = rooms.direct(&alice, &alice, false).await;
        assert!(matches!(asked, Err(Error::InvalidParam(_))));
        let asked = rooms.direct(&alice, &user("nobody"), false).await;
        assert!(matches!(asked, Err(Error::UnknownUser(_))));
    }
}
