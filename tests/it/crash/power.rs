//! Power cuts.
//!
//! The server's home is a filesystem on a file. The server is stopped in the middle of its work (SIGSTOP), the file is copied:
//! it holds what the filesystem has handed to its disk, and nothing of what only the kernel's memory holds. The copy is mounted
//! as after a power cut, and a server started there. Root may do that, on a machine with loop devices.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use orvale_tests::{Server, Settings};

use super::{World, check};

/// Size of the filesystem.
const MEGABYTES: u64 = 512;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_is_there_after_a_power_cut() {
    // Mounting is for those who ask for it.
    let Ok(rounds) = std::env::var("ORVALE_POWER_ROUNDS") else {
        return;
    };
    let rounds = rounds.parse().expect("ORVALE_POWER_ROUNDS is a number");
    let place = tempfile::Builder::new()
        .prefix("orvale-power-")
        .tempdir()
        .expect("a temporary directory can be made");
    let mut disk = Disk::new(place.path());
    let mut server = Server::in_directory(&disk.home(), Settings::default()).await;
    let mut world = World::new(&server).await;
    for _ in 0..rounds {
        let base = server.base();
        let cut = async {
            signal(server.pid(), "STOP");
            disk.copy();
            server.kill();
        };
        world.work(&base, cut).await;
        drop(server);
        disk.change_to_copy();
        let begun = Instant::now();
        server = Server::in_directory(&disk.home(), Settings::default()).await;
        world.started(begun);
        world.verify(&server.base(), false).await;
    }
    world.verify(&server.base(), true).await;
    world.tell(rounds);
    assert!(server.stop().await.success());
    check(&server).await;
}

/// A filesystem on a file, mounted while this lives.
struct Disk {
    image: PathBuf,
    mounted: PathBuf,
}

impl Disk {
    fn new(place: &Path) -> Self {
        let disk = Self {
            image: place.join("disk"),
            mounted: place.join("mounted"),
        };
        std::fs::create_dir(&disk.mounted).expect("a directory can be made");
        let file = std::fs::File::create(&disk.image).expect("a file can be made");
        file.set_len(MEGABYTES << 20)
            .expect("there is room for a disk");
        run(
            "mkfs.ext4",
            ["-q".as_ref(), "-F".as_ref(), disk.image.as_os_str()],
        );
        disk.mount();
        disk
    }

    fn home(&self) -> PathBuf {
        self.mounted.join("home")
    }

    fn mount(&self) {
        run(
            "mount",
            [
                "-o".as_ref(),
                "loop".as_ref(),
                self.image.as_os_str(),
                self.mounted.as_os_str(),
            ],
        );
        std::fs::create_dir_all(self.home()).expect("a directory can be made");
    }

    /// What would be there if the power went off now.
    fn copy(&self) {
        let copy = self.image.with_extension("copy");
        run(
            "cp",
            [
                "--sparse=always".as_ref(),
                self.image.as_os_str(),
                copy.as_os_str(),
            ],
        );
    }

    fn change_to_copy(&mut self) {
        run("umount", [self.mounted.as_os_str()]);
        std::fs::rename(self.image.with_extension("copy"), &self.image).expect("it was copied");
        self.mount();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount")
            .arg("--lazy")
            .arg(&self.mounted)
            .status();
    }
}

fn signal(pid: u32, name: &str) {
    run(
        "kill",
        [format!("-{name}").as_ref(), pid.to_string().as_ref()],
    );
}

fn run<const N: usize>(program: &str, arguments: [&OsStr; N]) {
    let status = Command::new(program).args(arguments).status();
    assert!(
        status.as_ref().is_ok_and(std::process::ExitStatus::success),
        "{program} {arguments:?}: {status:?}; power cuts need root, e2fsprogs and loop devices"
    );
}
