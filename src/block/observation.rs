//! What was read of the place that an order is about: before, after, and at each poll.

use serde::{Deserialize, Serialize};

use super::{Order, Spot, Verb};
use crate::model::Timestamp;

/// What a device said of itself at one moment. Whatever does not belong to the order, or was not told, is `None`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Observation {
    /// When.
    pub at: Timestamp,
    /// ifName.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub if_name: Option<String>,
    /// ifAlias.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
    /// ifAdminStatus: 1 up, 2 down, 3 testing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub admin: Option<u8>,
    /// ifOperStatus.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oper: Option<u8>,
    /// dot1qPvid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pvid: Option<u16>,
    /// Whether the device has the VLAN that the order is about: dot1qVlanStaticRowStatus active(1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub has_vlan: Option<bool>,
    /// The VLANs whose frames leave by the port: dot1qVlanStaticEgressPorts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub egress: Vec<u16>,
    /// Those whose frames leave without a tag: dot1qVlanStaticUntaggedPorts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub untagged: Vec<u16>,
    /// pethPsePortAdminEnable.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub power: Option<bool>,
    /// pethPsePortGroupIndex and pethPsePortIndex of the port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pse: Option<(u32, u32)>,
    /// Whether the gateway's set has the address, or the script says that the machine is cut off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_blocked: Option<bool>,
    /// sysUpTime in hundredths of a second: less than before means that the device has restarted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uptime_ticks: Option<u32>,
}

impl Observation {
    /// Whether the order is as good as carried out; `None` where it cannot be told.
    pub fn fulfils(&self, order: &Order) -> Option<bool> {
        match order {
            Order::PortAdmin { up, .. } => Some(self.is_up()? == *up),
            Order::Pvid { pvid, .. } => Some(self.pvid? == *pvid),
            Order::Filter { verb, .. } | Order::Script { verb, .. } => Some(self.verb()? == *verb),
            Order::Session { .. } => None,
            Order::Alias { alias, .. } => Some(self.alias.as_deref()? == alias),
            Order::Power { on, .. } => Some(self.power? == *on),
        }
    }

    /// Whether the port is meant to be up; `None` when untold, or in a test.
    pub const fn is_up(&self) -> Option<bool> {
        match self.admin {
            Some(1) => Some(true),
            Some(2) => Some(false),
            _ => None,
        }
    }

    /// Whether the machine is cut off, as the order that makes it so.
    pub fn verb(&self) -> Option<Verb> {
        self.is_blocked.map(|is| if is { Verb::Block } else { Verb::Release })
    }

    /// Whether this is the port that is meant: the device calls the index by the same name.
    pub fn is_of(&self, spot: &Spot) -> bool {
        self.if_name.as_deref() == Some(&*spot.if_name)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::IfIndex;

    fn spot() -> Spot {
        Spot { device: "sw".into(), if_name: "Gi1".into(), if_index: IfIndex(1) }
    }

    fn orders() -> impl Strategy<Value = Order> {
        prop_oneof![
            any::<bool>().prop_map(|up| Order::PortAdmin { spot: spot(), up }),
            (1_u16..4095).prop_map(|pvid| Order::Pvid { spot: spot(), base_port: 1, pvid }),
            ".{0,8}".prop_map(|alias| Order::Alias { spot: spot(), alias }),
            any::<bool>().prop_map(|on| Order::Power { spot: spot(), on }),
        ]
    }

    fn observations() -> impl Strategy<Value = Observation> {
        (prop::option::of(1_u8..=3), prop::option::of(1_u16..4095), prop::option::of(".{0,8}"), prop::option::of(any::<bool>()))
            .prop_map(|(admin, pvid, alias, power)| Observation { admin, pvid, alias, power, ..Observation::default() })
    }

    proptest! {
        #[test]
        fn what_undoes_an_order_is_fulfilled_by_what_was_there_before(order in orders(), before in observations()) {
            if let Some(undo) = order.undo(&before) {
                prop_assert_eq!(before.fulfils(&undo), Some(true));
                prop_assert_eq!(undo.spot(), order.spot());
            }
        }

        #[test]
        fn an_order_survives_the_database(order in orders()) {
            let text = serde_json::to_string(&order).unwrap();
            prop_assert_eq!(serde_json::from_str::<Order>(&text).unwrap(), order);
        }
    }

    #[test]
    fn a_port_is_known_by_its_name() {
        let told = |name: Option<&str>| Observation { if_name: name.map(Into::into), ..Observation::default() };
        assert!(told(Some("Gi1")).is_of(&spot()));
        assert!(!told(Some("Gi2")).is_of(&spot()) && !told(None).is_of(&spot()));
    }
}
