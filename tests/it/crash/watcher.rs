//! Somebody who follows a room with `/sync`, across the ends of the server.

use serde_json::{Value, json};

use super::caller::{Caller, Ended};

/// Follows one room.
pub(crate) struct Watcher {
    pub(crate) token: String,
    pub(crate) room: String,
    since: String,
    /// The IDs of the events it was told of, in their order.
    seen: Vec<String>,
}

impl Watcher {
    pub(crate) async fn new(caller: &Caller, room: &str) -> Self {
        let mut watcher = Self {
            token: caller.token().to_owned(),
            room: room.to_owned(),
            since: String::new(),
            seen: Vec::new(),
        };
        let first = caller.get(&watcher.path(0)).await.expect("the server runs");
        watcher.since = next(&first);
        watcher
    }

    /// Follows until the server ends.
    pub(crate) async fn watch(mut self, caller: Caller) -> Self {
        while self.step(&caller, 5000).await.is_ok() {}
        self
    }

    /// Follows until it is told of an event; then what it was told of since its beginning must be the history of the room.
    pub(crate) async fn catch_up(&mut self, caller: &Caller, last: &str, history: &[Value]) {
        while self.seen.last().is_none_or(|seen| seen != last) {
            let before = self.seen.len();
            self.step(caller, 5000).await.expect("the server runs");
            assert!(
                self.seen.len() > before,
                "the sync token of before the end does not lead to what came after"
            );
        }
        let history: Vec<_> = history
            .iter()
            .filter_map(|event| event["event_id"].as_str())
            .collect();
        let compared = history.len().min(self.seen.len());
        let (told, known) = (
            &self.seen[self.seen.len() - compared..],
            &history[history.len() - compared..],
        );
        let differs = told
            .iter()
            .zip(known)
            .position(|(told, known)| told != known);
        assert_eq!(
            differs, None,
            "sync told of other events than the room has: {told:#?} and not {known:#?}"
        );
        // The history given may be the end of it only.
        if self.seen.len() > 10_000 {
            self.seen.drain(..5000);
        }
    }

    async fn step(&mut self, caller: &Caller, timeout: u64) -> Result<(), Ended> {
        let sync = caller.get(&self.path(timeout)).await?;
        let timeline = &sync["rooms"]["join"][&self.room]["timeline"];
        let mut events = Vec::new();
        if timeline["limited"] == true {
            let from = timeline["prev_batch"]
                .as_str()
                .expect("a limited timeline tells where to go on");
            events = self.gap(caller, from).await?;
        }
        events.extend(ids(&timeline["events"]));
        self.seen.append(&mut events);
        self.since = next(&sync);
        Ok(())
    }

    /// What a limited timeline leaves out.
    async fn gap(&self, caller: &Caller, from: &str) -> Result<Vec<String>, Ended> {
        let (mut from, mut backwards) = (from.to_owned(), Vec::new());
        loop {
            let path = format!(
                "rooms/{}/messages?dir=b&limit=100&from={from}&to={}",
                self.room, self.since
            );
            let page = caller.get(&path).await?;
            backwards.extend(ids(&page["chunk"]));
            match page["end"].as_str() {
                Some(end) if page["chunk"] != json!([]) => from = end.to_owned(),
                _ => break,
            }
        }
        backwards.reverse();
        Ok(backwards)
    }

    fn path(&self, timeout: u64) -> String {
        let filter =
            json!({ "room": { "rooms": [self.room], "timeline": { "limit": 20 } } }).to_string();
        let filter = orvale_tests::encode(&filter);
        let since = if self.since.is_empty() {
            String::new()
        } else {
            format!("&since={}", self.since)
        };
        format!("sync?timeout={timeout}&filter={filter}{since}")
    }
}

fn next(sync: &Value) -> String {
    sync["next_batch"]
        .as_str()
        .expect("every sync has next_batch")
        .to_owned()
}

fn ids(events: &Value) -> impl Iterator<Item = String> {
    let events = events.as_array().map_or(&[][..], Vec::as_slice);
    events
        .iter()
        .filter_map(|event| event["event_id"].as_str().map(str::to_owned))
}
