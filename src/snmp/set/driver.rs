//! Sends what a warrant allows, and reads what a device has.

use std::sync::Arc;
use std::time::{Duration, Instant};

use thiserror::Error;

use super::{Datum, Refusal, Status, Warrant};
use crate::model::{Timestamp, clock};
use crate::snmp::ask::{self, QuestionError, Reply};
use crate::snmp::job::{Ask, AskError, Credentials, Request, SubmitError, Target, Transport};
use crate::snmp::message::{encode_names, status};
use crate::snmp::oid::Oid;

/// A device that is being polled is asked again after so long.
const BUSY: Duration = Duration::from_millis(20);
/// Objects asked for in one request.
const TOGETHER: usize = 8;

/// The device says that it has set everything. What it says is not yet what it has done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Written {
    /// When its answer came.
    pub at: Timestamp,
    /// How long it took.
    pub took: Duration,
}

/// Why it is not known that everything was set.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum SetError {
    /// The warrant's time is over.
    #[error("the permission to change {device} has run out before it could be used; nothing was sent")]
    Expired {
        /// Which device.
        device: Arc<str>,
    },
    /// The warrant is for another device.
    #[error("the permission is for {permitted}, not for {device}; nothing was sent")]
    WrongDevice {
        /// The device that was to be set.
        device: Arc<str>,
        /// The device of the warrant.
        permitted: Arc<str>,
    },
    /// It was not sent.
    #[error("nothing was sent to {device}: {why}")]
    NotSent {
        /// Which device.
        device: Arc<str>,
        /// Why not.
        why: SubmitError,
    },
    /// The device does not accept who we are.
    #[error("{device} was not changed: {why}")]
    Credentials {
        /// Which device.
        device: Arc<str>,
        /// What it said.
        why: AskError,
    },
    /// The device said no.
    #[error(transparent)]
    Refused(Box<Refusal>),
    /// There is no valid answer: it may have been done or not.
    #[error("it is not known whether {device} was changed: {why}; it must be read before anything else is sent")]
    Unknown {
        /// Which device.
        device: Arc<str>,
        /// What happened instead of an answer.
        why: String,
    },
}

impl SetError {
    /// Whether the device may have been changed all the same.
    pub fn may_be_done(&self) -> bool {
        match self {
            Self::Expired { .. } | Self::WrongDevice { .. } | Self::NotSent { .. } | Self::Credentials { .. } => false,
            Self::Refused(refusal) => refusal.status.is_partial(),
            Self::Unknown { .. } => true,
        }
    }
}

/// Sets what the warrant names, in one datagram that is never repeated. While the device is being polled it waits its turn,
/// until `deadline`; the device's longest timeout should fit behind that.
///
/// # Errors
/// Why it is not known that everything was set; [`SetError::may_be_done`] says whether it may have been.
pub async fn write(transport: &dyn Transport, target: &Arc<Target>, warrant: Warrant, deadline: Instant) -> Result<Written, SetError> {
    let device = || Arc::clone(&target.name);
    if warrant.device != target.name {
        return Err(SetError::WrongDevice { device: device(), permitted: Arc::clone(&warrant.device) });
    }
    let answer = loop {
        if clock::wall() > warrant.until {
            return Err(SetError::Expired { device: device() });
        }
        match ask::question(transport, target, warrant.request(), deadline).await {
            Err(QuestionError::NotAsked(SubmitError::Busy)) if clock::monotonic() < deadline => tokio::time::sleep(BUSY).await,
            answer => break answer,
        }
    };
    match answer {
        Ok(reply) => match Status::of(reply.error_status) {
            None => Ok(Written { at: reply.received, took: reply.rtt }),
            Some(status) => {
                let version = match &target.credentials {
                    Credentials::Community { version, .. } => Some(*version),
                    Credentials::User { .. } => None,
                };
                Err(SetError::Refused(Box::new(Refusal::new(&target.name, version, status, reply.error_index, &warrant.varbinds))))
            }
        },
        // A transport that stops may have sent it already.
        Err(QuestionError::NotAsked(why @ (SubmitError::Busy | SubmitError::Full))) => Err(SetError::NotSent { device: device(), why }),
        Err(QuestionError::Unanswered(why @ AskError::Refused { .. })) => Err(SetError::Credentials { device: device(), why }),
        Err(why) => Err(SetError::Unknown { device: device(), why: why.to_string() }),
    }
}

/// Reads objects; `None` is one that the device does not have, or does not show to us. While the device is being polled it
/// waits its turn, until `deadline`.
///
/// # Errors
/// Why there is no answer.
pub async fn read(
    transport: &dyn Transport,
    target: &Arc<Target>,
    names: &[Oid],
    deadline: Instant,
) -> Result<Vec<Option<Datum>>, QuestionError> {
    let mut found = Vec::with_capacity(names.len());
    for names in names.chunks(TOGETHER) {
        let reply = get(transport, target, names, deadline).await?;
        if reply.error_status == status::NO_ERROR {
            found.extend(in_order(&reply, names));
            continue;
        }
        // One object that is missing must not take the others with it, as it does in SNMPv1.
        for name in names {
            let reply = get(transport, target, std::slice::from_ref(name), deadline).await?;
            found.extend(in_order(&reply, std::slice::from_ref(name)));
        }
    }
    Ok(found)
}

async fn get(transport: &dyn Transport, target: &Arc<Target>, names: &[Oid], deadline: Instant) -> Result<Reply, QuestionError> {
    let request = Request { ask: Ask::Get, varbinds: encode_names(names.iter()).into() };
    loop {
        match ask::question(transport, target, request.clone(), deadline).await {
            Err(QuestionError::NotAsked(SubmitError::Busy)) if clock::monotonic() < deadline => tokio::time::sleep(BUSY).await,
            reply => return reply,
        }
    }
}

/// The values by the names that were asked for, whatever order the device chose.
fn in_order(reply: &Reply, names: &[Oid]) -> Vec<Option<Datum>> {
    let is_error = reply.error_status != status::NO_ERROR;
    let value = |name: &Oid| {
        let (_, value) = reply.varbinds().filter_map(Result::ok).find(|(found, _)| *found == name.as_ref())?;
        Datum::of(&value).filter(|_| !is_error)
    };
    names.iter().map(value).collect()
}
