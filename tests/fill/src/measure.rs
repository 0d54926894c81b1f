//! The server on a large store: how it starts, what it takes, how fast it answers, and all that again after kill -9.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::Result;
use futures_util::future::join_all;
use orvale_tests::{Client, Server, Settings};
use serde_json::Value;

use crate::sizes::{disk, megabytes, memory};

/// How long it is worked with before each kill.
const WORK: Duration = Duration::from_secs(15);

pub(crate) async fn measure(directory: &Path, kills: u32) -> Result<()> {
    let server = start(directory, "after the filling process ended").await;
    let clients = join_all((0..10).map(|n| {
        let server = &server;
        async move { server.log_in(&format!("user{n}")).await }
    }))
    .await;
    read(&clients[0], &server).await;
    for kill in 1..=kills {
        let sent = work(&clients, WORK).await;
        let (now, peak) = memory(server.pid());
        println!(
            "{sent} messages over HTTP in {WORK:?}; {} of memory, {} at the highest",
            megabytes(now),
            megabytes(peak)
        );
        server.kill();
        let begun = Instant::now();
        server.start_again().await;
        told_start(&server, begun, &format!("after kill {kill}"));
        read(&clients[0], &server).await;
    }
    let begun = Instant::now();
    server.stop().await;
    println!("stopped in {:.2?}", begun.elapsed());
    let begun = Instant::now();
    server.start_again().await;
    told_start(&server, begun, "after a proper end");
    server.stop().await;
    println!("{} on disk", megabytes(disk(&directory.join("data/store"))));
    for part in ["log", "trees/log", "trees/rest"] {
        println!(
            "  {part}: {}",
            megabytes(disk(&directory.join("data/store").join(part)))
        );
    }
    Ok(())
}

async fn start(directory: &Path, when: &str) -> Server {
    let begun = Instant::now();
    let server = Server::in_directory(directory, Settings::default()).await;
    told_start(&server, begun, when);
    server
}

fn told_start(server: &Server, begun: Instant, when: &str) {
    let took = begun.elapsed();
    let (now, peak) = memory(server.pid());
    println!(
        "started in {took:.2?} {when}; {} of memory, {} at the highest",
        megabytes(now),
        megabytes(peak)
    );
}

/// What somebody does who opens the application.
async fn read(client: &Client, server: &Server) {
    let begun = Instant::now();
    let sync = client.get("sync").await;
    let (bytes, sync) = (sync.body.len(), sync.ok());
    let rooms = sync["rooms"]["join"]
        .as_object()
        .map_or(0, serde_json::Map::len);
    println!(
        "first sync of {rooms} rooms: {:.2?}, {}",
        begun.elapsed(),
        megabytes(bytes as u64)
    );
    let joined = client.get("joined_rooms").await.ok();
    let rooms = joined["joined_rooms"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let begun = Instant::now();
    for room in rooms.iter().filter_map(Value::as_str).take(50) {
        let _ = client.messages(room, 50).await;
    }
    println!("a page of 50 events: {:.2?}", begun.elapsed() / 50);
    let (now, _) = memory(server.pid());
    println!("{} of memory after reading", megabytes(now));
}

/// Sends for a while; tells how much.
async fn work(clients: &[Client], time: Duration) -> usize {
    let until = Instant::now() + time;
    let senders = clients.iter().map(|client| async move {
        let joined = client.get("joined_rooms").await.ok();
        let rooms = joined["joined_rooms"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let mut sent = 0;
        for room in rooms.iter().filter_map(Value::as_str).cycle() {
            if Instant::now() >= until {
                break;
            }
            // Four at once.
            join_all((0..4).map(|_| client.send_text(room, "is somebody here"))).await;
            sent += 4;
        }
        sent
    });
    join_all(senders).await.into_iter().sum()
}
