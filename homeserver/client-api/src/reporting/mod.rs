//! Reporting to the administrators what is wrong.

pub(crate) mod report_content;
pub(crate) mod report_room;
pub(crate) mod report_user;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Server;

    #[tokio::test]
    async fn events_rooms_and_people_are_reported() {
        let server = Server::start().await;
        let (alice, bob) = (server.register("alice").await, server.register("bob").await);
        let room = alice
            .post("/_matrix/client/v3/createRoom", json!({}))
            .await
            .ok();
        let room = format!(
            "/_matrix/client/v3/rooms/{}",
            room["room_id"].as_str().unwrap()
        );
        let text = json!({"msgtype": "m.text", "body": "bad"});
        let sent = alice
            .put(&format!("{room}/send/m.room.message/1"), text)
            .await
            .ok();
        let event = format!("{room}/report/{}", sent["event_id"].as_str().unwrap());
        let because = json!({"reason": "bad"});
        alice.post(&event, because.clone()).await.ok();
        alice.post(&event, json!({})).await.ok();
        bob.post(&event, because.clone())
            .await
            .refused(404, "M_NOT_FOUND");
        bob.post(&format!("{room}/report"), because.clone())
            .await
            .ok();
        let nowhere = "/_matrix/client/v3/rooms/!nowhere:example.org/report";
        bob.post(nowhere, because.clone())
            .await
            .refused(404, "M_NOT_FOUND");
        for who in ["alice", "nobody"] {
            let path = format!("/_matrix/client/v3/users/@{who}:example.org/report");
            bob.post(&path, because.clone()).await.ok();
        }
        assert_eq!(
            server
                .state
                .rooms
                .list_reports(None, true, 10)
                .unwrap()
                .len(),
            3
        );
    }
}
