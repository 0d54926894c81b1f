//! Ends by kill -9.

use std::{
    process::Command,
    time::{Duration, Instant},
};

use orvale_tests::Server;
use rand::RngExt;

use super::{World, check};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_is_there_after_kill_9() {
    // A few, unless `cargo xtask crash` asks for more.
    let given = std::env::var("ORVALE_CRASH_ROUNDS").ok();
    let rounds = given.map_or(3, |given| {
        given.parse().expect("ORVALE_CRASH_ROUNDS is a number")
    });
    let server = Server::start().await;
    let mut world = World::new(&server).await;
    for round in 0..rounds {
        let stopping = round % 3 == 2;
        let killed = async {
            if stopping {
                // Then it writes everything down; the kill comes in the middle of that.
                let told = Command::new("kill")
                    .args(["-TERM", &server.pid().to_string()])
                    .status();
                assert!(
                    told.is_ok_and(|status| status.success()),
                    "it runs and can be told to stop"
                );
                let moment = rand::rng().random_range(0..100);
                tokio::time::sleep(Duration::from_millis(moment)).await;
            }
            server.kill();
        };
        world.work(&server.base(), killed).await;
        let begun = Instant::now();
        server.start_again().await;
        world.started(begun);
        world.verify(&server.base(), false).await;
    }
    world.verify(&server.base(), true).await;
    world.tell(rounds);
    assert!(server.stop().await.success());
    check(&server).await;
}
