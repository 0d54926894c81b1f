use serde_json::json;

use super::{Config, Contact, Support};
use crate::testing::Server;

#[tokio::test]
async fn what_the_settings_do_not_say_is_not_found() {
    let server = Server::start().await;
    let stranger = server.stranger();
    for name in ["client", "server", "support"] {
        let path = format!("/.well-known/matrix/{name}");
        stranger.get(&path).await.refused(404, "M_NOT_FOUND");
    }
}

#[tokio::test]
async fn well_known_documents_say_what_the_settings_say() {
    let mut server = Server::start().await;
    server.change_discovery(|discovery| {
        discovery.config.base_url = Some("https://matrix.example.org".to_owned());
        discovery.config.server = Some("matrix.example.org:443".to_owned());
        discovery.config.support.support_page = Some("https://example.org/help".to_owned());
        discovery.rtc_transports = vec![orvale_calls::Transport {
            kind: "livekit".to_owned(),
            details: [("livekit_service_url".to_owned(), "https://sfu".to_owned())].into(),
        }];
    });
    let stranger = server.stranger();
    let focus = json!([{"type": "livekit", "livekit_service_url": "https://sfu"}]);
    assert_eq!(
        stranger.get("/.well-known/matrix/client").await.ok(),
        json!({"m.homeserver": {"base_url": "https://matrix.example.org"}, "org.matrix.msc4143.rtc_foci": focus})
    );
    assert_eq!(
        stranger.get("/.well-known/matrix/server").await.ok(),
        json!({"m.server": "matrix.example.org:443"})
    );
    assert_eq!(
        stranger.get("/.well-known/matrix/support").await.ok(),
        json!({"support_page": "https://example.org/help"})
    );
}

#[tokio::test]
async fn capabilities_are_those_of_the_caller() {
    let server = Server::start().await;
    let (alice, admin) = (
        server.register("alice").await,
        server.register("admin").await,
    );
    server
        .state
        .users
        .set_admin(&admin.user_id, true)
        .await
        .unwrap();
    let admin = server.log_in(&admin.user_id).await;
    let of = async |client: &crate::testing::Client| {
        client.get("/_matrix/client/v3/capabilities").await.ok()["capabilities"].clone()
    };
    let alices = of(&alice).await;
    assert_eq!(alices["m.profile_fields"], json!({"enabled": true}));
    // What is not said to be otherwise may be done.
    assert_eq!(alices.get("m.change_password"), None);
    assert_eq!(alices["m.3pid_changes"], json!({"enabled": false}));
    assert_eq!(alices.get("m.account_moderation"), None);
    assert_eq!(
        of(&admin).await["m.account_moderation"],
        json!({"suspend": true, "lock": true})
    );
}

#[test]
fn impossible_settings_are_named() {
    let broken = |config: Config| config.check().unwrap_err().0;
    let server = Some("no name".to_owned());
    assert_eq!(
        broken(Config {
            server,
            ..Config::default()
        }),
        "server"
    );
    let base_url = Some("example.org".to_owned());
    assert_eq!(
        broken(Config {
            base_url,
            ..Config::default()
        }),
        "base_url"
    );
    let contact = Contact {
        role: "m.role.admin".to_owned(),
        matrix_id: None,
        email_address: None,
    };
    let support = Support {
        contacts: vec![contact],
        support_page: None,
    };
    assert_eq!(
        broken(Config {
            support,
            ..Config::default()
        }),
        "support.contacts"
    );
}
