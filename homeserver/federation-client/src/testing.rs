//! A network of a test's own on loopback: an authority for certificates, a DNS server, servers with TLS.

#![allow(clippy::unwrap_used, missing_docs, reason = "for tests")]

use std::{
    collections::HashMap,
    io,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use axum::{Router, serve::Listener};
use hickory_resolver::{
    config::{NameServerConfig, ResolverConfig},
    proto::{
        op::{Message, MessageType, ResponseCode},
        rr::{
            Name, RData, Record, RecordType,
            rdata::{A, SRV},
        },
    },
};
use orvale_events::ServerKey;
use orvale_storage::Store;
use parking_lot::Mutex;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use ruma::{MilliSecondsSinceUnixEpoch, OwnedServerName, UInt};
use rustls::{
    ServerConfig,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use crate::{Clock, Config, FederationClient, discovery::Names};

/// When tests happen.
pub const NOW: u64 = 1_700_000_000_000;

type Records = Arc<Mutex<HashMap<(String, RecordType), Vec<RData>>>>;

/// The network.
pub struct Network {
    directory: tempfile::TempDir,
    issuer: Issuer<'static, KeyPair>,
    records: Records,
    dns: SocketAddr,
    now: Arc<AtomicU64>,
}

impl Network {
    pub async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let authority = params.self_signed(&key).unwrap();
        std::fs::write(directory.path().join("ca.pem"), authority.pem()).unwrap();
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let (dns, records) = (socket.local_addr().unwrap(), Records::default());
        tokio::spawn(answer(socket, records.clone()));
        Self {
            directory,
            issuer: Issuer::new(params, key),
            records,
            dns,
            now: Arc::new(AtomicU64::new(NOW)),
        }
    }

    /// A name of this machine.
    pub fn name(&self, name: &str) {
        self.record(name, RecordType::A, RData::A(A(Ipv4Addr::LOCALHOST)));
    }

    /// A place of a service.
    pub fn service(&self, name: &str, target: &str, port: u16) {
        let target = Name::from_ascii(format!("{target}.")).unwrap();
        self.record(
            name,
            RecordType::SRV,
            RData::SRV(SRV::new(1, 1, port, target)),
        );
    }

    fn record(&self, name: &str, kind: RecordType, data: RData) {
        let mut records = self.records.lock();
        records
            .entry((format!("{name}."), kind))
            .or_default()
            .push(data);
    }

    pub(crate) fn names(&self) -> Names {
        let mut server = NameServerConfig::udp(self.dns.ip());
        server.connections[0].port = self.dns.port();
        Names::of(ResolverConfig::from_name_servers(vec![server])).unwrap()
    }

    pub fn config(&self) -> Config {
        Config {
            extra_ca_file: Some(self.authority()),
            allowed_private_ranges: vec!["127.0.0.0/8".parse().unwrap()],
            connect_timeout_seconds: 3,
            ..Config::default()
        }
    }

    pub fn authority(&self) -> PathBuf {
        self.directory.path().join("ca.pem")
    }

    /// Serves with a certificate for these names, at a free port.
    pub async fn serve(&self, names: &[&str], router: Router) -> u16 {
        let key = KeyPair::generate().unwrap();
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let params = CertificateParams::new(names).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut tls = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())),
            )
            .unwrap();
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let listener = Secret {
            listener,
            tls: TlsAcceptor::from(Arc::new(tls)),
        };
        tokio::spawn(async move { axum::serve(listener, router).await });
        port
    }

    /// A client of a server of this name, with a store of its own.
    pub fn client(&self, server_name: &str, config: Config, https_port: u16) -> FederationClient {
        let name = OwnedServerName::try_from(server_name).unwrap();
        let key = Arc::new(ServerKey::generate(name));
        let now = self.now.clone();
        let clock: Clock = Arc::new(move || {
            MilliSecondsSinceUnixEpoch(UInt::new(now.load(Ordering::Relaxed)).unwrap())
        });
        FederationClient::with(
            Store::in_memory(),
            key,
            config,
            clock,
            self.names(),
            https_port,
        )
        .unwrap()
    }

    /// Lets time pass for all clients.
    pub fn advance(&self, milliseconds: u64) {
        self.now.fetch_add(milliseconds, Ordering::Relaxed);
    }
}

/// A listener with TLS.
struct Secret {
    listener: TcpListener,
    tls: TlsAcceptor,
}

impl Listener for Secret {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, SocketAddr) {
        loop {
            let Ok((stream, from)) = self.listener.accept().await else {
                continue;
            };
            if let Ok(stream) = self.tls.accept(stream).await {
                return (stream, from);
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// Answers questions about the records there are; of other names it says that they do not exist.
async fn answer(socket: UdpSocket, records: Records) {
    let mut buffer = [0; 1500];
    loop {
        let (length, from) = socket.recv_from(&mut buffer).await.unwrap();
        let asked = Message::from_vec(&buffer[..length]).unwrap();
        let mut message = Message::new(
            asked.metadata.id,
            MessageType::Response,
            asked.metadata.op_code,
        );
        message.metadata.recursion_available = true;
        let query = asked.queries[0].clone();
        let key = (
            query.name().to_ascii().to_ascii_lowercase(),
            query.query_type(),
        );
        let found = records.lock().get(&key).cloned().unwrap_or_default();
        if !records.lock().keys().any(|(name, _)| *name == key.0) {
            message.metadata.response_code = ResponseCode::NXDomain;
        }
        for data in found {
            message.add_answer(Record::from_rdata(query.name().clone(), 60, data));
        }
        message.add_query(query);
        let bytes = message.to_vec().unwrap();
        socket.send_to(&bytes, from).await.unwrap();
    }
}
