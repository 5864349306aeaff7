//! Request-ids: which slot asked, and which of the slot's questions it is. A fresh random key each start keeps ids of an
//! earlier run, and guessed ones, from fitting.

/// At most this many conversations at once.
pub(super) const SLOTS: usize = 1 << SLOT_BITS;
const SLOT_BITS: u32 = 16;

/// How many questions later a slot's id comes back.
const GENERATIONS: u16 = 1 << 15;

/// Makes and reads request-ids.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ids {
    key: u32,
}

impl Ids {
    pub(super) const fn new(key: u32) -> Self {
        Self { key: key & 0x7fff_ffff }
    }

    /// The request-id, never negative (some agents mishandle negative ones).
    pub(super) const fn id(self, slot: u16, generation: u16) -> i32 {
        let plain = ((generation % GENERATIONS) as u32) << SLOT_BITS | slot as u32;
        (plain ^ self.key).cast_signed()
    }

    /// Slot and generation of a request-id; `None` for one that is never given.
    pub(super) const fn split(self, id: i32) -> Option<(u16, u16)> {
        if id < 0 {
            return None;
        }
        let plain = id.cast_unsigned() ^ self.key;
        Some((plain as u16, (plain >> SLOT_BITS) as u16))
    }

    /// The generation after this one.
    pub(super) const fn after(generation: u16) -> u16 {
        (generation + 1) % GENERATIONS
    }

    /// How many questions ago `older` was asked, seen from `generation`.
    pub(super) const fn age(generation: u16, older: u16) -> u16 {
        generation.wrapping_sub(older) % GENERATIONS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_come_back_and_are_never_negative() {
        for key in [0, 0xdead_beef, u32::MAX] {
            let ids = Ids::new(key);
            for slot in [0, 1, 40_000, u16::MAX] {
                for generation in [0, 1, GENERATIONS - 1] {
                    let id = ids.id(slot, generation);
                    assert!(id >= 0);
                    assert_eq!(ids.split(id), Some((slot, generation)));
                }
            }
        }
        assert_eq!(Ids::new(1).split(-1), None);
    }

    #[test]
    fn generations_go_round() {
        assert_eq!(Ids::after(GENERATIONS - 1), 0);
        assert_eq!(Ids::age(0, GENERATIONS - 1), 1);
        assert_eq!(Ids::age(5, 5), 0);
    }
}
