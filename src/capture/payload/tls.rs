//! The server that a TLS client names in its first message (server_name, RFC 6066; ClientHello, RFC 8446, 4.1.2).
//!
//! One segment is read, not the stream: a hello whose name lies in a later segment is missed. So are QUIC and encrypted hellos.

use super::Reader;

/// The longest name that is one (RFC 1035).
const LONGEST: usize = 253;

/// The server's name as the client wrote it, from the data of one TCP segment; a record that was cut is read as far as it goes.
/// `None` when this is no ClientHello, when it names nobody, or when the name was cut.
pub fn server_name(data: &[u8]) -> Option<&str> {
    let mut record = Reader(data);
    let [kind, major, _minor] = record.array()?;
    if kind != 22 || major != 3 {
        return None;
    }
    let length = usize::from(record.short()?);
    let mut hello = Reader(record.take_most(length));
    let [message, high, middle, low] = hello.array()?;
    if message != 1 {
        return None;
    }
    let length = usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
    let mut body = Reader(hello.take_most(length));
    let _version_and_random: [u8; 34] = body.array()?;
    let session = usize::from(body.octet()?);
    body.take(session)?;
    let ciphers = usize::from(body.short()?);
    body.take(ciphers)?;
    let compressions = usize::from(body.octet()?);
    body.take(compressions)?;
    let length = usize::from(body.short()?);
    let mut extensions = Reader(body.take_most(length));
    // Each has four octets or more, so the octets bound the steps.
    loop {
        let (kind, length) = (extensions.short()?, usize::from(extensions.short()?));
        let value = extensions.take(length)?;
        if kind == 0 {
            return host_name(value);
        }
    }
}

fn host_name(value: &[u8]) -> Option<&str> {
    let mut reader = Reader(value);
    let _list = reader.short()?;
    let kind = reader.octet()?;
    let length = usize::from(reader.short()?);
    let name = reader.take(length)?;
    let is_name = |octet: &u8| octet.is_ascii_alphanumeric() || matches!(octet, b'.' | b'-' | b'_');
    if kind != 0 || name.is_empty() || name.len() > LONGEST || !name.iter().all(is_name) {
        return None;
    }
    std::str::from_utf8(name).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hello(name: &str, before: usize) -> Vec<u8> {
        let short = |value: usize| u16::try_from(value).unwrap().to_be_bytes();
        let mut extensions = Vec::new();
        // Something else first, as browsers do.
        extensions.extend([0x0a, 0x0a]);
        extensions.extend(short(before));
        extensions.extend(vec![0; before]);
        extensions.extend([0, 0]);
        extensions.extend(short(name.len() + 5));
        extensions.extend(short(name.len() + 3));
        extensions.push(0);
        extensions.extend(short(name.len()));
        extensions.extend(name.as_bytes());
        let mut body = vec![3, 3];
        body.extend([7; 32]);
        body.extend([2, 1, 1]);
        body.extend([0, 4, 0x13, 1, 0x13, 2]);
        body.extend([1, 0]);
        body.extend(short(extensions.len()));
        body.extend(extensions);
        let mut record = vec![22, 3, 1];
        record.extend(short(body.len() + 4));
        record.extend([1, 0]);
        record.extend(short(body.len()));
        record.extend(body);
        record
    }

    #[test]
    fn the_name_is_found() {
        assert_eq!(server_name(&hello("v.qq.com", 0)), Some("v.qq.com"));
        let with_more = [hello("Example.cn", 30), vec![22, 3, 1, 0, 1, 0]].concat();
        assert_eq!(server_name(&with_more), Some("Example.cn"));
        for no_name in ["", "a b", "中文"] {
            assert_eq!(server_name(&hello(no_name, 0)), None, "{no_name}");
        }
    }

    #[test]
    fn a_record_may_be_cut_behind_the_name_only() {
        let octets = hello("v.qq.com", 4);
        for cut in 0..octets.len() {
            assert_eq!(server_name(&octets[..cut]), None, "{cut}");
        }
        // Long hellos have much behind the name: here the lengths promise more than there is.
        let mut long = octets;
        long[3] = 9;
        assert_eq!(server_name(&long), Some("v.qq.com"));
        long[0] = 23;
        assert_eq!(server_name(&long), None, "application data");
    }

    proptest! {
        #[test]
        fn any_octets_are_borne(octets in proptest::collection::vec(any::<u8>(), 0..300)) {
            server_name(&octets);
        }

        #[test]
        fn any_damage_is_borne(at in 0_usize..120, to in any::<u8>(), cut in 0_usize..120) {
            let mut octets = hello("www.example.cn", 20);
            let (at, cut) = (at % octets.len(), cut % octets.len());
            octets[at] = to;
            server_name(&octets);
            server_name(&octets[..cut]);
        }
    }
}
