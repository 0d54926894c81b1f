//! One of our users joins or knocks through another server, which proposes the member event and is handed it back signed; where one does
//! not help, the next is asked.

use std::sync::Arc;

use orvale_storage::trees::rooms::Membership;
use ruma::{OwnedServerName, RoomId, RoomVersionId, UserId, room_version_rules::RoomVersionRules};
use serde_json::value::RawValue;

use super::ask::may_help;
use crate::{
    Room, Rooms,
    error::{Error, Result},
    foreign::{Arrival, Wanted},
    member::MemberContent,
};

/// What is done through another server.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    Join,
    Knock,
}

/// Who wants to do it where, and what they say with it.
pub(super) struct Wish<'a> {
    pub(super) user: &'a UserId,
    pub(super) room_id: &'a RoomId,
    step: Step,
    content: MemberContent,
}

/// The member event of a wish, as a server proposed it and this one signed it.
pub(super) struct Signed {
    pub(super) event: Arrival,
    pub(super) version: RoomVersionId,
    pub(super) rules: RoomVersionRules,
}

impl Step {
    fn membership(self) -> Membership {
        match self {
            Self::Join => Membership::Join,
            Self::Knock => Membership::Knock,
        }
    }
}

impl Rooms {
    /// Takes a step through one server after the other, until one helps or says what all others would.
    pub(super) async fn step_through(
        &self,
        servers: Vec<OwnedServerName>,
        (user, room_id): (&UserId, &RoomId),
        step: Step,
        reason: Option<&str>,
    ) -> Result<Arc<Room>> {
        let content = MemberContent::new(step.membership().as_str())
            .or(&self.member_profile(user)?)
            .reason(reason);
        let wish = Wish {
            user,
            room_id,
            step,
            content,
        };
        let mut failed = Error::Unreachable;
        for server in servers {
            let taken = match step {
                Step::Join => self.join_through(&server, &wish).await,
                Step::Knock => self.knock_through(&server, &wish).await,
            };
            match taken {
                Ok(room) => return Ok(room),
                Err(error) => {
                    tracing::info!(%error, server_name = %server, %room_id, ?step, "a server did not help");
                    let is_final = !may_help(&error);
                    failed = error;
                    if is_final {
                        break;
                    }
                }
            }
        }
        Err(failed)
    }

    /// Makes the event that a server proposes for a wish.
    pub(super) fn sign(
        &self,
        wish: &Wish<'_>,
        version: RoomVersionId,
        proposed: &RawValue,
    ) -> Result<Signed> {
        let rules = orvale_events::rules(&version)?;
        let wanted = Wanted {
            room_id: wish.room_id,
            user: wish.user,
            membership: wish.step.membership(),
        };
        let event = self.build_proposed(&rules, proposed, &wanted, wish.content.clone())?;
        Ok(Signed {
            event,
            version,
            rules,
        })
    }
}
