//! TLS as far as a check needs it: any certificate is taken, so that a bad one can be read and told; that the other side
//! holds its key is verified as always.

use std::sync::{Arc, LazyLock};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use x509_parser::parse_x509_certificate;

use super::super::state::Certificate;
use super::CheckError;
use crate::model::Timestamp;

const DAY_S: i64 = 86_400;

static CONNECTOR: LazyLock<Option<TlsConnector>> = LazyLock::new(|| {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions().ok()?;
    let config = config.dangerous().with_custom_certificate_verifier(Arc::new(AnyCertificate(provider))).with_no_client_auth();
    Some(TlsConnector::from(Arc::new(config)))
});

/// Shakes hands.
pub(super) async fn connect(stream: TcpStream, host: &str) -> Result<TlsStream<TcpStream>, CheckError> {
    let name = ServerName::try_from(host.to_owned()).map_err(|_| CheckError::Name(host.to_owned()))?;
    let connector = CONNECTOR.as_ref().ok_or_else(|| CheckError::Tls(std::io::Error::other("no protocol version")))?;
    connector.connect(name, stream).await.map_err(CheckError::Tls)
}

/// What the other side's own certificate says.
pub(super) fn certificate(stream: &TlsStream<TcpStream>, now: Timestamp) -> Option<Certificate> {
    read(stream.get_ref().1.peer_certificates()?.first()?, now)
}

fn read(der: &[u8], now: Timestamp) -> Option<Certificate> {
    let (_, certificate) = parse_x509_certificate(der).ok()?;
    Some(Certificate {
        days: (certificate.validity().not_after.timestamp() - now.secs()).div_euclid(DAY_S),
        subject: certificate.subject().to_string(),
        issuer: certificate.issuer().to_string(),
    })
}

/// Takes any certificate.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
