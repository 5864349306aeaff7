//! One HTTP/1.1 request (RFC 9112), with or without TLS, on a connection of its own.

use std::net::IpAddr;

use http_body_util::{BodyExt, Empty};
use hyper::Request;
use hyper::body::{Bytes, Incoming};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

use super::super::state::Certificate;
use super::{CheckError, HttpAsk, tcp, tls};
use crate::model::Timestamp;

/// So much of a body is looked at.
const MOST_OCTETS: usize = 256 << 10;

/// Asks, and says what was answered.
pub(super) async fn ask(
    address: IpAddr,
    port: u16,
    ask: &HttpAsk,
    now: Timestamp,
    certificate: &mut Option<Certificate>,
) -> Result<String, CheckError> {
    let stream = tcp::connect(address, port).await?;
    let (status, body) = if ask.tls {
        let stream = tls::connect(stream, &ask.host).await?;
        *certificate = tls::certificate(&stream, now);
        exchange(stream, ask).await?
    } else {
        exchange(stream, ask).await?
    };
    if !ask.status.contains(&status) {
        return Err(CheckError::Status(status));
    }
    match &ask.text {
        Some(text) if !holds(&body, text.as_bytes()) => Err(CheckError::Text(status)),
        _ => Ok(format!("status {status}")),
    }
}

async fn exchange<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(stream: S, ask: &HttpAsk) -> Result<(u16, Vec<u8>), CheckError> {
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let request = Request::get(&*ask.path)
        .header("host", &*ask.host)
        .header("user-agent", concat!("netroom/", env!("CARGO_PKG_VERSION")))
        .header("accept", "*/*")
        .header("connection", "close")
        .body(Empty::<Bytes>::new())?;
    // The connection moves only while it is polled; it ends when its sender and the answer are gone.
    let exchange = async move {
        let answer = sender.send_request(request).await?;
        let status = answer.status().as_u16();
        Ok::<_, CheckError>((status, if ask.text.is_some() { body(answer.into_body()).await? } else { Vec::new() }))
    };
    tokio::pin!(exchange, connection);
    tokio::select! {
        answer = &mut exchange => answer,
        // The end of the connection may come before the last of the answer was taken.
        ended = &mut connection => match ended {
            Ok(()) => exchange.await,
            Err(error) => Err(error.into()),
        },
    }
}

async fn body(mut incoming: Incoming) -> Result<Vec<u8>, CheckError> {
    let mut body = Vec::new();
    while let Some(frame) = incoming.frame().await {
        if let Ok(data) = frame?.into_data() {
            let room = MOST_OCTETS - body.len();
            body.extend(data.iter().take(room));
            if data.len() >= room {
                break;
            }
        }
    }
    Ok(body)
}

fn holds(body: &[u8], text: &[u8]) -> bool {
    text.is_empty() || body.windows(text.len()).any(|window| window == text)
}
