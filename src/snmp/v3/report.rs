//! What a Report PDU says (RFC 3414 section 5, RFC 3412 section 7, RFC 3413 section 3): the counter it names is the reason.

use crate::snmp::message::Varbinds;

/// The reason of a report.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reason {
    /// usmStatsUnsupportedSecLevels.
    SecurityLevel,
    /// usmStatsNotInTimeWindows.
    TimeWindow,
    /// usmStatsUnknownUserNames.
    UserName,
    /// usmStatsUnknownEngineIDs.
    EngineId,
    /// usmStatsWrongDigests.
    Digest,
    /// usmStatsDecryptionErrors.
    Decryption,
    /// snmpUnknownContexts or snmpUnavailableContexts.
    Context,
    /// snmpUnknownSecurityModels.
    SecurityModel,
    /// Anything else.
    Other,
}

/// The reasons by the encoded names of their counters, without the instance `.0`.
const REASONS: [(&[u8], Reason); 9] = [
    (&[0x2b, 6, 1, 6, 3, 15, 1, 1, 1], Reason::SecurityLevel),
    (&[0x2b, 6, 1, 6, 3, 15, 1, 1, 2], Reason::TimeWindow),
    (&[0x2b, 6, 1, 6, 3, 15, 1, 1, 3], Reason::UserName),
    (&[0x2b, 6, 1, 6, 3, 15, 1, 1, 4], Reason::EngineId),
    (&[0x2b, 6, 1, 6, 3, 15, 1, 1, 5], Reason::Digest),
    (&[0x2b, 6, 1, 6, 3, 15, 1, 1, 6], Reason::Decryption),
    (&[0x2b, 6, 1, 6, 3, 12, 1, 4], Reason::Context),
    (&[0x2b, 6, 1, 6, 3, 12, 1, 5], Reason::Context),
    (&[0x2b, 6, 1, 6, 3, 11, 2, 1, 1], Reason::SecurityModel),
];

impl Reason {
    /// The reason that a report's varbinds name.
    pub fn of(mut varbinds: Varbinds<'_>) -> Self {
        let Some(Ok((name, _))) = varbinds.next() else { return Self::Other };
        let found = REASONS.iter().find(|(prefix, _)| name.octets().starts_with(prefix));
        found.map_or(Self::Other, |(_, reason)| *reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snmp::message::encode_names;
    use crate::snmp::oid::Oid;

    #[test]
    fn reasons_are_read_from_the_counters_name() {
        for (name, reason) in [
            ("1.3.6.1.6.3.15.1.1.3.0", Reason::UserName),
            ("1.3.6.1.6.3.15.1.1.5.0", Reason::Digest),
            ("1.3.6.1.6.3.12.1.5.0", Reason::Context),
            ("1.3.6.1.2.1.1.3.0", Reason::Other),
        ] {
            let name: Oid = name.parse().unwrap();
            assert_eq!(Reason::of(Varbinds::new(&encode_names([name].iter()))), reason);
        }
        assert_eq!(Reason::of(Varbinds::new(&[])), Reason::Other);
    }
}
