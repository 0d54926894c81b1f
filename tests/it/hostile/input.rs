//! What clients write that nobody should.

use std::time::Duration;

use orvale_tests::{Client, Server, encode};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use super::{event, of, people, public_room};

/// Sends a message whose content is written like this.
async fn write(client: &Client, room: &str, content: impl Into<String>) -> orvale_tests::Answer {
    let transaction = format!("send/m.room.message/{:x}", rand::random::<u64>());
    client
        .call(Method::PUT, &of(room, &transaction), content.into())
        .await
}

#[tokio::test]
async fn line_15_numbers_that_other_servers_could_not_sign_are_refused() {
    let server = Server::start().await;
    let [alice, ..] = people(&server).await;
    let room = public_room(&alice).await;
    for number in [
        "1.5",
        "1e400",
        "-1e400",
        "1e-5",
        "9007199254740992",
        "-9007199254740992",
        "99999999999999999999999",
        "0.1",
    ] {
        let answer = write(&alice, &room, format!("{{\"body\":\"x\",\"n\":{number}}}")).await;
        assert_eq!(answer.status, 400, "{number}: {}", answer.json);
        assert!(
            matches!(
                answer.json["errcode"].as_str(),
                Some("M_BAD_JSON" | "M_NOT_JSON")
            ),
            "{number}: {}",
            answer.json
        );
        let answer = alice
            .call(
                Method::PUT,
                &of(&room, "state/org.example.n"),
                format!("{{\"a\":[{{\"n\":{number}}}]}}"),
            )
            .await;
        assert_eq!(answer.status, 400, "{number} in state: {}", answer.json);
    }
    for number in ["9007199254740991", "-9007199254740991", "0", "-1"] {
        let sent = write(&alice, &room, format!("{{\"n\":{number}}}"))
            .await
            .ok();
        let seen = alice.event(&room, sent["event_id"].as_str().unwrap()).await;
        assert_eq!(seen["content"]["n"].to_string(), number);
    }
    for wrong in ["NaN", "Infinity", "01", "0x10", "+1", "1_000"] {
        write(&alice, &room, format!("{{\"n\":{wrong}}}"))
            .await
            .refused(400, "M_NOT_JSON");
    }
    // Where canonical JSON is not asked for, any number will do.
    let data = format!("user/{}/account_data/org.example.n", encode(&alice.user_id));
    let _ = alice.call(Method::PUT, &data, "{\"n\":1.5}").await.ok();
    assert_eq!(alice.get(&data).await.ok(), json!({ "n": 1.5 }));
}

#[tokio::test]
async fn line_15_json_may_be_deep_and_odd_but_not_bottomless() {
    let server = Server::start().await;
    let [alice, ..] = people(&server).await;
    let room = public_room(&alice).await;
    let nested = |depth: usize| format!("{{\"a\":{}1{}}}", "[".repeat(depth), "]".repeat(depth));
    for depth in [1000, 30_000] {
        let answer = write(&alice, &room, nested(depth)).await;
        assert_eq!(answer.status, 400, "{depth} deep: {}", answer.json);
    }
    let sent = write(&alice, &room, nested(50)).await.ok();
    assert_eq!(
        alice.event(&room, sent["event_id"].as_str().unwrap()).await["content"],
        serde_json::from_str::<Value>(&nested(50)).unwrap()
    );
    // Whatever was sent is read again, by everything that reads.
    for depth in [
        90, 100, 110, 115, 118, 119, 120, 121, 122, 123, 124, 125, 126, 127, 128,
    ] {
        let answer = write(&alice, &room, nested(depth)).await;
        if answer.status.is_success() {
            let id = answer.ok()["event_id"].as_str().unwrap().to_owned();
            assert!(
                !alice.get(&of(&room, &event(&id))).await.ok().is_null(),
                "{depth} deep is sent and cannot be read"
            );
            assert!(
                !alice
                    .get(&of(&room, "messages?dir=b&limit=1"))
                    .await
                    .ok()
                    .is_null(),
                "{depth} deep cannot be read"
            );
            let sync = alice.get("sync?timeout=0").await;
            assert!(
                sync.json["next_batch"].is_string(),
                "{depth} deep is sent and cannot be synced"
            );
        }
        let state = alice
            .call(
                Method::PUT,
                &of(&room, &format!("state/org.example.deep/{depth}")),
                nested(depth),
            )
            .await;
        assert!(
            state.status.is_success() || state.status == 400,
            "{depth}: {}",
            state.json
        );
    }
    assert!(
        !alice.get(&of(&room, "state")).await.ok().is_null(),
        "the state of the room cannot be read"
    );
    server.restart().await;
    assert!(!alice.get(&of(&room, "state")).await.ok().is_null());
    let _ = alice.send_text(&room, "still here").await;
}

#[tokio::test]
async fn line_15_one_key_twice_is_one_key() {
    let server = Server::start().await;
    let [alice, ..] = people(&server).await;
    let room = public_room(&alice).await;
    let answer = write(
        &alice,
        &room,
        r#"{"body":"one","body":"two","\u0062ody":"three"}"#,
    )
    .await;
    if answer.status.is_success() {
        let id = answer.ok()["event_id"].as_str().unwrap().to_owned();
        let seen = alice.get(&of(&room, &event(&id))).await;
        let text = String::from_utf8(seen.body.to_vec()).unwrap();
        assert_eq!(text.matches("\"body\"").count(), 1, "{text}");
        // What was checked is what is kept: no second one hides behind the first.
        let levels = r#"{"users_default":0,"users_default":100}"#;
        let _ = alice
            .call(Method::PUT, &of(&room, "state/m.room.power_levels"), levels)
            .await;
        let kept = alice.get(&of(&room, "state/m.room.power_levels")).await;
        assert_eq!(
            String::from_utf8(kept.body.to_vec())
                .unwrap()
                .matches("users_default")
                .count(),
            1
        );
    } else {
        answer.refused(400, "M_BAD_JSON");
    }
}

#[tokio::test]
async fn line_15_events_have_a_size_and_so_have_their_parts() {
    let server = Server::start().await;
    let [alice, ..] = people(&server).await;
    let room = public_room(&alice).await;
    write(
        &alice,
        &room,
        json!({ "body": "x".repeat(66_000) }).to_string(),
    )
    .await
    .refused(413, "M_TOO_LARGE");
    // In bytes, not in characters.
    write(
        &alice,
        &room,
        json!({ "body": "é".repeat(33_000) }).to_string(),
    )
    .await
    .refused(413, "M_TOO_LARGE");
    let sent = write(
        &alice,
        &room,
        json!({ "body": "x".repeat(64_000) }).to_string(),
    )
    .await
    .ok();
    let seen = alice.event(&room, sent["event_id"].as_str().unwrap()).await;
    assert_eq!(seen["content"]["body"].as_str().unwrap().len(), 64_000);

    let state =
        |kind: &str, key: &str| of(&room, &format!("state/{}/{}", encode(kind), encode(key)));
    for (kind, key) in [
        ("t".repeat(256), "k".to_owned()),
        ("t".to_owned(), "k".repeat(256)),
        ("t".to_owned(), "é".repeat(128)),
    ] {
        let answer = alice.put(&state(&kind, &key), json!({})).await;
        assert!(
            matches!(answer.status.as_u16(), 400 | 413),
            "{}: {}",
            answer.status,
            answer.json
        );
    }
    for (kind, key) in [
        ("t".repeat(255), "k".repeat(255)),
        ("u".to_owned(), "é".repeat(127)),
    ] {
        let _ = alice
            .put(&state(&kind, &key), json!({ "kept": true }))
            .await
            .ok();
        assert_eq!(
            alice.get(&state(&kind, &key)).await.ok(),
            json!({ "kept": true })
        );
    }
    let answer = alice.try_send(&room, &"t".repeat(256), json!({})).await;
    assert!(
        matches!(answer.status.as_u16(), 400 | 413),
        "{}",
        answer.json
    );
    // All the state in one room with which it is made, too.
    let big = json!({ "topic": "x".repeat(70_000) });
    alice
        .post("createRoom", big)
        .await
        .refused(413, "M_TOO_LARGE");
    alice
        .post("createRoom", json!({ "name": "x".repeat(70_000) }))
        .await
        .refused(413, "M_TOO_LARGE");
    assert_eq!(
        alice.get("joined_rooms").await.ok()["joined_rooms"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn state_keys_hold_any_text_and_each_is_another() {
    let server = Server::start().await;
    let [alice, ..] = people(&server).await;
    let room = public_room(&alice).await;
    let keys = [
        "",
        "\0",
        "\0\0",
        "a",
        "a\0",
        "a\0b",
        "ab",
        "\u{1}",
        "\u{ff}",
        "é",
        "e\u{301}",
        "İ",
        "i\u{307}",
        "/",
        "a/b",
        "%00",
        "%",
        "?",
        "#",
        " ",
        "\n",
        "\"",
        "\\",
        "😀",
        "\u{202e}",
        "\u{feff}",
        "\u{10ffff}",
        "\u{7f}",
    ];
    for (n, key) in keys.iter().enumerate() {
        let _ = alice
            .set_state(&room, "org.example.odd", key, json!({ "n": n }))
            .await;
    }
    server.restart().await;
    for (n, key) in keys.iter().enumerate() {
        assert_eq!(
            alice.state(&room, "org.example.odd", key).await["n"],
            n,
            "{key:?}"
        );
    }
    let state = alice.get(&of(&room, "state")).await.ok();
    let odd = state
        .as_array()
        .unwrap()
        .iter()
        .filter(|event| event["type"] == "org.example.odd");
    assert_eq!(odd.count(), keys.len());
    // Halves of characters are no text.
    let half = alice
        .call(Method::PUT, &of(&room, "state/org.example.odd/%ff"), "{}")
        .await;
    half.refused(400, "M_INVALID_PARAM");
    let body = vec![
        b'{', b'"', b'a', b'"', b':', b'"', 0xed, 0xa0, 0x80, b'"', b'}',
    ];
    alice
        .call(Method::PUT, &of(&room, "state/org.example.odd/x"), body)
        .await
        .refused(400, "M_NOT_JSON");
    for half in [r#"{"a":"\ud800"}"#, r#"{"\udfff":1}"#] {
        let path = of(&room, "state/org.example.odd/x");
        let answer = alice.call(Method::PUT, &path, half).await;
        assert_eq!(answer.status, 400, "{half}: {}", answer.json);
    }
}

#[tokio::test]
async fn names_of_accounts_and_rooms_are_plain() {
    let server = Server::start().await;
    let stranger = server.stranger();
    let register = |name: &str| json!({ "username": name, "password": "long enough", "auth": { "type": "m.login.dummy" } });
    for name in [
        " ",
        "a b",
        "a\0b",
        "a:b",
        "@a",
        "é",
        "😀",
        "a\u{202e}b",
        "a\nb",
        "a/../b?",
        &"a".repeat(256),
        &"a".repeat(243),
        "a#b",
        "<b>",
        "a\\b",
    ] {
        let answer = stranger.post("register", register(name)).await;
        assert_eq!(
            answer.json["errcode"], "M_INVALID_USERNAME",
            "{name:?}: {}",
            answer.json
        );
        let available = stranger
            .get(&format!("register/available?username={}", encode(name)))
            .await;
        available.refused(400, "M_INVALID_USERNAME");
    }
    let alice = server.register("alice").await;
    for name in [
        "",
        "a b",
        "a\0b",
        "a:b",
        "\n",
        "a\u{7f}",
        &"a".repeat(255),
        &"é".repeat(128),
    ] {
        let answer = alice
            .post("createRoom", json!({ "room_alias_name": name }))
            .await;
        assert_eq!(answer.status, 400, "{name:?}: {}", answer.json);
        let alias = format!("#{name}:test.example");
        let room = json!({ "room_id": "!AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" });
        let answer = alice
            .put(&format!("directory/room/{}", encode(&alias)), room)
            .await;
        assert!(answer.status.is_client_error(), "{name:?}: {}", answer.json);
    }
    for device in [
        "a".repeat(5000),
        "\0".to_owned(),
        "a/b".to_owned(),
        "\u{202e}".to_owned(),
    ] {
        let login = json!({
            "type": "m.login.password", "device_id": device, "password": "the password of alice",
            "identifier": { "type": "m.id.user", "user": "alice" },
        });
        let answer = stranger.post("login", login).await;
        assert!(
            answer.status.is_success() || answer.status == 400,
            "{device:?}: {}",
            answer.json
        );
    }
    assert!(alice.get("devices").await.status.is_success());
    let long = format!("@{}:test.example", "a".repeat(300));
    let room = public_room(&alice).await;
    let answer = alice
        .post(&of(&room, "invite"), json!({ "user_id": long }))
        .await;
    assert!(answer.status.is_client_error(), "{}", answer.json);
}

#[tokio::test]
async fn tokens_and_filters_that_are_none_are_refused() {
    let server = Server::start().await;
    let [alice, ..] = people(&server).await;
    let room = public_room(&alice).await;
    let wrong = [
        "x",
        "s",
        "-1",
        "1.5",
        "s-1",
        "99999999999999999999999999",
        "\0",
        "s\u{663}",
        "null",
        "{}",
        "../..",
        &"9".repeat(5000),
    ];
    for token in wrong {
        let token = encode(token);
        for path in [
            format!("sync?timeout=0&since={token}"),
            of(&room, &format!("messages?dir=b&from={token}")),
            of(&room, &format!("messages?dir=f&to={token}")),
            of(&room, &format!("members?at={token}")),
        ] {
            alice.get(&path).await.refused(400, "M_INVALID_PARAM");
        }
    }
    for filter in [
        "{",
        "[]",
        "{\"room\":5}",
        "nonsense",
        "{\"room\":{\"timeline\":{\"limit\":-1}}}",
        "{\"room\":{\"timeline\":{\"limit\":1.5}}}",
    ] {
        let answer = alice
            .get(&format!("sync?timeout=0&filter={}", encode(filter)))
            .await;
        // What does not begin with a brace is the ID of a filter.
        let status = if filter.starts_with('{') { 400 } else { 404 };
        assert_eq!(answer.status, status, "{filter}: {}", answer.json);
        let answer = alice
            .get(&of(
                &room,
                &format!("messages?dir=b&filter={}", encode(filter)),
            ))
            .await;
        assert!(
            answer.status.is_success() || answer.status == 400,
            "{filter}: {}",
            answer.json
        );
    }
    for number in ["-1", "1.5", "x", "99999999999999999999999", "", "0x10"] {
        for path in [
            format!("sync?timeout={number}"),
            of(&room, &format!("messages?dir=b&limit={number}")),
            format!("publicRooms?limit={number}"),
        ] {
            alice.get(&path).await.refused(400, "M_INVALID_PARAM");
        }
    }
    alice
        .get(&of(&room, "messages?dir=x"))
        .await
        .refused(400, "M_INVALID_PARAM");
    alice
        .get(&of(&room, "messages"))
        .await
        .refused(400, "M_MISSING_PARAM");
    // A token from the future is none that was given out; whatever it is taken for, an answer comes at once.
    let future = encode(
        &alice
            .sync()
            .await
            .next_batch()
            .replace(|c: char| c.is_ascii_digit(), "8"),
    );
    let answer = timeout(
        Duration::from_secs(5),
        alice.get(&format!("sync?timeout=0&since={future}")),
    )
    .await;
    assert!(answer.unwrap().status.as_u16() < 500);
    for header in [
        "Bearer",
        "Bearer ",
        "Basic YTpi",
        "Bearer a b",
        "bearer \u{e9}",
        "null",
    ] {
        let request = server
            .stranger()
            .request(Method::GET, "account/whoami")
            .header("authorization", header);
        let status = request.send().await.unwrap().status();
        assert_eq!(status, 401, "{header}");
    }
}

/// What the server answers to these bytes; empty if it just closes the connection.
async fn raw(server: &Server, bytes: &[u8]) -> String {
    let place = server.base().trim_start_matches("http://").to_owned();
    let mut connection = TcpStream::connect(place).await.unwrap();
    let _ = connection.write_all(bytes).await;
    let mut answer = Vec::new();
    let mut chunk = [0; 4096];
    while let Ok(Ok(1..)) = timeout(Duration::from_millis(500), connection.read(&mut chunk))
        .await
        .inspect(|read| {
            if let Ok(count) = read {
                answer.extend_from_slice(&chunk[..*count]);
            }
        })
    {}
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn paths_lead_nowhere_but_to_endpoints() {
    let server = Server::start().await;
    std::fs::write(server.home().join("data/secret"), "secret").unwrap();
    let up = [
        "..",
        "%2e%2e",
        "..%2f..",
        "%2e%2e%2f%2e%2e",
        "..%5c..",
        ".%00.",
        "%252e%252e",
    ];
    for up in up {
        for path in [
            format!("/{up}/{up}/etc/passwd"),
            format!("/_matrix/media/v3/download/test.example/{up}/{up}/secret"),
            format!("/_matrix/media/v3/download/test.example/{up}%2f{up}%2fsecret"),
            format!("/_matrix/media/v3/download/{up}/secret"),
            format!("/_matrix/media/v3/thumbnail/test.example/{up}%2fsecret?width=1&height=1"),
            format!("/_matrix/client/v3/{up}/{up}/secret"),
        ] {
            let answer = raw(
                &server,
                format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").as_bytes(),
            )
            .await;
            let status = answer.split(' ').nth(1).unwrap_or_default().to_owned();
            assert!(
                matches!(&*status, "400" | "401" | "404"),
                "{path}: {answer}"
            );
            assert!(
                !answer.contains("root:") && !answer.contains("\r\n\r\nsecret"),
                "{path}: {answer}"
            );
        }
    }
}

#[tokio::test]
async fn requests_that_are_no_http_end_and_others_go_on() {
    let server = Server::start().await;
    let alice = server.register("alice").await;
    let login = format!("authorization: Bearer {}\r\n", alice.token);
    let head = |more: &str| {
        format!("POST /_matrix/client/v3/createRoom HTTP/1.1\r\nhost: x\r\n{login}{more}\r\n")
    };
    let long = "a".repeat(1_000_000);
    let wrong = [
        "\r\n\r\n\r\n".to_owned(),
        "\0\0\0\0".to_owned(),
        "GET / HTTP/9.9\r\n\r\n".to_owned(),
        "GET /\r\n\r\n".to_owned(),
        format!("GET /{long} HTTP/1.1\r\nhost: x\r\n\r\n"),
        format!("GET / HTTP/1.1\r\nhost: x\r\nx: {long}\r\n\r\n"),
        format!(
            "GET / HTTP/1.1\r\nhost: x\r\n{}\r\n",
            "x: y\r\n".repeat(10_000)
        ),
        "GET /\u{e9} HTTP/1.1\r\nhost: x\r\n\r\n".to_owned(),
        "\u{16}\u{3}\u{1}\u{2}".to_owned(),
        head("content-length: -1\r\n"),
        head("content-length: 2\r\ncontent-length: 3\r\n") + "{}",
        head("content-length: 2\r\ntransfer-encoding: chunked\r\n")
            + "0\r\n\r\nGET / HTTP/1.1\r\n\r\n",
        head("transfer-encoding: chunked\r\n") + "fffffffffffffffff\r\n{}",
        head("transfer-encoding: chunked\r\n") + "-1\r\n{}",
        head("content-length: 99999999999\r\n") + "{}",
        head("content-length: 10\r\n") + "{}",
        head("expect: 100-continue\r\ncontent-length: 10\r\n"),
        head("content-encoding: gzip\r\ncontent-length: 2\r\n") + "{}",
    ];
    for bytes in wrong {
        let answer = raw(&server, bytes.as_bytes()).await;
        assert!(
            !answer.starts_with("HTTP/1.1 5"),
            "{}: {answer}",
            &bytes[..bytes.len().min(200)]
        );
        assert_eq!(
            alice.get("account/whoami").await.ok()["user_id"],
            alice.user_id.as_str()
        );
    }
    assert!(!server.log().contains("panicked"), "{}", server.log());
}
