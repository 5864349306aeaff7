//! Whether a TCP port accepts.

use std::net::{IpAddr, SocketAddr};

use tokio::net::TcpStream;

use super::CheckError;

/// Connects.
pub(super) async fn connect(address: IpAddr, port: u16) -> Result<TcpStream, CheckError> {
    TcpStream::connect(SocketAddr::new(address, port)).await.map_err(CheckError::Connect)
}
