//! Push rules and pushers as clients meet them.

use serde_json::{Value, json};

use crate::testing::{Client, Server};

const RULES: &str = "/_matrix/client/v3/pushrules/";

fn rule(kind: &str, rule_id: &str) -> String {
    format!("{RULES}global/{kind}/{rule_id}")
}

fn content() -> Value {
    json!({ "pattern": "cake", "actions": ["notify"] })
}

async fn order(client: &Client) -> Vec<String> {
    let rules = client.get(RULES).await.ok();
    let rules = rules["global"]["content"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let own = rules.iter().filter(|rule| rule["default"] == false);
    own.map(|rule| rule["rule_id"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn rules_are_added_shown_changed_and_removed() {
    let server = Server::start().await;
    let alice = server.register("alice").await;
    let cake = rule("content", "cake");
    alice.get(&cake).await.refused(404, "M_NOT_FOUND");
    alice.put(&cake, content()).await.ok();
    let shown = alice.get(&cake).await.ok();
    let expected = json!({ "rule_id": "cake", "default": false, "enabled": true, "pattern": "cake", "actions": ["notify"] });
    assert_eq!(shown, expected);
    alice
        .put(&format!("{cake}/enabled"), json!({ "enabled": false }))
        .await
        .ok();
    assert_eq!(
        alice.get(&format!("{cake}/enabled")).await.ok(),
        json!({ "enabled": false })
    );
    alice
        .put(&format!("{cake}/actions"), json!({ "actions": [] }))
        .await
        .ok();
    assert_eq!(
        alice.get(&format!("{cake}/actions")).await.ok(),
        json!({ "actions": [] })
    );
    alice.delete(&cake).await.ok();
    alice.delete(&cake).await.refused(404, "M_NOT_FOUND");
    alice
        .put(&format!("{cake}/enabled"), json!({ "enabled": true }))
        .await
        .refused(404, "M_NOT_FOUND");
}

#[tokio::test]
async fn a_rule_moved_after_the_last_of_its_kind_is_the_last() {
    let server = Server::start().await;
    let alice = server.register("alice").await;
    for rule_id in ["c", "b", "a"] {
        alice.put(&rule("content", rule_id), content()).await.ok();
    }
    alice
        .put(&format!("{}?after=c", rule("content", "a")), content())
        .await
        .ok();
    assert_eq!(order(&alice).await, ["b", "c", "a"]);
    alice
        .put(&format!("{}?before=b", rule("content", "a")), content())
        .await
        .ok();
    assert_eq!(order(&alice).await, ["a", "b", "c"]);
    alice
        .put(
            &format!("{}?after=unknown", rule("content", "a")),
            content(),
        )
        .await
        .refused(404, "M_NOT_FOUND");
    alice
        .put(&format!("{}?after=a", rule("content", "a")), content())
        .await
        .refused(400, "M_INVALID_PARAM");
    alice
        .put(&format!("{}?after=new", rule("content", "new")), content())
        .await
        .refused(400, "M_INVALID_PARAM");
}

#[tokio::test]
async fn the_servers_rules_are_there_and_stay() {
    let server = Server::start().await;
    let alice = server.register("alice").await;
    let all = alice.get(RULES).await.ok();
    assert_eq!(
        all["global"],
        alice.get(&format!("{RULES}global/")).await.ok()
    );
    assert_eq!(all["global"]["override"][0]["rule_id"], ".m.rule.master");
    alice
        .delete(&rule("underride", ".m.rule.message"))
        .await
        .refused(400, "M_INVALID_PARAM");
    alice
        .put(&rule("content", ".own"), content())
        .await
        .refused(400, "M_INVALID_PARAM");
    let nonsense = alice
        .put(&rule("nonsense", "x"), json!({ "actions": [] }))
        .await;
    assert_eq!(nonsense.status, 400);
}

#[tokio::test]
async fn pushers_are_set_listed_and_removed() {
    let server = Server::start().await;
    let alice = server.register("alice").await;
    let mut pusher = json!({
        "pushkey": "key", "kind": "http", "app_id": "org.example.app", "app_display_name": "App",
        "device_display_name": "Phone", "lang": "en",
        "data": { "url": "https://push.example.org/_matrix/push/v1/notify", "format": "event_id_only" },
    });
    let set = "/_matrix/client/v3/pushers/set";
    alice.post(set, pusher.clone()).await.ok();
    let listed = alice.get("/_matrix/client/v3/pushers").await.ok();
    assert_eq!(listed, json!({ "pushers": [pusher.clone()] }));
    pusher["data"]["url"] = json!("https://push.example.org/elsewhere");
    alice
        .post(set, pusher)
        .await
        .refused(400, "M_INVALID_PARAM");
    alice
        .post(
            set,
            json!({ "pushkey": "key", "app_id": "org.example.app", "kind": null }),
        )
        .await
        .ok();
    assert_eq!(
        alice.get("/_matrix/client/v3/pushers").await.ok(),
        json!({ "pushers": [] })
    );
    alice
        .post(set, json!({ "pushkey": "key" }))
        .await
        .refused(400, "M_BAD_JSON");
}
