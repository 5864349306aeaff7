//! Echoes and errors as a kernel or a router would make them, and whatever else may come.

use proptest::prelude::*;

use super::*;

fn mark() -> impl Strategy<Value = Mark> {
    (any::<u32>(), any::<u32>(), any::<u64>()).prop_map(|(slot, number, cookie)| Mark { slot, number, cookie })
}

fn with_v4_header(to: Ipv4Addr, options: usize, message: &[u8]) -> Vec<u8> {
    let mut packet = vec![0; 20 + options * 4];
    packet[0] = 0x45 + options as u8;
    packet[8] = 64;
    packet[9] = 1;
    packet[16..20].copy_from_slice(&to.octets());
    packet.extend_from_slice(message);
    packet
}

fn with_v6_header(to: Ipv6Addr, message: &[u8]) -> Vec<u8> {
    let mut packet = vec![0; 40];
    packet[0] = 0x60;
    packet[6] = 58;
    packet[24..40].copy_from_slice(&to.octets());
    packet.extend_from_slice(message);
    packet
}

fn seal(message: &mut [u8]) {
    message[2..4].fill(0);
    let sum = checksum(message).to_be_bytes();
    message[2..4].copy_from_slice(&sum);
}

#[test]
fn a_request_is_as_rfc_792_says() {
    let mut out = Vec::new();
    write_request(&mut out, Family::V4, 0x1234, 7, Mark { slot: 1, number: 2, cookie: 3 }, 56);
    assert_eq!(out.len(), 64);
    assert_eq!((out[0], out[1]), (8, 0));
    assert_eq!(out[4..8], [0x12, 0x34, 0, 7]);
    assert_eq!(checksum(&out), 0);
    // The checksum of RFC 1071's own example.
    assert_eq!(checksum(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]), !0xddf2);
}

#[test]
fn the_words_of_refusals() {
    for (family, kind, code, word) in [
        (Family::V4, 3, 1, "host_unreachable"),
        (Family::V4, 3, 10, "prohibited"),
        (Family::V4, 3, 13, "prohibited"),
        (Family::V4, 11, 0, "time_exceeded"),
        (Family::V6, 1, 0, "no_route"),
        (Family::V6, 1, 1, "prohibited"),
        (Family::V6, 1, 200, "unreachable"),
    ] {
        assert_eq!(Refusal { family, kind, code }.word(), word);
    }
}

proptest! {
    #[test]
    fn a_reply_gives_the_mark_back(mark in mark(), ident: u16, seq: u16, size in 0_usize..1400, options in 0_usize..11) {
        let mut message = Vec::new();
        write_request(&mut message, Family::V4, ident, seq, mark, size);
        message[0] = V4_REPLY;
        seal(&mut message);
        let packet = with_v4_header(Ipv4Addr::LOCALHOST, options, &message);
        prop_assert_eq!(read_v4(&packet), Some(Arrival::Reply { ident, mark }));
        write_request(&mut message, Family::V6, ident, seq, mark, size);
        message[0] = V6_REPLY;
        prop_assert_eq!(read_message(Family::V6, &message), Some(Arrival::Reply { ident, mark }));
    }

    #[test]
    fn our_own_request_is_no_answer(mark in mark(), ident: u16, seq: u16) {
        let mut message = Vec::new();
        write_request(&mut message, Family::V4, ident, seq, mark, 56);
        prop_assert_eq!(read_v4(&with_v4_header(Ipv4Addr::LOCALHOST, 0, &message)), None);
        write_request(&mut message, Family::V6, ident, seq, mark, 56);
        prop_assert_eq!(read_message(Family::V6, &message), None);
    }

    /// However much of the request is quoted, from the eight octets that are promised to all of it.
    #[test]
    fn a_quoted_request_is_recognised(mark in mark(), ident: u16, seq: u16, code: u8, quoted in 8_usize..=64, to4: [u8; 4], to6: [u8; 16]) {
        let mut request = Vec::new();
        let kept = (quoted >= HEADER_SIZE + MARK_SIZE).then_some(mark);
        for (family, kinds) in [(Family::V4, V4_ERRORS), (Family::V6, V6_ERRORS)] {
            for kind in kinds {
                write_request(&mut request, family, ident, seq, mark, 56);
                let (to, inner) = match family {
                    Family::V4 => (IpAddr::from(to4), with_v4_header(to4.into(), 0, &request[..quoted])),
                    Family::V6 => (IpAddr::from(to6), with_v6_header(to6.into(), &request[..quoted])),
                };
                let mut message = vec![kind, code, 0, 0, 0, 0, 0, 0];
                message.extend_from_slice(&inner);
                let refusal = Refusal { family, kind, code };
                let wanted = Some(Arrival::Refused { refusal, to, ident, seq, mark: kept });
                prop_assert_eq!(read_message(family, &message), wanted);
                if family == Family::V4 {
                    seal(&mut message);
                    prop_assert_eq!(read_v4(&with_v4_header(Ipv4Addr::LOCALHOST, 0, &message)), wanted);
                }
            }
        }
    }

    #[test]
    fn a_damaged_reply_is_none(mark in mark(), ident: u16, at in 0_usize..64, bit in 0_u8..8) {
        let mut message = Vec::new();
        write_request(&mut message, Family::V4, ident, 1, mark, 56);
        message[0] = V4_REPLY;
        seal(&mut message);
        message[at] ^= 1 << bit;
        prop_assert_eq!(read_v4(&with_v4_header(Ipv4Addr::LOCALHOST, 0, &message)), None);
    }

    #[test]
    fn nothing_panics(octets in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = (read_v4(&octets), read_message(Family::V4, &octets), read_message(Family::V6, &octets));
    }
}
