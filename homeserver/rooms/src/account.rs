//! What happens in a user's rooms when something happens to their account.

use std::collections::HashSet;

use orvale_storage::{Position, trees::rooms::Membership};
use ruma::{UserId, events::StateEventType};
use tokio::task::JoinSet;

use crate::{
    Rooms,
    append::membership,
    error::{Error, Result},
    json::object,
    member::MemberContent,
};

/// How many rooms are told of a new profile at once.
const ROOMS_AT_ONCE: usize = 16;

impl Rooms {
    /// Brings the member events of a user's rooms up to date with display name and avatar of the profile, some rooms at a
    /// time. A room that refuses keeps the old ones, and the others go on.
    ///
    /// # Errors
    /// Storage's.
    pub async fn update_profile(&self, user: &UserId) -> Result<()> {
        let mut updates: JoinSet<Result<()>> = JoinSet::new();
        for number in self.numbers(user, |membership| membership == Membership::Join)? {
            if updates.len() >= ROOMS_AT_ONCE
                && let Some(done) = updates.join_next().await
            {
                done.map_err(|e| Error::Internal(e.to_string()))??;
            }
            let (rooms, user) = (self.clone(), user.to_owned());
            updates.spawn(async move { rooms.update_profile_in(&user, number).await });
        }
        while let Some(done) = updates.join_next().await {
            done.map_err(|e| Error::Internal(e.to_string()))??;
        }
        Ok(())
    }

    async fn update_profile_in(&self, user: &UserId, number: Position) -> Result<()> {
        const SHOWN: [&str; 2] = ["displayname", "avatar_url"];
        let room = self.get_number(number)?;
        let updated = self.append(&room, |view| {
            let Some(member) = view.state(&StateEventType::RoomMember, user.as_str())? else {
                return Ok(Vec::new());
            };
            if membership(&member) != Some(Membership::Join) {
                return Ok(Vec::new());
            }
            // Read under the room's lock: of two changes at once, the later one stays in every room.
            let profile = self.member_profile(user)?;
            let before = object(&member.content)?;
            if SHOWN
                .iter()
                .all(|key| before.get(*key) == profile.get(*key))
            {
                return Ok(Vec::new());
            }
            let kept = "join_authorised_via_users_server";
            // What else the user said of their membership goes with the event it was said in.
            let mut after = MemberContent::new("join").or(&profile);
            if let Some(by) = before.get(kept) {
                after = after.with(kept, by.clone());
            }
            Ok(vec![after.draft(user, user)])
        });
        match updated.await {
            Ok(_) => Ok(()),
            Err(Error::Storage(error)) => Err(error.into()),
            Err(error) => {
                tracing::warn!(room_id = %room.id, user_id = %user, %error, "profile not updated");
                Ok(())
            }
        }
    }

    /// Makes a user leave all rooms, turn down all invites and take back all knocks. A room that refuses is passed over.
    ///
    /// # Errors
    /// Storage's.
    pub async fn leave_all(&self, user: &UserId) -> Result<()> {
        let present = |membership| {
            matches!(
                membership,
                Membership::Join | Membership::Invite | Membership::Knock
            )
        };
        for number in self.numbers(user, present)? {
            let room = self.get_number(number)?;
            match self.leave(user, &room, None).await {
                Ok(()) => {}
                Err(Error::Storage(error)) => return Err(error.into()),
                Err(error) => {
                    tracing::warn!(room_id = %room.id, user_id = %user, %error, "room not left");
                }
            }
        }
        Ok(())
    }

    /// Whether two users are joined to a room together.
    ///
    /// # Errors
    /// Storage's.
    pub fn share_a_room(&self, one: &UserId, other: &UserId) -> Result<bool> {
        let joined = |membership| membership == Membership::Join;
        let mine: HashSet<Position> = self.numbers(one, joined)?.into_iter().collect();
        Ok(self
            .numbers(other, joined)?
            .iter()
            .any(|room| mine.contains(room)))
    }

    /// The rooms that two users are both joined to, in the order in which this server came to know them.
    ///
    /// # Errors
    /// Storage's.
    pub fn list_shared_rooms(&self, one: &UserId, other: &UserId) -> Result<Vec<Position>> {
        let joined = |membership| membership == Membership::Join;
        let theirs: HashSet<Position> = self.numbers(other, joined)?.into_iter().collect();
        let mut shared = self.numbers(one, joined)?;
        shared.retain(|room| theirs.contains(room));
        Ok(shared)
    }

    /// The rooms in which a user stands so.
    fn numbers(&self, user: &UserId, is_so: impl Fn(Membership) -> bool) -> Result<Vec<Position>> {
        let memberships = self.list_memberships(user)?.into_iter();
        Ok(memberships
            .filter(|(_, record)| is_so(record.membership))
            .map(|(room, _)| room)
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{NewRoom, testing::rooms};

    #[tokio::test]
    async fn every_room_shows_the_last_of_many_names() {
        let rooms = rooms();
        let [alice] = rooms.people(["alice"]).await;
        for _ in 0..40 {
            rooms.create(&alice, NewRoom::default()).await.unwrap();
        }
        let mut tasks = JoinSet::new();
        for n in 0..5 {
            let name = format!("Alice {n}");
            rooms
                .users()
                .set_profile_field(&alice, "displayname", name.into())
                .await
                .unwrap();
            let (rooms, alice) = (rooms.clone(), alice.clone());
            tasks.spawn(async move { rooms.update_profile(&alice).await });
        }
        while let Some(done) = tasks.join_next().await {
            done.unwrap().unwrap();
        }
        for (number, record) in rooms.list_memberships(&alice).unwrap() {
            let member = rooms.event(record.event).unwrap();
            let name = member.pdu.content_field::<String>("displayname");
            assert_eq!(name.as_deref(), Some("Alice 4"), "room {number}");
        }
    }

    #[tokio::test]
    async fn who_comes_after_somebody_was_erased_reads_nothing_of_them() {
        use crate::{Preset, testing::text};
        let rooms = rooms();
        let [alice, bob, carol] = rooms.people(["alice", "bob", "carol"]).await;
        let new = NewRoom {
            preset: Preset::Public,
            ..NewRoom::default()
        };
        let room = rooms.create(&alice, new).await.unwrap();
        rooms.join(&bob, &room, None).await.unwrap();
        let said = rooms.did(&room, text(&bob, "secret words")).await.unwrap();
        rooms.users().deactivate(&bob, true).await.unwrap();
        rooms.leave_all(&bob).await.unwrap();
        rooms.join(&carol, &room, None).await.unwrap();
        let read = |who: &UserId| {
            let shown = rooms
                .get_event(who, "D", &room.id, said.event_id())
                .unwrap();
            shown
                .event
                .client_format(&shown.reader)
                .unwrap()
                .to_string()
        };
        assert!(read(&alice).contains("secret words"));
        let redacted = read(&carol);
        assert!(!redacted.contains("secret words"), "{redacted}");
        assert!(redacted.contains(bob.as_str()) && redacted.contains("\"content\":{}"));
    }
}
