//! Rooms' states: persistent tries over shared nodes.
//!
//! A state maps (type, state key) to an event. Each state is the ID of a trie's root; changing one entry makes new nodes along one
//! path and shares all others, so that a state costs what changed, in a room of ten members or of a hundred thousand, and
//! the difference of two states costs what differs. Keys are hashed (the first 16 bytes of SHA-256): depth stays
//! logarithmic whatever the names.

use std::{collections::BTreeMap, sync::Arc};

use orvale_storage::{
    Batch, Position, Result, Store,
    trees::rooms::{STATE_NODES, StateNode},
};
use quick_cache::sync::Cache;
use sha2::{Digest, Sha256};

/// The ID of a state: the root of its trie. [`StateId::EMPTY`] holds nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct StateId(pub u64);

impl StateId {
    /// The state of a room before its first event.
    pub const EMPTY: Self = Self(0);
}

/// A hashed (type, state key).
pub(crate) type StateHash = [u8; 16];

const LEAF_ENTRIES: usize = 24;
const INDEX_BITS: u32 = 20;
const CHUNK: u64 = 64;
const DEPTH: usize = 32;

pub(crate) fn hash(kind: &str, state_key: &str) -> StateHash {
    let mut sha = Sha256::new();
    sha.update(kind.as_bytes());
    sha.update([0]);
    sha.update(state_key.as_bytes());
    let mut hash = [0; 16];
    hash.copy_from_slice(&sha.finalize()[..16]);
    hash
}

fn nibble(hash: &StateHash, depth: usize) -> u32 {
    let byte = hash[depth / 2];
    u32::from(if depth.is_multiple_of(2) {
        byte >> 4
    } else {
        byte & 15
    })
}

/// The states of all rooms. Cheap to clone.
#[derive(Clone)]
pub(crate) struct States {
    store: Store,
    nodes: Arc<Cache<u64, Arc<StateNode>>>,
}

/// Nodes that were made but may not be readable from the store yet, by the position of the event that made them.
#[derive(Debug, Default)]
pub(crate) struct Unwritten(BTreeMap<u64, Arc<StateNode>>);

impl Unwritten {
    /// Lets go of what the store can read by now.
    pub(crate) fn forget(&mut self, visible: Position) {
        self.0 = self.0.split_off(&(visible.next().0 << INDEX_BITS));
    }
}

/// The new nodes of all states that are made at one position.
#[derive(Debug)]
pub(crate) struct Nodes {
    at: Position,
    made: Vec<Arc<StateNode>>,
}

impl Nodes {
    pub(crate) fn new(at: Position) -> Self {
        let made = Vec::new();
        Self { at, made }
    }

    /// Puts them into the batch of what made them.
    pub(crate) fn put(&self, batch: &mut Batch) {
        let chunks = self.made.chunks(usize::try_from(CHUNK).expect("small"));
        for (chunk, nodes) in (0..).zip(chunks) {
            let nodes: Vec<StateNode> = nodes.iter().map(|node| (**node).clone()).collect();
            batch.put(&STATE_NODES, (self.at, chunk), &nodes);
        }
    }
}

/// A state being made.
struct Maker<'a> {
    states: &'a States,
    unwritten: &'a Unwritten,
    nodes: &'a mut Nodes,
}

impl States {
    pub(crate) fn new(store: Store, cached_nodes: usize) -> Self {
        Self {
            store,
            nodes: Arc::new(Cache::new(cached_nodes)),
        }
    }

    fn node(&self, id: u64, unwritten: &Unwritten) -> Result<Arc<StateNode>> {
        if let Some(node) = unwritten.0.get(&id) {
            return Ok(node.clone());
        }
        if let Some(node) = self.nodes.get(&id) {
            return Ok(node);
        }
        let (at, index) = (Position(id >> INDEX_BITS), id & ((1 << INDEX_BITS) - 1));
        #[expect(clippy::cast_possible_truncation, reason = "an index has 20 bits")]
        let chunk = (index / CHUNK) as u32;
        let missing = || orvale_storage::Error::Corrupt {
            tree: "state_nodes",
            reason: format!("no node {at}/{index}"),
        };
        let nodes = self
            .store
            .get(&STATE_NODES, (at, chunk))?
            .ok_or_else(missing)?;
        let mut wanted = None;
        for (n, node) in (u64::from(chunk) * CHUNK..).zip(nodes) {
            let node = Arc::new(node);
            if n == index {
                wanted = Some(node.clone());
            }
            self.nodes.insert(at.0 << INDEX_BITS | n, node);
        }
        wanted.ok_or_else(missing)
    }

    /// The event that a state holds for a key.
    pub(crate) fn get(
        &self,
        state: StateId,
        hash: &StateHash,
        unwritten: &Unwritten,
    ) -> Result<Option<Position>> {
        let mut id = state.0;
        for depth in 0..=DEPTH {
            if id == 0 {
                return Ok(None);
            }
            match &*self.node(id, unwritten)? {
                StateNode::Leaf(entries) => {
                    return Ok(entries
                        .binary_search_by(|(h, _)| h.cmp(hash))
                        .ok()
                        .map(|at| entries[at].1));
                }
                StateNode::Branch(bits, children) => match child(*bits, nibble(hash, depth)) {
                    Some(at) => id = children[at],
                    None => return Ok(None),
                },
            }
        }
        Ok(None)
    }

    /// Every event of a state, in no useful order.
    pub(crate) fn list(
        &self,
        state: StateId,
        unwritten: &Unwritten,
    ) -> Result<Vec<(StateHash, Position)>> {
        let mut found = Vec::new();
        let mut open = vec![state.0];
        while let Some(id) = open.pop().filter(|id| *id != 0) {
            match &*self.node(id, unwritten)? {
                StateNode::Leaf(entries) => found.extend_from_slice(entries),
                StateNode::Branch(_, children) => open.extend_from_slice(children),
            }
        }
        Ok(found)
    }

    /// What differs between two states: the key, and the event in the first and in the second.
    pub(crate) fn diff(
        &self,
        a: StateId,
        b: StateId,
        unwritten: &Unwritten,
    ) -> Result<Vec<Difference>> {
        let mut found = Vec::new();
        self.diff_nodes(a.0, b.0, unwritten, &mut found)?;
        Ok(found)
    }

    fn diff_nodes(
        &self,
        a: u64,
        b: u64,
        unwritten: &Unwritten,
        found: &mut Vec<Difference>,
    ) -> Result<()> {
        if a == b {
            return Ok(());
        }
        let read = |id: u64| {
            if id == 0 {
                Ok(None)
            } else {
                self.node(id, unwritten).map(Some)
            }
        };
        match (read(a)?.as_deref(), read(b)?.as_deref()) {
            (Some(StateNode::Branch(bits_a, a)), Some(StateNode::Branch(bits_b, b))) => {
                for n in 0..16 {
                    let of =
                        |bits: u16, children: &[u64]| child(bits, n).map_or(0, |at| children[at]);
                    self.diff_nodes(of(*bits_a, a), of(*bits_b, b), unwritten, found)?;
                }
            }
            _ => {
                let of = |id| -> Result<BTreeMap<_, _>> {
                    Ok(self.list(StateId(id), unwritten)?.into_iter().collect())
                };
                let (a, mut b) = (of(a)?, of(b)?);
                for (hash, in_a) in a {
                    let in_b = b.remove(&hash);
                    if in_b != Some(in_a) {
                        found.push(Difference {
                            hash,
                            a: Some(in_a),
                            b: in_b,
                        });
                    }
                }
                found.extend(b.into_iter().map(|(hash, in_b)| Difference {
                    hash,
                    a: None,
                    b: Some(in_b),
                }));
            }
        }
        Ok(())
    }

    /// The state that differs from `state` by these entries (`None`: not there). Its new nodes are kept in `unwritten` too,
    /// until the store can read them.
    pub(crate) fn change(
        &self,
        state: StateId,
        changes: &[(StateHash, Option<Position>)],
        nodes: &mut Nodes,
        unwritten: &mut Unwritten,
    ) -> Result<StateId> {
        let before = nodes.made.len();
        let mut changes: BTreeMap<StateHash, Option<Position>> = changes.iter().copied().collect();
        let mut maker = Maker {
            states: self,
            unwritten,
            nodes,
        };
        let root = maker.change(state.0, 0, &mut changes)?;
        for (n, node) in nodes.made.iter().enumerate().skip(before) {
            let id = nodes.at.0 << INDEX_BITS | n as u64;
            self.nodes.insert(id, node.clone());
            unwritten.0.insert(id, node.clone());
        }
        Ok(StateId(root))
    }
}

/// An entry in which two states differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Difference {
    pub(crate) hash: StateHash,
    pub(crate) a: Option<Position>,
    pub(crate) b: Option<Position>,
}

impl Maker<'_> {
    fn make(&mut self, node: StateNode) -> u64 {
        let nodes = &mut self.nodes;
        nodes.made.push(Arc::new(node));
        // A root of number 0 at position 0 cannot be: positions start at 1.
        nodes.at.0 << INDEX_BITS | (nodes.made.len() as u64 - 1)
    }

    fn change(
        &mut self,
        id: u64,
        depth: usize,
        changes: &mut BTreeMap<StateHash, Option<Position>>,
    ) -> Result<u64> {
        let node = if id == 0 {
            None
        } else {
            Some(self.states.node(id, self.unwritten)?)
        };
        match node.as_deref() {
            None => {
                let entries = changes
                    .iter()
                    .filter_map(|(h, e)| e.map(|e| (*h, e)))
                    .collect();
                Ok(self.build(entries, depth))
            }
            Some(StateNode::Leaf(entries)) => {
                let mut all: BTreeMap<_, _> = entries.iter().copied().collect();
                for (hash, event) in changes {
                    match event {
                        Some(event) => all.insert(*hash, *event),
                        None => all.remove(hash),
                    };
                }
                let all: Vec<_> = all.into_iter().collect();
                Ok(if all == *entries {
                    id
                } else {
                    self.build(all, depth)
                })
            }
            Some(StateNode::Branch(bits, children)) => {
                let mut next = [0_u64; 16];
                for n in 0..16 {
                    next[n as usize] = child(*bits, n).map_or(0, |at| children[at]);
                }
                let before = next;
                for n in 0..16_u32 {
                    let mut mine: BTreeMap<_, _> = changes
                        .iter()
                        .filter(|(h, _)| nibble(h, depth) == n)
                        .map(|(h, e)| (*h, *e))
                        .collect();
                    if !mine.is_empty() {
                        next[n as usize] = self.change(next[n as usize], depth + 1, &mut mine)?;
                    }
                }
                Ok(if next == before {
                    id
                } else {
                    self.branch(&next)
                })
            }
        }
    }

    fn branch(&mut self, children: &[u64; 16]) -> u64 {
        let bits = (0..16)
            .filter(|n| children[*n] != 0)
            .fold(0_u16, |bits, n| bits | 1 << n);
        if bits == 0 {
            return 0;
        }
        self.make(StateNode::Branch(
            bits,
            children.iter().copied().filter(|c| *c != 0).collect(),
        ))
    }

    fn build(&mut self, entries: Vec<(StateHash, Position)>, depth: usize) -> u64 {
        if entries.is_empty() {
            return 0;
        }
        if entries.len() <= LEAF_ENTRIES || depth == DEPTH {
            return self.make(StateNode::Leaf(entries));
        }
        let mut children = [0_u64; 16];
        for n in 0..16_u32 {
            let mine: Vec<_> = entries
                .iter()
                .copied()
                .filter(|(h, _)| nibble(h, depth) == n)
                .collect();
            children[n as usize] = self.build(mine, depth + 1);
        }
        self.branch(&children)
    }
}

/// The place of the n-th child among those that are there.
fn child(bits: u16, n: u32) -> Option<usize> {
    (bits >> n & 1 == 1).then(|| (bits & ((1 << n) - 1)).count_ones() as usize)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    fn states() -> States {
        States::new(Store::in_memory(), 100)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_state_is_what_was_put_into_it(
            steps in prop::collection::vec(prop::collection::vec((0_u16..300, prop::option::weighted(0.8, 1_u64..99)), 1..40), 1..30),
            forget in any::<bool>(),
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let (states, mut unwritten) = (states(), Unwritten::default());
            let (mut model, mut state) = (HashMap::new(), StateId::EMPTY);
            let mut past = vec![(state, model.clone())];
            for (at, step) in (1..).map(Position).zip(steps) {
                let mut batch = Batch::new();
                let changes: Vec<_> = step.iter().map(|(k, e)| (hash("t", &k.to_string()), e.map(Position))).collect();
                let mut nodes = Nodes::new(at);
                // Some in two steps, as where forks meet.
                let (first, rest) = changes.split_at(changes.len() / 2);
                state = states.change(state, first, &mut nodes, &mut unwritten).unwrap();
                state = states.change(state, rest, &mut nodes, &mut unwritten).unwrap();
                nodes.put(&mut batch);
                runtime.block_on(states.store.commit(batch)).unwrap();
                for (key, event) in changes {
                    match event { Some(e) => model.insert(key, e), None => model.remove(&key) };
                }
                if forget { unwritten.forget(at); }
                past.push((state, model.clone()));
            }
            for (state, model) in &past {
                let listed: HashMap<_, _> = states.list(*state, &unwritten).unwrap().into_iter().collect();
                prop_assert_eq!(&listed, model);
                for key in (0..300).map(|k| hash("t", &k.to_string())) {
                    prop_assert_eq!(states.get(*state, &key, &unwritten).unwrap(), model.get(&key).copied());
                }
            }
            for pair in past.windows(2).chain([[past[0].clone(), past[past.len() - 1].clone()].as_slice()]) {
                let mut patched = pair[0].1.clone();
                for difference in states.diff(pair[0].0, pair[1].0, &unwritten).unwrap() {
                    prop_assert_eq!(patched.get(&difference.hash).copied(), difference.a);
                    match difference.b { Some(e) => patched.insert(difference.hash, e), None => patched.remove(&difference.hash) };
                }
                prop_assert_eq!(&patched, &pair[1].1);
            }
        }
    }

    #[test]
    fn a_change_in_a_large_room_writes_little() {
        let (states, mut unwritten) = (states(), Unwritten::default());
        let members: Vec<_> = (0..50_000_u64)
            .map(|n| (hash("m.room.member", &n.to_string()), Some(Position(n + 1))))
            .collect();
        let mut nodes = Nodes::new(Position(1));
        let large = states
            .change(StateId::EMPTY, &members, &mut nodes, &mut unwritten)
            .unwrap();
        let before = unwritten.0.len();
        let change = [(hash("m.room.topic", ""), Some(Position(60_000)))];
        let mut nodes = Nodes::new(Position(60_000));
        let next = states
            .change(large, &change, &mut nodes, &mut unwritten)
            .unwrap();
        assert!(
            unwritten.0.len() - before <= 6,
            "{} nodes",
            unwritten.0.len() - before
        );
        assert_eq!(states.diff(large, next, &unwritten).unwrap().len(), 1);
    }
}
