//! Our own way out, as the kernel tells it (proc(5), sysfs): default gateways, and whether any interface has a carrier.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;

/// The default gateways of both families, without those that are no addresses of hosts (point-to-point links).
pub fn gateways() -> Vec<IpAddr> {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let mut found: Vec<IpAddr> = read("/proc/net/route").lines().filter_map(gateway_v4).collect();
    found.extend(read("/proc/net/ipv6_route").lines().filter_map(gateway_v6));
    found.sort();
    found.dedup();
    found
}

/// Whether any interface but the loopback one has a carrier; true when the kernel does not say.
pub fn has_carrier() -> bool {
    let Ok(entries) = fs::read_dir("/sys/class/net") else { return true };
    let states: Vec<Option<bool>> =
        entries.flatten().filter(|entry| entry.file_name() != "lo").map(|entry| carrier(&entry.path())).collect();
    // A machine of its own, without any interface that is up, is not blind: it looks at itself.
    states.iter().flatten().count() == 0 || states.contains(&Some(true))
}

/// The carrier of an interface that is up; `None` for one that an administrator took down.
fn carrier(interface: &Path) -> Option<bool> {
    let text = fs::read_to_string(interface.join("carrier")).ok()?;
    Some(text.trim() == "1")
}

/// A line of `/proc/net/route`: addresses as numbers of the machine's own order.
fn gateway_v4(line: &str) -> Option<IpAddr> {
    const GATEWAY: u32 = 2;
    let fields: Vec<&str> = line.split_whitespace().collect();
    let number = |at: usize| u32::from_str_radix(fields.get(at)?, 16).ok();
    let (to, gateway, flags, mask) = (number(1)?, number(2)?, number(3)?, number(7)?);
    (to == 0 && mask == 0 && flags & GATEWAY != 0).then(|| Ipv4Addr::from(gateway.to_ne_bytes()).into())
}

/// A line of `/proc/net/ipv6_route`. A link-local gateway has no name without its interface: it is left out.
fn gateway_v6(line: &str) -> Option<IpAddr> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let is_default = *fields.first()? == "00000000000000000000000000000000" && *fields.get(1)? == "00";
    let gateway = Ipv6Addr::from(u128::from_str_radix(fields.get(4)?, 16).ok()?);
    (is_default && !gateway.is_unspecified() && !gateway.is_unicast_link_local()).then_some(gateway.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_are_read() {
        let number = u32::from_ne_bytes([192, 0, 2, 1]);
        let line = format!("eth0\t00000000\t{number:08X}\t0003\t0\t0\t100\t00000000\t0\t0\t0");
        assert_eq!(gateway_v4(&line), Some("192.0.2.1".parse().unwrap()));
        assert_eq!(gateway_v4("Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT"), None);
        assert_eq!(gateway_v4("eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0"), None);
        let zero = "0".repeat(32);
        let route = |gateway: &str| format!("{zero} 00 {zero} 00 {gateway} 00000400 00000001 00000000 00000003 eth0");
        assert_eq!(gateway_v6(&route("20010db8000000000000000000000001")), Some("2001:db8::1".parse().unwrap()));
        assert_eq!(gateway_v6(&route("fe800000000000000000000000000001")), None);
        assert_eq!(gateway_v6(&route(&zero)), None);
    }
}
