//! Ports for servers that must know theirs beforehand, or keep it from start to start.

use std::{
    net::{Ipv4Addr, TcpListener},
    sync::atomic::{AtomicU32, Ordering},
};

/// Below those that the system gives to connections: one of them might take the port while its server does not run.
const FIRST: u32 = 20_000;
const COUNT: u32 = 12_000;

/// A port that nobody listens on, and that is given to nobody else of this process soon.
pub(crate) fn free_port() -> u16 {
    static GIVEN: AtomicU32 = AtomicU32::new(0);
    // Processes that run beside each other begin far from each other.
    let begin = std::process::id().wrapping_mul(97);
    loop {
        let given = GIVEN.fetch_add(1, Ordering::Relaxed);
        assert!(given < COUNT, "there is no free port");
        let port = FIRST + begin.wrapping_add(given) % COUNT;
        let port = u16::try_from(port).expect("it is below 32,000");
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}
