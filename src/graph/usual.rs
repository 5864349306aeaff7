//! The band of what is usual behind the curves of a port: its range in each bucket, learnt from the same hours of past weeks.

use super::chart::Frame;
use super::kind::Kind;
use super::svg;

/// From where to where a rate usually lies in one bucket, bits per second; `None` where too little is known.
pub type Range = Option<(f64, f64)>;

/// What is usual for a port, a bucket at a time.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Usual {
    /// Inbound.
    pub inbound: Vec<Range>,
    /// Outbound.
    pub outbound: Vec<Range>,
}

/// Longer buckets mix hours of which each has its own usual.
pub const LONGEST_STEP_S: u32 = 3600;

impl Usual {
    /// The same in the unit of a picture; `None` for pictures of something else.
    pub fn of(self, kind: Kind, speed_bps: Option<u64>) -> Option<Self> {
        let (times, per) = match kind {
            Kind::Traffic => (1.0, 1.0),
            Kind::Utilisation => (100.0, speed_bps.filter(|speed| *speed > 0)? as f64),
            Kind::Packets | Kind::Broadcast | Kind::Errors | Kind::Discards => return None,
        };
        let scaled =
            |ranges: Vec<Range>| ranges.into_iter().map(|range| range.map(|(low, high)| (low * times / per, high * times / per))).collect();
        let both = Self { inbound: scaled(self.inbound), outbound: scaled(self.outbound) };
        (!both.is_empty()).then_some(both)
    }

    /// Whether nothing is known of any bucket.
    fn is_empty(&self) -> bool {
        self.inbound.iter().chain(&self.outbound).all(Option::is_none)
    }

    /// Draws both bands. What is above the top of the picture is cut off: the curves, not the band, say how high it is.
    pub(super) fn draw(&self, out: &mut String, frame: &Frame, top: f64) {
        for (class, ranges) in [("ng-inusual", &self.inbound), ("ng-outusual", &self.outbound)] {
            if ranges.iter().any(Option::is_some) {
                svg::path_start(out, class);
                for run in runs(ranges) {
                    outline(out, frame, run, top);
                }
                svg::path_end(out);
            }
        }
    }
}

/// The buckets that hang together: where the first one stands, and their ranges.
fn runs(ranges: &[Range]) -> Vec<(usize, Vec<(f64, f64)>)> {
    let mut runs: Vec<(usize, Vec<(f64, f64)>)> = Vec::new();
    let mut open = false;
    for (bucket, range) in ranges.iter().enumerate() {
        match (range, runs.last_mut()) {
            (Some(range), Some((_, run))) if open => run.push(*range),
            (Some(range), _) => runs.push((bucket, vec![*range])),
            (None, _) => {}
        }
        open = range.is_some();
    }
    runs
}

/// Along the upper edge in steps, and back along the lower one.
fn outline(out: &mut String, frame: &Frame, (first, run): (usize, Vec<(f64, f64)>), top: f64) {
    let height = |value: f64| frame.height_of(value.clamp(0.0, top));
    let mut edge = 'M';
    for (bucket, (_, high)) in (first..).zip(&run) {
        svg::command(out, edge, &[frame.at(bucket), height(*high)]);
        svg::command(out, 'H', &[frame.at(bucket + 1)]);
        edge = 'L';
    }
    for (bucket, (low, _)) in (first..first + run.len()).zip(&run).rev() {
        svg::command(out, 'L', &[frame.at(bucket + 1), height(*low)]);
        svg::command(out, 'H', &[frame.at(bucket)]);
    }
    out.push('Z');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_that_are_not_known_part_the_band() {
        let known = Some((1.0, 2.0));
        let parts = runs(&[None, known, known, None, None, known]);
        assert_eq!(parts.iter().map(|(first, run)| (*first, run.len())).collect::<Vec<_>>(), [(1, 2), (5, 1)]);
        assert!(runs(&[None, None]).is_empty() && runs(&[]).is_empty());
    }

    #[test]
    fn a_share_of_the_speed_needs_the_speed_and_packets_have_no_band() {
        let usual = || Usual { inbound: vec![Some((1e6, 5e6))], outbound: vec![None] };
        let share = usual().of(Kind::Utilisation, Some(10_000_000)).unwrap();
        assert_eq!(share.inbound, [Some((10.0, 50.0))]);
        assert_eq!(usual().of(Kind::Utilisation, None), None);
        assert_eq!(usual().of(Kind::Packets, Some(10)), None);
        assert_eq!(Usual { inbound: vec![None], outbound: vec![] }.of(Kind::Traffic, None), None);
    }
}
