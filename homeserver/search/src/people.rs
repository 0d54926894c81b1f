//! The user directory, asked.

use std::collections::{BTreeSet, HashSet};

use orvale_rooms::Membership;
use orvale_storage::{
    Position,
    trees::search::{PEOPLE, PEOPLE_WORDS, PersonRecord},
};
use ruma::{OwnedUserId, UserId};

use crate::{Directory, Person, Result, words::words};

/// The most people that are found at once.
const MAX_PAGE: usize = 100;

/// How many are looked at for one question.
const MAX_LOOKS: usize = 2_000;

/// How many are found before the best of them are chosen, at least.
const CHOICE: usize = 50;

/// How many of somebody's rooms are looked at for one that is open to all.
const MAX_ROOMS: usize = 200;

/// More words are not looked for.
const MAX_WORDS: usize = 8;

impl Directory {
    /// The people that `asker` may find whose name or localpart has all these words, or words that begin with them, the best
    /// first; and whether there are more.
    ///
    /// # Errors
    /// Storage's.
    pub fn find(&self, asker: &UserId, term: &str, limit: usize) -> Result<(Vec<Person>, bool)> {
        let limit = limit.clamp(1, MAX_PAGE);
        let asked = Asked::parse(term);
        let Some(longest) = asked.words.iter().max_by_key(|word| word.len()) else {
            return Ok((Vec::new(), false));
        };
        let store = self.rooms.store();
        let to = format!("{longest}\u{10ffff}");
        let names = store.range(&PEOPLE_WORDS, (longest,), (to,), false, MAX_LOOKS)?;
        let is_cut = names.len() == MAX_LOOKS;
        let (mut found, mut seen) = (Vec::new(), HashSet::new());
        let mut rooms = None;
        let whole = asked.user_id.clone().into_iter();
        let ids = names.into_iter().map(|((_, id), ())| id);
        for id in whole.map(|id| id.to_string()).chain(ids) {
            // One more tells that there are more.
            if found.len() > limit.max(CHOICE) {
                break;
            }
            let Ok(user) = OwnedUserId::try_from(id) else {
                continue;
            };
            if !seen.insert(user.clone()) {
                continue;
            }
            let Some(record) = store.get(&PEOPLE, (&user,))? else {
                continue;
            };
            if asked.fits(&user, &record) && self.may_find(asker, &user, &mut rooms)? {
                found.push((asked.rank(&user, &record), user, record));
            }
        }
        found.sort_by(|(a, one, _), (b, other, _)| b.cmp(a).then_with(|| one.cmp(other)));
        let is_more = is_cut || found.len() > limit;
        let people = found
            .into_iter()
            .take(limit)
            .map(|(_, user_id, record)| Person {
                user_id,
                display_name: record.display_name,
                avatar_url: record.avatar_url,
            });
        Ok((people.collect(), is_more))
    }

    /// Whether somebody may find a user: everybody finds themselves, those in rooms of theirs, and those in public rooms.
    fn may_find(
        &self,
        asker: &UserId,
        user: &UserId,
        rooms: &mut Option<HashSet<Position>>,
    ) -> Result<bool> {
        if asker == user || self.search_all_users && self.rooms.users().is_local(user) {
            return Ok(true);
        }
        let joined = |user: &UserId| -> Result<_> {
            let memberships = self.rooms.list_memberships(user)?.into_iter();
            Ok(memberships
                .filter(|(_, now)| now.membership == Membership::Join)
                .map(|(room, _)| room))
        };
        let own = match rooms {
            Some(own) => own,
            None => rooms.insert(joined(asker)?.collect()),
        };
        let theirs: Vec<_> = joined(user)?.collect();
        if theirs.iter().any(|room| own.contains(room)) {
            return Ok(true);
        }
        for room in theirs.into_iter().take(MAX_ROOMS) {
            if self.rooms.is_open_to_all(room)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// What is asked of the directory.
struct Asked {
    /// A whole user ID.
    user_id: Option<OwnedUserId>,
    /// The text, in small letters.
    text: String,
    words: BTreeSet<String>,
}

impl Asked {
    fn parse(term: &str) -> Self {
        let text = term.trim().to_lowercase();
        let user_id = OwnedUserId::try_from(term.trim()).ok();
        // Of what may become a user ID, the localpart counts.
        let name = match text.strip_prefix('@') {
            Some(id) => id.split(':').next().unwrap_or_default(),
            None => &text,
        };
        let words = words(name).into_iter().take(MAX_WORDS);
        Self {
            user_id,
            words: words.map(|word| word.text).collect(),
            text: name.to_owned(),
        }
    }

    fn fits(&self, user: &UserId, record: &PersonRecord) -> bool {
        let has = |wanted: &String| record.words.iter().any(|word| word.starts_with(wanted));
        self.user_id.as_deref() == Some(user) || self.words.iter().all(has)
    }

    /// The localpart itself, then the whole name, then whole words of it; then those of whom more is known.
    fn rank(&self, user: &UserId, record: &PersonRecord) -> (bool, bool, bool, usize, bool) {
        let name = record.display_name.as_ref().map(|name| name.to_lowercase());
        let whole_words = self.words.iter().filter(|word| record.words.contains(word));
        (
            self.user_id.as_deref() == Some(user),
            user.localpart().to_lowercase() == self.text,
            name.as_deref() == Some(&self.text),
            whole_words.count(),
            name.is_some() || record.avatar_url.is_some(),
        )
    }
}
