//! Connections by TLS, whose peers are known to the authorities that browsers trust.

use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::platform::fork::Lasting;
use crate::wasi::http::bindings::types::ErrorCode;
use crate::wasi::http::client::Stream;
use crate::wasi::sockets::access::Destination;

/// Names a file with certificates of further authorities, as OpenSSL and Go have it.
const AUTHORITIES: &str = "SSL_CERT_FILE";

/// Shakes hands.
pub(super) async fn connect(stream: TcpStream, destination: &Destination) -> Result<Box<dyn Stream>, ErrorCode> {
    let name = match destination {
        Destination::Ip(ip) => ServerName::IpAddress((*ip).into()),
        Destination::Name(name) => ServerName::try_from(name.clone()).map_err(|_| ErrorCode::HttpRequestUriInvalid)?,
    };
    let connector = TlsConnector::from(config()?);
    match connector.connect(name, stream).await {
        Ok(stream) => Ok(Box::new(stream)),
        Err(error) => Err(match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            Some(rustls::Error::InvalidCertificate(_)) => ErrorCode::TlsCertificateError,
            Some(_) => ErrorCode::TlsProtocolError,
            None => ErrorCode::ConnectionTerminated,
        }),
    }
}

/// The same for all connections of a process.
fn config() -> Result<Arc<ClientConfig>, ErrorCode> {
    static CONFIG: Lasting<Result<Arc<ClientConfig>, ErrorCode>> = Lasting::new();
    CONFIG.get_or_make(make).clone()
}

fn make() -> Result<Arc<ClientConfig>, ErrorCode> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.into() };
    if let Some(path) = std::env::var_os(AUTHORITIES) {
        // What can't be read is none: a peer that needs it is refused then.
        roots.add_parsable_certificates(CertificateDer::pem_file_iter(path).into_iter().flatten().flatten());
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().map_err(|error| ErrorCode::InternalError(Some(error.to_string())))?;
    Ok(Arc::new(builder.with_root_certificates(roots).with_no_client_auth()))
}
