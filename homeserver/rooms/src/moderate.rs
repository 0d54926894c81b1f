//! What members do to others: inviting, kicking, banning, unbanning.

use std::sync::Arc;

use orvale_storage::trees::rooms::Membership;
use ruma::UserId;

use crate::{
    Room, Rooms,
    error::{Error, Result},
    member::MemberContent,
};

impl Rooms {
    /// Invites a user.
    ///
    /// # Errors
    /// [`Error::Forbidden`] if the sender may not, or the user is in the room or banned; [`Error::UnknownUser`];
    /// [`Error::RemoteUser`].
    pub async fn invite(
        &self,
        sender: &UserId,
        target: &UserId,
        room: &Arc<Room>,
        reason: Option<&str>,
    ) -> Result<()> {
        let content = MemberContent::new("invite").reason(reason);
        if !self.is_local(target) && self.is_federated() {
            self.must_be_joined(sender, room)?;
            return self.invite_remote(sender, target, room, content).await;
        }
        self.set_membership_of(sender, target, room, content, |now| match now {
            Some(Membership::Join) => Err(forbidden("they are already in the room")),
            Some(Membership::Ban) => Err(forbidden("they are banned from the room")),
            Some(Membership::Invite | Membership::Knock | Membership::Leave) | None => Ok(()),
        })
        .await
    }

    /// Puts a user out of a room, or takes their invite or knock back.
    ///
    /// # Errors
    /// [`Error::Forbidden`] if the sender may not, or the user is not in the room.
    pub async fn kick(
        &self,
        sender: &UserId,
        target: &UserId,
        room: &Arc<Room>,
        reason: Option<&str>,
    ) -> Result<()> {
        let content = MemberContent::new("leave").reason(reason);
        self.set_membership_of(sender, target, room, content, |now| match now {
            Some(Membership::Join | Membership::Invite | Membership::Knock) => Ok(()),
            // A kick would lift the ban.
            Some(Membership::Ban | Membership::Leave) | None => {
                Err(forbidden("they are not in the room"))
            }
        })
        .await?;
        self.typing().stop(room.number, target);
        Ok(())
    }

    /// Keeps a user out of a room, whether they are in it or not.
    ///
    /// # Errors
    /// [`Error::Forbidden`] if the sender may not.
    pub async fn ban(
        &self,
        sender: &UserId,
        target: &UserId,
        room: &Arc<Room>,
        reason: Option<&str>,
    ) -> Result<()> {
        let content = MemberContent::new("ban").reason(reason);
        self.set_membership_of(sender, target, room, content, |_| Ok(()))
            .await?;
        self.typing().stop(room.number, target);
        Ok(())
    }

    /// Lifts a ban.
    ///
    /// # Errors
    /// [`Error::Forbidden`] if the sender may not, or the user is not banned.
    pub async fn unban(
        &self,
        sender: &UserId,
        target: &UserId,
        room: &Arc<Room>,
        reason: Option<&str>,
    ) -> Result<()> {
        let content = MemberContent::new("leave").reason(reason);
        self.set_membership_of(sender, target, room, content, |now| match now {
            Some(Membership::Ban) => Ok(()),
            _ => Err(forbidden("they are not banned from the room")),
        })
        .await
    }

    async fn set_membership_of(
        &self,
        sender: &UserId,
        target: &UserId,
        room: &Arc<Room>,
        content: MemberContent,
        check: impl FnOnce(Option<Membership>) -> Result<()> + Send,
    ) -> Result<()> {
        let content = if content.is("invite") {
            // Who may not invite is not told who exists.
            self.must_be_joined(sender, room)?;
            self.check_invitable(sender, target)?;
            content.or(&self.member_profile(target)?)
        } else {
            content
        };
        self.append(room, |view| {
            if view.membership(sender)? != Some(Membership::Join) {
                return Err(Error::NotJoined);
            }
            check(view.membership(target)?)?;
            Ok(vec![content.draft(sender, target)])
        })
        .await?;
        Ok(())
    }
}

pub(crate) fn forbidden(reason: &str) -> Error {
    Error::Forbidden(reason.to_owned())
}
