//! The programs, run by a small machine of classic BPF: nothing is dropped that should not be, however short.

use proptest::prelude::*;

use super::*;

/// What a program returns for a frame; a load beyond its end ends it with 0, as in the kernel.
fn run(program: &[Instruction], frame: &[u8]) -> u32 {
    let load = |at: usize, octets: usize| frame.get(at..at + octets).map(|part| part.iter().fold(0, |n, octet| n << 8 | u32::from(*octet)));
    let (mut a, mut x, mut at) = (0_u32, 0_u32, 0);
    loop {
        let Instruction { code, yes, no, number } = program[at];
        at += 1;
        let here = number as usize;
        let loaded = match code {
            LOAD_WORD => load(here, 4),
            LOAD_HALF => load(here, 2),
            LOAD_OCTET => load(here, 1),
            LOAD_HALF_AT_X => load(here + x as usize, 2),
            LOAD_OCTET_AT_X => load(here + x as usize, 1),
            LOAD_LENGTH => Some(frame.len() as u32),
            X_HEADER_LENGTH => match load(here, 1) {
                Some(octet) => {
                    x = (octet & 15) * 4;
                    continue;
                }
                None => None,
            },
            _ => {
                match code {
                    X_NUMBER => x = number,
                    X_FROM_A => x = a,
                    SUBTRACT => a = a.wrapping_sub(number),
                    AND => a &= number,
                    RIGHT => a >>= number,
                    ADD_X => a = a.wrapping_add(x),
                    RETURN => return number,
                    _ => {
                        let holds = match code {
                            EQUAL => a == number,
                            AT_LEAST => a >= number,
                            HAS_BITS => a & number != 0,
                            AT_LEAST_X => a >= x,
                            other => panic!("no such instruction: {other:#x}"),
                        };
                        at += usize::from(if holds { yes } else { no });
                    }
                }
                continue;
            }
        };
        match loaded {
            Some(value) => a = value,
            None => return 0,
        }
    }
}

fn v4(protocol: u8, fragment: u16, transport: &[u8]) -> Vec<u8> {
    let mut frame = vec![0xff; 12];
    frame.extend([8, 0, 0x45, 0, 0, 0, 0, 0]);
    frame.extend(fragment.to_be_bytes());
    frame.extend([64, protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
    frame.extend(transport);
    frame.resize(frame.len().max(60), 0);
    frame
}

fn v6(next: u8, transport: &[u8]) -> Vec<u8> {
    let mut frame = vec![0xff; 12];
    frame.extend([0x86, 0xdd, 0x60, 0, 0, 0, 0, 0, next, 64]);
    frame.extend([0x20; 16]);
    frame.extend([0x30; 16]);
    frame.extend(transport);
    frame
}

fn segment(port: u16, data: &[u8]) -> Vec<u8> {
    let mut segment = vec![0xc0, 1];
    segment.extend(port.to_be_bytes());
    segment.extend([0; 8]);
    segment.extend([0x80, 0x18, 0, 0, 0, 0, 0, 0]);
    segment.extend([1; 12]);
    segment.extend(data);
    segment
}

fn datagram(src: u16, dst: u16) -> Vec<u8> {
    [src.to_be_bytes(), dst.to_be_bytes(), [0, 100], [0, 0]].concat().into_iter().chain([7; 92]).collect()
}

#[test]
fn what_is_read_comes_whole_and_what_is_not_comes_short() {
    let program = cut();
    for (frame, octets) in [
        (v4(6, 0x4000, &segment(443, &[0x16, 3, 1])), WHOLE),
        (v4(6, 0, &segment(443, &[0x17, 3, 3])), HEADERS),
        (v4(6, 0, &segment(443, &[])), HEADERS),
        (v4(6, 0x2001, &segment(443, &[0x16, 3, 1])), HEADERS),
        (v4(17, 0, &datagram(40_000, 53)), WHOLE),
        (v4(17, 0, &datagram(67, 68)), WHOLE),
        (v4(17, 0, &datagram(40_000, 443)), HEADERS),
        (v4(1, 0, &[8, 0]), HEADERS),
        (v6(6, &segment(443, &[0x16, 3, 1])), WHOLE),
        (v6(6, &segment(443, &[])), HEADERS),
        (v6(17, &datagram(5353, 5353)), WHOLE),
        (v6(17, &datagram(1, 2)), HEADERS),
        (v6(58, &[134, 0]), CONTENT),
        (v6(0, &[58, 0]), CONTENT),
        ([&[0xff; 12][..], &[8, 6], &[0; 46]].concat(), HEADERS),
        ([&[0xff; 12][..], &[0x88, 0xcc], &[0; 46]].concat(), CONTENT),
        (vec![0xff; 14], CONTENT),
    ] {
        assert_eq!(run(&program, &frame), octets, "{frame:02x?}");
    }
}

#[test]
fn one_host_is_picked_out() {
    let (here, there) = (MacAddr([2, 0, 0, 0, 0, 1]), MacAddr([2, 0, 0, 0, 0, 2]));
    let frame = |dst: MacAddr, src: MacAddr| [&dst.0[..], &src.0, &[8, 0], &[0; 46]].concat();
    let program = of(Host::Mac(here));
    assert!(run(&program, &frame(here, there)) > 0 && run(&program, &frame(there, here)) > 0);
    assert_eq!(run(&program, &frame(there, there)), 0);
    let packet = v4(6, 0, &segment(80, &[]));
    let asked = [&[0xff; 12][..], &[8, 6, 0, 1, 8, 0, 6, 4, 0, 1], &[2; 6], &[10, 0, 0, 1], &[0; 6], &[10, 0, 0, 9]].concat();
    for (address, is_in_packet, is_asked) in [("10.0.0.1", true, true), ("10.0.0.2", true, false), ("10.0.0.9", false, true)] {
        let program = of(Host::Ip(address.parse().unwrap()));
        assert_eq!((run(&program, &packet) > 0, run(&program, &asked) > 0), (is_in_packet, is_asked), "{address}");
    }
    let packet = v6(6, &segment(80, &[]));
    for (octet, is_in_packet) in [(0x20, true), (0x30, true), (0x21, false)] {
        let program = of(Host::Ip(std::net::Ipv6Addr::from([octet; 16]).into()));
        assert_eq!(run(&program, &packet) > 0, is_in_packet);
    }
}

proptest! {
    /// No frame is lost, for a load beyond its end or otherwise.
    #[test]
    fn no_frame_is_dropped(kind in prop::sample::select(vec![[8, 0], [0x86, 0xdd], [8, 6], [0, 9]]), rest in prop::collection::vec(any::<u8>(), 0..120)) {
        let frame = [&[0xff; 12][..], &kind, &rest].concat();
        prop_assert!(run(&cut(), &frame) >= HEADERS);
    }
}
