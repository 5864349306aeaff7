//! `/metrics/targets`: the devices as targets for Prometheus' HTTP service discovery, one scrape a device, so that a
//! large office is read in many small answers instead of one large one.

use serde::Serialize;

use crate::ports::live::Live;

/// One entry of the list (Prometheus documentation, "HTTP SD").
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Target<'a> {
    /// Where to scrape: this program.
    targets: [&'a str; 1],
    labels: Labels,
}

/// The labels of an entry. Those that begin with two underscores are for relabelling only.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
struct Labels {
    #[serde(rename = "__metrics_path__")]
    path: &'static str,
    #[serde(rename = "__param_device")]
    device: String,
    #[serde(rename = "__meta_netroom_site")]
    site: String,
    #[serde(rename = "__meta_netroom_zone")]
    zone: &'static str,
    /// The device's name: each target needs a name of its own, or their `up` series would collide.
    instance: String,
}

/// The list; `host` is where the asking Prometheus reaches this program.
pub fn list<'a>(live: &Live, host: &'a str) -> Vec<Target<'a>> {
    let devices = live.devices();
    devices
        .iter()
        .map(|cell| {
            let label = &cell.load().label;
            let labels = Labels {
                path: "/metrics/ports",
                device: label.name.to_string(),
                site: label.site.to_string(),
                zone: label.zone.word(),
                instance: label.name.to_string(),
            };
            Target { targets: [host], labels }
        })
        .collect()
}
