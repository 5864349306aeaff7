//! Which columns carry which metric: the wide (HC, Counter64) and the narrow (Counter32) form of each (IF-MIB).

use std::sync::LazyLock;

use super::mib;
use crate::model::PortMetric;
use crate::model::observe::Width;
use crate::snmp::oid::Oid;

/// What a polled column is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Field {
    /// A metric, from a counter of this width.
    Metric(PortMetric, Width),
    /// ifAdminStatus.
    Admin,
    /// ifCounterDiscontinuityTime.
    Discontinuity,
}

/// One polled column.
#[derive(Clone, Debug)]
pub struct Column {
    /// Its name in the MIB.
    pub name: &'static str,
    /// Its name on the wire.
    pub oid: Oid,
    /// What it is for.
    pub field: Field,
    /// Octets that a value takes at most, with tag and length.
    pub value_octets: usize,
}

/// How many columns are known.
pub const COLUMNS: usize = 24;

/// All columns. The first [`MANDATORY`] are asked of all ports before the others of any.
pub static ALL: LazyLock<[Column; COLUMNS]> = LazyLock::new(|| {
    use PortMetric as M;
    use Width::{Bits32 as N, Bits64 as W};
    let wide = |number, name, metric| Column { name, oid: mib::if_x_column(number), field: Field::Metric(metric, W), value_octets: 10 };
    let narrow = |number, name, metric| Column { name, oid: mib::if_column(number), field: Field::Metric(metric, N), value_octets: 7 };
    let narrow_x = |number, name, metric| Column { name, oid: mib::if_x_column(number), field: Field::Metric(metric, N), value_octets: 7 };
    [
        wide(6, "ifHCInOctets", M::InOctets),
        wide(10, "ifHCOutOctets", M::OutOctets),
        narrow(10, "ifInOctets", M::InOctets),
        narrow(16, "ifOutOctets", M::OutOctets),
        Column { name: "ifOperStatus", oid: mib::if_column(8), field: Field::Metric(M::OperStatus, W), value_octets: 3 },
        Column { name: "ifAdminStatus", oid: mib::if_column(7), field: Field::Admin, value_octets: 3 },
        wide(7, "ifHCInUcastPkts", M::InUcast),
        wide(11, "ifHCOutUcastPkts", M::OutUcast),
        wide(8, "ifHCInMulticastPkts", M::InMulticast),
        wide(12, "ifHCOutMulticastPkts", M::OutMulticast),
        wide(9, "ifHCInBroadcastPkts", M::InBroadcast),
        wide(13, "ifHCOutBroadcastPkts", M::OutBroadcast),
        narrow(11, "ifInUcastPkts", M::InUcast),
        narrow(17, "ifOutUcastPkts", M::OutUcast),
        narrow_x(2, "ifInMulticastPkts", M::InMulticast),
        narrow_x(4, "ifOutMulticastPkts", M::OutMulticast),
        narrow_x(3, "ifInBroadcastPkts", M::InBroadcast),
        narrow_x(5, "ifOutBroadcastPkts", M::OutBroadcast),
        narrow(14, "ifInErrors", M::InErrors),
        narrow(20, "ifOutErrors", M::OutErrors),
        narrow(13, "ifInDiscards", M::InDiscards),
        narrow(19, "ifOutDiscards", M::OutDiscards),
        narrow(15, "ifInUnknownProtos", M::InUnknownProtos),
        Column { name: "ifCounterDiscontinuityTime", oid: mib::if_x_column(19), field: Field::Discontinuity, value_octets: 6 },
    ]
});

/// How many columns at the front of [`ALL`] are mandatory: octets, ifOperStatus, ifAdminStatus.
pub const MANDATORY: usize = 6;

/// A set of columns by their place in [`ALL`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct ColumnSet(u32);

impl ColumnSet {
    /// The mandatory ones.
    pub const FIRST_PASS: Self = Self((1 << MANDATORY) - 1);
    /// The others.
    pub const SECOND_PASS: Self = Self(((1 << COLUMNS) - 1) & !Self::FIRST_PASS.0);

    /// With one more.
    pub const fn insert(&mut self, column: usize) {
        self.0 |= 1 << column;
    }

    /// Without one.
    pub const fn remove(&mut self, column: usize) {
        self.0 &= !(1 << column);
    }

    /// Whether it is in.
    pub const fn contains(self, column: usize) -> bool {
        self.0 >> column & 1 == 1
    }

    /// What is in both.
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// How many.
    pub const fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// Whether none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The same columns in sets of at most `most`, which is at least 1.
    pub fn groups(self, most: usize) -> impl Iterator<Item = Self> {
        let mut rest = self;
        std::iter::from_fn(move || {
            let mut group = Self::default();
            rest.iter().take(most.max(1)).for_each(|column| group.insert(column));
            rest = Self(rest.0 & !group.0);
            (!group.is_empty()).then_some(group)
        })
    }

    /// In the order of [`ALL`].
    pub fn iter(self) -> impl Iterator<Item = usize> {
        (0..COLUMNS).filter(move |&column| self.contains(column))
    }
}

/// The wide column of a metric, if it has one, and the narrow one.
pub fn forms(metric: PortMetric) -> (Option<usize>, Option<usize>) {
    let find = |width| ALL.iter().position(|column| column.field == Field::Metric(metric, width));
    (find(Width::Bits64), find(Width::Bits32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_has_a_column_and_no_column_stands_twice() {
        for metric in PortMetric::ALL {
            let (wide, narrow) = forms(metric);
            assert!(wide.or(narrow).is_some(), "{metric:?}");
        }
        for (number, column) in ALL.iter().enumerate() {
            assert!(ALL.iter().skip(number + 1).all(|other| other.oid != column.oid && other.field != column.field));
        }
    }

    #[test]
    fn the_first_pass_is_octets_and_states() {
        let fields: Vec<_> = ColumnSet::FIRST_PASS.iter().map(|column| ALL[column].field).collect();
        assert!(fields.iter().all(|field| matches!(
            field,
            Field::Admin | Field::Metric(PortMetric::InOctets | PortMetric::OutOctets | PortMetric::OperStatus, _)
        )));
        assert_eq!(ColumnSet::FIRST_PASS.len() + ColumnSet::SECOND_PASS.len(), COLUMNS);
    }
}
