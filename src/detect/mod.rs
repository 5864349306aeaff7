//! The detection room: what is abnormal without anybody having set a threshold. Pure over observations.
//!
//! [`baseline`]: what a port's traffic usually is at this hour of the week. The walk of a reading: the port's own profile of
//! the last weeks says what is usual now → three readings in a row far outside make a deviation → unless very many ports
//! deviate the same way at once, it is a finding.

pub mod baseline;
