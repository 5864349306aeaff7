//! Which information elements are read, and into what (IANA "IPFIX Information Elements"; those below 128 are NetFlow v9's too).

/// The private number that marks the other direction of a two-way flow (RFC 5103).
const REVERSE: u32 = 29_305;
/// The length that says: the length stands in the record (RFC 7011, 7).
pub(super) const VARIABLE: u16 = 0xffff;

/// Where the value of a field goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Slot {
    /// Nowhere.
    Skip,
    Octets,
    Packets,
    /// Octets and packets since the exporter's start, or after the exporter: read where the others are not told.
    OctetsOther,
    PacketsOther,
    /// The other direction of a two-way flow.
    ReverseOctets,
    ReversePackets,
    ReverseFlags,
    Protocol,
    Flags,
    SrcPort,
    DstPort,
    Src4,
    Dst4,
    Src6,
    Dst6,
    SrcMac,
    Vlan,
    Input,
    Output,
    IcmpTypeCode,
    IcmpType,
    IcmpCode,
    StartUptime,
    EndUptime,
    StartSeconds,
    EndSeconds,
    StartMillis,
    EndMillis,
    StartNtp,
    EndNtp,
    StartBefore,
    EndBefore,
    DurationMillis,
    DurationMicros,
    BootMillis,
    SampleInterval,
    SampleTaken,
    SampleLeftOut,
    SampleSize,
    SamplePopulation,
    Sampler,
}

impl Slot {
    /// The slot of an information element of this length, [`Slot::Skip`] when it is not read or has an impossible length.
    pub(super) fn of(enterprise: u32, element: u16, length: u16) -> Self {
        let slot = match enterprise {
            0 => Self::standard(element),
            REVERSE => match element {
                1 | 231 => Self::ReverseOctets,
                2 | 298 => Self::ReversePackets,
                6 => Self::ReverseFlags,
                _ => Self::Skip,
            },
            _ => Self::Skip,
        };
        if slot.fits(length) { slot } else { Self::Skip }
    }

    const fn standard(element: u16) -> Self {
        match element {
            1 | 231 => Self::Octets,
            2 | 298 => Self::Packets,
            23 | 85 => Self::OctetsOther,
            24 | 86 => Self::PacketsOther,
            232 => Self::ReverseOctets,
            299 => Self::ReversePackets,
            4 => Self::Protocol,
            6 => Self::Flags,
            7 | 180 | 182 => Self::SrcPort,
            11 | 181 | 183 => Self::DstPort,
            8 => Self::Src4,
            12 => Self::Dst4,
            27 => Self::Src6,
            28 => Self::Dst6,
            56 => Self::SrcMac,
            58 | 243 => Self::Vlan,
            10 => Self::Input,
            14 => Self::Output,
            32 | 139 => Self::IcmpTypeCode,
            176 | 178 => Self::IcmpType,
            177 | 179 => Self::IcmpCode,
            22 => Self::StartUptime,
            21 => Self::EndUptime,
            150 => Self::StartSeconds,
            151 => Self::EndSeconds,
            152 => Self::StartMillis,
            153 => Self::EndMillis,
            154 | 156 => Self::StartNtp,
            155 | 157 => Self::EndNtp,
            158 => Self::StartBefore,
            159 => Self::EndBefore,
            161 => Self::DurationMillis,
            162 => Self::DurationMicros,
            160 => Self::BootMillis,
            34 | 50 => Self::SampleInterval,
            305 => Self::SampleTaken,
            306 => Self::SampleLeftOut,
            309 => Self::SampleSize,
            310 => Self::SamplePopulation,
            48 | 302 => Self::Sampler,
            _ => Self::Skip,
        }
    }

    /// Numbers may be told in fewer octets than they have (RFC 7011, 6.2); addresses and times may not.
    const fn fits(self, length: u16) -> bool {
        match self {
            Self::Skip => true,
            Self::Src4 | Self::Dst4 => length == 4,
            Self::Src6 | Self::Dst6 => length == 16,
            Self::SrcMac => length == 6,
            Self::StartNtp | Self::EndNtp => length == 8,
            _ => matches!(length, 1..=8),
        }
    }
}
