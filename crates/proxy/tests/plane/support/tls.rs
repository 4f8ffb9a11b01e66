//! TLS in front of a scripted server.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::thread;

use rustls::pki_types::PrivatePkcs8KeyDer;
use tokio_rustls::TlsAcceptor;

use super::LIMIT;

/// Terminates TLS and passes everything on to a server.
pub(crate) struct TlsFront {
    pub(crate) address: SocketAddr,
    agreed: Receiver<String>,
}

impl TlsFront {
    /// Offers these protocols.
    pub(crate) fn start(server: SocketAddr, protocols: &[&str]) -> Self {
        let issued =
            rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate");
        let key = PrivatePkcs8KeyDer::from(issued.signing_key.serialize_der());
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![issued.cert.der().clone()], key.into())
            .expect("a certificate that fits");
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        listener.set_nonblocking(true).expect("a mode");
        let (sender, agreed) = mpsc::channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        thread::spawn(move || {
            runtime.expect("a runtime").block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
                while let Ok((stream, _)) = listener.accept().await {
                    let (acceptor, sender) = (acceptor.clone(), sender.clone());
                    tokio::spawn(async move {
                        let Ok(mut secured) = acceptor.accept(stream).await else { return };
                        let agreed = secured.get_ref().1.alpn_protocol().unwrap_or_default();
                        let agreed = String::from_utf8_lossy(agreed).into_owned();
                        // The test may be over.
                        if sender.send(agreed).is_ok()
                            && let Ok(mut plain) = tokio::net::TcpStream::connect(server).await
                        {
                            let _ = tokio::io::copy_bidirectional(&mut secured, &mut plain).await;
                        }
                    });
                }
            });
        });
        Self { address, agreed }
    }

    /// What the next connection's handshake agreed on.
    pub(crate) fn agreed(&self) -> String {
        self.agreed.recv_timeout(LIMIT).expect("a handshake")
    }
}
