//! Every requirement has a test that proves it, or a step in which it comes: `tests/requirements.md` says which, and this holds it to
//! what exists.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// The areas of the requirements, each numbered from 1 to here.
const AREAS: [(&str, usize); 22] = [
    ("UI-", 17),
    ("MSG-", 25),
    ("ROOM-", 23),
    ("TYP-", 3),
    ("RCPT-", 4),
    ("PREF-", 12),
    ("THEME-", 14),
    ("NOTIF-", 9),
    ("SRCH-", 10),
    ("FILE-", 8),
    ("SHR-", 9),
    ("A11Y-", 4),
    ("PERF-", 4),
    ("SAF-", 6),
    ("LOAD-", 13),
    ("ACT-", 17),
    ("SCR-A", 10),
    ("CALM-", 14),
    ("KEY-", 4),
    ("A11-", 15),
    ("CTR-", 2),
    ("RES-", 8),
];

/// The steps that are still to come.
const STEPS: [&str; 7] = [
    "calls",
    "dashboard",
    "phones",
    "portal",
    "speed",
    "tickets",
    "widget",
];

/// What is there to be named: the text of all tests, by kind.
struct Sources {
    browser: String,
    web: String,
    budgets: String,
    rust: String,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// All files below a directory that are taken, as one text.
fn gather(directory: &Path, takes: &dyn Fn(&str) -> bool, into: &mut String) {
    let mut entries: Vec<_> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if name != "node_modules" && name != "target" && name != "files" {
                gather(&path, takes, into);
            }
        } else if takes(&name) {
            into.push_str(&fs::read_to_string(&path).unwrap());
        }
    }
}

fn sources() -> Sources {
    let read = |places: &[&str], takes: &dyn Fn(&str) -> bool| {
        let mut text = String::new();
        for place in places {
            gather(&root().join(place), takes, &mut text);
        }
        text
    };
    let is_test = |name: &str| name.ends_with(".test.ts") || name.ends_with(".test.tsx");
    Sources {
        browser: read(&["tests/browser/suite"], &|name| name.ends_with(".spec.ts")),
        web: read(&["client-web/src", "client-web/build"], &is_test),
        budgets: fs::read_to_string(root().join("client-web/build/budgets.ts")).unwrap(),
        rust: read(&["homeserver", "tests/it"], &|name| name.ends_with(".rs")),
    }
}

impl Sources {
    /// Why a proof proves nothing, if so.
    fn complaint(&self, proof: &str) -> Option<String> {
        let (kind, named) = proof.split_once(' ')?;
        let is_titled = |text: &str| {
            ["test(", "test.only("].iter().any(|call| {
                text.contains(&format!("{call}{named},"))
                    || text.contains(&format!("{call}\n  {named},"))
            })
        };
        let is_there = match kind {
            "browser" => is_titled(&self.browser),
            "web" => is_titled(&self.web),
            "build" => self.budgets.contains(&format!("name: {named},")),
            "rust" => self.rust.contains(&format!("fn {named}()")),
            "later" => STEPS.contains(&named),
            _ => false,
        };
        (!is_there).then(|| format!("there is no {kind} {named}"))
    }
}

/// The rows of the table: a requirement, its proofs.
fn table(text: &str) -> BTreeMap<String, Vec<String>> {
    let mut rows = BTreeMap::new();
    for line in text.lines() {
        let Some(row) = line
            .strip_prefix("| ")
            .and_then(|row| row.strip_suffix(" |"))
        else {
            continue;
        };
        let Some((id, proofs)) = row.split_once(" | ") else {
            continue;
        };
        if id == "id" {
            continue;
        }
        let proofs = proofs.split(" + ").map(|proof| proof.trim().to_owned());
        let before = rows.insert(id.to_owned(), proofs.collect::<Vec<_>>());
        assert!(before.is_none(), "{id} has two rows");
    }
    rows
}

#[test]
fn every_requirement_has_a_test_or_a_step() {
    let rows = table(&fs::read_to_string(root().join("tests/requirements.md")).unwrap());
    let sources = sources();
    let mut complaints = Vec::new();
    let mut known = 0;
    for (area, count) in AREAS {
        for n in 1..=count {
            let id = if area == "SCR-A" {
                format!("{area}{n}")
            } else {
                format!("{area}{n:02}")
            };
            match rows.get(&id) {
                None => complaints.push(format!("{id}: is not in the table")),
                Some(proofs) => {
                    known += 1;
                    let of_row = proofs.iter().filter_map(|proof| match proof.as_str() {
                        "" => Some("a proof is empty".to_owned()),
                        proof => sources.complaint(proof),
                    });
                    complaints.extend(of_row.map(|complaint| format!("{id}: {complaint}")));
                }
            }
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    assert_eq!(known, rows.len(), "a row is about nothing that is required");
}

#[test]
fn a_table_that_names_what_is_not_there_is_found_out() {
    let sources = Sources {
        browser: "test(\"it works\", async () => {});".into(),
        web: String::new(),
        budgets: "{ name: \"all\", limit: 3 }".into(),
        rust: "fn it_holds() {}".into(),
    };
    for good in [
        "browser \"it works\"",
        "build \"all\"",
        "rust it_holds",
        "later calls",
    ] {
        assert_eq!(sources.complaint(good), None, "{good}");
    }
    for bad in [
        "browser \"it does\"",
        "web \"it works\"",
        "rust it",
        "later never",
        "hearsay x",
    ] {
        assert!(sources.complaint(bad).is_some(), "{bad}");
    }
    assert_eq!(
        table("| A-01 | rust a + later b |\n| id | proof |\n")["A-01"].len(),
        2
    );
}
