//! Trees of `delivery`.

use serde::{Deserialize, Serialize};

use crate::{Position, Tree, tree::Described};

/// What a push gateway is still owed, where it could not be told at once: localpart, app ID, pushkey → [`Owed`]. Written together
/// with the cursor of the follower that tells push gateways: what is neither here nor after that cursor has been told.
pub const OWED: Tree<(String, String, String), Owed> = Tree::new(0x0301, "owed_pushes");

/// What a push gateway is still owed for one pusher.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Owed {
    /// The numbers of the events, oldest first.
    pub events: Vec<Position>,
    /// Whether the number of what is unread has changed.
    pub badge: bool,
}

/// Every tree here.
pub(crate) const TREES: &[&dyn Described] = &[&OWED];
