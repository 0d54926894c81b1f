//! Leaving and forgetting.

use std::sync::Arc;

use orvale_storage::{
    Batch, Entry,
    trees::rooms::{MEMBERSHIPS, Membership, MembershipRecord},
};
use ruma::UserId;

use crate::{
    Room, Rooms,
    error::{Error, Result},
    member::MemberContent,
};

impl Rooms {
    /// Leaves a room, turns an invite down or takes a knock back. Who has left already stays so.
    ///
    /// # Errors
    /// [`Error::NotJoined`] for strangers, [`Error::Forbidden`] for the banned, [`Error::PartialState`] where it cannot be said yet how
    /// they stand.
    pub async fn leave(&self, user: &UserId, room: &Arc<Room>, reason: Option<&str>) -> Result<()> {
        if self.stands_outside(user, room)? {
            return self.leave_from_outside(user, room, reason).await;
        }
        self.await_standing(user, room).await?;
        self.append(room, |view| match view.membership(user)? {
            None => Err(Error::NotJoined),
            Some(Membership::Ban) => {
                Err(Error::Forbidden("you are banned from this room".to_owned()))
            }
            Some(Membership::Leave) => Ok(Vec::new()),
            Some(Membership::Join | Membership::Invite | Membership::Knock) => {
                let content = MemberContent::new("leave").reason(reason);
                Ok(vec![content.draft(user, user)])
            }
        })
        .await?;
        self.typing().stop(room.number, user);
        Ok(())
    }

    /// Forgets a room that the user has left: it is in no list of theirs any more, and its history is closed to them.
    ///
    /// # Errors
    /// [`Error::StillInRoom`], [`Error::NotJoined`] for strangers.
    pub async fn forget(&self, user: &UserId, room: &Room) -> Result<()> {
        loop {
            let before = self.find_membership(room, user)?.ok_or(Error::NotJoined)?;
            match before.membership {
                Membership::Leave | Membership::Ban => {}
                Membership::Join | Membership::Invite | Membership::Knock => {
                    return Err(Error::StillInRoom);
                }
            }
            if before.forgotten {
                return Ok(());
            }
            let after = MembershipRecord {
                forgotten: true,
                ..before
            };
            let mut batch = Batch::new();
            batch
                .expect(&MEMBERSHIPS, (user, room.number), Some(&before))
                .put(&MEMBERSHIPS, (user, room.number), &after)
                .log(Entry::Forgotten {
                    user_id: user.to_string(),
                    room: room.number,
                });
            match self.store().commit(batch).await {
                Ok(_) => return Ok(()),
                // They were invited again meanwhile: asked anew.
                Err(orvale_storage::Error::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}
