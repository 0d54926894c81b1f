//! What a client asks for: the request as it arrives, and as it is worked with.
//!
//! Of a shape of its own: ruma's lacks the filters by space and by tag, and the newer form of `required_state`.

use std::{
    collections::{BTreeMap, HashSet},
    hash::{BuildHasher, Hash},
    sync::Arc,
    time::Duration,
};

use orvale_storage::Position;
use ruma::{OwnedRoomId, UserId, presence::PresenceState};
use serde::Deserialize;

use super::required::{Required, RequiredBody};
use crate::{Error, Result};

/// How many lists a connection may have.
pub(super) const LISTS: usize = 100;
/// How many rooms a connection may subscribe to.
const SUBSCRIPTIONS: usize = 1000;
/// How many events of a room's timeline one answer brings at most.
const TIMELINE: u64 = 100;
/// How long names that a client chooses may be.
const NAME: usize = 255;
/// How many messages to a device one answer brings.
const MESSAGES: u64 = 100;
/// How many changes of threads that a user follows one answer brings.
pub(super) const THREADS: u64 = 100;

/// The query of a request.
#[derive(Debug, Default, Deserialize)]
pub struct SlidingQuery {
    pos: Option<String>,
    timeout: Option<u64>,
    set_presence: Option<PresenceState>,
}

/// The body of a request.
#[derive(Debug, Default, Deserialize)]
pub struct SlidingBody {
    pos: Option<String>,
    timeout: Option<u64>,
    set_presence: Option<PresenceState>,
    conn_id: Option<String>,
    txn_id: Option<String>,
    lists: Option<BTreeMap<String, ListBody>>,
    room_subscriptions: Option<BTreeMap<OwnedRoomId, RoomBody>>,
    extensions: Option<ExtensionsBody>,
}

#[derive(Debug, Deserialize)]
struct ListBody {
    ranges: Option<Vec<(u64, u64)>>,
    range: Option<(u64, u64)>,
    timeline_limit: Option<u64>,
    required_state: Option<RequiredBody>,
    filters: Option<Filters>,
}

#[derive(Debug, Deserialize)]
struct RoomBody {
    timeline_limit: Option<u64>,
    required_state: Option<RequiredBody>,
}

/// Which rooms a list holds. What is absent asks for nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Deserialize)]
pub(super) struct Filters {
    pub(super) is_dm: Option<bool>,
    pub(super) is_encrypted: Option<bool>,
    #[serde(alias = "is_invited")]
    pub(super) is_invite: Option<bool>,
    pub(super) room_types: Option<Vec<Option<String>>>,
    pub(super) not_room_types: Option<Vec<Option<String>>>,
    pub(super) spaces: Option<Vec<String>>,
    pub(super) tags: Option<Vec<String>>,
    pub(super) not_tags: Option<Vec<String>>,
}

#[derive(Debug, Default, Deserialize)]
struct ExtensionsBody {
    to_device: Option<ToDeviceBody>,
    e2ee: Option<Enabled>,
    account_data: Option<ScopeBody>,
    receipts: Option<ScopeBody>,
    typing: Option<ScopeBody>,
    #[serde(rename = "io.element.msc4308.thread_subscriptions")]
    thread_subscriptions: Option<ThreadsBody>,
}

#[derive(Debug, Deserialize)]
struct ThreadsBody {
    enabled: Option<bool>,
    limit: Option<u64>,
}

#[derive(Debug, Deserialize)]
struct Enabled {
    enabled: Option<bool>,
}

#[derive(Debug, Deserialize)]
struct ToDeviceBody {
    enabled: Option<bool>,
    limit: Option<u64>,
    since: Option<String>,
}

#[derive(Debug, Deserialize)]
struct ScopeBody {
    enabled: Option<bool>,
    lists: Option<Vec<String>>,
    rooms: Option<Vec<String>>,
}

/// What a client asks for.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) pos: Option<String>,
    pub(super) timeout: Duration,
    pub(super) set_presence: PresenceState,
    pub(super) conn_id: String,
    pub(super) txn_id: Option<String>,
    pub(super) lists: Vec<List>,
    pub(super) subscriptions: BTreeMap<OwnedRoomId, RoomConfig>,
    pub(super) to_device: Option<ToDevice>,
    pub(super) e2ee: bool,
    pub(super) account_data: Option<Scope>,
    pub(super) receipts: Option<Scope>,
    pub(super) typing: Option<Scope>,
    /// How many changes of the threads that the user follows are wanted.
    pub(super) threads: Option<usize>,
    /// Tells one set of lists, subscriptions and extensions from another.
    pub(super) hash: u64,
    /// Tells one set of filters from another.
    pub(super) filters: u64,
}

/// A list.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct List {
    pub(super) name: String,
    /// The places that are wanted, the first and the last one in each range.
    pub(super) ranges: Vec<(u64, u64)>,
    pub(super) filters: Filters,
    pub(super) config: RoomConfig,
}

impl List {
    /// The last place that is wanted.
    pub(super) fn end(&self) -> u64 {
        self.ranges.iter().map(|(_, end)| *end).max().unwrap_or(0)
    }

    /// Whether a place is wanted.
    pub(super) fn takes(&self, place: u64) -> bool {
        self.ranges
            .iter()
            .any(|(start, end)| (*start..=*end).contains(&place))
    }

    /// Whether all of so many rooms are wanted.
    pub(super) fn covers(&self, count: u64) -> bool {
        let mut ranges = self.ranges.clone();
        ranges.sort_unstable();
        let mut next = 0;
        for (start, end) in ranges {
            if start > next {
                break;
            }
            next = next.max(end.saturating_add(1));
        }
        next >= count
    }
}

/// What is wanted of a room.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct RoomConfig {
    pub(super) limit: u16,
    pub(super) required: Required,
}

/// For which rooms an extension is wanted: by list, by subscription; `None` for all of them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Scope {
    lists: Option<u128>,
    rooms: Option<Vec<String>>,
}

impl Scope {
    /// Whether it is wanted for a room in these lists, perhaps subscribed to.
    pub(super) fn takes(&self, lists: u128, subscribed: bool, room_id: &str) -> bool {
        let by_list = self.lists.unwrap_or(u128::MAX) & lists != 0;
        let by_room = || {
            let named =
                |rooms: &Vec<String>| rooms.iter().any(|room| room == "*" || room == room_id);
            self.rooms.as_ref().is_none_or(named)
        };
        by_list || subscribed && by_room()
    }
}

/// What is wanted of messages to the device.
#[derive(Debug, Clone)]
pub(super) struct ToDevice {
    pub(super) limit: usize,
    pub(super) since: Option<Position>,
}

impl Asked {
    /// Takes a request apart.
    ///
    /// # Errors
    /// [`Error::InvalidParam`] if it asks for too much or for what cannot be.
    pub(super) fn new(
        user_id: &UserId,
        query: SlidingQuery,
        body: SlidingBody,
        hasher: &impl BuildHasher,
    ) -> Result<Self> {
        let set_presence = query.set_presence.or(body.set_presence);
        let set_presence = set_presence.unwrap_or(PresenceState::Online);
        let known = [
            PresenceState::Online,
            PresenceState::Offline,
            PresenceState::Unavailable,
            // Busy, as MSC3026 has it.
            PresenceState::from("org.matrix.msc3026.busy"),
        ];
        must(known.contains(&set_presence), || {
            "set_presence: this is no presence".to_owned()
        })?;
        let bodies = body.lists.unwrap_or_default();
        must(bodies.len() <= LISTS, || {
            format!("lists: there are more than {LISTS}")
        })?;
        let room_subscriptions = body.room_subscriptions.unwrap_or_default();
        must(room_subscriptions.len() <= SUBSCRIPTIONS, || {
            format!("room_subscriptions: there are more than {SUBSCRIPTIONS}")
        })?;
        let conn_id = body.conn_id.unwrap_or_default();
        must(conn_id.len() <= NAME, || {
            "conn_id: it is too long".to_owned()
        })?;
        let mut lists = Vec::with_capacity(bodies.len());
        for (name, list) in bodies {
            lists.push(list.read(user_id, name)?);
        }
        let subscriptions = room_subscriptions
            .into_iter()
            .map(|(room_id, body)| {
                let config = room_config(user_id, body.timeline_limit, body.required_state)?;
                Ok((room_id, config))
            })
            .collect::<Result<_>>()?;
        let extensions = body.extensions.unwrap_or_default();
        let scope = |scope: Option<ScopeBody>| {
            scope
                .filter(|scope| scope.enabled == Some(true))
                .map(|scope| scope.read(&lists))
        };
        let (account_data, receipts, typing) = (
            scope(extensions.account_data),
            scope(extensions.receipts),
            scope(extensions.typing),
        );
        let e2ee = extensions
            .e2ee
            .is_some_and(|e2ee| e2ee.enabled == Some(true));
        let to_device = extensions
            .to_device
            .filter(|to_device| to_device.enabled == Some(true))
            .map(ToDeviceBody::read)
            .transpose()?;
        let threads = extensions
            .thread_subscriptions
            .filter(|threads| threads.enabled == Some(true))
            .map(|threads| page_of_threads(threads.limit));
        let hash = hasher.hash_one((
            (&lists, &subscriptions),
            (&account_data, &receipts, &typing),
            (e2ee, to_device.is_some(), threads.is_some()),
        ));
        let filters: Vec<_> = lists
            .iter()
            .map(|list| (&list.name, &list.filters))
            .collect();
        let filters = hasher.hash_one(filters);
        Ok(Self {
            pos: query.pos.or(body.pos).filter(|pos| !pos.is_empty()),
            timeout: Duration::from_millis(query.timeout.or(body.timeout).unwrap_or(0)),
            set_presence,
            conn_id,
            txn_id: body.txn_id,
            lists,
            subscriptions,
            to_device,
            e2ee,
            account_data,
            receipts,
            typing,
            threads,
            hash,
            filters,
        })
    }

    /// The names of the spaces that lists ask about.
    pub(super) fn spaces(&self) -> HashSet<&str> {
        let lists = self.lists.iter();
        lists
            .filter_map(|list| list.filters.spaces.as_ref())
            .flatten()
            .map(String::as_str)
            .collect()
    }
}

impl ListBody {
    fn read(self, user_id: &UserId, name: String) -> Result<List> {
        must(name.len() <= NAME, || {
            "lists: the name of a list is too long".to_owned()
        })?;
        let ranges = match (self.ranges, self.range) {
            (Some(ranges), _) => ranges,
            (None, Some(range)) => vec![range],
            // Who names no range wants all.
            (None, None) => vec![(0, u64::MAX)],
        };
        must(ranges.len() <= 100, || {
            format!("lists.{name}.ranges: there are more than 100")
        })?;
        must(ranges.iter().all(|(start, end)| start <= end), || {
            format!("lists.{name}.ranges: a range ends before it starts")
        })?;
        Ok(List {
            config: room_config(user_id, self.timeline_limit, self.required_state)?,
            filters: self.filters.unwrap_or_default(),
            name,
            ranges,
        })
    }
}

impl ScopeBody {
    fn read(self, lists: &[List]) -> Scope {
        let named = |names: Vec<String>| {
            let bits = lists
                .iter()
                .enumerate()
                .filter(|(_, list)| names.iter().any(|name| name == "*" || *name == list.name));
            bits.fold(0, |bits, (n, _)| bits | 1 << n)
        };
        Scope {
            lists: self.lists.map(named),
            rooms: self.rooms,
        }
    }
}

impl ToDeviceBody {
    fn read(self) -> Result<ToDevice> {
        let since = self.since.filter(|since| !since.is_empty());
        let since = since.map(|since| {
            since.parse().map(Position).map_err(|_| {
                let shown: String = since.chars().take(64).collect();
                Error::InvalidParam(format!(
                    "extensions.to_device.since: {shown:?} is no token of this server"
                ))
            })
        });
        let limit = self.limit.unwrap_or(MESSAGES).clamp(1, MESSAGES);
        Ok(ToDevice {
            limit: usize::try_from(limit).unwrap_or(1),
            since: since.transpose()?,
        })
    }
}

/// How many changes of threads are told at once.
pub(super) fn page_of_threads(limit: Option<u64>) -> usize {
    usize::try_from(limit.unwrap_or(THREADS).clamp(1, THREADS)).unwrap_or(1)
}

fn room_config(
    user_id: &UserId,
    limit: Option<u64>,
    required: Option<RequiredBody>,
) -> Result<RoomConfig> {
    let limit = limit.unwrap_or(0).min(TIMELINE);
    Ok(RoomConfig {
        limit: u16::try_from(limit).unwrap_or(u16::MAX),
        required: required
            .map(|required| Required::new(user_id, required))
            .transpose()?
            .unwrap_or_default(),
    })
}

pub(super) fn must(holds: bool, otherwise: impl FnOnce() -> String) -> Result<()> {
    if holds {
        Ok(())
    } else {
        Err(Error::InvalidParam(otherwise()))
    }
}

/// Several configurations of one room, taken together.
pub(super) fn combine<'a>(
    configs: impl IntoIterator<Item = &'a RoomConfig>,
) -> (u16, Arc<Required>) {
    let mut combined = RoomConfig::default();
    for config in configs {
        combined.limit = combined.limit.max(config.limit);
        combined.required.add(&config.required);
    }
    (combined.limit, Arc::new(combined.required))
}

#[cfg(test)]
mod tests {
    use std::hash::RandomState;

    use ruma::user_id;
    use serde_json::{Value, json};

    use super::*;

    fn asked(body: Value) -> Result<Asked> {
        let body = serde_json::from_value(body).expect("of the shape");
        Asked::new(
            user_id!("@alice:orvale.test"),
            SlidingQuery::default(),
            body,
            &RandomState::new(),
        )
    }

    #[test]
    fn a_list_covers_rooms_whose_places_are_all_wanted() {
        let list = |ranges: Value| {
            let body = json!({"lists": {"all": {"ranges": ranges, "timeline_limit": 1}}});
            asked(body).unwrap().lists.remove(0)
        };
        assert!(list(json!([[0, 19]])).covers(20));
        assert!(!list(json!([[0, 19]])).covers(21));
        assert!(!list(json!([[1, 19]])).covers(5));
        assert!(list(json!([[1, 19]])).covers(0));
        assert!(list(json!([[10, 30], [0, 9]])).covers(31));
        assert!(!list(json!([[11, 30], [0, 9]])).covers(31));
        let gap = list(json!([[11, 30], [0, 9]]));
        assert!(gap.takes(9) && !gap.takes(10) && gap.takes(11) && gap.end() == 30);
        let all = asked(json!({"lists": {"all": {"timeline_limit": 1}}})).unwrap();
        assert!(all.lists[0].covers(1_000_000));
    }

    #[test]
    fn extensions_are_for_the_lists_and_subscriptions_they_name() {
        let of = |extension: Value| {
            let lists = json!({"a": {"ranges": []}, "b": {"ranges": []}});
            let body = json!({"lists": lists, "extensions": {"typing": extension}});
            asked(body).unwrap().typing
        };
        let all = of(json!({"enabled": true})).unwrap();
        assert!(
            all.takes(1, false, "!r") && all.takes(0, true, "!r") && !all.takes(0, false, "!r")
        );
        let b = of(json!({"enabled": true, "lists": ["b", "c"], "rooms": []})).unwrap();
        assert!(b.takes(2, false, "!r") && !b.takes(1, true, "!r"));
        let room = of(json!({"enabled": true, "lists": [], "rooms": ["!r"]})).unwrap();
        assert!(
            room.takes(3, true, "!r") && !room.takes(3, true, "!s") && !room.takes(3, false, "!r")
        );
        assert!(of(json!({"enabled": false})).is_none() && of(json!({})).is_none());
    }

    #[test]
    fn too_much_and_the_impossible_are_refused() {
        let many: serde_json::Map<String, Value> = (0..=LISTS)
            .map(|n| (n.to_string(), json!({"ranges": []})))
            .collect();
        for body in [
            json!({"lists": many}),
            json!({"lists": {"a": {"ranges": [[5, 4]]}}}),
            json!({"conn_id": "x".repeat(256)}),
            json!({"set_presence": "asleep"}),
            json!({"extensions": {"to_device": {"enabled": true, "since": "x"}}}),
        ] {
            assert!(matches!(asked(body), Err(Error::InvalidParam(_))));
        }
    }
}
