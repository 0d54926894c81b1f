//! What happens in a user's rooms when something happens to their account.

use std::collections::HashSet;

use orvale_storage::{Position, trees::rooms::Membership};
use ruma::{UserId, events::StateEventType};

use crate::{
    Rooms,
    error::{Error, Result},
    json::Object,
    member::MemberContent,
};

impl Rooms {
    /// Brings the member events of a user's rooms up to date with display name and avatar of the profile. A room that refuses
    /// keeps the old ones, and the others go on.
    ///
    /// # Errors
    /// Storage's.
    pub async fn update_profile(&self, user: &UserId) -> Result<()> {
        let profile = self.member_profile(user)?;
        for number in self.numbers(user, |membership| membership == Membership::Join)? {
            let room = self.get_number(number)?;
            let updated = self.append(&room, |view| {
                if view.membership(user)? != Some(Membership::Join) {
                    return Ok(Vec::new());
                }
                let member = view.state(&StateEventType::RoomMember, user.as_str())?;
                let before = member
                    .and_then(|member| serde_json::from_str::<Object>(member.content.get()).ok());
                // What else the user said of their membership goes with the event it was said in.
                let mut after = MemberContent::new("join").or(&profile);
                if let Some(by) = before
                    .as_ref()
                    .and_then(|before| before.get("join_authorised_via_users_server"))
                {
                    after = after.with("join_authorised_via_users_server", by.clone());
                }
                let shown = |key: &str| {
                    before.as_ref().and_then(|before| before.get(key)) == profile.get(key)
                };
                if shown("displayname") && shown("avatar_url") {
                    return Ok(Vec::new());
                }
                Ok(vec![after.draft(user, user)])
            });
            match updated.await {
                Ok(_) => {}
                Err(Error::Storage(error)) => return Err(error.into()),
                Err(error) => {
                    tracing::warn!(room_id = %room.id, user_id = %user, %error, "profile not updated")
                }
            }
        }
        Ok(())
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
                    tracing::warn!(room_id = %room.id, user_id = %user, %error, "room not left")
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

    /// The rooms in which a user stands so.
    fn numbers(&self, user: &UserId, is_so: impl Fn(Membership) -> bool) -> Result<Vec<Position>> {
        let memberships = self.list_memberships(user)?.into_iter();
        Ok(memberships
            .filter(|(_, record)| is_so(record.membership))
            .map(|(room, _)| room)
            .collect())
    }
}
