//! The files as they are written: every key optional, every value with its place, nothing judged yet.
//! The JSON Schema comes from these types, and their doc comments are its descriptions.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::access::{Plaintext, RawAccess, RawTls};
use super::block::{RawBlock, RawProtect};
use super::calendar::RawCalendar;
use super::capture::RawCapture;
use super::detect::RawDetect;
use super::exempt::RawExempt;
use super::flow::RawFlow;
use super::hosts::{RawHost, RawPing};
use super::notify::raw::RawNotify;
use super::people::{RawDuty, RawPerson};
use super::rules::{RawIncident, RawMaintenance, RawRule};
use super::secrets::Ways;
use super::settings::{Auth, LogFormat, Privacy};
use super::site::{RawSite, RawTables};
use super::source::At;
use super::traps::RawTraps;
use super::zones::RawZones;
use crate::i18n::Lang;
use crate::model::Zone;

/// One file.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "netroom")]
pub(super) struct RawFile {
    /// The data directory; relative paths count from the directory of this file.
    pub data: Option<At<String>>,
    /// The time zone of days, weeks and months, as `Asia/Shanghai`; the machine's own when not given.
    pub time_zone: Option<At<String>>,
    /// The log.
    pub log: Option<RawLog>,
    /// The pages and the API.
    pub web: Option<RawWeb>,
    /// Who gets in.
    pub access: Option<RawAccess>,
    /// The exposition for Prometheus.
    pub metrics: Option<RawMetrics>,
    /// How long samples are kept.
    pub retention: Option<RawRetention>,
    /// What holds for every device that does not say otherwise.
    pub snmp: Option<RawSnmp>,
    /// Where notifications are received.
    pub traps: Option<RawTraps>,
    /// The mirror ports that are watched.
    pub capture: Option<RawCapture>,
    /// Where flow records of exporters are received.
    pub flow: Option<RawFlow>,
    /// What holds for every host that is pinged.
    pub ping: Option<RawPing>,
    /// How the tables of bridges, routers and neighbours are read.
    pub tables: Option<RawTables>,
    /// Who is who in the network.
    pub site: Option<RawSite>,
    /// Which networks are inside and which outside.
    pub zones: Option<RawZones>,
    /// Machines about which something is not told.
    pub exempt: Option<Vec<At<RawExempt>>>,
    /// How machines are cut off.
    pub block: Option<RawBlock>,
    /// Whom it never touches.
    pub protect: Option<Vec<At<RawProtect>>>,
    /// The hosts that are pinged.
    pub host: Option<Vec<At<RawHost>>>,
    /// The devices that are polled.
    pub device: Option<Vec<At<RawDevice>>>,
    /// Who is told of what.
    pub notify: Option<RawNotify>,
    /// Holidays and the weekend days that are worked for them.
    pub calendar: Option<RawCalendar>,
    /// How machines are judged by what they send.
    pub detect: Option<RawDetect>,
    /// How faults become incidents.
    pub incident: Option<RawIncident>,
    /// Thresholds of one's own.
    pub rule: Option<Vec<At<RawRule>>>,
    /// When nobody wants to be alarmed.
    pub maintenance: Option<Vec<At<RawMaintenance>>>,
    /// The people of the office.
    pub person: Option<Vec<At<RawPerson>>>,
    /// Who is on duty when.
    pub duty: Option<Vec<At<RawDuty>>>,
}

/// `[log]`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLog {
    /// What is logged: error, warn, info, debug, trace, or like `warn,netroom::snmp=debug`.
    pub filter: Option<At<String>>,
    /// The form of a log line.
    pub format: Option<LogFormat>,
}

/// `[web]`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawWeb {
    /// Where the pages are served: `127.0.0.1:8080`, `0.0.0.0:8080`, `[::]:8080`.
    pub listen: Option<At<String>>,
    /// The language for browsers that ask for neither Chinese nor English.
    pub language: Option<Lang>,
    /// What to do when the pages would go over the network unencrypted: `refuse` to start, or `accept`.
    pub plaintext: Option<Plaintext>,
    /// The proxies whose word about the client (X-Forwarded-For, X-Forwarded-Proto) is taken: addresses or networks.
    pub trusted_proxies: Option<Vec<At<String>>>,
    /// TLS from files.
    pub tls: Option<RawTls>,
}

/// `[metrics]`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawMetrics {
    /// Whether `/metrics` answers.
    pub enabled: Option<bool>,
    /// Whether `/metrics/ports` answers.
    pub ports: Option<bool>,
}

/// `[retention]`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRetention {
    /// Samples as polled, like `31d`.
    pub raw: Option<At<String>>,
    /// 5-minute averages, maxima and minima, like `186d`.
    pub m5: Option<At<String>>,
    /// 1-hour ones, like `5y`.
    pub h1: Option<At<String>>,
    /// 1-day ones, like `20y`.
    pub d1: Option<At<String>>,
    /// Whether minima of counters are kept too.
    pub min_for_counters: Option<bool>,
    /// Bytes set aside for an orderly end when the disk is full, like `64MiB`.
    pub disk_reserve: Option<At<String>>,
    /// Below this share of free space the oldest raw samples go first, like `10%`.
    pub low_space: Option<At<String>>,
    /// The most that all samples may take on disk, like `50GiB`; no such limit when not given.
    pub max_bytes: Option<At<String>>,
}

/// The lower and the upper bound of a timeout, and the tries.
pub(super) type RawPatience<'a> = (Option<&'a At<String>>, Option<&'a At<String>>, Option<u8>);

/// A section with the keys by which agents are asked, which `[snmp]` and `[[device]]` have in common, and its own.
/// Not `serde(flatten)`: that would take each value's place from it, and let unknown keys pass.
macro_rules! with_agent_keys {
    ($(#[$meta:meta])* struct $name:ident { $($own:tt)* }) => {
        $(#[$meta])*
        #[derive(Debug, Default, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub(super) struct $name {
            /// The UDP port of the agent; 161 unless said otherwise.
            #[schemars(range(min = 1))]
            pub port: Option<u16>,
            /// The version of SNMP.
            pub version: Option<At<Version>>,
            /// The community of versions 1 and 2c.
            pub community: Option<At<String>>,
            /// A file that holds the community.
            pub community_file: Option<At<String>>,
            /// A systemd credential that holds the community.
            pub community_credential: Option<At<String>>,
            /// The SNMPv3 user: a key of `[snmp.users]`.
            pub user: Option<At<String>>,
            /// The SNMPv3 user by which the device lets itself be changed: a key of `[snmp.users]`. Without one, and without a
            /// community for writing, it is only read.
            pub write_user: Option<At<String>>,
            /// The community of versions 1 and 2c by which the device lets itself be changed.
            pub write_community: Option<At<String>>,
            /// A file that holds it.
            pub write_community_file: Option<At<String>>,
            /// A systemd credential that holds it.
            pub write_community_credential: Option<At<String>>,
            /// The poll interval, 10s to 15m.
            pub interval: Option<At<String>>,
            /// The first timeout of a request, and the lower bound after, like `500ms`.
            pub min_timeout: Option<At<String>>,
            /// The upper bound of a timeout, like `5s`.
            pub max_timeout: Option<At<String>>,
            /// How many datagrams a request may cost, 1 to 10.
            #[schemars(range(min = 1, max = 10))]
            pub tries: Option<u8>,
            $($own)*
        }

        impl $name {
            /// The ways to give the community.
            pub(super) fn community_ways(&self) -> Ways<'_> {
                Ways {
                    key: "community",
                    inline: self.community.as_ref(),
                    file: self.community_file.as_ref(),
                    credential: self.community_credential.as_ref(),
                }
            }

            /// The ways to give the community for writing.
            pub(super) fn write_ways(&self) -> Ways<'_> {
                Ways {
                    key: "write_community",
                    inline: self.write_community.as_ref(),
                    file: self.write_community_file.as_ref(),
                    credential: self.write_community_credential.as_ref(),
                }
            }

            /// Both bounds of a timeout, and the tries.
            pub(super) fn patience(&self) -> RawPatience<'_> {
                (self.min_timeout.as_ref(), self.max_timeout.as_ref(), self.tries)
            }
        }
    };
}

with_agent_keys! {
    /// `[snmp]`.
    struct RawSnmp {
        /// The SNMPv3 users, by the key that devices name them with.
        pub users: Option<BTreeMap<String, At<RawUser>>>,
    }
}

/// The version of SNMP.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
pub(super) enum Version {
    /// SNMPv1: 32-bit counters only.
    #[serde(rename = "1")]
    V1,
    /// SNMPv2c.
    #[serde(rename = "2c")]
    V2c,
    /// SNMPv3.
    #[serde(rename = "3")]
    V3,
}

/// `[snmp.users.KEY]`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawUser {
    /// securityName; the key when not given.
    pub name: Option<At<String>>,
    /// contextName, mostly empty.
    pub context: Option<At<String>>,
    /// Authentication protocol.
    pub auth: Option<At<Auth>>,
    /// Its pass phrase, 8 characters or more.
    pub auth_password: Option<At<String>>,
    /// A file that holds it.
    pub auth_password_file: Option<At<String>>,
    /// A systemd credential that holds it.
    pub auth_password_credential: Option<At<String>>,
    /// Privacy protocol; needs `auth`.
    pub privacy: Option<At<Privacy>>,
    /// Its pass phrase, 8 characters or more.
    pub privacy_password: Option<At<String>>,
    /// A file that holds it.
    pub privacy_password_file: Option<At<String>>,
    /// A systemd credential that holds it.
    pub privacy_password_credential: Option<At<String>>,
}

with_agent_keys! {
    /// `[[device]]`.
    struct RawDevice {
        /// The device's name, unique: letters, digits and `-`, `_`, `.`. Its history is kept under it.
        #[schemars(required)]
        pub name: Option<At<String>>,
        /// Its IP address.
        #[schemars(required)]
        pub address: Option<At<String>>,
        /// Where it stands: building, floor, room.
        pub site: Option<At<String>>,
        /// Which side of a physically separated network it belongs to.
        pub zone: Option<Zone>,
        /// Free words for filters.
        pub tags: Option<Vec<At<String>>>,
        /// Whether its tables (forwarding database, neighbours, ARP) are read; yes when not given.
        pub tables: Option<bool>,
        /// Ports with an interval of their own; the first rule that matches counts.
        pub ports: Option<Vec<At<RawPorts>>>,
    }
}

/// `ports = [{ match = "Gi0/*", interval = "10s" }]`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPorts {
    /// A pattern over port names: `*`, `?`, `[0-9]`.
    #[serde(rename = "match")]
    #[schemars(required)]
    pub matches: Option<At<String>>,
    /// The interval of these ports, 10s to 15m.
    #[schemars(required)]
    pub interval: Option<At<String>>,
}

/// Lays a later file over an earlier one: what the later one says counts, lists are joined.
pub(super) trait Layer {
    /// `above` over `self`.
    fn lay(&mut self, above: Self);
}

/// Single values: the later one counts; of the ways to say one thing (`one_of`) all are replaced.
macro_rules! layer {
    ($type:ty: $($value:ident)* $(; one_of $($way:ident)*)* $(; sections $($section:ident)*)? $(; lists $($list:ident)*)?) => {
        impl Layer for $type {
            fn lay(&mut self, above: Self) {
                $(if above.$value.is_some() { self.$value = above.$value; })*
                $(if $(above.$way.is_some())||* { $(self.$way = above.$way;)* })*
                $($(if let Some(section) = above.$section { self.$section.get_or_insert_default().lay(section); })*)?
                $($(if let Some(list) = above.$list { self.$list.get_or_insert_default().extend(list); })*)?
            }
        }
    };
}

layer!(
    RawFile: data time_zone; sections log web access metrics retention snmp traps capture flow notify ping incident calendar tables site zones detect block;
    lists device person duty host rule maintenance exempt protect
);
layer!(RawBlock: mode action persons first longest decay grace burst hourly share; lists scope);
layer!(RawDetect: mode hours classes; lists off lookups rules);
layer!(RawPing: devices gateway timeout interval probes size down up lossy slow);
layer!(RawLog: filter format);
layer!(RawTables: enabled every crowded; lists watch);
layer!(RawZones: allow_both_zones; lists inner outer);
layer!(RawIncident: settle reopen grace flaps calm storm storm_most uplinks);
layer!(RawWeb: listen language plaintext; sections tls; lists trusted_proxies);
layer!(RawTls: certificate key);
layer!(RawAccess: anonymous totp_required known_passwords);
layer!(RawMetrics: enabled ports);
layer!(RawFlow: enabled listen silent; lists exporters);
layer!(RawTraps: listen per_second; one_of community community_file community_credential);
layer!(RawCapture: ring threads promiscuous; lists interfaces);
layer!(RawRetention: raw m5 h1 d1 min_for_counters disk_reserve low_space max_bytes);
layer!(
    RawSnmp: port version user interval min_timeout max_timeout tries; one_of community community_file community_credential;
    one_of write_user write_community write_community_file write_community_credential; lists users
);

impl Layer for RawSite {
    fn lay(&mut self, above: Self) {
        let lists = [
            (&mut self.local, above.local),
            (&mut self.routers, above.routers),
            (&mut self.gateways, above.gateways),
            (&mut self.servers, above.servers),
            (&mut self.mail, above.mail),
            (&mut self.resolvers, above.resolvers),
            (&mut self.dhcp, above.dhcp),
            (&mut self.printers, above.printers),
        ];
        for (own, more) in lists {
            if let Some(more) = more {
                own.get_or_insert_default().extend(more);
            }
        }
    }
}
