//! The group guard: when very many ports are off the same way at once, the network has changed (a holiday, an uplink, an
//! exercise of the whole house), and no port has.

use super::watch::Way;

/// More than this share of the ports that can be judged ...
const SHARE: f64 = 0.2;
/// ... and at least so many.
const LEAST: usize = 5;
/// Below this share it is over.
const OVER: f64 = 0.1;

/// What the ports do together.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Group {
    holds: Option<Way>,
}

/// What became of it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Shift {
    /// Many ports went the same way.
    Began {
        /// Which way.
        way: Way,
        /// How many.
        ports: usize,
    },
    /// They are as usual again.
    Ended,
}

impl Group {
    /// Whether single ports are not to be told now.
    pub const fn is_guarding(&self) -> bool {
        self.holds.is_some()
    }

    /// Takes a look at all ports: how many lean which way, of how many that can be judged.
    pub fn look(&mut self, up: usize, down: usize, judged: usize) -> Option<Shift> {
        let (way, ports) = if up >= down { (Way::Up, up) } else { (Way::Down, down) };
        let share = ports as f64 / judged.max(1) as f64;
        match self.holds {
            None if share > SHARE && ports >= LEAST => {
                self.holds = Some(way);
                Some(Shift::Began { way, ports })
            }
            Some(_) if share < OVER => {
                self.holds = None;
                Some(Shift::Ended)
            }
            _ => None,
        }
    }
}
