//! Rooms told as JSON in `rooms/`: their events, the forks that meet, and the state that comes out.

use std::{collections::BTreeMap, fs, path::Path};

use ruma::{OwnedEventId, RoomVersionId, state_res::StateMap};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{
    resolve,
    testing::{TestRoom, Told},
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Story {
    /// For whom reads it.
    #[expect(dead_code, reason = "it is for people")]
    about: String,
    events: Vec<Told>,
    /// The states that meet, as lists of events; those after the events that nothing comes after, if missing.
    #[serde(default)]
    forks: Option<Vec<Vec<String>>>,
    /// By room versions (`6-11`), the entries of the resolved state that matter; `null` for one that must be missing.
    resolved: BTreeMap<String, Map<String, Value>>,
}

fn versions(range: &str) -> Vec<RoomVersionId> {
    let (first, last) = range.split_once('-').unwrap_or((range, range));
    let (first, last) = (first.parse::<u8>().unwrap(), last.parse::<u8>().unwrap());
    (first..=last)
        .map(|version| RoomVersionId::try_from(version.to_string()).unwrap())
        .collect()
}

fn forks(story: &Story, room: &TestRoom) -> Vec<StateMap<OwnedEventId>> {
    let Some(forks) = &story.forks else {
        return room
            .extremities()
            .iter()
            .map(|id| room.states[id].clone())
            .collect();
    };
    let entry = |name: &String| {
        let event = &room.events[&room.id(name)];
        (
            (
                event.kind.to_string().into(),
                event.state_key.clone().unwrap(),
            ),
            event.event_id.clone(),
        )
    };
    forks
        .iter()
        .map(|names| names.iter().map(entry).collect())
        .collect()
}

/// What came out otherwise than told.
fn check_story(path: &Path) -> Vec<String> {
    let mut wrong = Vec::new();
    let story = serde_json::from_slice::<Story>(&fs::read(path).unwrap())
        .unwrap_or_else(|e| panic!("{path:?}: {e}"));
    for (range, expected) in &story.resolved {
        for version in versions(range) {
            let mut room = TestRoom::new(&version);
            for told in &story.events {
                if let Err(reason) = room.tell(told) {
                    panic!("{path:?}, version {version}, {}: {reason}", told.id);
                }
            }
            let mut forks = forks(&story, &room);
            assert!(forks.len() > 1, "{path:?} has no forks");
            for _ in 0..forks.len() {
                forks.rotate_left(1);
                let resolved = room.named(&resolve(&room.rules, &forks, room.fetch()).unwrap());
                for (key, event) in expected {
                    let found = resolved.get(key).unwrap_or(&Value::Null);
                    if found != event {
                        wrong.push(format!(
                            "{path:?}, version {version}: {key} is {found}, not {event}"
                        ));
                    }
                }
            }
        }
    }
    wrong
}

#[test]
fn every_told_room_resolves_as_told() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/resolve/tests/rooms");
    let paths = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect::<Vec<_>>();
    assert!(paths.len() > 8);
    let wrong = paths
        .iter()
        .flat_map(|path| check_story(path))
        .collect::<Vec<_>>();
    assert!(wrong.is_empty(), "{wrong:#?}");
}
