//! Names of the internet, taken apart: which part somebody has registered, and what stands before it.

/// Second-level names under which people register in countries: `example.com.cn`.
const SECOND: [&[u8]; 12] = [b"com", b"net", b"org", b"gov", b"edu", b"ac", b"co", b"or", b"ne", b"go", b"mil", b"gob"];
/// Endings that no resolver of the internet knows: names of the office, not found outside it.
const PRIVATE: [&[u8]; 10] =
    [b"local", b"lan", b"localdomain", b"corp", b"home", b"internal", b"intranet", b"private", b"workgroup", b"test"];

/// A name in lower case, taken apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Parts<'a> {
    /// What stands before the registered domain, without its dot; empty when nothing does.
    pub below: &'a [u8],
    /// The registered domain; the whole name when it has one label.
    pub domain: &'a [u8],
}

/// Takes a name apart. Without the list of all public suffixes: two labels, three where the last is a country and the second
/// last one of a dozen usual words.
pub(super) fn parts(name: &[u8]) -> Parts<'_> {
    let mut labels = name.rsplit(|octet| *octet == b'.');
    let (top, second) = (labels.next().unwrap_or_default(), labels.next().unwrap_or_default());
    let mut length = top.len() + 1 + second.len();
    if top.len() == 2 && SECOND.contains(&second) {
        length += labels.next().map_or(0, |third| third.len() + 1);
    }
    let Some(start) = name.len().checked_sub(length).filter(|_| !second.is_empty()) else {
        return Parts { below: &[], domain: name };
    };
    let (below, domain) = name.split_at(start);
    Parts { below: below.strip_suffix(b".").unwrap_or(below), domain }
}

/// Whether the name is a question about an address (reverse zones), of the office's own, or of a list that is asked by address:
/// that such a name does not exist says nothing.
pub(super) fn is_no_name(name: &[u8]) -> bool {
    let mut labels = name.split(|octet| *octet == b'.');
    let top = name.rsplit(|octet| *octet == b'.').next().unwrap_or_default();
    let one_label = !name.contains(&b'.');
    let by_address = (0..4).all(|_| labels.next().is_some_and(is_octet));
    one_label || by_address || top == b"arpa" || PRIVATE.contains(&top) || name.starts_with(b"wpad.") || name.starts_with(b"isatap.")
}

/// Whether a name is one of these, or below one of them.
pub(super) fn is_below(name: &[u8], domains: &[Box<str>]) -> bool {
    domains.iter().any(|domain| {
        let Some(before) = name.strip_suffix(domain.as_bytes()) else { return false };
        before.is_empty() || before.ends_with(b".")
    })
}

fn is_octet(label: &[u8]) -> bool {
    std::str::from_utf8(label).is_ok_and(|text| text.parse::<u8>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_apart() {
        for (name, below, domain) in [
            ("www.example.com", "www", "example.com"),
            ("a.b.example.com.cn", "a.b", "example.com.cn"),
            ("example.com.cn", "", "example.com.cn"),
            ("com.cn", "", "com.cn"),
            ("x.qq.cn", "x", "qq.cn"),
            ("example.com", "", "example.com"),
            ("localhost", "", "localhost"),
            ("", "", ""),
            ("hvp1kf5bahnzaa.=connect.srv.tunnel.com", "hvp1kf5bahnzaa.=connect.srv", "tunnel.com"),
        ] {
            let parts = parts(name.as_bytes());
            assert_eq!((parts.below, parts.domain), (below.as_bytes(), domain.as_bytes()), "{name}");
        }
    }

    #[test]
    fn what_is_no_name_is_known() {
        for name in ["4.3.2.10.in-addr.arpa", "2.0.0.127.zen.spamhaus.org", "printer.local", "wpad.example.com", "qwertzui"] {
            assert!(is_no_name(name.as_bytes()), "{name}");
        }
        for name in ["kqzxvbn.com", "1.2.3.example.org", "www.300.1.1.1.org"] {
            assert!(!is_no_name(name.as_bytes()), "{name}");
        }
    }

    #[test]
    fn a_domain_holds_what_is_below_it_only() {
        let domains = ["spamhaus.org".into()];
        assert!(is_below(b"zen.spamhaus.org", &domains) && is_below(b"spamhaus.org", &domains));
        assert!(!is_below(b"notspamhaus.org", &domains) && !is_below(b"spamhaus.org.cn", &domains));
    }
}
