//! Every tree, by owner. Numbers: system 0x00__, rooms 0x01__, users 0x02__, delivery 0x03__, media 0x04__,
//! search 0x05__, federation 0x06__.
//!
//! Only its owner writes a tree. A tree's number is never used again.

pub mod delivery;
pub mod federation;
pub mod media;
pub mod rooms;
pub mod search;
pub mod system;
pub mod users;

use crate::tree::Described;

/// All of them.
pub(crate) fn all() -> impl Iterator<Item = &'static dyn Described> {
    [
        system::TREES,
        rooms::TREES,
        users::TREES,
        delivery::TREES,
        media::TREES,
        search::TREES,
        federation::TREES,
    ]
    .into_iter()
    .flatten()
    .copied()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// Each owner's file, its trees, the first byte of their numbers.
    const OWNERS: [(&str, &[&dyn Described], u8); 7] = [
        (include_str!("system.rs"), system::TREES, 0),
        (include_str!("rooms.rs"), rooms::TREES, 1),
        (include_str!("users.rs"), users::TREES, 2),
        (include_str!("delivery.rs"), delivery::TREES, 3),
        (include_str!("media.rs"), media::TREES, 4),
        (include_str!("search.rs"), search::TREES, 5),
        (include_str!("federation.rs"), federation::TREES, 6),
    ];

    #[test]
    fn every_declared_tree_is_in_its_owners_list() {
        for (source, trees, owner) in OWNERS {
            assert!(
                trees
                    .iter()
                    .all(|tree| tree.number().to_be_bytes()[0] == owner),
                "numbers of {owner:#04x}__"
            );
            for declared in source.split("Tree::new(0x").skip(1) {
                let number = u16::from_str_radix(&declared[..4], 16).unwrap();
                assert!(
                    trees.iter().any(|tree| tree.number() == number),
                    "add tree {number:#06x} to TREES in its file"
                );
            }
        }
    }

    #[test]
    fn no_two_trees_share_a_number_or_a_name() {
        let numbers: HashSet<u16> = all().map(Described::number).collect();
        let names: HashSet<&str> = all().map(Described::name).collect();
        assert_eq!((numbers.len(), names.len()), (all().count(), all().count()));
    }
}
