//! Which operations of the specification there are, and which tests call them: `tests/conformance/OPERATIONS.md`, written by
//! `ORVALE_UPDATE=1 cargo xtask test` and held true without it; `FEDERATION.md` beside it, written by hand.
//!
//! All tests note what they call ([`orvale_tests::record`]). When they are done, `cargo xtask test` asks this one again, telling it
//! where that is noted.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    path::{Path, PathBuf},
};

use orvale_tests::{Answer, Client, Server};
use reqwest::Method;
use serde_json::Value;

/// An operation of the specification.
struct Operation {
    method: Method,
    /// With `{arguments}` as the specification writes them.
    path: String,
    id: String,
    /// The file of the specification that describes it.
    file: String,
    /// Whether it is for who has an access token alone.
    guarded: bool,
}

impl Operation {
    /// The path with arguments that nothing has.
    fn path_of_nothing(&self) -> String {
        let mut path = String::new();
        for part in self.path.split_inclusive('/') {
            match part.trim_end_matches('/') {
                argument if argument.starts_with('{') => path += &part.replace(argument, "x"),
                _ => path += part,
            }
        }
        path
    }

    fn key(&self) -> (String, String) {
        (self.path.clone(), self.method.to_string())
    }

    /// Whether a path is one of this operation's.
    fn takes(&self, method: &str, path: &str) -> bool {
        let (mut wanted, mut given) = (self.path.split('/'), path.split('/'));
        self.method == method
            && loop {
                match (wanted.next(), given.next()) {
                    (None, None) => break true,
                    (Some(wanted), Some(given)) if wanted == given => {}
                    (Some(wanted), Some(given)) if wanted.starts_with('{') && !given.is_empty() => {
                    }
                    _ => break false,
                }
            }
    }

    /// What is answered to a request with a body that is no JSON.
    async fn ask(&self, client: &Client) -> Answer {
        client
            .call(self.method.clone(), &self.path_of_nothing(), "nonsense")
            .await
    }
}

/// Whether each operation is there: by path and method.
type Implemented = BTreeMap<(String, String), bool>;
/// Who called an operation, and whether it did what they asked: by path and method.
type Calls = BTreeMap<(String, String), BTreeMap<String, bool>>;

#[tokio::test]
async fn table_of_operations_tells_what_is_implemented_and_what_proves_it() {
    let server = Server::start().await;
    server.register("alice").await;
    let mut implemented = Implemented::new();
    for operation in operations() {
        // Some end the session.
        let alice = server.log_in("alice").await;
        let there = operation.ask(&alice).await.json["errcode"] != "M_UNRECOGNIZED";
        implemented.insert(operation.key(), there);
    }
    let file = conformance().join("OPERATIONS.md");
    let written = std::fs::read_to_string(&file).unwrap_or_default();
    let proofs = proofs(&written);
    let calls = std::env::var_os("ORVALE_RECORDED").map(|place| calls(Path::new(&place)));
    let is_update = std::env::var_os("ORVALE_UPDATE").is_some();
    if is_update && calls.is_none() {
        // It is written when all tests have noted what they call.
        return;
    }
    let table = table(&implemented, &proofs, calls.as_ref());
    if is_update {
        std::fs::write(&file, &table).unwrap();
        return;
    }
    let differing = table.lines().filter(|line| !written.contains(*line));
    assert!(
        written == table,
        "OPERATIONS.md is out of date: write it by ORVALE_UPDATE=1 cargo xtask test\n{}",
        differing.collect::<Vec<_>>().join("\n")
    );
    let tests = sources();
    for test in proofs.values().flatten() {
        let name = test.rsplit("::").next().unwrap_or(test);
        let name = name.trim_end_matches(REFUSED);
        assert!(tests.contains(&format!("fn {name}(")), "there is no {test}");
    }
}

#[tokio::test]
async fn operations_for_users_ask_for_a_token_before_anything_else() {
    let server = Server::start().await;
    let stranger = server.stranger();
    let mut liar = server.stranger();
    liar.token = "nothing that was given out".to_owned();
    for operation in operations() {
        let answer = operation.ask(&stranger).await;
        if !operation.guarded || answer.json["errcode"] == "M_UNRECOGNIZED" {
            continue;
        }
        assert_eq!(answer.header("access-control-allow-origin"), "*");
        answer.refused(401, "M_MISSING_TOKEN");
        let answer = operation.ask(&liar).await;
        assert_eq!(answer.json["soft_logout"], false, "{}", operation.id);
        answer.refused(401, "M_UNKNOWN_TOKEN");
    }
}

/// The table of the server-server API is held true by the server, which knows each operation, and by the tests that it names.
#[tokio::test]
async fn operations_between_servers_are_served_and_each_has_a_test() {
    let server = Server::start().await;
    let stranger = server.stranger();
    let table = std::fs::read_to_string(conformance().join("FEDERATION.md")).unwrap();
    let rows: Vec<_> = table
        .lines()
        .filter(|line| line.contains(" | `"))
        .map(|line| line.trim_matches('|').split(" | ").map(str::trim))
        .map(Iterator::collect::<Vec<_>>)
        .collect();
    assert_eq!(rows.len(), 36, "operations of the specification");
    let tests = sources();
    for row in rows {
        let [id, place, proof] = row[..] else {
            panic!("{row:?}")
        };
        let (method, path) = place.trim_matches('`').split_once(' ').unwrap();
        let operation = Operation {
            method: method.parse().unwrap(),
            path: path.to_owned(),
            id: id.to_owned(),
            file: String::new(),
            guarded: false,
        };
        let answer = operation.ask(&stranger).await;
        let is_known = answer.json["errcode"] != "M_UNRECOGNIZED";
        assert_eq!(is_known, !proof.starts_with("never: "), "{id}: {place}");
        let is_there = tests.contains(&format!("fn {proof}("));
        assert_eq!(is_there, is_known, "{id}: there is no test {proof}");
    }
}

/// All of them, by file, path and method. Two stand there twice: the first file's is taken.
fn operations() -> Vec<Operation> {
    let text = std::fs::read_to_string(conformance().join("spec/client-server.json")).unwrap();
    let api: Value = serde_json::from_str(&text).unwrap();
    let mut operations: Vec<Operation> = Vec::new();
    for (path, methods) in api["paths"].as_object().unwrap() {
        for (method, described) in methods.as_object().unwrap() {
            let text = |key: &str| described[key].as_str().unwrap().to_owned();
            let by_token = |way: &Value| {
                let mut schemes = way.as_object().unwrap().keys();
                schemes.any(|scheme| scheme.starts_with("accessToken"))
            };
            let operation = Operation {
                method: method.to_uppercase().parse().unwrap(),
                path: path.trim().to_owned(),
                id: text("operationId"),
                file: text("x-file"),
                guarded: described["security"]
                    .as_array()
                    .is_some_and(|ways| ways.iter().all(by_token)),
            };
            operations.push(operation);
        }
    }
    let place = |operation: &Operation| {
        let Operation { file, path, .. } = operation;
        (file.clone(), path.clone(), operation.method.to_string())
    };
    operations.sort_by_key(place);
    let mut known = BTreeSet::new();
    operations
        .retain(|operation| known.insert((operation.path.clone(), operation.method.to_string())));
    operations
}

/// What an operation that is not there yet belongs to.
fn step(file: &str) -> &'static str {
    match file {
        "cross_signing" | "key_backup" | "keys" => "encryption",
        "search" | "users" | "relations" | "threads_list" | "room_event_by_timestamp" => {
            "search and relations"
        }
        "space_hierarchy" | "room_summary" => "spaces",
        "sso_login_redirect" | "oauth_server_metadata" | "login_token" => "single sign-on",
        "appservice_ping" | "appservice_room_directory" | "third_party_lookup" => {
            "application services"
        }
        "third_party_membership" | "administrative_contact" => "identity servers",
        "voip" => "calls",
        "report_content" | "admin" | "support" | "policy_server" => "administration",
        "mutual_rooms" => "profiles",
        "content-repo" | "authed-content-repo" => "link previews",
        "notifications" => "notifications",
        // Replaced by `/sync` and `/messages` long ago.
        "old_sync" | "room_initial_sync" | "peeking_events" => "never: replaced by /sync",
        _ => "?",
    }
}

/// How many tests stand for an operation.
const PROOFS: usize = 2;
/// After tests whose call was refused, where nothing else can be done here.
const REFUSED: &str = " (refused)";

/// The table. Where it is known which tests called what, those are named that did; else those that it names already.
fn table(implemented: &Implemented, proofs: &Proofs, calls: Option<&Calls>) -> String {
    let there = implemented.values().filter(|there| **there).count();
    let mut table = format!(
        "# Operations of the client-server API\n\n\
         Written and held true by `tests/it/operations.rs`. {there} of {} operations are implemented; beside each stand tests that\n\
         call it and are answered, as `cargo xtask test` sees for itself. The others say what they belong to.\n\n\
         | operation | path | |\n|---|---|---|\n",
        implemented.len()
    );
    for operation in operations() {
        let standing = if implemented[&operation.key()] {
            let named = proofs.get(&operation.key()).cloned().unwrap_or_default();
            let tests = match calls {
                Some(calls) => chosen(&operation, named, calls),
                None => named,
            };
            assert!(!tests.is_empty(), "no test calls {}", operation.id);
            tests.join("<br>")
        } else {
            step(&operation.file).to_owned()
        };
        let Operation {
            method, path, id, ..
        } = operation;
        writeln!(table, "| {id} | `{method} {path}` | {standing} |").unwrap();
    }
    table
}

/// The tests that are named for an operation and called it; with room left, also those that call few others.
fn chosen(operation: &Operation, named: Vec<String>, calls: &Calls) -> Vec<String> {
    let Some(callers) = calls.get(&operation.key()) else {
        return Vec::new();
    };
    let any_did = callers.values().any(|did| *did);
    let called = |test: &str| calls.values().filter(|by| by.contains_key(test)).count();
    let mut found: Vec<_> = callers
        .iter()
        .filter(|(_, did)| **did || !any_did)
        .map(|(test, _)| (called(test), test))
        .collect();
    found.sort_unstable();
    let suffix = if any_did { "" } else { REFUSED };
    let found = found.into_iter().map(|(_, test)| format!("{test}{suffix}"));
    let found: Vec<_> = found.collect();
    let mut tests: Vec<_> = named
        .into_iter()
        .filter(|test| found.contains(test))
        .collect();
    for test in found {
        if tests.len() < PROOFS && !tests.contains(&test) {
            tests.push(test);
        }
    }
    tests
}

/// The tests beside operations: by path and method.
type Proofs = BTreeMap<(String, String), Vec<String>>;

/// Those that a table names.
fn proofs(table: &str) -> Proofs {
    let rows = table.lines().filter_map(|line| {
        let mut cells = line.trim_matches('|').split(" | ").map(str::trim);
        let (_, place, tests) = (cells.next()?, cells.next()?, cells.next()?);
        let (method, path) = place.trim_matches('`').split_once(' ')?;
        let tests = tests.split("<br>").filter(|test| test.contains("::"));
        let tests = tests.map(str::to_owned).collect();
        Some(((path.to_owned(), method.to_owned()), tests))
    });
    rows.collect()
}

/// What was recorded in a directory.
fn calls(place: &Path) -> Calls {
    let operations = operations();
    let mut calls = Calls::new();
    for entry in std::fs::read_dir(place).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        for line in text.lines() {
            let mut parts = line.split('\t');
            let mut next = || parts.next().unwrap();
            let (test, method, path, status) = (next(), next(), next(), next());
            let found = operations.iter().find(|known| known.takes(method, path));
            // This test asks all of them, and proves none.
            let Some(operation) = found.filter(|_| !test.contains(" operations::")) else {
                continue;
            };
            let callers = calls.entry(operation.key()).or_default();
            *callers.entry(test.to_owned()).or_default() |= status.starts_with('2');
        }
    }
    calls
}

/// The sources in which tests are.
fn sources() -> String {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let apis = ["client-api", "federation-api"];
    let mut folders = vec![tests.join("it")];
    folders.extend(apis.map(|api| tests.join("../homeserver").join(api).join("src")));
    let mut text = String::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                text += &std::fs::read_to_string(path).unwrap();
            }
        }
    }
    text
}

fn conformance() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance")
}
