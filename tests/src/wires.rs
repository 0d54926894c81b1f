//! What lies between servers, where it can be cut.

use std::{collections::HashSet, net::SocketAddr, sync::Arc};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// The wires of a network. Cheap to clone; all clones are one.
#[derive(Clone)]
pub(crate) struct Wires {
    cuts: Arc<watch::Sender<Cuts>>,
}

/// Who is cut off.
#[derive(Debug, Clone, Default)]
struct Cuts {
    /// By the ports where others find them.
    ports: HashSet<u16>,
    /// By their processes.
    processes: HashSet<u32>,
}

impl Default for Wires {
    fn default() -> Self {
        Self {
            cuts: Arc::new(watch::Sender::new(Cuts::default())),
        }
    }
}

impl Wires {
    /// Lays a wire to the port where a server listens; gives the port where others find it.
    ///
    /// # Panics
    /// If there is none free.
    pub(crate) fn lay(&self, to: u16) -> u16 {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let from = listener.local_addr().expect("it is bound").port();
        listener.set_nonblocking(true).expect("it can be");
        let listener = TcpListener::from_std(listener).expect("there is a runtime");
        let cuts = self.cuts.subscribe();
        tokio::spawn(async move {
            while let Ok((stream, peer)) = listener.accept().await {
                tokio::spawn(pass(stream, peer, from, to, cuts.clone()));
            }
        });
        from
    }

    pub(crate) fn cut(&self, port: u16, process: u32) {
        self.cuts.send_modify(|cuts| {
            cuts.ports.insert(port);
            cuts.processes.insert(process);
        });
    }

    pub(crate) fn mend(&self) {
        self.cuts.send_modify(|cuts| *cuts = Cuts::default());
    }
}

/// Passes on what one says to the other until the wire is cut.
async fn pass(
    mut stream: TcpStream,
    peer: SocketAddr,
    from: u16,
    to: u16,
    mut cuts: watch::Receiver<Cuts>,
) {
    let socket = socket_of(peer.port(), from);
    let is_cut = |cuts: &Cuts| {
        let owned = |process: &u32| socket.is_some_and(|socket| owns(*process, socket));
        cuts.ports.contains(&from) || cuts.processes.iter().any(owned)
    };
    if is_cut(&cuts.borrow_and_update()) {
        return;
    }
    let Ok(mut there) = TcpStream::connect(("127.0.0.1", to)).await else {
        return;
    };
    tokio::select! {
        _ = copy_bidirectional(&mut stream, &mut there) => {}
        _ = cuts.wait_for(is_cut) => {}
    }
}

/// The inode of the socket on this machine that connects one port to another.
fn socket_of(local: u16, remote: u16) -> Option<u64> {
    let table = std::fs::read_to_string("/proc/net/tcp").ok()?;
    let ends = |address: &str, port: u16| address.ends_with(&format!(":{port:04X}"));
    table.lines().skip(1).find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let is_it = ends(fields.get(1)?, local) && ends(fields.get(2)?, remote);
        is_it.then(|| fields.get(9)?.parse().ok()).flatten()
    })
}

/// Whether a process has a socket open.
fn owns(process: u32, socket: u64) -> bool {
    let name = format!("socket:[{socket}]");
    let files = std::fs::read_dir(format!("/proc/{process}/fd"));
    files.into_iter().flatten().flatten().any(|file| {
        std::fs::read_link(file.path()).is_ok_and(|target| target.as_os_str() == &*name)
    })
}
