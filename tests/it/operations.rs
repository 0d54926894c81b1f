//! Which operations of the specification there are: `tests/conformance/OPERATIONS.md`, written by
//! `ORVALE_UPDATE=1 cargo test -p orvale-tests operations` and held true without it.

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

    /// What is answered to a request with a body that is no JSON.
    async fn ask(&self, client: &Client) -> Answer {
        client
            .call(self.method.clone(), &self.path_of_nothing(), "nonsense")
            .await
    }
}

#[tokio::test]
async fn table_of_operations_tells_what_is_implemented() {
    let server = Server::start().await;
    server.register("alice").await;
    let mut implemented = BTreeMap::new();
    for operation in operations() {
        // Some end the session.
        let alice = server.log_in("alice").await;
        let there = operation.ask(&alice).await.json["errcode"] != "M_UNRECOGNIZED";
        implemented.insert(
            (operation.path.clone(), operation.method.to_string()),
            there,
        );
    }
    let table = table(&implemented);
    let file = conformance().join("OPERATIONS.md");
    if std::env::var_os("ORVALE_UPDATE").is_some() {
        std::fs::write(&file, &table).unwrap();
    }
    let written = std::fs::read_to_string(&file).unwrap_or_default();
    let differing = table.lines().filter(|line| !written.contains(*line));
    assert!(
        written == table,
        "OPERATIONS.md is out of date: write it by ORVALE_UPDATE=1 cargo test -p orvale-tests operations\n{}",
        differing.collect::<Vec<_>>().join("\n")
    );
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

fn table(implemented: &BTreeMap<(String, String), bool>) -> String {
    let there = implemented.values().filter(|there| **there).count();
    let mut table = format!(
        "# Operations of the client-server API\n\n\
         Written and held true by `tests/it/operations.rs`. {there} of {} operations are implemented.\n\n\
         | operation | path | |\n|---|---|---|\n",
        implemented.len()
    );
    for operation in operations() {
        let Operation {
            method,
            path,
            id,
            file,
            ..
        } = operation;
        let standing = if implemented[&(path.clone(), method.to_string())] {
            "implemented"
        } else {
            step(&file)
        };
        writeln!(table, "| {id} | `{method} {path}` | {standing} |").unwrap();
    }
    table
}

fn conformance() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance")
}
