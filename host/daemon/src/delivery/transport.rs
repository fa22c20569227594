//! Connections to destinations: TCP, and TLS on top unless a destination is explicitly without.

use super::tls;
use rustls::{ClientConfig, pki_types::ServerName};
use std::{fmt, io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;
use writ_control::{AddDestination, TransportSecurity};

/// Longest time for TCP and TLS together.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A byte stream to a peer.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// How one interface of a destination is reached.
#[derive(Clone)]
pub(crate) struct Endpoint {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    security: Security,
}

#[derive(Clone)]
enum Security {
    MutualTls { config: Arc<ClientConfig>, name: ServerName<'static> },
    DangerPlaintext,
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint").field("address", &self.address).finish_non_exhaustive()
    }
}

/// Why there is no connection.
#[derive(Debug)]
pub(crate) enum ConnectError {
    /// TCP.
    Tcp(io::Error),
    /// TLS: their certificate, or ours in their eyes.
    Tls(io::Error),
    /// It took too long.
    Timeout,
    /// We are stopping.
    Stopping,
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(error) => write!(f, "TCP: {error}"),
            Self::Tls(error) => write!(f, "TLS: {error}"),
            Self::Timeout => write!(f, "no connection within {} s", CONNECT_TIMEOUT.as_secs()),
            Self::Stopping => write!(f, "asked to stop"),
        }
    }
}

impl Endpoint {
    /// For one address of a destination.
    pub(crate) fn new(
        identity: &tls::Identity,
        destination: &AddDestination,
        address: SocketAddr,
    ) -> Result<Self, tls::TlsError> {
        let security = match &destination.security {
            TransportSecurity::MutualTls { server_name, ca_pem, min_tls } => Security::MutualTls {
                config: identity.client(ca_pem.as_deref(), *min_tls)?,
                name: tls::server_name(server_name)?,
            },
            TransportSecurity::DangerPlaintext => Security::DangerPlaintext,
        };
        Ok(Self { address, security })
    }

    /// Connects and shakes hands.
    pub(crate) async fn connect(&self) -> Result<Box<dyn Stream>, ConnectError> {
        tokio::time::timeout(CONNECT_TIMEOUT, self.connect_unlimited()).await.unwrap_or(Err(ConnectError::Timeout))
    }

    async fn connect_unlimited(&self) -> Result<Box<dyn Stream>, ConnectError> {
        let tcp = TcpStream::connect(self.address).await.map_err(ConnectError::Tcp)?;
        // Keep-alives and the last PDU of a burst should not wait for company.
        tcp.set_nodelay(true).map_err(ConnectError::Tcp)?;
        match &self.security {
            Security::DangerPlaintext => Ok(Box::new(tcp)),
            Security::MutualTls { config, name } => {
                let connector = TlsConnector::from(Arc::clone(config));
                let tls = connector.connect(name.clone(), tcp).await.map_err(ConnectError::Tls)?;
                Ok(Box::new(tls))
            }
        }
    }
}
