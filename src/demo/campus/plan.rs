//! The campus on paper: three buildings, twelve switches of the makes that one meets, who hangs below whom, and what is
//! special about some of them.

/// How a make names its ports.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Style {
    /// `GigabitEthernet0/0/1`, ifIndex from 5 on, as on Huawei's.
    Huawei,
    /// `GigabitEthernet1/0/1`, `Ten-GigabitEthernet1/0/49`, as on H3C's.
    H3c,
    /// ifDescr `GigabitEthernet1/0/1`, ifName `Gi1/0/1`, ifIndex 10101 and up, as on Cisco's.
    Cisco,
    /// `GigabitEthernet 0/1`, as on Ruijie's.
    Ruijie,
    /// `gei-0/1/0/1`, as on ZTE's.
    Zte,
    /// Bare numbers, as on old small switches.
    Plain,
}

/// What is special about a switch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Quirk {
    /// Nothing.
    None,
    /// It restarts now and then.
    Restarts,
    /// It has 32-bit counters only.
    Narrow,
    /// Its texts are GB18030.
    Gb18030,
    /// It cannot be reached now and then.
    Unreachable,
    /// It is asked over IPv6.
    Ipv6,
}

/// What hangs on the ports of a switch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Mix {
    /// Other switches only.
    Switches,
    /// Desks, telephones, access points.
    Offices,
    /// The same with many cameras.
    Cameras,
    /// Servers.
    Servers,
}

/// One switch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    /// The configured name.
    pub name: &'static str,
    /// sysName.
    pub sys_name: &'static str,
    /// Which of [`BUILDINGS`].
    pub building: usize,
    /// sysLocation behind the building.
    pub place: &'static str,
    /// How it names its ports.
    pub style: Style,
    /// sysDescr.
    pub descr: &'static str,
    /// sysObjectID.
    pub object_id: &'static str,
    /// Ports for hosts, and their speed in Mbit/s.
    pub access: (u32, u64),
    /// Ports for other switches, and their speed in Mbit/s.
    pub trunks: (u32, u64),
    /// What hangs on the access ports.
    pub mix: Mix,
    /// The switch above it, by its place in [`SWITCHES`].
    pub parent: Option<usize>,
    /// What is special about it.
    pub quirk: Quirk,
}

/// Chinese and English names of the buildings.
pub(super) const BUILDINGS: [(&str, &str); 3] = [("办公楼", "Office building"), ("综合楼", "Annex"), ("数据中心", "Data centre")];

/// A switch stands behind the one that it hangs below.
pub(super) const SWITCHES: [Plan; 12] = [
    Plan {
        name: "core-1",
        sys_name: "核心交换机-1",
        building: 2,
        place: "B1 机房 R02",
        style: Style::H3c,
        descr: "Simulated core switch, chassis with 40G and 10G cards, Comware-like platform 7.1",
        object_id: "1.3.6.1.4.1.25506.1.2180",
        access: (24, 10_000),
        trunks: (8, 40_000),
        mix: Mix::Switches,
        parent: None,
        quirk: Quirk::None,
    },
    Plan {
        name: "dist-a",
        sys_name: "A楼汇聚",
        building: 0,
        place: "1F 弱电间",
        style: Style::Huawei,
        descr: "Simulated distribution switch, 24 x 10G and 4 x 40G, VRP-like platform V200R022",
        object_id: "1.3.6.1.4.1.2011.2.23.612",
        access: (24, 10_000),
        trunks: (4, 40_000),
        mix: Mix::Switches,
        parent: Some(0),
        quirk: Quirk::None,
    },
    Plan {
        name: "dist-b",
        sys_name: "B-DIST",
        building: 1,
        place: "1F riser",
        style: Style::Cisco,
        descr: "Simulated distribution switch, 24 x 10G and 4 x 40G, IOS-like software 17.9",
        object_id: "1.3.6.1.4.1.9.1.2494",
        access: (24, 10_000),
        trunks: (4, 40_000),
        mix: Mix::Switches,
        parent: Some(0),
        quirk: Quirk::None,
    },
    Plan {
        name: "acc-a1",
        sys_name: "A楼一层接入",
        building: 0,
        place: "1F 弱电间",
        style: Style::Huawei,
        descr: "Simulated access switch, 48 x 1G and 4 x 10G, VRP-like platform V200R021",
        object_id: "1.3.6.1.4.1.2011.2.23.576",
        access: (48, 1_000),
        trunks: (4, 10_000),
        mix: Mix::Offices,
        parent: Some(1),
        quirk: Quirk::None,
    },
    Plan {
        name: "acc-a2",
        sys_name: "A2-ACCESS",
        building: 0,
        place: "2F 弱电间",
        style: Style::H3c,
        descr: "Simulated access switch, 48 x 1G and 4 x 10G, Comware-like platform 7.1",
        object_id: "1.3.6.1.4.1.25506.1.1890",
        access: (48, 1_000),
        trunks: (4, 10_000),
        mix: Mix::Offices,
        parent: Some(1),
        quirk: Quirk::None,
    },
    Plan {
        name: "acc-a3",
        sys_name: "A楼三层接入",
        building: 0,
        place: "3F 弱电间",
        style: Style::Ruijie,
        descr: "Simulated access switch, 24 x 1G and 4 x 10G, RGOS-like platform 11.4, texts in GB18030",
        object_id: "1.3.6.1.4.1.4881.1.1.10.1.233",
        access: (24, 1_000),
        trunks: (4, 10_000),
        mix: Mix::Offices,
        parent: Some(1),
        quirk: Quirk::Gb18030,
    },
    Plan {
        name: "acc-a4-old",
        sys_name: "A4-OLD",
        building: 0,
        place: "4F 档案室",
        style: Style::Plain,
        descr: "Simulated old switch, 24 x 100M and 2 x 1G, 32-bit counters only",
        object_id: "1.3.6.1.4.1.171.10.64.1",
        access: (24, 100),
        trunks: (2, 1_000),
        mix: Mix::Offices,
        parent: Some(1),
        quirk: Quirk::Narrow,
    },
    Plan {
        name: "acc-b1",
        sys_name: "B1-ACCESS",
        building: 1,
        place: "1F riser",
        style: Style::Cisco,
        descr: "Simulated access switch, 48 x 1G and 4 x 10G, IOS-like software 15.2",
        object_id: "1.3.6.1.4.1.9.1.1208",
        access: (48, 1_000),
        trunks: (4, 10_000),
        mix: Mix::Offices,
        parent: Some(2),
        quirk: Quirk::None,
    },
    Plan {
        name: "acc-b2",
        sys_name: "B2-ACCESS",
        building: 1,
        place: "2F riser",
        style: Style::Zte,
        descr: "Simulated access switch, 24 x 1G and 4 x 10G, ZXROS-like platform; restarts now and then",
        object_id: "1.3.6.1.4.1.3902.3.100.6023",
        access: (24, 1_000),
        trunks: (4, 10_000),
        mix: Mix::Offices,
        parent: Some(2),
        quirk: Quirk::Restarts,
    },
    Plan {
        name: "acc-b3",
        sys_name: "B3-CAMERAS",
        building: 1,
        place: "3F riser",
        style: Style::H3c,
        descr: "Simulated access switch, 24 x 1G and 4 x 10G, Comware-like platform 5.2; cannot be reached now and then",
        object_id: "1.3.6.1.4.1.25506.1.1189",
        access: (24, 1_000),
        trunks: (4, 10_000),
        mix: Mix::Cameras,
        parent: Some(2),
        quirk: Quirk::Unreachable,
    },
    Plan {
        name: "acc-c1",
        sys_name: "C1-值班室",
        building: 2,
        place: "1F 值班室",
        style: Style::Huawei,
        descr: "Simulated access switch, 24 x 1G and 4 x 10G, VRP-like platform V200R021, asked over IPv6",
        object_id: "1.3.6.1.4.1.2011.2.23.577",
        access: (24, 1_000),
        trunks: (4, 10_000),
        mix: Mix::Offices,
        parent: Some(0),
        quirk: Quirk::Ipv6,
    },
    Plan {
        name: "srv-1",
        sys_name: "SRV-1",
        building: 2,
        place: "B1 机房 R04",
        style: Style::H3c,
        descr: "Simulated server switch, 24 x 10G and 4 x 40G, Comware-like platform 7.1",
        object_id: "1.3.6.1.4.1.25506.1.2262",
        access: (24, 10_000),
        trunks: (4, 40_000),
        mix: Mix::Servers,
        parent: Some(0),
        quirk: Quirk::None,
    },
];

/// ifDescr and ifName of a port: `number` counts from 1 over access ports and on over trunks.
pub(super) fn port_names(style: Style, speed_mbps: u64, number: u32) -> (String, String) {
    let same = |name: String| (name.clone(), name);
    let tier = match speed_mbps {
        0..=100 => 0,
        101..=1_000 => 1,
        1_001..=10_000 => 2,
        _ => 3,
    };
    match style {
        Style::Huawei => same(format!("{}0/0/{number}", ["Ethernet", "GigabitEthernet", "XGigabitEthernet", "40GE"][tier])),
        Style::H3c => same(format!("{}1/0/{number}", ["Ethernet", "GigabitEthernet", "Ten-GigabitEthernet", "FortyGigE"][tier])),
        Style::Cisco => {
            let long = ["FastEthernet", "GigabitEthernet", "TenGigabitEthernet", "FortyGigabitEthernet"][tier];
            (format!("{long}1/0/{number}"), format!("{}1/0/{number}", ["Fa", "Gi", "Te", "Fo"][tier]))
        }
        Style::Ruijie => {
            same(format!("{} 0/{number}", ["FastEthernet", "GigabitEthernet", "TenGigabitEthernet", "FortyGigabitEthernet"][tier]))
        }
        Style::Zte => same(format!("{}-0/1/0/{number}", ["fei", "gei", "xgei", "xlgei"][tier])),
        Style::Plain => (format!("Port {number}"), number.to_string()),
    }
}

/// ifIndex of a port.
pub(super) const fn if_index(style: Style, speed_mbps: u64, number: u32) -> u32 {
    match style {
        Style::Huawei => number + 4,
        Style::H3c | Style::Plain => number,
        Style::Cisco if speed_mbps > 10_000 => 10_300 + number,
        Style::Cisco if speed_mbps > 1_000 => 10_200 + number,
        Style::Cisco => 10_100 + number,
        Style::Ruijie => number,
        Style::Zte => 1_000 + number,
    }
}
