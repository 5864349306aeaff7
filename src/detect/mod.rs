//! The detection room: what is abnormal without anybody having set a threshold. Pure over observations.
//!
//! [`baseline`]: what a port's traffic usually is at this hour of the week. The walk of a reading: the port's own profile of
//! the last weeks says what is usual now → three readings in a row far outside make a deviation → unless very many ports
//! deviate the same way at once, it is a finding.
//!
//! The other half judges machines by what they send: a [`Detection`] says which [`Kind`] of behaviour, how sure ([`Level`]),
//! whose ([`Machine`]), with its evidence, in the light of what is known of the [`Site`].

pub mod baseline;
pub mod detection;
pub mod kind;
pub mod site;

pub use detection::{Detection, Machine};
pub use kind::{Kind, Level};
pub use site::Site;
