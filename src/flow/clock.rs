//! From the clocks of an exporter (its uptime, its idea of the time) to points in time as we know them.

use crate::model::Timestamp;

/// An exporter whose clock is further off is set right by what it is off.
const TOLERANCE_MS: i64 = 60_000;
/// From the epoch of NTP (1900) to that of Unix, in seconds (RFC 5905).
const NTP_TO_UNIX_S: i64 = 2_208_988_800;

/// The time of one datagram, by its sender and by us.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    /// When it was sent, by its sender, milliseconds since the Unix epoch.
    export_ms: i64,
    /// The uptime in its header, milliseconds; `None` where the protocol has none (IPFIX).
    uptime_ms: Option<u32>,
    /// What has to be added to the sender's times, milliseconds; 0 while its clock is about right.
    shift_ms: i64,
}

impl Clock {
    pub(super) fn new(export_ms: i64, uptime_ms: Option<u32>, at: Timestamp) -> Self {
        let off = at.millis().saturating_sub(export_ms);
        Self { export_ms, uptime_ms, shift_ms: if off.abs() > TOLERANCE_MS { off } else { 0 } }
    }

    /// How far the sender's clock is behind ours, milliseconds; 0 while it is about right.
    pub(super) const fn shift_ms(&self) -> i64 {
        self.shift_ms
    }

    /// Milliseconds of the sender's own clock, as a point in time.
    pub(super) const fn wall(&self, ms: i64) -> Timestamp {
        Timestamp::from_millis(ms.saturating_add(self.shift_ms))
    }

    /// When the datagram was sent.
    pub(super) const fn export(&self) -> Timestamp {
        self.wall(self.export_ms)
    }

    /// When the exporter had been up for so long. The counter wraps after 49.7 days; a flow's times are within half of that
    /// of the header's. `booted_ms` says when it was started, for headers without an uptime.
    pub(super) fn uptime(&self, uptime_ms: u32, booted_ms: Option<i64>) -> Option<Timestamp> {
        match (self.uptime_ms, booted_ms) {
            (Some(header), _) => {
                let ago = header.wrapping_sub(uptime_ms).cast_signed();
                Some(self.wall(self.export_ms.saturating_sub(i64::from(ago))))
            }
            (None, Some(booted)) => {
                let full = self.export_ms.saturating_sub(booted);
                // Only the lower 32 bits are told.
                let ago = (full as u32).wrapping_sub(uptime_ms).cast_signed();
                Some(self.wall(self.export_ms.saturating_sub(i64::from(ago))))
            }
            (None, None) => None,
        }
    }

    /// So many microseconds before the datagram was sent.
    pub(super) fn before(&self, micros: u64) -> Timestamp {
        self.wall(self.export_ms.saturating_sub(i64::try_from(micros / 1_000).unwrap_or(i64::MAX)))
    }
}

/// A time of 64 bits as NTP writes it (RFC 7011, 6.1.9 and 6.1.10), in milliseconds since the Unix epoch.
pub(super) fn ntp_ms(value: u64) -> i64 {
    let seconds = i64::from((value >> 32) as u32) - NTP_TO_UNIX_S;
    seconds * 1_000 + (((value & 0xffff_ffff) * 1_000) >> 32) as i64
}

#[cfg(test)]
mod tests {
    use super::{Clock, ntp_ms};
    use crate::model::Timestamp;

    const SENT_MS: i64 = 1_700_000_000_000;

    #[test]
    fn an_uptime_that_wraps_is_still_before_the_header() {
        let clock = Clock::new(SENT_MS, Some(500), Timestamp::from_millis(SENT_MS + 40));
        let at = |uptime| clock.uptime(uptime, None).unwrap().millis() - SENT_MS;
        assert_eq!(at(500), 0);
        assert_eq!(at(0), -500);
        assert_eq!(at(u32::MAX), -501);
        assert_eq!(at(700), 200);
    }

    #[test]
    fn without_an_uptime_in_the_header_the_start_of_the_exporter_serves() {
        let clock = Clock::new(SENT_MS, None, Timestamp::from_millis(SENT_MS));
        // Up for more than 49.7 days: the counter has wrapped.
        let booted = SENT_MS - 5_000_000_000;
        let uptime = (5_000_000_000_u64 - 2_000) as u32;
        assert_eq!(clock.uptime(uptime, Some(booted)), Some(Timestamp::from_millis(SENT_MS - 2_000)));
        assert_eq!(clock.uptime(uptime, None), None);
    }

    #[test]
    fn a_wrong_clock_is_set_right_and_a_slow_one_is_left_alone() {
        let years_ago = Clock::new(1_000, Some(9_000), Timestamp::from_millis(SENT_MS));
        assert_eq!(years_ago.export().millis(), SENT_MS);
        assert_eq!(years_ago.uptime(8_000, None), Some(Timestamp::from_millis(SENT_MS - 1_000)));
        assert_eq!(years_ago.shift_ms(), SENT_MS - 1_000);
        let slow = Clock::new(SENT_MS - 30_000, None, Timestamp::from_millis(SENT_MS));
        assert_eq!((slow.export().millis(), slow.shift_ms()), (SENT_MS - 30_000, 0));
    }

    #[test]
    fn ntp_times_are_read() {
        assert_eq!(ntp_ms((2_208_988_800 + 7) << 32 | 0x8000_0000), 7_500);
        assert_eq!(ntp_ms(0), -2_208_988_800_000);
    }
}
