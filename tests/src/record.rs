//! Which operations tests call: what `tests/it/operations.rs` holds `OPERATIONS.md` true by.

use std::{
    collections::HashSet,
    fs::File,
    io::Write as _,
    path::Path,
    sync::{Mutex, OnceLock},
};

/// The lines that are written, and where.
struct Record {
    file: File,
    known: HashSet<String>,
}

/// Notes that the test on this thread called an operation, where `ORVALE_RECORD` names a directory to note it in.
///
/// # Panics
/// If it cannot be written there.
pub fn record(of: &str, method: &str, path: &str, status: u16) {
    static RECORD: OnceLock<Option<Mutex<Record>>> = OnceLock::new();
    let record = RECORD.get_or_init(|| {
        let place = std::env::var_os("ORVALE_RECORD")?;
        std::fs::create_dir_all(&place).expect("a directory for what is recorded");
        let file = Path::new(&place).join(format!("{of}.tsv"));
        let file = File::options().create(true).append(true).open(file);
        Some(Mutex::new(Record {
            file: file.expect("a file for what is recorded"),
            known: HashSet::new(),
        }))
    });
    let (Some(record), Some(test)) = (record, std::thread::current().name().map(str::to_owned))
    else {
        return;
    };
    // Threads of runtimes and servers are no tests.
    if !test.contains("::") {
        return;
    }
    let line = format!("{of} {test}\t{method}\t{path}\t{status}\n");
    let mut record = record.lock().expect("no test panics with it");
    if record.known.insert(line.clone()) {
        let written = record.file.write_all(line.as_bytes());
        written.expect("what is recorded can be written");
    }
}
