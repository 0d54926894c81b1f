//! Changing and deleting messages: for a while after they were sent, then no more.
//!
//! Time is this server's on both ends: the moment an event of ours was made, and now. The time is over when the window has passed
//! entirely, so at exactly its end a message can still be changed.

use std::time::Duration;

use ruma::{MilliSecondsSinceUnixEpoch, UserId, events::TimelineEventType};

use crate::{Config, Refusal};

/// The message that is to be changed.
#[derive(Debug, Clone, Copy)]
pub struct Original<'a> {
    /// Who sent it.
    pub sender: &'a UserId,
    /// When.
    pub sent_at: MilliSecondsSinceUnixEpoch,
    /// Whether it is itself an edit of another.
    pub is_edit: bool,
}

/// Somebody of this server who wants to change a message.
#[derive(Debug, Clone, Copy)]
pub struct Change<'a> {
    /// Who.
    pub user: &'a UserId,
    /// When, by the clock of this server.
    pub now: MilliSecondsSinceUnixEpoch,
    /// Whether they have the power to redact what others sent.
    pub is_moderator: bool,
    /// Whether it is in a direct message. Both people have all power there, and nobody moderates.
    pub is_direct: bool,
    /// Whether they are an application service's. These speak for people elsewhere, whose own servers had their say.
    pub is_appservice: bool,
}

impl Change<'_> {
    /// Whether they may edit a message.
    ///
    /// # Errors
    /// [`Refusal::NotTheAuthor`], [`Refusal::EditOfAnEdit`], [`Refusal::EditTimeOver`].
    pub fn edit(self, original: Original<'_>, config: &Config) -> Result<(), Refusal> {
        if original.sender != self.user {
            return Err(Refusal::NotTheAuthor);
        }
        if original.is_edit {
            return Err(Refusal::EditOfAnEdit);
        }
        match config.edit_window() {
            Some(window) if !self.is_appservice && self.is_over(original, window) => {
                Err(Refusal::EditTimeOver {
                    seconds: window.as_secs(),
                })
            }
            _ => Ok(()),
        }
    }

    /// Whether they may delete a message, as far as it is a question of time: whose it must be is for the room's rules, except in
    /// direct messages. To take back an edit is to change the message that was edited, so that `original` is that one.
    ///
    /// # Errors
    /// [`Refusal::DeleteTimeOver`], [`Refusal::NotYours`].
    pub fn delete(self, original: Original<'_>, config: &Config) -> Result<(), Refusal> {
        if self.is_appservice || self.is_moderator && !self.is_direct {
            return Ok(());
        }
        if self.is_direct && original.sender != self.user {
            return Err(Refusal::NotYours);
        }
        match config.delete_window() {
            Some(window) if self.is_over(original, window) => Err(Refusal::DeleteTimeOver {
                seconds: window.as_secs(),
            }),
            _ => Ok(()),
        }
    }

    fn is_over(self, original: Original<'_>, window: Duration) -> bool {
        let age = u64::from(self.now.get()).saturating_sub(original.sent_at.get().into());
        u128::from(age) > window.as_millis()
    }
}

/// Whether events of this type are messages, whose deletion is a question of time. To take back a reaction or a vote is none, and state is set
/// anew, not deleted.
#[must_use]
pub fn is_message(kind: &TimelineEventType) -> bool {
    const MESSAGES: [&str; 6] = [
        "m.room.message",
        "m.room.encrypted",
        "m.sticker",
        "m.message",
        "m.poll.start",
        "org.matrix.msc3381.poll.start",
    ];
    MESSAGES.contains(&kind.to_string().as_str())
}

#[cfg(test)]
mod tests {
    use ruma::{UInt, user_id};

    use super::*;

    fn at(seconds: u64) -> MilliSecondsSinceUnixEpoch {
        MilliSecondsSinceUnixEpoch(UInt::try_from(seconds * 1000).unwrap())
    }

    fn by_alice(sent_at: u64) -> Original<'static> {
        Original {
            sender: user_id!("@alice:here"),
            sent_at: at(sent_at),
            is_edit: false,
        }
    }

    fn alice(now: u64) -> Change<'static> {
        Change {
            user: user_id!("@alice:here"),
            now: at(now),
            is_moderator: false,
            is_direct: false,
            is_appservice: false,
        }
    }

    #[test]
    fn ones_own_message_can_be_changed_for_three_minutes() {
        let config = Config::default();
        for now in [1000, 1001, 1180] {
            assert_eq!(alice(now).edit(by_alice(1000), &config), Ok(()));
            assert_eq!(alice(now).delete(by_alice(1000), &config), Ok(()));
        }
        let seconds = 180;
        assert_eq!(
            alice(1181).edit(by_alice(1000), &config),
            Err(Refusal::EditTimeOver { seconds })
        );
        assert_eq!(
            alice(1181).delete(by_alice(1000), &config),
            Err(Refusal::DeleteTimeOver { seconds })
        );
    }

    #[test]
    fn a_millisecond_after_the_window_is_too_late() {
        let mut change = alice(1180);
        change.now = MilliSecondsSinceUnixEpoch(change.now.get() + UInt::from(1_u8));
        assert!(change.edit(by_alice(1000), &Config::default()).is_err());
    }

    #[test]
    fn a_clock_that_was_set_back_shortens_nothing() {
        assert_eq!(alice(900).edit(by_alice(1000), &Config::default()), Ok(()));
    }

    #[test]
    fn what_others_wrote_is_edited_by_nobody_else() {
        let bob = Change {
            user: user_id!("@bob:here"),
            is_moderator: true,
            is_appservice: true,
            ..alice(1000)
        };
        let refused = bob.edit(by_alice(1000), &Config::default());
        assert_eq!(refused, Err(Refusal::NotTheAuthor));
    }

    #[test]
    fn an_edit_is_not_edited_so_that_the_window_cannot_be_stretched() {
        let edit = Original {
            is_edit: true,
            ..by_alice(1000)
        };
        let refused = alice(1001).edit(edit, &Config::default());
        assert_eq!(refused, Err(Refusal::EditOfAnEdit));
    }

    #[test]
    fn moderators_delete_at_any_time_and_edit_like_everybody() {
        let moderator = Change {
            is_moderator: true,
            ..alice(9999)
        };
        assert_eq!(moderator.delete(by_alice(1000), &Config::default()), Ok(()));
        assert!(moderator.edit(by_alice(1000), &Config::default()).is_err());
    }

    #[test]
    fn in_a_direct_message_nobody_moderates() {
        let config = Config::default();
        let alice = |now| Change {
            is_moderator: true,
            is_direct: true,
            ..alice(now)
        };
        assert_eq!(alice(1180).delete(by_alice(1000), &config), Ok(()));
        assert!(matches!(
            alice(1181).delete(by_alice(1000), &config),
            Err(Refusal::DeleteTimeOver { .. })
        ));
        let by_bob = Original {
            sender: user_id!("@bob:here"),
            ..by_alice(1000)
        };
        assert_eq!(alice(1001).delete(by_bob, &config), Err(Refusal::NotYours));
    }

    #[test]
    fn application_services_have_no_window() {
        let bridge = Change {
            is_appservice: true,
            ..alice(9999)
        };
        assert_eq!(bridge.delete(by_alice(1000), &Config::default()), Ok(()));
        assert_eq!(bridge.edit(by_alice(1000), &Config::default()), Ok(()));
    }

    #[test]
    fn the_windows_are_settings() {
        let config = Config {
            edit_seconds: 0,
            delete_seconds: 10,
            changes_at_any_time: false,
            ..Config::default()
        };
        assert!(alice(1001).edit(by_alice(1000), &config).is_err());
        assert!(alice(1010).delete(by_alice(1000), &config).is_ok());
        assert!(alice(1011).delete(by_alice(1000), &config).is_err());
        let config = Config {
            changes_at_any_time: true,
            ..config
        };
        assert!(alice(9999).edit(by_alice(1000), &config).is_ok());
        assert!(alice(9999).delete(by_alice(1000), &config).is_ok());
    }

    #[test]
    fn reactions_are_no_messages() {
        assert!(is_message(&TimelineEventType::RoomMessage));
        assert!(is_message(&TimelineEventType::from(
            "org.matrix.msc3381.poll.start"
        )));
        assert!(!is_message(&TimelineEventType::Reaction));
        assert!(!is_message(&TimelineEventType::RoomName));
    }
}
