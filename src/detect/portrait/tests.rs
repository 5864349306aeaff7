use std::net::Ipv4Addr;

use super::*;
use crate::model::MacAddr;

const SECOND: u64 = 1_000_000_000;
const SMB: Service = Service { way: Way::Tcp, port: 445 };
const WEB: Service = Service { way: Way::Tcp, port: 443 };

fn ip(number: u32) -> IpAddr {
    Ipv4Addr::from(0x0a01_0000 + number).into()
}

fn machine(number: u8) -> Machine {
    Machine { ip: Some(ip(number.into())), mac: Some(MacAddr([2, 0, 0, 0, 0, number])), vlan: Some(10) }
}

fn only(portraits: &Portraits) -> Arc<Portrait> {
    let all = portraits.snapshot();
    assert_eq!(all.len(), 1);
    Arc::clone(&all[0])
}

#[test]
fn a_scan_does_not_crowd_out_what_the_machine_does_besides() {
    let mut portraits = Portraits::new(4);
    for number in 0..5 {
        portraits.contact(&machine(1), ip(1000 + number), WEB, Nanos(SECOND));
        portraits.outcome(&machine(1), ip(1000 + number), WEB, true, Nanos(SECOND));
    }
    for number in 0..5_000_u32 {
        let at = Nanos(u64::from(2 + number / 40) * SECOND);
        portraits.contact(&machine(1), ip(5_000 + number), SMB, at);
        portraits.outcome(&machine(1), ip(5_000 + number), SMB, false, at);
    }
    let portrait = only(&portraits);
    assert_eq!(portrait.targets.len(), TARGETS);
    assert_eq!(portrait.targets.iter().filter(|target| target.service == WEB).count(), 5);
    let newest = portrait.targets.iter().map(|target| target.last).max();
    assert!(newest >= Some(Nanos(60 * SECOND)), "the sample is renewed: {newest:?}");
    assert!(portrait.targets.iter().filter(|target| target.service == SMB).all(|target| target.tally.failed == 1));
    assert_eq!(portrait.total, Tally { contacts: 5_005, failed: 5_000, answered: 5 });
    let smb = portrait.services.iter().find(|(service, _)| *service == SMB).map(|(_, tally)| *tally);
    assert_eq!(smb, Some(Tally { contacts: 5_000, failed: 5_000, answered: 0 }));
}

#[test]
fn addresses_and_names_belong_to_the_mac_and_are_bounded() {
    let mut portraits = Portraits::new(4);
    for number in 0..40 {
        portraits.seen(&Machine { ip: Some(ip(number)), ..machine(1) }, Nanos(u64::from(number) * SECOND));
    }
    for name in ["LAPTOP-7\u{1}", "LAPTOP-7", "laptop\n-8"] {
        portraits.named(&machine(1), NameSource::Dhcp, name, Nanos(50 * SECOND));
    }
    portraits.named(&machine(1), NameSource::Mdns, " ", Nanos(50 * SECOND));
    let portrait = only(&portraits);
    assert_eq!(portrait.addresses.len(), ADDRESSES);
    assert_eq!(portrait.addresses[0].0, ip(39));
    assert_eq!(portrait.names, [(NameSource::Dhcp, "laptop-8".into())]);
    assert!(portrait.is(MachineKey::Ip(ip(39))) && portrait.is(portrait.key) && !portrait.is(MachineKey::Ip(ip(0))));
}

#[test]
fn there_is_room_for_so_many_and_who_is_fresh_stays() {
    let mut portraits = Portraits::new(8);
    for number in 0..20 {
        portraits.seen(&machine(number), Nanos(SECOND));
    }
    assert_eq!((portraits.snapshot().len(), portraits.shed()), (8, 12));
    portraits.seen(&machine(100), Nanos(1_000 * SECOND));
    assert_eq!(portraits.snapshot().len(), 8);
    assert!(portraits.snapshot().iter().any(|portrait| portrait.is(MachineKey::Ip(ip(100)))));
    // Nobody: no address, and an outcome of somebody who is not known.
    portraits.seen(&Machine::default(), Nanos(SECOND));
    portraits.outcome(&machine(200), ip(1), SMB, true, Nanos(SECOND));
    assert_eq!(portraits.snapshot().len(), 8);
}

#[test]
fn a_snapshot_stays_as_it_was() {
    let mut portraits = Portraits::new(8);
    portraits.contact(&machine(1), ip(7), SMB, Nanos(SECOND));
    let before = only(&portraits);
    portraits.contact(&machine(1), ip(8), SMB, Nanos(SECOND));
    assert_eq!((before.total.contacts, only(&portraits).total.contacts), (1, 2));
}
