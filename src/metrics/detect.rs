//! Detection for Prometheus: how many machines are remembered, what is held against them, what found no room, and the octets
//! of each coarse class of traffic. Of single machines nothing is told.

use std::sync::Arc;

use prometheus::core::{Collector, Desc};
use prometheus::proto;

use super::vitals::family;
use crate::detect::class::{Class, Octets, Report};
use crate::detect::{Board, Level};

/// Reads the board at each scrape.
pub struct DetectCollector(pub Arc<Board>);

impl Collector for DetectCollector {
    /// None: the names are all ours.
    fn desc(&self) -> Vec<&Desc> {
        Vec::new()
    }

    fn collect(&self) -> Vec<proto::MetricFamily> {
        let held = self.0.held();
        let of = |level: Level| held.iter().filter(|detection| !detection.cleared && detection.level == level).count();
        let levels = Level::ALL.map(|level| (vec![("level", level.word())], of(level) as f64)).to_vec();
        let shed = self.0.shed().map(|(table, count)| (vec![("table", table)], count as f64)).to_vec();
        let mut families = vec![
            family(
                "netroom_machines",
                "Machines that are remembered by what passed on mirror ports.",
                proto::MetricType::GAUGE,
                vec![(Vec::new(), self.0.machines().len() as f64)],
            ),
            family("netroom_detections", "What is held against machines now, by level.", proto::MetricType::GAUGE, levels),
            family("netroom_detect_shed_total", "What found no room in a bounded table of detection.", proto::MetricType::COUNTER, shed),
        ];
        families.extend(classes(&self.0.traffic()));
        families
    }
}

/// Nothing as long as nothing was captured.
fn classes(report: &Report) -> Option<proto::MetricFamily> {
    let of_class = |(class, octets): (Class, &Octets)| {
        let direction = |word, octets: u64| (vec![("class", class.word()), ("direction", word)], octets as f64);
        [direction("in", octets.received), direction("out", octets.sent)]
    };
    let series = Class::ALL.into_iter().zip(&report.totals).flat_map(of_class).collect();
    let help = "Octets between our machines and the outside, by coarse class of traffic.";
    let seen = !report.hours.is_empty();
    seen.then(|| family("netroom_traffic_class_bytes_total", help, proto::MetricType::COUNTER, series))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::packet::Nanos;
    use crate::detect::board::Source;
    use crate::detect::class::Hour;

    #[test]
    fn octets_are_told_by_class_and_direction_once_there_are_any() {
        assert!(classes(&Report::default()).is_none());
        let board = Arc::<Board>::default();
        let mut totals = [Octets::default(); Class::ALL.len()];
        totals[Class::Film as usize] = Octets { received: 7000, sent: 30 };
        let hour = Hour { start: Nanos(0), totals, top: Vec::new(), works: None };
        board.show_traffic(Source::Mirror, Report { totals, hours: vec![hour] });
        let families = DetectCollector(board).collect();
        let classes = families.iter().find(|family| family.name() == "netroom_traffic_class_bytes_total").unwrap();
        let film: Vec<f64> = classes
            .get_metric()
            .iter()
            .filter(|metric| metric.get_label().iter().any(|label| label.value() == "film"))
            .map(|metric| metric.get_counter().get_value())
            .collect();
        assert_eq!((film, classes.get_metric().len()), (vec![7000.0, 30.0], 16));
    }
}
