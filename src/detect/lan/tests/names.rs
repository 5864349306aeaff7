//! Names that do not exist, and data inside names.

use super::*;

const CLIENT: u8 = 5;
const RESOLVER: u8 = 53;

fn dns(name: &str, rcode: Option<u8>) -> Vec<u8> {
    let mut octets = vec![0, 7, if rcode.is_some() { 0x81 } else { 1 }, 0x80 | rcode.unwrap_or(0), 0, 1, 0, 0, 0, 0, 0, 0];
    for label in name.split('.') {
        octets.push(u8::try_from(label.len()).unwrap());
        octets.extend(label.as_bytes());
    }
    octets.extend([0, 0, 1, 0, 1]);
    octets
}

impl Bench {
    fn asks_name(&mut self, client: u8, name: &str) {
        self.udp((mac(client), ip(client), 40_000), (mac(RESOLVER), ip(RESOLVER), 53), &dns(name, None));
    }

    fn answers(&mut self, client: u8, name: &str, rcode: u8) {
        self.udp((mac(RESOLVER), ip(RESOLVER), 53), (mac(client), ip(client), 40_000), &dns(name, Some(rcode)));
    }
}

fn random(number: u32) -> String {
    format!("{:x}", u64::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

#[test]
fn sixty_names_that_do_not_exist_are_told_and_fifty_nine_are_not() {
    let mut bench = Bench::new(Site::default());
    for number in 0..59 {
        bench.answers(CLIENT, &format!("{}.com", random(number)), 3);
        bench.answers(CLIENT, &format!("{}.com", random(number)), 3);
    }
    assert!(bench.found.is_empty(), "a name that is asked again counts once");
    bench.answers(CLIENT, &format!("{}.com", random(59)), 3);
    assert_eq!(bench.told(Kind::Dga), [(mac(CLIENT), Level::Suspect)]);
    assert_eq!((bench.fact("failed"), bench.fact("answered")), (&Fact::Count(60), &Fact::Count(0)));
    assert_eq!(bench.found[0].machine.ip, Some(ip(CLIENT)), "never the resolver that said so");
}

#[test]
fn half_of_the_answers_at_least_must_be_that_there_is_no_such_name() {
    for (good, told) in [(60, true), (61, false)] {
        let mut bench = Bench::new(Site::default());
        for number in 0..good {
            bench.answers(CLIENT, &format!("www{number}.example.com"), 0);
        }
        for number in 0..60 {
            bench.answers(CLIENT, &format!("{}.com", random(number)), 3);
        }
        assert_eq!(!bench.found.is_empty(), told, "{good} good ones");
    }
}

#[test]
fn what_does_not_exist_without_harm_is_not_counted() {
    let mut bench = Bench::new(Site::default());
    for number in 0..300 {
        bench.answers(CLIENT, &format!("{}.{}.0.10.in-addr.arpa", number % 250, number / 250), 3);
        bench.answers(CLIENT, &format!("{}.{}.0.10.dnsbl.example.org", number % 250, number / 250), 3);
        bench.answers(CLIENT, &format!("{}.zen.spamhaus.org", random(number)), 3);
        bench.answers(CLIENT, &random(number), 3);
        bench.answers(CLIENT, &format!("host{number}.corp.local"), 3);
        // A wrong search suffix: every good name is asked below it first.
        bench.answers(CLIENT, &format!("www.site{number}.com.office.example.cn"), 3);
    }
    assert!(bench.found.is_empty(), "{:?}", bench.found);
}

#[test]
fn names_asked_of_the_link_are_no_dns() {
    let mut bench = Bench::new(Site::default());
    for number in 0..200 {
        let message = dns(&format!("{}.com", random(number)), Some(3));
        for port in [5353, 5355, 137] {
            bench.udp((mac(9), ip(9), port), (mac(CLIENT), ip(CLIENT), port), &message);
        }
    }
    assert!(bench.found.is_empty());
}

#[test]
fn resolvers_and_servers_ask_for_others() {
    let site = Site { resolvers: [ip(CLIENT)].into(), mail: [ip(6)].into(), servers: [ip(7)].into(), ..Site::default() };
    let mut bench = Bench::new(site);
    let mut learnt = Bench::new(Site::default());
    learnt.udp((mac(CLIENT), ip(CLIENT), 53), (mac(9), ip(9), 40_000), &dns("www.example.com", Some(0)));
    for number in 0..100 {
        for host in [CLIENT, 6, 7] {
            bench.answers(host, &format!("{}.com", random(number)), 3);
            bench.asks_name(host, &format!("{0}{0}.t.example.com", random(number)));
        }
        learnt.answers(CLIENT, &format!("{}.com", random(number)), 3);
    }
    assert!(bench.found.is_empty() && learnt.found.is_empty());
}

#[test]
fn sixty_names_of_24_octets_below_one_domain_are_a_tunnel() {
    for (octets, told) in [(24, true), (23, false)] {
        let mut bench = Bench::new(Site::default());
        for number in 0..60 {
            assert!(bench.found.is_empty());
            bench.asks_name(CLIENT, &format!("{number:0octets$}.tunnel.com"));
            bench.asks_name(CLIENT, &format!("{number:0octets$}.tunnel.com"));
        }
        assert_eq!(!bench.found.is_empty(), told, "{octets}");
    }
}

#[test]
fn a_tunnel_is_of_five_minutes_and_below_one_domain() {
    let mut bench = Bench::new(Site::default());
    for number in 0..200 {
        bench.wait_ms(5_200);
        bench.asks_name(CLIENT, &format!("{number:030}.tunnel.com"));
        bench.asks_name(CLIENT, &format!("{number:030}.site{number}.com"));
        bench.asks_name(CLIENT, &format!("{number:040}.cloudfront.net"));
    }
    assert!(bench.found.is_empty(), "58 in five minutes; one of each; a list of lookups");
}

#[test]
fn long_names_tell_whatever_their_domain() {
    let mut bench = Bench::new(Site::default());
    for number in 0..60_u32 {
        assert!(bench.found.is_empty());
        bench.asks_name(CLIENT, &format!("{number:040}.x{number:06}.com"));
    }
    assert_eq!(bench.told(Kind::DnsTunnel), [(mac(CLIENT), Level::Suspect)]);
    assert_eq!(bench.fact("domain"), &Fact::Text(String::new()));
}
