//! The vocabulary of the house: newtypes for everything that has a unit or an identity, the list of port metrics,
//! the reasons for a missing sample, and the observations that the wire rooms hand upwards.
//! Nothing here does I/O; the one exception is [`clock`], the only place that reads the machine's clocks.

pub mod clock;
pub mod finding;
pub mod gap;
pub mod metric;
pub mod name;
pub mod notice;
pub mod observe;
pub mod role;
pub mod sample;
pub mod severity;
pub mod subject;
pub mod text;
pub mod units;

pub use finding::{Evidence, Fact, Finding, Verdict};
pub use gap::Gap;
pub use metric::{METRICS, PortMetric};
pub use name::{DeviceId, IfIndex, MacAddr, PortId, PortIdentity, Zone};
pub use notice::{IncidentId, Notice};
pub use role::Role;
pub use severity::Severity;
pub use subject::Subject;
pub use text::{DeviceText, TextPool};
pub use units::{BitsPerSecond, Timestamp};
