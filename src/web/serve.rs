//! Serving HTTP/1.1, plain or over TLS, with limits that axum's own server does not have: a bounded number of connections,
//! a time limit for handshakes and for a request's head, and a stop that open streams cannot hold up.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::access::Peer;
use super::tls::Tls;

/// Connections at most; more wait in the kernel's queue until one ends.
const CONNECTIONS: usize = 512;
/// A client that needs longer for a TLS handshake is cut off.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(10);
/// A client that needs longer for a request's head is cut off.
const HEAD_LIMIT: Duration = Duration::from_secs(10);
/// Rest after an accept failed (no file descriptors left).
const ACCEPT_REST: Duration = Duration::from_millis(100);

/// Why serving ended early.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The listener is of no use.
    #[error("the listening address cannot be told: {0}")]
    Listener(#[source] std::io::Error),
}

/// Serves `routes` until `closing` is cancelled, then lets open requests end for at most `drain` and cuts off the rest.
///
/// # Errors
/// When the listener is not usable from the start.
pub async fn serve(listener: TcpListener, routes: Router, closing: CancellationToken, drain: Duration) -> Result<(), ServeError> {
    serve_tls(listener, routes, None, closing, drain).await
}

/// As [`serve`], over TLS when there is `tls`.
///
/// # Errors
/// When the listener is not usable from the start.
pub async fn serve_tls(
    listener: TcpListener,
    routes: Router,
    tls: Option<Arc<Tls>>,
    closing: CancellationToken,
    drain: Duration,
) -> Result<(), ServeError> {
    let address = listener.local_addr().map_err(ServeError::Listener)?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    tracing::info!(%address, "the dashboard listens on {scheme}://{address}/");
    let mut open = JoinSet::new();
    loop {
        while open.try_join_next().is_some() {}
        tokio::select! {
            () = closing.cancelled() => break,
            _ = open.join_next(), if open.len() >= CONNECTIONS => {}
            accepted = listener.accept(), if open.len() < CONNECTIONS => match accepted {
                Ok((stream, peer)) => {
                    tracing::trace!(%peer, "a browser connects");
                    open.spawn(connection(stream, peer, routes.clone(), tls.clone(), closing.clone()));
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted: {error}");
                    tokio::time::sleep(ACCEPT_REST).await;
                }
            }
        }
    }
    drop(listener);
    let waiting = open.len();
    let drained = tokio::time::timeout(drain, async { while open.join_next().await.is_some() {} }).await;
    if drained.is_err() {
        tracing::warn!(open = open.len(), "{} of {waiting} connections did not end in time and are cut off", open.len());
        open.shutdown().await;
    }
    Ok(())
}

async fn connection(stream: TcpStream, peer: SocketAddr, routes: Router, tls: Option<Arc<Tls>>, closing: CancellationToken) {
    // Small answers must not wait for more data (Nagle); a failure only costs speed.
    let _ = stream.set_nodelay(true);
    let peer = Peer { address: peer.ip(), tls: tls.is_some() };
    let Some(tls) = tls else { return talk(stream, peer, routes, closing).await };
    let handshake = tokio::time::timeout(HANDSHAKE_LIMIT, tls.acceptor().accept(stream));
    match closing.run_until_cancelled(handshake).await {
        Some(Ok(Ok(stream))) => talk(stream, peer, routes, closing).await,
        Some(Ok(Err(error))) => tracing::debug!(peer = %peer.address, %error, "a TLS handshake failed: {error}"),
        Some(Err(_)) => tracing::debug!(peer = %peer.address, "a TLS handshake took too long"),
        None => {}
    }
}

async fn talk(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, peer: Peer, routes: Router, closing: CancellationToken) {
    let routes = TowerToHyperService::new(routes);
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(peer);
        routes.call(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_LIMIT)
        .max_buf_size(64 * 1024)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = closing.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early: {error}");
    }
}
