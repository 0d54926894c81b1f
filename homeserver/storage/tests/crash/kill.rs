//! kill -9.

use crate::{rounds, verify::verify, workload::Running};

#[test]
fn what_was_acknowledged_survives_kill_9() {
    let mut directory = tempfile::tempdir().unwrap();
    for round in 0..rounds("ORVALE_CRASH_ROUNDS").unwrap_or(2) {
        if round % 6 == 5 {
            directory = tempfile::tempdir().unwrap();
        }
        let mut running = Running::start(directory.path());
        running.let_it_write();
        let acknowledged = running.kill();
        let batches = verify(directory.path(), &acknowledged);
        eprintln!("round {round}: {batches} batches are there and whole");
    }
}
