//! Power cuts: the store lies on a filesystem of its own, in a file; that file is copied while the process is stopped. The
//! copy holds what the filesystem has given to its disk, and is mounted as after a power cut.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use crate::{rounds, verify::verify, workload::Running};

#[test]
fn what_was_acknowledged_survives_power_cuts() {
    let Some(rounds) = rounds("ORVALE_POWER_ROUNDS") else {
        return;
    };
    for round in 0..rounds {
        let directory = tempfile::tempdir().unwrap();
        let image = directory.path().join("image");
        run("truncate", &["--size=1G", text(&image)]);
        run("mkfs.ext4", &["-q", text(&image)]);
        let (acknowledged, copy) = {
            let mounted = Mounted::new(&image, &directory.path().join("before"));
            let mut running = Running::start(&mounted.0.join("store"));
            running.let_it_write();
            run("kill", &["-STOP", &running.child.id().to_string()]);
            let copy = directory.path().join("copy");
            run("cp", &["--sparse=always", text(&image), text(&copy)]);
            (running.kill(), copy)
        };
        let mounted = Mounted::new(&copy, &directory.path().join("after"));
        let batches = verify(&mounted.0.join("store"), &acknowledged);
        eprintln!("round {round}: {batches} batches are there and whole");
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn run(program: &str, arguments: &[&str]) {
    let status = Command::new(program).args(arguments).status();
    assert!(
        status.is_ok_and(|status| status.success()),
        "{program} {arguments:?}"
    );
}

/// A mounted image.
struct Mounted(PathBuf);

impl Mounted {
    fn new(image: &Path, at: &Path) -> Self {
        std::fs::create_dir(at).unwrap();
        run("mount", &["-o", "loop", text(image), text(at)]);
        Self(at.to_owned())
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        // The verified store closes its files a moment after it is dropped at the latest.
        let _ = Command::new("umount").arg(&self.0).status();
    }
}
