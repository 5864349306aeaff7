//! The detection room: what is abnormal without anybody having set a threshold. Pure over observations.
//!
//! [`baseline`]: what a port's traffic usually is at this hour of the week. The walk of a reading: the port's own profile of
//! the last weeks says what is usual now → three readings in a row far outside make a deviation → unless very many ports
//! deviate the same way at once, it is a finding.
//!
//! The other half judges machines by what they send: a [`Detection`] says which [`Kind`] of behaviour, how sure ([`Level`]),
//! whose ([`Machine`]), with its evidence, in the light of what is known of the [`Site`]. The [`Engine`] takes the packets in. What is found goes into the
//! [`ledger`]; besides, a [`portrait`] of each machine is kept, and [`standing`] says what is to be said for and against it;
//! pages read all that from the [`Board`].
//!
//! Without a mirror port, [`snmp`] judges by counters and tables, and [`zone`] where inner and outer network touch; [`facts`]
//! makes the site of the tables, and [`exempt`] says about whom something is not told.

pub mod baseline;
pub mod board;
pub mod class;
pub mod detection;
pub mod engine;
pub mod exempt;
pub mod facts;
pub mod kept;
pub mod kind;
pub mod lan;
pub mod learn;
pub mod ledger;
pub mod portrait;
pub mod quick;
pub mod settings;
pub mod sight;
pub mod site;
pub mod site_file;
pub mod snmp;
pub mod standing;
pub mod tune;
pub mod zone;

pub use board::{Board, Surroundings};
pub use detection::{Detection, Machine, MachineKey};
pub use engine::Engine;
pub use kind::{Kind, Level};
pub use settings::Settings;
pub use sight::Sight;
pub use site::Site;
