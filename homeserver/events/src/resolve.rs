//! State resolution, versions 2 and 2.1, over the states of forks.
//! <https://spec.matrix.org/v1.19/rooms/v12/#state-resolution>
//!
//! The ordering and the iterative auth checks are ruma's. What they are given is found here: which state is in conflict,
//! the auth difference and the conflicted state subgraph. All of it costs what the conflict reaches, not what the room holds:
//! unconflicted state is looked at for its IDs, and fetched for its `auth_events` only if part of the auth difference is in question.

use std::{
    cell::RefCell,
    collections::{HashMap, HashSet},
    sync::Arc,
};

use ruma::{
    EventId, OwnedEventId,
    events::{StateEventType, TimelineEventType},
    room_version_rules::RoomVersionRules,
    state_res::{StateMap, utils::event_id_set::EventIdSet},
};

use crate::{Error, Pdu, auth::auth_types};

/// The most events whose auth chains are walked in one resolution.
pub const MAX_AUTH_CHAIN: usize = 500_000;

/// The state of a room where forks with these `states` meet.
///
/// `fetch` gets an accepted event of the room. The order of the states does not matter. An event that is needed and missing is
/// an error: going on without it would give another state than other servers have.
pub fn resolve(
    rules: &RoomVersionRules,
    states: &[StateMap<OwnedEventId>],
    fetch: impl Fn(&EventId) -> Option<Arc<Pdu>>,
) -> Result<StateMap<OwnedEventId>, Error> {
    let Conflict {
        mut unconflicted,
        conflicted,
    } = split(states);
    if conflicted.is_empty() {
        return Ok(unconflicted);
    }
    let part = |state: &StateMap<OwnedEventId>| -> StateMap<OwnedEventId> {
        let entries = conflicted.iter().filter_map(|key| state.get_key_value(key));
        entries.map(|(key, id)| (key.clone(), id.clone())).collect()
    };
    let parts = states.iter().map(part).collect::<Vec<_>>();
    let resolved = resolve_conflict(
        rules,
        &parts,
        |key| unconflicted.get(key).cloned(),
        || unconflicted.values().cloned().collect(),
        fetch,
    )?;
    unconflicted.extend(resolved);
    Ok(unconflicted)
}

/// As [`resolve`], for those who know already on what the states do not agree: `states` are just that part of them, and the result is
/// what is to stand in its place, with what stands now where none of them had anything.
///
/// `unconflicted` finds what all agree on, `all_unconflicted` lists it; that is asked for only where it matters.
pub fn resolve_conflict(
    rules: &RoomVersionRules,
    states: &[StateMap<OwnedEventId>],
    unconflicted: impl Fn(&(StateEventType, String)) -> Option<OwnedEventId>,
    all_unconflicted: impl FnOnce() -> Vec<OwnedEventId>,
    fetch: impl Fn(&EventId) -> Option<Arc<Pdu>>,
) -> Result<StateMap<OwnedEventId>, Error> {
    let version = rules
        .state_res
        .v2_rules()
        .ok_or_else(|| Error::Resolution("room version 1 is not supported".to_owned()))?;
    let conflicted = states
        .iter()
        .flat_map(|state| state.keys().cloned())
        .collect::<HashSet<_>>();

    let mut graph = Graph::new(fetch);
    let mut roots = Vec::with_capacity(states.len());
    for state in states {
        roots.push(
            state
                .values()
                .map(|id| graph.add(id))
                .collect::<Result<Vec<_>, _>>()?,
        );
    }
    graph.walk()?;
    let conflicted_events = roots.iter().flatten().copied().collect::<HashSet<_>>();
    let mut full_set = graph.auth_difference(&roots, &conflicted_events, all_unconflicted)?;
    full_set.extend(&conflicted_events);
    let subgraph = if version.consider_conflicted_state_subgraph {
        graph.subgraph(&conflicted_events)
    } else {
        HashSet::new()
    };
    full_set.extend(&subgraph);

    // ruma gets the part of the states that matters: what is in conflict, and the unconflicted state its auth checks look up.
    let mut looked_up = StateMap::new();
    for key in graph.looked_up(&full_set, rules) {
        if !conflicted.contains(&key)
            && let Some(id) = unconflicted(&key)
        {
            looked_up.insert(key, id);
        }
    }
    let part = |state: &StateMap<OwnedEventId>| -> StateMap<OwnedEventId> {
        let entries = looked_up.iter().chain(state);
        entries.map(|(key, id)| (key.clone(), id.clone())).collect()
    };
    let parts = states.iter().map(part).collect::<Vec<_>>();
    // Of the auth chains it takes all that is not in each of them; so one with the whole difference, and one with nothing.
    let difference = full_set
        .iter()
        .map(|&index| graph.events[index].event_id.clone())
        .collect::<EventIdSet<_>>();
    let subgraph = subgraph
        .iter()
        .map(|&index| graph.events[index].event_id.clone())
        .collect::<EventIdSet<_>>();

    let mut resolved = ruma::state_res::resolve(
        &rules.authorization,
        version,
        &parts,
        vec![difference, EventIdSet::new()],
        |id| graph.get(id),
        |_| Some(subgraph.clone()),
    )
    .map_err(|error| Error::Resolution(error.to_string()))?;
    // What the auth difference brings into a place that is empty in every state stands there from now on.
    resolved.retain(|key, _| conflicted.contains(key) || !looked_up.contains_key(key));
    Ok(resolved)
}

/// The states, divided: what all say alike, and the keys they do not agree on.
struct Conflict {
    unconflicted: StateMap<OwnedEventId>,
    conflicted: Vec<(StateEventType, String)>,
}

fn split(states: &[StateMap<OwnedEventId>]) -> Conflict {
    let mut unconflicted = StateMap::new();
    let mut conflicted = HashSet::new();
    let Some((first, others)) = states.split_first() else {
        return Conflict {
            unconflicted,
            conflicted: Vec::new(),
        };
    };
    for (key, id) in first {
        if others.iter().all(|state| state.get(key) == Some(id)) {
            unconflicted.insert(key.clone(), id.clone());
        } else {
            conflicted.insert(key.clone());
        }
    }
    for key in others
        .iter()
        .flat_map(|state| state.keys())
        .filter(|key| !first.contains_key(*key))
    {
        conflicted.insert(key.clone());
    }
    Conflict {
        unconflicted,
        conflicted: conflicted.into_iter().collect(),
    }
}

/// The auth events of the conflicted events, numbered.
struct Graph<F> {
    fetch: F,
    numbers: HashMap<OwnedEventId, usize>,
    events: Vec<Arc<Pdu>>,
    /// For each event its auth events; filled by `walk`.
    auth: Vec<Vec<usize>>,
    /// What ruma looked up besides.
    others: RefCell<HashMap<OwnedEventId, Option<Arc<Pdu>>>>,
}

impl<F: Fn(&EventId) -> Option<Arc<Pdu>>> Graph<F> {
    fn new(fetch: F) -> Self {
        Self {
            fetch,
            numbers: HashMap::new(),
            events: Vec::new(),
            auth: Vec::new(),
            others: RefCell::default(),
        }
    }

    fn add(&mut self, id: &EventId) -> Result<usize, Error> {
        if let Some(&number) = self.numbers.get(id) {
            return Ok(number);
        }
        let event = (self.fetch)(id).ok_or_else(|| Error::MissingEvent(id.to_owned()))?;
        let number = self.events.len();
        if number >= MAX_AUTH_CHAIN {
            return Err(Error::AuthChainTooLong(MAX_AUTH_CHAIN));
        }
        self.numbers.insert(id.to_owned(), number);
        self.events.push(event);
        Ok(number)
    }

    /// Adds the auth chains of what was added.
    fn walk(&mut self) -> Result<(), Error> {
        while self.auth.len() < self.events.len() {
            let event = self.events[self.auth.len()].clone();
            let auth = event
                .auth_events
                .iter()
                .map(|id| self.add(id))
                .collect::<Result<Vec<_>, _>>()?;
            self.auth.push(auth);
        }
        Ok(())
    }

    fn get(&self, id: &EventId) -> Option<Arc<Pdu>> {
        if let Some(&number) = self.numbers.get(id) {
            return Some(self.events[number].clone());
        }
        if let Some(known) = self.others.borrow().get(id) {
            return known.clone();
        }
        let event = (self.fetch)(id);
        self.others
            .borrow_mut()
            .insert(id.to_owned(), event.clone());
        event
    }

    /// All that is reachable from `starts` (themselves included) along auth events.
    fn reachable(&self, starts: impl IntoIterator<Item = usize>) -> Vec<bool> {
        let mut seen = vec![false; self.events.len()];
        let mut open = starts.into_iter().collect::<Vec<_>>();
        while let Some(number) = open.pop() {
            if !std::mem::replace(&mut seen[number], true) {
                open.extend_from_slice(&self.auth[number]);
            }
        }
        seen
    }

    /// The events that are in the auth chains of some states and not of others; a state's own events count as part of its
    /// chain, as they do in other servers. Conflicted events are left out: they are in the full conflicted set anyway.
    ///
    /// What the conflicted part of every state reaches is in all chains, and so is what it reaches in turn. The rest is in all
    /// chains too if the unconflicted state reaches it.
    fn auth_difference(
        &self,
        roots: &[Vec<usize>],
        conflicted: &HashSet<usize>,
        unconflicted: impl FnOnce() -> Vec<OwnedEventId>,
    ) -> Result<HashSet<usize>, Error> {
        let mut counts = vec![0_usize; self.events.len()];
        for starts in roots {
            let reached = self.reachable(starts.iter().copied());
            for (count, reached) in counts.iter_mut().zip(reached) {
                *count += usize::from(reached);
            }
        }
        let in_question = |number: usize| counts[number] < roots.len();
        let mut difference = (0..self.events.len())
            .filter(|&number| in_question(number) && !conflicted.contains(&number))
            .collect::<HashSet<_>>();
        if !difference.is_empty() {
            self.remove_reachable(&mut difference, unconflicted(), in_question)?;
        }
        Ok(difference)
    }

    /// Removes what the unconflicted state reaches, without going below what is in all chains for certain.
    fn remove_reachable(
        &self,
        difference: &mut HashSet<usize>,
        unconflicted: Vec<OwnedEventId>,
        in_question: impl Fn(usize) -> bool,
    ) -> Result<(), Error> {
        let mut seen_inside = vec![false; self.events.len()];
        let mut seen_outside = HashSet::new();
        let mut open = Vec::new();
        let mut state = unconflicted.into_iter();
        while !difference.is_empty() {
            // Events within the graph are followed there, others are fetched for their auth events.
            let Some(id) = open.pop().or_else(|| state.next()) else {
                break;
            };
            let Some(&number) = self.numbers.get(&id) else {
                if seen_outside.len() > MAX_AUTH_CHAIN {
                    return Err(Error::AuthChainTooLong(MAX_AUTH_CHAIN));
                }
                let event = (self.fetch)(&id).ok_or(Error::MissingEvent(id))?;
                for auth in &event.auth_events {
                    let known = self
                        .numbers
                        .get(auth)
                        .is_some_and(|&number| !in_question(number) || seen_inside[number]);
                    if !known && seen_outside.insert(auth.clone()) {
                        open.push(auth.clone());
                    }
                }
                continue;
            };
            let mut inside = vec![number];
            while let Some(number) = inside.pop() {
                if in_question(number) && !std::mem::replace(&mut seen_inside[number], true) {
                    difference.remove(&number);
                    inside.extend_from_slice(&self.auth[number]);
                }
            }
        }
        Ok(())
    }

    /// All events on a path along auth events from one conflicted event to another, both ends included.
    fn subgraph(&self, conflicted: &HashSet<usize>) -> HashSet<usize> {
        let below = self.reachable(conflicted.iter().copied());
        let mut citing = vec![Vec::new(); self.events.len()];
        for (number, auth) in self.auth.iter().enumerate() {
            for &cited in auth {
                citing[cited].push(number);
            }
        }
        let mut above = HashSet::new();
        let mut open = conflicted.iter().copied().collect::<Vec<_>>();
        while let Some(number) = open.pop() {
            if above.insert(number) {
                open.extend_from_slice(&citing[number]);
            }
        }
        above.retain(|&number| below[number]);
        above
    }

    /// The state that the auth checks of these events look up.
    fn looked_up(
        &self,
        full_set: &HashSet<usize>,
        rules: &RoomVersionRules,
    ) -> HashSet<(StateEventType, String)> {
        let mut keys = HashSet::new();
        for event in full_set.iter().map(|&number| &self.events[number]) {
            let types = auth_types(
                &event.kind,
                &event.sender,
                event.state_key.as_deref(),
                &event.content,
                &rules.authorization,
            );
            keys.extend(types.unwrap_or_default());
            // An event for a key that is not in conflict must not replace it.
            if let Some(state_key) = &event.state_key {
                keys.insert((state_event_type(&event.kind), state_key.clone()));
            }
        }
        keys
    }
}

fn state_event_type(kind: &TimelineEventType) -> StateEventType {
    kind.to_string().into()
}

#[cfg(test)]
mod tests;
