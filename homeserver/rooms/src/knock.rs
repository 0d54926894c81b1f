//! Knocking.

use std::sync::Arc;

use orvale_storage::trees::rooms::Membership;
use ruma::UserId;

use crate::{Room, Rooms, error::Result, member::MemberContent, moderate::forbidden};

impl Rooms {
    /// Knocks on a room. Who has knocked already stays so.
    ///
    /// # Errors
    /// [`crate::Error::Forbidden`] if the room takes no knocks, or the user is in it, invited or banned;
    /// [`crate::Error::PartialState`] where it cannot be said yet how they stand.
    pub async fn knock(&self, user: &UserId, room: &Arc<Room>, reason: Option<&str>) -> Result<()> {
        self.await_standing(user, room).await?;
        let profile = self.member_profile(user)?;
        self.append(room, |view| match view.membership(user)? {
            Some(Membership::Knock) => Ok(Vec::new()),
            Some(Membership::Join) => Err(forbidden("you are already in the room")),
            Some(Membership::Invite) => Err(forbidden("you are invited: join the room")),
            Some(Membership::Ban) => Err(forbidden("you are banned from this room")),
            Some(Membership::Leave) | None => {
                let content = MemberContent::new("knock").or(&profile).reason(reason);
                Ok(vec![content.draft(user, user)])
            }
        })
        .await?;
        Ok(())
    }
}
