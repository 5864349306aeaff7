//! A conversation with one device, and what carries it.
//!
//! A [`Job`] is a state machine without I/O: it says what to ask next and takes what comes back. A [`Transport`] carries
//! it: it owns sockets, request-ids, retries and round-trip times, keeps one request in flight per device, and accepts an
//! answer once, from the right source only. Jobs run the same over v2c, over v3 and inside tests without a network.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use thiserror::Error;

use super::message::Varbinds;
use super::set::Mark;
use crate::model::Timestamp;

/// What a request asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ask {
    /// GetRequest.
    Get,
    /// GetNextRequest.
    GetNext,
    /// GetBulkRequest; a v1 transport sends GetNext instead.
    GetBulk {
        /// How many names at the front are asked once only.
        non_repeaters: u16,
        /// How many successors of each other name are wanted.
        max_repetitions: u16,
    },
    /// SetRequest; leaves in one datagram at most.
    Set(Mark),
}

/// One request, ready for its envelope.
#[derive(Clone, Debug)]
pub struct Request {
    /// What it asks for.
    pub ask: Ask,
    /// Encoded varbinds from `message::encode_names` or `encode_varbinds`; shared, so that a poll plan is encoded once.
    pub varbinds: Arc<[u8]>,
}

/// The one accepted answer to a request.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// error-status (see `message::status`).
    pub error_status: i64,
    /// error-index: 1 is the first varbind.
    pub error_index: i64,
    /// The varbinds.
    pub varbinds: Varbinds<'a>,
    /// When the datagram arrived: the kernel's stamp where the kernel gives one.
    pub received: Timestamp,
    /// From the last send to the arrival.
    pub rtt: Duration,
}

/// Why there is no answer. Texts are for people and carry no secrets.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum AskError {
    /// All tries went unanswered.
    #[error("{peer} did not answer {tries} requests within {} ms; is it up, is UDP open, is the community right?", .waited.as_millis())]
    Timeout {
        /// Whom we asked.
        peer: SocketAddr,
        /// How many datagrams were sent.
        tries: u8,
        /// How long was waited in all.
        waited: Duration,
    },
    /// The network told us that the device cannot be reached (ICMP).
    #[error("{peer} cannot be reached: {why}")]
    Unreachable {
        /// Whom we asked.
        peer: SocketAddr,
        /// The operating system's words.
        why: String,
    },
    /// The device answered that it does not accept who we are (SNMPv3 reports).
    #[error("{peer} refused our credentials: {why}")]
    Refused {
        /// Whom we asked.
        peer: SocketAddr,
        /// Which part of the credentials, and what to do.
        why: String,
    },
    /// What came from the device's address was no valid answer, and no valid one followed.
    #[error("{peer} sent something that is no valid SNMP answer: {why}")]
    Malformed {
        /// Whom we asked.
        peer: SocketAddr,
        /// What is wrong with it.
        why: String,
    },
}

/// What a job wants next.
#[derive(Clone, Debug)]
pub enum Step {
    /// Send this and come back with the answer.
    Send(Request),
    /// Send nothing before this moment, then ask again.
    Pause(Instant),
    /// The conversation is over.
    Finished,
}

/// How a conversation ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// The job said [`Step::Finished`].
    Complete,
    /// Its deadline passed.
    Deadline,
    /// The transport is shutting down.
    Cancelled,
}

/// A conversation with one device. No method blocks, reads a clock or does I/O.
pub trait Job: Send {
    /// What to do next; called at the start and after each [`Self::answered`], [`Self::failed`] and pause.
    fn next(&mut self, now: Instant) -> Step;
    /// The answer to the last request.
    fn answered(&mut self, answer: &Answer<'_>);
    /// The last request failed for good.
    fn failed(&mut self, error: &AskError);
    /// The end: hand the fruit over (by a bounded channel or a slot; never block).
    fn finish(self: Box<Self>, end: End);
}

/// How long to wait and how often to ask.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Patience {
    /// The first timeout before a round-trip time is known, and the lower bound after: 0.5 s by default.
    pub min_timeout: Duration,
    /// The upper bound of a timeout: 5 s by default.
    pub max_timeout: Duration,
    /// How many datagrams a request may cost: 3 by default.
    pub tries: u8,
}

impl Default for Patience {
    fn default() -> Self {
        Self { min_timeout: Duration::from_millis(500), max_timeout: Duration::from_secs(5), tries: 3 }
    }
}

/// A text that must not be printed: community, pass phrase.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Secret(Arc<[u8]>);

impl Secret {
    /// Wraps the octets.
    pub fn new(octets: impl Into<Arc<[u8]>>) -> Self {
        Self(octets.into())
    }

    /// The octets, for the wire only.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(secret)")
    }
}

/// Authentication of SNMPv3 (RFC 3414, RFC 7860).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AuthProtocol {
    /// HMAC-MD5-96.
    Md5,
    /// HMAC-SHA-96.
    Sha1,
    /// HMAC-128-SHA-224.
    Sha224,
    /// HMAC-192-SHA-256.
    Sha256,
    /// HMAC-256-SHA-384.
    Sha384,
    /// HMAC-384-SHA-512.
    Sha512,
}

impl AuthProtocol {
    /// The name as it stands in manuals.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Sha1 => "SHA-1",
            Self::Sha224 => "SHA-224",
            Self::Sha256 => "SHA-256",
            Self::Sha384 => "SHA-384",
            Self::Sha512 => "SHA-512",
        }
    }
}

/// Privacy of SNMPv3 (RFC 3414, RFC 3826, and the AES-192/256 of the vendors).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PrivProtocol {
    /// CBC-DES.
    Des,
    /// CFB-AES-128.
    Aes128,
    /// CFB-AES-192.
    Aes192,
    /// CFB-AES-256.
    Aes256,
}

impl PrivProtocol {
    /// The name as it stands in manuals.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Des => "DES",
            Self::Aes128 => "AES-128",
            Self::Aes192 => "AES-192",
            Self::Aes256 => "AES-256",
        }
    }
}

/// Who we are to a device.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Credentials {
    /// A v1 or v2c community.
    Community {
        /// Which of the two versions.
        version: super::message::Version,
        /// The community.
        community: Secret,
    },
    /// A v3 user (User-based Security Model).
    User {
        /// securityName.
        user: String,
        /// Authentication protocol and pass phrase; `None` is noAuthNoPriv.
        auth: Option<(AuthProtocol, Secret)>,
        /// Privacy protocol and pass phrase; only with `auth`.
        privacy: Option<(PrivProtocol, Secret)>,
        /// contextName, mostly empty.
        context: String,
    },
}

/// Where a device is and how to talk to it.
#[derive(Clone, PartialEq, Debug)]
pub struct Target {
    /// The name of the device in the configuration, for messages and logs.
    pub name: Arc<str>,
    /// Its address and UDP port (161).
    pub address: SocketAddr,
    /// Who we are.
    pub credentials: Credentials,
    /// How long to wait.
    pub patience: Patience,
}

/// Why a job was not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum SubmitError {
    /// Another job of the same device is still running: never two at once.
    #[error("the device is still being asked")]
    Busy,
    /// The transport's queue is full.
    #[error("too many conversations are waiting")]
    Full,
    /// The transport is shut down.
    #[error("the SNMP transport has stopped")]
    Stopped,
}

/// Carries jobs to devices.
pub trait Transport: Send + Sync {
    /// Starts a conversation; `Job::finish` is called exactly once when it is taken.
    fn submit(&self, target: &Arc<Target>, job: Box<dyn Job>, deadline: Instant) -> Result<(), SubmitError>;
}
