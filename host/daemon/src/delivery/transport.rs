//! Connections to destinations: TCP, and TLS on top unless a destination is explicitly without.

use super::tls;
use rustls::{ClientConfig, pki_types::ServerName};
use std::{
    fmt, io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpSocket, TcpStream},
};
use tokio_rustls::TlsConnector;
use writ_control::{AddDestination, DestinationSettings, TransportSecurity};

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
    /// Where connections come from, if not from where the system likes.
    source: Option<IpAddr>,
    /// Differentiated services code point, if not the system's.
    dscp: Option<u8>,
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
        let DestinationSettings { source, dscp, .. } = destination.settings;
        Ok(Self { address, source, dscp, security })
    }

    /// Connects and shakes hands.
    pub(crate) async fn connect(&self) -> Result<Box<dyn Stream>, ConnectError> {
        tokio::time::timeout(CONNECT_TIMEOUT, self.connect_unlimited()).await.unwrap_or(Err(ConnectError::Timeout))
    }

    async fn connect_tcp(&self) -> io::Result<TcpStream> {
        let socket = if self.address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        if let Some(dscp) = self.dscp {
            // The two bits below are those of congestion notification.
            let class = u32::from(dscp) << 2;
            if self.address.is_ipv4() { socket.set_tos_v4(class) } else { socket.set_tclass_v6(class) }?;
        }
        if let Some(source) = self.source {
            socket.bind((source, 0).into())?;
        }
        socket.connect(self.address).await
    }

    async fn connect_unlimited(&self) -> Result<Box<dyn Stream>, ConnectError> {
        let tcp = self.connect_tcp().await.map_err(ConnectError::Tcp)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn connections_come_from_where_they_should_with_their_class() {
        for (listen, source) in [("127.0.0.1:0", "127.0.0.7"), ("[::1]:0", "::1")] {
            let Ok(listener) = tokio::net::TcpListener::bind(listen).await else { continue };
            let address = listener.local_addr().expect("own socket");
            let source = source.parse().expect("an address");
            let endpoint =
                Endpoint { address, source: Some(source), dscp: Some(46), security: Security::DangerPlaintext };
            let tcp = endpoint.connect_tcp().await.expect("somebody listens");
            let (_, from) = listener.accept().await.expect("a connection");
            assert_eq!(from.ip(), source);
            if address.is_ipv4() {
                assert_eq!(rustix::net::sockopt::ip_tos(&tcp).expect("an IPv4 socket"), 46 << 2);
            }
            let elsewhere = Endpoint { source: Some("192.0.2.1".parse().expect("an address")), ..endpoint };
            assert!(elsewhere.connect_tcp().await.is_err(), "that address is not this host's");
        }
    }
}
