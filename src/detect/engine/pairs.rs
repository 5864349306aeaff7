//! Who was seen to contact whom: one number of 128 bits for each (source, destination, class), four in a cache line, in an array
//! that never grows. A full line forgets the pair that was quiet for longest, those that await an answer last.

/// Pairs at one place: a cache line.
const WAYS: usize = 4;

/// What is known of a pair.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(super) enum State {
    /// An answer is awaited.
    Pending = 1,
    /// It was answered.
    Answered = 2,
    /// It was refused, or not answered in time.
    Failed = 3,
    /// Nothing is awaited.
    Known = 4,
}

impl State {
    const fn of(cell: u128) -> Option<Self> {
        match (cell >> 32) as u8 {
            1 => Some(Self::Pending),
            2 => Some(Self::Answered),
            3 => Some(Self::Failed),
            4 => Some(Self::Known),
            _ => None,
        }
    }
}

/// The array: in each cell the hash (64 bits), the state (8) and the second of the last packet (32).
#[derive(Debug)]
pub(super) struct Pairs {
    cells: Vec<u128>,
    /// Cells to leave out at the front, so that the four of a place share a cache line.
    skip: usize,
    mask: usize,
    memory_s: u32,
}

impl Pairs {
    /// So many pairs, rounded up to a power of two; a pair is new again after `memory_s` quiet seconds.
    pub(super) fn new(pairs: u32, memory_s: u32) -> Self {
        let places = (pairs as usize).div_ceil(WAYS).next_power_of_two();
        // Zeroed memory comes untouched from the system.
        let cells = vec![0_u128; places * WAYS + WAYS - 1];
        let skip = cells.as_ptr().align_offset(64).min(WAYS - 1);
        Self { cells, skip, mask: places - 1, memory_s }
    }

    /// What is known of a pair that is not forgotten.
    pub(super) fn state(&self, key: u64, second: u32) -> Option<State> {
        let line = self.line(key);
        self.cells.get(line..line + WAYS)?.iter().find(|cell| self.holds(**cell, key, second)).and_then(|cell| State::of(*cell))
    }

    /// Takes note of a packet of a pair: what was known before, or that it is new and has the state `new` now.
    pub(super) fn touch(&mut self, key: u64, second: u32, new: State) -> Option<State> {
        let (line, memory_s) = (self.line(key), self.memory_s);
        let known = self.cells.get(line..line + WAYS)?.iter().position(|cell| self.holds(*cell, key, second));
        let cells = self.cells.get_mut(line..line + WAYS)?;
        if let Some(cell) = known.and_then(|at| cells.get_mut(at)) {
            let state = State::of(*cell);
            *cell = *cell & !0xffff_ffff | u128::from(second);
            return state;
        }
        let worth = |cell: u128| {
            let quiet = second.saturating_sub(cell as u32);
            if cell == 0 || quiet >= memory_s { (0, 0) } else { (1 + u8::from(State::of(cell) == Some(State::Pending)), u32::MAX - quiet) }
        };
        if let Some(cell) = cells.iter_mut().min_by_key(|cell| worth(**cell)) {
            *cell = pack(key, new, second);
        }
        None
    }

    /// Sets the state of a pair that is there.
    pub(super) fn set(&mut self, key: u64, second: u32, state: State) {
        let line = self.line(key);
        let Some(at) = self.cells.get(line..line + WAYS).and_then(|cells| cells.iter().position(|cell| self.holds(*cell, key, second)))
        else {
            return;
        };
        if let Some(cell) = self.cells.get_mut(line + at) {
            *cell = pack(key, state, *cell as u32);
        }
    }

    fn line(&self, key: u64) -> usize {
        self.skip + (key as usize & self.mask) * WAYS
    }

    fn holds(&self, cell: u128, key: u64, second: u32) -> bool {
        (cell >> 64) as u64 == key && cell != 0 && second.saturating_sub(cell as u32) < self.memory_s
    }
}

fn pack(key: u64, state: State, second: u32) -> u128 {
    u128::from(key) << 64 | (state as u128) << 32 | u128::from(second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_is_new_once_in_half_an_hour() {
        let mut pairs = Pairs::new(64, 1800);
        assert_eq!(pairs.touch(7, 10, State::Pending), None);
        assert_eq!(pairs.touch(7, 1000, State::Pending), Some(State::Pending));
        pairs.set(7, 1001, State::Answered);
        assert_eq!(pairs.touch(7, 2799, State::Pending), Some(State::Answered), "each packet keeps it known");
        assert_eq!(pairs.state(7, 2799 + 1800), None);
        assert_eq!(pairs.touch(7, 2799 + 1800, State::Known), None);
    }

    #[test]
    fn a_full_place_forgets_what_awaits_nothing_first() {
        let mut pairs = Pairs::new(4, 1800);
        for (key, state) in [(1, State::Pending), (2, State::Known), (3, State::Pending), (4, State::Answered)] {
            pairs.touch(key, 10 + key as u32, state);
        }
        pairs.touch(5, 20, State::Pending);
        assert_eq!((pairs.state(2, 20), pairs.state(1, 20)), (None, Some(State::Pending)));
        pairs.touch(6, 21, State::Pending);
        pairs.touch(7, 22, State::Pending);
        assert_eq!((pairs.state(1, 22), pairs.state(3, 22)), (None, Some(State::Pending)), "then the oldest");
    }
}
