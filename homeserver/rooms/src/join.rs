//! Joining.

use std::sync::Arc;

use orvale_storage::trees::rooms::{CURRENT_STATE, Membership};
use ruma::{
    OwnedUserId, UserId,
    events::{StateEventType, room::guest_access::GuestAccess},
    room::{AllowRule, JoinRule, Restricted},
};

use crate::{
    Draft, Room, Rooms, View,
    error::{Error, Result},
    json::Object,
    member::MemberContent,
};

/// How many members are looked at when somebody with the power to invite is wanted.
const CANDIDATES: usize = 10_000;

impl Rooms {
    /// Joins a room. Who is joined already stays so.
    ///
    /// # Errors
    /// [`Error::Forbidden`]; for restricted rooms also [`Error::UnableToAuthoriseJoin`] and [`Error::UnableToGrantJoin`];
    /// [`Error::PartialState`] where it cannot be said yet how they stand.
    pub async fn join(&self, user: &UserId, room: &Arc<Room>, reason: Option<&str>) -> Result<()> {
        self.await_standing(user, room).await?;
        let profile = self.member_profile(user)?;
        let joined = self
            .append(room, |view| {
                if view.membership(user)? == Some(Membership::Join) {
                    return Ok(Vec::new());
                }
                let content = MemberContent::new("join").or(&profile).reason(reason);
                Ok(vec![self.join_draft(view, user, content)?])
            })
            .await?;
        if !joined.is_empty() {
            self.carry_over(user, room).await;
        }
        Ok(())
    }

    /// The join of a user who is not yet joined, with whatever lets them in.
    pub(crate) fn join_draft(
        &self,
        view: &mut View<'_>,
        user: &UserId,
        content: MemberContent,
    ) -> Result<Draft> {
        let authoriser = match view.membership(user)? {
            Some(Membership::Ban) => {
                return Err(Error::Forbidden("you are banned from this room".to_owned()));
            }
            Some(Membership::Join | Membership::Invite) => None,
            Some(Membership::Knock | Membership::Leave) | None => self.authoriser(view, user)?,
        };
        if self.is_local(user) && self.users().is_guest(user)? {
            let access = view.state(&StateEventType::RoomGuestAccess, "")?;
            if access.and_then(|event| event.content_field("guest_access"))
                != Some(GuestAccess::CanJoin)
            {
                return Err(Error::GuestsForbidden);
            }
        }
        let content = match authoriser {
            Some(authoriser) => {
                content.with("join_authorised_via_users_server", authoriser.as_str())
            }
            None => content,
        };
        Ok(content.draft(user, user))
    }

    /// Who lets a user in whom nobody invited, where the room asks for that.
    fn authoriser(&self, view: &mut View<'_>, user: &UserId) -> Result<Option<OwnedUserId>> {
        let rules = view.state(&StateEventType::RoomJoinRules, "")?;
        let rules = rules.and_then(|event| event.content_as::<JoinRule>().ok());
        let restricted = match rules {
            Some(JoinRule::Public) => return Ok(None),
            Some(JoinRule::Restricted(restricted))
                if view.room().rules.authorization.restricted_join_rule =>
            {
                restricted
            }
            Some(JoinRule::KnockRestricted(restricted))
                if view.room().rules.authorization.knock_restricted_join_rule =>
            {
                restricted
            }
            _ => {
                return Err(Error::Forbidden(
                    "you need an invite to join this room".to_owned(),
                ));
            }
        };
        self.check_allowed(user, &restricted)?;
        self.inviter(view)?
            .map(Some)
            .ok_or(Error::UnableToGrantJoin)
    }

    /// Whether the user is in one of the rooms whose members may join.
    pub(crate) fn check_allowed(&self, user: &UserId, restricted: &Restricted) -> Result<()> {
        let mut knows_all = true;
        for rule in &restricted.allow {
            let AllowRule::RoomMembership(rule) = rule else {
                continue;
            };
            let Some(other) = self.find(&rule.room_id)? else {
                knows_all = false;
                continue;
            };
            if self.is_joined(user, &other)? {
                return Ok(());
            }
            // A room that nobody of this server is in any more is known only as it was.
            knows_all &= self.has_local_member(&other)?;
        }
        if knows_all {
            Err(Error::Forbidden(
                "you are in none of the rooms whose members may join".to_owned(),
            ))
        } else {
            Err(Error::UnableToAuthoriseJoin)
        }
    }

    pub(crate) fn has_local_member(&self, room: &Room) -> Result<bool> {
        Ok(self.find_joined_local(room, |_| Ok(true))?.is_some())
    }

    /// A local member with the power to invite.
    fn inviter(&self, view: &mut View<'_>) -> Result<Option<OwnedUserId>> {
        let levels = view.power_levels()?;
        let creators = levels.rules.privileged_creators.iter().flatten();
        let named: Vec<_> = creators.chain(levels.users.keys()).cloned().collect();
        for user in named {
            if self.is_local(&user)
                && levels.user_can_invite(&user)
                && view.membership(&user)? == Some(Membership::Join)
            {
                return Ok(Some(user));
            }
        }
        if levels.users_default < levels.invite {
            return Ok(None);
        }
        // Looked up in the store, then held against the room as it stands.
        let room = view.room();
        self.find_joined_local(room, |user| {
            Ok(levels.user_can_invite(user) && view.membership(user)? == Some(Membership::Join))
        })
    }

    /// The first local member for whom `is_fit` holds.
    pub(crate) fn find_joined_local(
        &self,
        room: &Room,
        mut is_fit: impl FnMut(&UserId) -> Result<bool>,
    ) -> Result<Option<OwnedUserId>> {
        let kind = StateEventType::RoomMember.to_string();
        let (mut after, mut looked_at) = (String::new(), 0);
        while looked_at < CANDIDATES {
            let from = (room.number, &kind, &after);
            // The keys of the next type sort after all of this one's.
            let to = (room.number, format!("{kind}\u{1}"));
            let page = self.store().range(&CURRENT_STATE, from, to, false, 200)?;
            let Some(((_, _, last), _)) = page.last() else {
                break;
            };
            after = format!("{last}\u{1}");
            looked_at += page.len();
            for ((_, _, id), record) in page {
                if record.membership == Some(Membership::Join)
                    && let Ok(user) = OwnedUserId::try_from(id)
                    && self.is_local(&user)
                    && is_fit(&user)?
                {
                    return Ok(Some(user));
                }
            }
        }
        Ok(None)
    }
}

/// A content that a client gave for its own member event, without what is not the client's to say.
pub(crate) fn own_content(mut given: Object) -> Object {
    given.remove("join_authorised_via_users_server");
    given.remove("third_party_invite");
    given
}
