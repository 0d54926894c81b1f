//! Why something is refused.

use crate::Permission;

/// Why this server does not let one of its people do something. Its text is a sentence for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Only who wrote a message may edit it.
    #[error("a message can be edited only by who wrote it")]
    NotTheAuthor,
    /// An edit is no message of its own that could be edited.
    #[error("an edit cannot be edited: edit the message itself once more")]
    EditOfAnEdit,
    /// The time for editing is over.
    #[error("a message can be edited for {} after it was sent, and that time is over", in_words(*.seconds))]
    EditTimeOver {
        /// How long that is.
        seconds: u64,
    },
    /// The organisation does not let them.
    #[error("{} on this server; ask its administrators for the permission {}", whoever(*.0), .0.name())]
    NotPermitted(Permission),
    /// In a direct message nobody deletes what the other wrote.
    #[error("in a direct message everybody deletes only what they wrote themselves")]
    NotYours,
    /// The time for deleting is over.
    #[error("a message can be deleted for {} after it was sent, and that time is over; a moderator of a group or channel still can", in_words(*.seconds))]
    DeleteTimeOver {
        /// How long that is.
        seconds: u64,
    },
}

impl Refusal {
    /// The same for programs, as `com.orvale.reason` beside the errcode.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::NotTheAuthor => "not_the_author",
            Self::NotPermitted(_) => "not_permitted",
            Self::NotYours => "not_yours",
            Self::EditOfAnEdit => "edit_of_an_edit",
            Self::EditTimeOver { .. } => "edit_time_over",
            Self::DeleteTimeOver { .. } => "delete_time_over",
        }
    }
}

fn whoever(permission: Permission) -> &'static str {
    match permission {
        Permission::CreateChannels => "you may not make channels",
        Permission::CreateDirect => "you may not begin direct messages and groups",
        Permission::SendFiles => "you may not send files",
    }
}

fn in_words(seconds: u64) -> String {
    match (seconds / 60, seconds % 60) {
        (1, 0) => "1 minute".to_owned(),
        (minutes, 0) if minutes > 0 => format!("{minutes} minutes"),
        _ if seconds == 1 => "1 second".to_owned(),
        _ => format!("{seconds} seconds"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_how_long_there_was() {
        let text = |seconds| Refusal::EditTimeOver { seconds }.to_string();
        assert!(text(180).contains("for 3 minutes after"));
        assert!(text(60).contains("for 1 minute after"));
        assert!(text(90).contains("for 90 seconds after"));
        assert!(text(1).contains("for 1 second after"));
        assert!(text(0).contains("for 0 seconds after"));
    }
}
