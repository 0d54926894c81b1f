//! Calls.

pub(crate) mod get_turn_server_info;
pub(crate) mod transports;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Server;

    #[tokio::test]
    async fn without_turn_servers_none_are_given() {
        let server = Server::start().await;
        let alice = server.register("alice").await;
        let path = "/_matrix/client/v3/voip/turnServer";
        assert_eq!(alice.get(path).await.ok(), json!({}));
        server
            .stranger()
            .get(path)
            .await
            .refused(401, "M_MISSING_TOKEN");
        let path = "/_matrix/client/unstable/org.matrix.msc4143/rtc/transports";
        assert_eq!(alice.get(path).await.ok(), json!({"rtc_transports": []}));
    }
}
