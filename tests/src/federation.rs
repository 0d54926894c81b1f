//! Servers that find and trust each other: an authority of their own, and a certificate for each.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, LazyLock},
};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use tempfile::TempDir;
use tokio::sync::OnceCell;

use crate::{
    Server, Settings,
    ports::free_port,
    server::Program,
    synapse::{self, Shared},
    wires::Wires,
};

/// Servers on this machine that make one network. Their names are `localhost:` and a port, where they listen with a certificate
/// that all of them trust.
pub struct Network {
    authority: Arc<Authority>,
    wires: Option<Wires>,
    /// Where the certificate is that all have.
    shared: Option<PathBuf>,
}

/// One for all networks of this process: the one Synapse that they share knows no other.
static AUTHORITY: LazyLock<Arc<Authority>> = LazyLock::new(|| Arc::new(Authority::new()));
static SYNAPSE: OnceCell<Shared> = OnceCell::const_new();

impl Default for Network {
    fn default() -> Self {
        Self::new()
    }
}

impl Network {
    /// A network without servers.
    #[must_use]
    pub fn new() -> Self {
        Self {
            authority: AUTHORITY.clone(),
            wires: None,
            shared: None,
        }
    }

    /// A network in which all have the certificate of a directory, where it is made the first time: so those of several processes
    /// can trust each other. `authority.pem`, `certificate.pem` and `key.pem` are its files.
    ///
    /// # Panics
    /// If the directory cannot be written.
    #[must_use]
    pub fn in_directory(directory: &Path) -> Self {
        let authority = if directory.join("key.pem").exists() {
            AUTHORITY.clone()
        } else {
            let authority = Arc::new(Authority::at(directory));
            let _ = authority.place(directory, 0);
            authority
        };
        Self {
            authority,
            wires: None,
            shared: Some(directory.to_owned()),
        }
    }

    /// A network without servers, whose own servers can be cut off from each other.
    #[must_use]
    pub fn of_wires() -> Self {
        Self {
            wires: Some(Wires::default()),
            ..Self::new()
        }
    }

    /// Cuts a server off from all others: what there is between them breaks off, and nothing new is begun. Clients still reach it.
    ///
    /// # Panics
    /// If this is no network of wires.
    pub fn cut(&self, server: &Server) {
        let wires = self.wires.as_ref().expect("a network of wires");
        wires.cut(server.place_port(), server.pid());
    }

    /// Connects all servers again.
    ///
    /// # Panics
    /// If this is no network of wires.
    pub fn mend(&self) {
        self.wires.as_ref().expect("a network of wires").mend();
    }

    /// An Orvale of its own in it.
    pub async fn orvale(&self) -> Server {
        self.orvale_with(Settings::default()).await
    }

    /// An Orvale in it with settings of its own.
    ///
    /// # Panics
    /// If it does not start.
    pub async fn orvale_with(&self, settings: Settings) -> Server {
        let home = directory("orvale-test-");
        let place = self.own_place(home.path());
        let program = Program::Orvale(settings);
        Server::at(home.path().to_owned(), Some(home), program, Some(place)).await
    }

    /// A Synapse of its own in it, to be stopped and started.
    ///
    /// # Panics
    /// If it does not start.
    pub async fn own_synapse(&self) -> Server {
        let home = directory("synapse-test-");
        let place = self.own_place(home.path());
        Server::at(
            home.path().to_owned(),
            Some(home),
            Program::Synapse,
            Some(place),
        )
        .await
    }

    /// The Synapse that all tests of this process share, not to be stopped. `None` where the tests are to do without.
    ///
    /// # Panics
    /// If it does not start.
    pub async fn synapse(&self) -> Option<Server> {
        synapse::python()?;
        let shared = SYNAPSE
            .get_or_init(async || {
                let home = directory("synapse-test-");
                let place = self.place(home.path(), free_port());
                Shared::start(home, place).await
            })
            .await;
        Some(shared.server())
    }

    /// As [`Network::place`], at the end of a wire if there are wires.
    fn own_place(&self, home: &Path) -> Place {
        let Some(wires) = &self.wires else {
            return self.place(home, free_port());
        };
        let listens = free_port();
        let place = self.place(home, wires.lay(listens));
        Place { listens, ..place }
    }

    /// A place for one more server, whose files go to a directory, at a port.
    #[must_use]
    pub(crate) fn place(&self, home: &Path, port: u16) -> Place {
        match &self.shared {
            Some(directory) => Place::at(directory, port),
            None => self.authority.place(home, port),
        }
    }
}

pub(crate) fn directory(prefix: &str) -> TempDir {
    tempfile::Builder::new()
        .prefix(prefix)
        .tempdir()
        .expect("a temporary directory can be made")
}

/// Where a server of a network is found.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// The server's name.
    pub(crate) name: String,
    /// Where other servers find it.
    pub(crate) port: u16,
    /// Where it listens to them: there, or at the other end of a wire.
    pub(crate) listens: u16,
    /// Its certificate, a file in PEM.
    pub(crate) certificate: PathBuf,
    /// The certificate's key, a file in PEM.
    pub(crate) key: PathBuf,
    /// The certificate that it trusts, a file in PEM.
    pub(crate) authority: PathBuf,
}

impl Place {
    /// At a port, with the certificate of a directory.
    fn at(directory: &Path, port: u16) -> Self {
        Self {
            name: format!("localhost:{port}"),
            port,
            listens: port,
            certificate: directory.join("certificate.pem"),
            key: directory.join("key.pem"),
            authority: directory.join("authority.pem"),
        }
    }

    /// What Orvale has to know of it.
    pub(crate) fn settings(&self) -> String {
        format!(
            "\n[federation]\nenabled = true\nextra_ca_file = {:?}\nallowed_private_ranges = [\"127.0.0.0/8\", \"::1/128\"]\n\
             listeners = [{{ address = \"127.0.0.1\", port = {}, certificate = {:?}, key = {:?} }}]\n",
            self.authority, self.listens, self.certificate, self.key
        )
    }
}

/// Who vouches for all servers.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    file: PathBuf,
    /// Never removed by us: it ends with the process, as all statics do.
    _directory: Option<TempDir>,
}

impl Authority {
    fn new() -> Self {
        let directory = directory("orvale-test-authority-");
        let authority = Self::at(directory.path());
        Self {
            _directory: Some(directory),
            ..authority
        }
    }

    fn at(directory: &Path) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
            .distinguished_name
            .push(DnType::CommonName, "Authority of the tests");
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().expect("a key can be made");
        let certificate = params.self_signed(&key).expect("it signs itself");
        let file = directory.join("authority.pem");
        std::fs::write(&file, certificate.pem()).expect("the directory can be written");
        Self {
            issuer: Issuer::new(params, key),
            file,
            _directory: None,
        }
    }

    /// A port, and a certificate for it.
    fn place(&self, home: &Path, port: u16) -> Place {
        let names = ["localhost", "127.0.0.1"].map(str::to_owned);
        let mut params = CertificateParams::new(names).expect("these are names");
        params
            .distinguished_name
            .push(DnType::CommonName, "localhost");
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let pair = KeyPair::generate().expect("a key can be made");
        let signed = params
            .signed_by(&pair, &self.issuer)
            .expect("the authority signs it");
        let place = Place {
            authority: self.file.clone(),
            ..Place::at(home, port)
        };
        std::fs::write(&place.certificate, signed.pem()).expect("the directory can be written");
        std::fs::write(&place.key, pair.serialize_pem()).expect("the directory can be written");
        place
    }
}
