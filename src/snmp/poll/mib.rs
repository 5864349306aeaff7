//! The objects that are asked for, by their MIB names (SNMPv2-MIB, SNMP-FRAMEWORK-MIB, IF-MIB, EtherLike-MIB,
//! BRIDGE-MIB, Q-BRIDGE-MIB, POWER-ETHERNET-MIB, IP-MIB, IP-FORWARD-MIB, ENTITY-MIB, LLDP-MIB, CISCO-CDP-MIB,
//! CISCO-VTP-MIB, CISCO-VLAN-MEMBERSHIP-MIB, IEEE8023-LAG-MIB). Scalars are without their final `.0`: GETNEXT and GETBULK start there.

use std::sync::LazyLock;

use crate::snmp::oid::{Oid, OidRef};

macro_rules! objects {
    ($($name:ident = $second:literal $rest:expr;)+) => {
        $(
            #[doc = concat!("The object of this name, 1.", stringify!($second), ".", stringify!($rest), " in brackets.")]
            pub static $name: LazyLock<Oid> = LazyLock::new(|| Oid::iso($second, &$rest));
        )+
    };
}

objects! {
    SYS_DESCR = 3 [6, 1, 2, 1, 1, 1];
    SYS_OBJECT_ID = 3 [6, 1, 2, 1, 1, 2];
    SYS_UP_TIME = 3 [6, 1, 2, 1, 1, 3];
    SYS_CONTACT = 3 [6, 1, 2, 1, 1, 4];
    SYS_NAME = 3 [6, 1, 2, 1, 1, 5];
    SYS_LOCATION = 3 [6, 1, 2, 1, 1, 6];
    SNMP_ENGINE_ID = 3 [6, 1, 6, 3, 10, 2, 1, 1];
    SNMP_ENGINE_TIME = 3 [6, 1, 6, 3, 10, 2, 1, 3];
    IF_NUMBER = 3 [6, 1, 2, 1, 2, 1];
    IF_ENTRY = 3 [6, 1, 2, 1, 2, 2, 1];
    IF_X_ENTRY = 3 [6, 1, 2, 1, 31, 1, 1, 1];
    IF_STACK_STATUS = 3 [6, 1, 2, 1, 31, 1, 2, 1, 3];
    IF_TABLE_LAST_CHANGE = 3 [6, 1, 2, 1, 31, 1, 5];
    DOT3_STATS_DUPLEX_STATUS = 3 [6, 1, 2, 1, 10, 7, 2, 1, 19];
    DOT1D_BASE_PORT_IF_INDEX = 3 [6, 1, 2, 1, 17, 1, 4, 1, 2];
    DOT1D_TP_FDB_ENTRY = 3 [6, 1, 2, 1, 17, 4, 3, 1];
    DOT1Q_TP_FDB_ENTRY = 3 [6, 1, 2, 1, 17, 7, 1, 2, 2, 1];
    DOT1Q_VLAN_CURRENT_ENTRY = 3 [6, 1, 2, 1, 17, 7, 1, 4, 2, 1];
    DOT1Q_VLAN_STATIC_ENTRY = 3 [6, 1, 2, 1, 17, 7, 1, 4, 3, 1];
    DOT1D_BASE_BRIDGE_ADDRESS = 3 [6, 1, 2, 1, 17, 1, 1];
    DOT1Q_PVID = 3 [6, 1, 2, 1, 17, 7, 1, 4, 5, 1, 1];
    DOT1D_STP_ROOT_PORT = 3 [6, 1, 2, 1, 17, 2, 7];
    DOT1D_STP_PORT_DESIGNATED_BRIDGE = 3 [6, 1, 2, 1, 17, 2, 15, 1, 8];
    IP_FORWARDING = 3 [6, 1, 2, 1, 4, 1];
    IP_AD_ENT_IF_INDEX = 3 [6, 1, 2, 1, 4, 20, 1, 2];
    IP_ROUTE_NEXT_HOP = 3 [6, 1, 2, 1, 4, 21, 1, 7];
    IP_CIDR_ROUTE_NEXT_HOP = 3 [6, 1, 2, 1, 4, 24, 4, 1, 4];
    IP_ADDRESS_IF_INDEX = 3 [6, 1, 2, 1, 4, 34, 1, 3];
    ENT_PHYSICAL_SERIAL_NUM = 3 [6, 1, 2, 1, 47, 1, 1, 1, 1, 11];
    IP_NET_TO_MEDIA_ENTRY = 3 [6, 1, 2, 1, 4, 22, 1];
    IP_NET_TO_PHYSICAL_ENTRY = 3 [6, 1, 2, 1, 4, 35, 1];
    PETH_PSE_PORT_ADMIN_ENABLE = 3 [6, 1, 2, 1, 105, 1, 1, 1, 3];
    VTP_VLAN_ENTRY = 3 [6, 1, 4, 1, 9, 9, 46, 1, 3, 1, 1];
    VLAN_TRUNK_PORT_DYNAMIC_STATUS = 3 [6, 1, 4, 1, 9, 9, 46, 1, 6, 1, 1, 14];
    VM_MEMBERSHIP_ENTRY = 3 [6, 1, 4, 1, 9, 9, 68, 1, 2, 2, 1];
    CDP_CACHE_ENTRY = 3 [6, 1, 4, 1, 9, 9, 23, 1, 2, 1, 1];
    DOT3AD_AGG_PORT_ATTACHED_AGG_ID = 2 [840, 10006, 300, 43, 1, 2, 1, 1, 13];
    LLDP_LOC_CHASSIS_ID = 0 [8802, 1, 1, 2, 1, 3, 2];
    LLDP_LOC_PORT_ENTRY = 0 [8802, 1, 1, 2, 1, 3, 7, 1];
    LLDP_REM_ENTRY = 0 [8802, 1, 1, 2, 1, 4, 1, 1];
}

/// Column `number` of ifTable.
pub fn if_column(number: u32) -> Oid {
    IF_ENTRY.child(&[number])
}

/// Column `number` of ifXTable.
pub fn if_x_column(number: u32) -> Oid {
    IF_X_ENTRY.child(&[number])
}

/// Whether `name` is the one instance of the scalar `object`.
pub fn is_scalar(name: OidRef<'_>, object: &Oid) -> bool {
    name.below(object).is_some_and(|subids| subids.only() == Some(0))
}
