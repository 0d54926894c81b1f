//! The public directory.

pub(crate) mod get_public_rooms;
pub(crate) mod get_public_rooms_filtered;

#[cfg(test)]
mod tests {
    use axum::http::Method;
    use orvale_rooms::{NewRoom, Preset};
    use serde_json::json;

    use crate::testing::Server;

    #[tokio::test]
    async fn listed_rooms_are_told_page_by_page() {
        let server = Server::start().await;
        let them = server.knows("them.example").await;
        let alice = server.account("alice").await;
        let rooms = &server.state.rooms;
        for name in ["tea", "coffee", "hidden"] {
            let new = NewRoom {
                preset: Preset::Public,
                name: Some(name.to_owned()),
                ..NewRoom::default()
            };
            let room = rooms.create(&alice, new).await.unwrap();
            if name != "hidden" {
                rooms
                    .set_published(&alice, &room, true, false)
                    .await
                    .unwrap();
            }
        }
        let path = "/_matrix/federation/v1/publicRooms";
        let page = server
            .ask(&them, Method::GET, &format!("{path}?limit=1"), None)
            .await
            .ok();
        assert_eq!(page["chunk"].as_array().unwrap().len(), 1);
        assert_eq!(page["total_room_count_estimate"], 2);
        let next = page["next_batch"].as_str().unwrap();
        let page = server
            .ask(&them, Method::GET, &format!("{path}?since={next}"), None)
            .await
            .ok();
        assert_eq!(page["chunk"].as_array().unwrap().len(), 1);
        let filter = json!({ "filter": { "generic_search_term": "coff" } });
        let page = server
            .ask(&them, Method::POST, path, Some(filter))
            .await
            .ok();
        assert_eq!(page["chunk"][0]["name"], "coffee");
        assert_eq!(page["chunk"].as_array().unwrap().len(), 1);
    }
}
