//! Serving HTTP/1.1 with limits that axum's own server does not have: a bounded number of connections, a time limit for
//! a request's head, and a stop that open streams cannot hold up.

use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Connections at most; more wait in the kernel's queue until one ends.
const CONNECTIONS: usize = 512;
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
    let address = listener.local_addr().map_err(ServeError::Listener)?;
    tracing::info!(%address, "the dashboard listens on http://{address}/");
    let mut open = JoinSet::new();
    loop {
        while open.try_join_next().is_some() {}
        tokio::select! {
            () = closing.cancelled() => break,
            _ = open.join_next(), if open.len() >= CONNECTIONS => {}
            accepted = listener.accept(), if open.len() < CONNECTIONS => match accepted {
                Ok((stream, peer)) => {
                    tracing::trace!(%peer, "a browser connects");
                    open.spawn(connection(stream, routes.clone(), closing.clone()));
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

async fn connection(stream: TcpStream, routes: Router, closing: CancellationToken) {
    // Small answers must not wait for more data (Nagle); a failure only costs speed.
    let _ = stream.set_nodelay(true);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_LIMIT)
        .max_buf_size(64 * 1024)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(routes));
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
