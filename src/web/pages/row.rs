//! A port as a row of a list: the same in the list of all ports, on the page of a device, and in search.

use std::sync::Arc;

use crate::ports::live::{DeviceLive, PortLive, PortState};
use crate::web::figure::{self, Figure};
use crate::web::html::{self, Html};
use crate::web::page::{device_url, port_url};
use crate::web::spark::SparkMap;
use crate::web::words::Words;

/// The words and figures of one row.
pub(super) struct Row {
    pub(super) device: Arc<str>,
    pub(super) device_url: String,
    pub(super) name: Arc<str>,
    pub(super) url: String,
    pub(super) alias: Arc<str>,
    pub(super) state: Html,
    pub(super) speed: String,
    pub(super) inbound: Figure,
    pub(super) outbound: Figure,
    pub(super) used: Figure,
    pub(super) bar: Html,
    pub(super) errors: Figure,
    pub(super) has_errors: bool,
    pub(super) is_up: bool,
    pub(super) spark: Html,
}

impl Row {
    pub(super) fn new(words: Words, device: &DeviceLive, port: &PortLive, sparks: &SparkMap) -> Self {
        let identity = &port.identity;
        Self {
            device: Arc::clone(&device.label.name),
            device_url: device_url(&device.label.name),
            name: Arc::clone(&identity.name),
            url: port_url(&device.label.name, &identity.name),
            alias: identity.alias.shared(),
            state: html::port_state(words, port.state),
            speed: figure::speed(identity.speed_bps),
            inbound: figure::inbound(words, port),
            outbound: figure::outbound(words, port),
            used: figure::utilisation(words, port),
            bar: html::bar(port.utilisation_percent()),
            errors: figure::errors(words, port),
            has_errors: port.error_rate().is_some_and(|rate| rate > 0.0),
            is_up: port.state == PortState::Up,
            spark: html::spark(sparks.get(&identity.id).map(|spark| &**spark)),
        }
    }
}
