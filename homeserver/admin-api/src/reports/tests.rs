use ruma::user_id;

use crate::testing::Server;

#[tokio::test]
async fn administrators_read_reports_by_pages_and_put_them_away() {
    let server = Server::start();
    let admin = server.session("admin", true).await;
    let alice = server.session("alice", false).await;
    let (alice_id, admin_id) = (
        user_id!("@alice:example.org"),
        user_id!("@admin:example.org"),
    );
    let rooms = &server.rooms;
    rooms
        .report_user(alice_id, admin_id, "stern")
        .await
        .unwrap();
    rooms.report_user(admin_id, alice_id, "loud").await.unwrap();

    let path = "/_orvale/admin/v1/reports";
    server.get(path, &alice).await.refused(403, "M_FORBIDDEN");
    let first = server.get(&format!("{path}?limit=1"), &admin).await.ok();
    let report = &first["reports"][0];
    assert_eq!(
        (&report["reason"], &report["kind"]),
        (&"loud".into(), &"user".into())
    );
    assert_eq!(report["user_id"], "@alice:example.org");
    let next = &first["next_from"];
    let second = server
        .get(&format!("{path}?limit=1&from={next}"), &admin)
        .await
        .ok();
    assert_eq!(second["reports"][0]["reason"], "stern");
    let oldest = server.get(&format!("{path}?dir=f"), &admin).await.ok();
    assert_eq!(oldest["reports"][0]["reason"], "stern");
    assert_eq!(oldest.get("next_from"), None);

    let one = format!("{path}/{}", report["id"]);
    assert_eq!(&server.get(&one, &admin).await.ok(), report);
    server
        .call("DELETE", &one, &alice, None)
        .await
        .refused(403, "M_FORBIDDEN");
    server.call("DELETE", &one, &admin, None).await.ok();
    server
        .call("DELETE", &one, &admin, None)
        .await
        .refused(404, "M_NOT_FOUND");
    server.get(&one, &admin).await.refused(404, "M_NOT_FOUND");
}
