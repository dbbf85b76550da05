//! What the web servers of the tests have in common: keys, connections, requests.

#![allow(dead_code, reason = "each test uses a part of it")]

use std::{
    io::{self, BufRead, BufReader, Read},
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    sync::Arc,
    thread,
};

use rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};

pub(crate) type Tls = StreamOwned<ServerConnection, TcpStream>;

/// The keys and certificates that `keys/make.sh` makes.
pub(crate) fn key_file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deliver/tests/keys").join(name)
}

/// A server with this certificate: the name of its file, without its ending.
pub(crate) fn server_config(certificate: &str) -> Arc<ServerConfig> {
    let certificate = CertificateDer::from_pem_file(key_file(&format!("{certificate}.pem"))).unwrap();
    let key = PrivateKeyDer::from_pem_file(key_file("server-key.pem")).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    Arc::new(config)
}

/// Serves each connection in a thread of its own. The port.
pub(crate) fn listen(address: Ipv4Addr, serve: impl Fn(TcpStream) -> io::Result<()> + Send + Sync + 'static) -> u16 {
    let listener = TcpListener::bind((address, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let serve = Arc::new(serve);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let serve = Arc::clone(&serve);
            // A client that is killed or gives up breaks its connection.
            thread::spawn(move || stream.and_then(|stream| serve(stream)));
        }
    });
    port
}

/// Reads a request whole. The connection for the answer, the path, and the report.
pub(crate) fn posted(stream: TcpStream, config: &Arc<ServerConfig>) -> io::Result<(Tls, String, serde_json::Value)> {
    let connection = ServerConnection::new(Arc::clone(config)).map_err(io::Error::other)?;
    let mut tls = BufReader::new(StreamOwned::new(connection, stream));
    let (mut path, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if tls.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let line = line.trim_end();
        if let Some(rest) = line.strip_prefix("POST ") {
            path = rest.split(' ').next().unwrap_or_default().to_owned();
        }
        if let Some(text) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = text.trim().parse().map_err(io::Error::other)?;
        }
        if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    tls.read_exact(&mut body)?;
    let report = serde_json::from_reader(flate2::read::GzDecoder::new(&body[..]))?;
    Ok((tls.into_inner(), path, report))
}
