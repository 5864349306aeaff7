//! The parameters of the judges of the segment, with the defaults that were measured.

use serde::{Deserialize, Serialize};

/// All of them.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Names that do not exist (rule 10).
    pub dga: Dga,
    /// Data carried inside names (rule 11).
    pub tunnel: Tunnel,
    /// Leases asked for without end (rule 15).
    pub starvation: Starvation,
    /// Addresses claimed by two (rule 16).
    pub claims: Claims,
}

/// Names that do not exist, by the dozen.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Dga {
    /// So many different names that do not exist.
    pub names: u16,
    /// Within so many seconds.
    pub window_s: u32,
    /// And this share of all answers.
    pub share: f32,
    /// Of one domain no more names than this count: a wrong search suffix makes a thousand.
    pub of_one_domain: u8,
}

impl Default for Dga {
    fn default() -> Self {
        Self { names: 60, window_s: 600, share: 0.5, of_one_domain: 10 }
    }
}

/// Data carried inside names.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tunnel {
    /// So many different names below one domain.
    pub names: u16,
    /// Within so many seconds.
    pub window_s: u32,
    /// With so many octets each before the domain, on average.
    pub octets: u16,
    /// Or so many names of this length, whatever the domain.
    pub long_octets: u16,
    /// Domains by which programs look things up in DNS, with everything below them.
    pub domains: Vec<Box<str>>,
}

impl Default for Tunnel {
    fn default() -> Self {
        let domains = [
            "akadns.net",
            "akamai.net",
            "akamaiedge.net",
            "amazonaws.com",
            "avast.com",
            "avqs.mcafee.com",
            "avts.mcafee.com",
            "azure.com",
            "barracudacentral.org",
            "cloudapp.net",
            "cloudfront.net",
            "dnsbl.sorbs.net",
            "e5.sk",
            "fireeyecloud.com",
            "googlevideo.com",
            "mcafee.com",
            "senderbase.org",
            "sophosxl.net",
            "spamcop.net",
            "spamhaus.org",
            "surbl.org",
            "trafficmanager.net",
            "trendmicro.com",
            "uribl.com",
            "webrootcloudav.com",
            "windows.net",
        ];
        Self { names: 60, window_s: 300, octets: 24, long_octets: 52, domains: domains.map(Into::into).to_vec() }
    }
}

/// Leases asked for until none is left.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Starvation {
    /// More requests of one machine than this.
    pub requests: u32,
    /// Within so many seconds.
    pub window_s: u32,
    /// Or for so many different clients, which only relays may.
    pub clients: u16,
    /// Where each request bears another address: so many makers (OUI) make it invented, where a building has a few dozen.
    pub makers: u16,
}

impl Default for Starvation {
    fn default() -> Self {
        Self { requests: 400, window_s: 10, clients: 50, makers: 100 }
    }
}

/// Addresses claimed by two.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Claims {
    /// So many changes of hands between the same two.
    pub flips: u16,
    /// Within so many seconds.
    pub window_s: u32,
    /// A reply within so many milliseconds after a request was asked for.
    pub asked_ms: u32,
}

impl Default for Claims {
    fn default() -> Self {
        Self { flips: 2, window_s: 600, asked_ms: 3000 }
    }
}
