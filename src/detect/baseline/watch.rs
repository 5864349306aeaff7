//! One port against its baseline, reading by reading.

use super::{Baseline, MEASURES, Measure, Usual, Values};

/// Far off.
const RAISE_Z: f64 = 4.0;
/// As usual again.
const CLEAR_Z: f64 = 2.0;
/// So many readings in a row.
const IN_A_ROW: u8 = 3;
/// Less than this share of what is usual is a breakdown.
const DROP_SHARE: f64 = 0.05;
/// Where less is usual, nothing can break down.
const DROP_FROM_BPS: f64 = 160_000.0;

/// Which way a value is off.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Way {
    /// Much more than usual.
    Up,
    /// Hardly anything where much is usual.
    Down,
}

/// What became of a measure with a reading.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Told {
    /// It is not as usual.
    Raised {
        /// Which way.
        way: Way,
        /// The value, in the measure's own unit.
        value: f64,
        /// What is usual.
        usual: Usual,
    },
    /// It is as usual again.
    Cleared {
        /// Which way it was off.
        way: Way,
    },
}

#[derive(Clone, Copy, PartialEq, Debug, Default)]
struct Cell {
    streak: u8,
    streak_way: Option<Way>,
    raised: Option<Way>,
}

/// What is remembered of a port.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    cells: [Cell; MEASURES],
}

impl Watch {
    /// What is raised.
    pub fn raised(&self) -> impl Iterator<Item = (Measure, Way)> {
        Measure::ALL.into_iter().zip(&self.cells).filter_map(|(measure, cell)| Some((measure, cell.raised?)))
    }

    /// Which way the port's traffic is off just now, for the group: the first of in and out that is.
    pub fn leaning(&self) -> Option<Way> {
        self.cells.iter().take(2).find_map(|cell| cell.raised.or(cell.streak_way))
    }

    /// Takes the readings of one moment. While a group guard holds, streaks go on and nothing new is raised.
    pub fn judge(&mut self, baseline: &Baseline, slot: usize, values: &Values, is_guarded: bool, mut tell: impl FnMut(Measure, Told)) {
        for ((measure, value), cell) in Measure::ALL.into_iter().zip(values).zip(&mut self.cells) {
            let (Some(value), Some(usual)) = (*value, baseline.usual(measure, slot)) else { continue };
            let z = usual.z(measure, value);
            match cell.raised {
                Some(way) => {
                    cell.streak = if z.abs() < CLEAR_Z { cell.streak + 1 } else { 0 };
                    if cell.streak >= IN_A_ROW {
                        *cell = Cell::default();
                        tell(measure, Told::Cleared { way });
                    }
                }
                None => {
                    let way = off(measure, value, &usual, z);
                    cell.streak =
                        if way.is_some() && way == cell.streak_way { cell.streak.saturating_add(1) } else { u8::from(way.is_some()) };
                    cell.streak_way = way;
                    if let Some(way) = way.filter(|_| cell.streak >= IN_A_ROW && !is_guarded) {
                        *cell = Cell { streak: 0, streak_way: Some(way), raised: Some(way) };
                        tell(measure, Told::Raised { way, value, usual });
                    }
                }
            }
        }
    }
}

/// Whether one value is off by enough.
fn off(measure: Measure, value: f64, usual: &Usual, z: f64) -> Option<Way> {
    if z > RAISE_Z && value > usual.p98 && value - usual.median > measure.least_change() {
        return Some(Way::Up);
    }
    let can_drop = matches!(measure, Measure::In | Measure::Out) && usual.median > DROP_FROM_BPS;
    // An hour in which nothing is as usual as much cannot break down.
    (can_drop && value < usual.median * DROP_SHARE && z < -RAISE_Z).then_some(Way::Down)
}
