//! The hashes: pure over octets, shared by those who write the chain and those who check it.

use sha2::{Digest as _, Sha256};

use super::canonical;

/// A header as it is hashed. Fields that are not there are left out of the canonical form.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header<'a> {
    pub seq: i64,
    pub ts_ms: i64,
    pub subject: &'a str,
    pub rev: Option<i64>,
    pub actor: Option<&'a str>,
    pub on_behalf_of: Option<&'a str>,
    pub via: &'a str,
    pub action: &'a str,
    pub from_state: Option<&'a str>,
    pub to_state: Option<&'a str>,
    pub payload_digest: &'a [u8],
    pub flags: &'a str,
}

impl Header<'_> {
    /// `SHA-256(prev_hash ‖ canonical(header))`; `scratch` is overwritten.
    pub(super) fn hash(&self, prev: &[u8], scratch: &mut Vec<u8>) -> [u8; 32] {
        scratch.clear();
        self.canonical(scratch);
        Sha256::new().chain_update(prev).chain_update(&scratch).finalize().into()
    }

    /// Writes the canonical form: the keys in their sorted order.
    pub(super) fn canonical(&self, out: &mut Vec<u8>) {
        let text = |key: &str, value: Option<&str>, out: &mut Vec<u8>| {
            if let Some(value) = value {
                key_in(key, out);
                canonical::text_in(value, out);
            }
        };
        let number = |key: &str, value: Option<i64>, out: &mut Vec<u8>| {
            if let Some(value) = value {
                key_in(key, out);
                out.extend_from_slice(value.to_string().as_bytes());
            }
        };
        out.push(b'{');
        text("action", Some(self.action), out);
        text("actor", self.actor, out);
        text("flags", Some(self.flags), out);
        text("from_state", self.from_state, out);
        text("on_behalf_of", self.on_behalf_of, out);
        key_in("payload_digest", out);
        out.push(b'"');
        hex_in(self.payload_digest, out);
        out.push(b'"');
        number("rev", self.rev, out);
        number("seq", Some(self.seq), out);
        text("subject", Some(self.subject), out);
        text("to_state", self.to_state, out);
        number("ts_ms", Some(self.ts_ms), out);
        text("via", Some(self.via), out);
        out.push(b'}');
    }
}

/// `SHA-256(salt ‖ json)`. The salt keeps a short payload from being guessed by its digest after it was destroyed.
pub(super) fn digest(salt: &[u8], json: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update(salt).chain_update(json).finalize().into()
}

/// Octets as lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    let mut out = Vec::with_capacity(bytes.len() * 2);
    hex_in(bytes, &mut out);
    out.into_iter().map(char::from).collect()
}

fn hex_in(bytes: &[u8], out: &mut Vec<u8>) {
    let digit = |nibble: u8| if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 };
    for byte in bytes {
        out.extend_from_slice(&[digit(byte >> 4), digit(byte & 15)]);
    }
}

/// Reads what [`hex`] writes; `None` for anything but 32 octets.
pub(super) fn unhex(text: &str) -> Option<[u8; 32]> {
    let digits = text.as_bytes();
    let mut out = [0; 32];
    if digits.len() != 64 || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    for (byte, pair) in out.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(out)
}

fn key_in(key: &str, out: &mut Vec<u8>) {
    if out.last() != Some(&b'{') {
        out.push(b',');
    }
    out.push(b'"');
    out.extend_from_slice(key.as_bytes());
    out.extend_from_slice(b"\":");
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: Header<'static> = Header {
        seq: 2,
        ts_ms: 1_700_000_000_123,
        subject: "account:li",
        rev: None,
        actor: Some("李四"),
        on_behalf_of: None,
        via: "web",
        action: "login.ok",
        from_state: None,
        to_state: None,
        payload_digest: &[0xab; 32],
        flags: "",
    };

    /// The form is an interface: other programs check exports by it.
    #[test]
    fn the_canonical_form_is_as_written_down() {
        let mut out = Vec::new();
        HEADER.canonical(&mut out);
        let digest = "ab".repeat(32);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            format!(
                "{{\"action\":\"login.ok\",\"actor\":\"李四\",\"flags\":\"\",\"payload_digest\":\"{digest}\",\"seq\":2,\
                 \"subject\":\"account:li\",\"ts_ms\":1700000000123,\"via\":\"web\"}}"
            )
        );
    }

    /// An actor named as another field's text must not give the same octets.
    #[test]
    fn every_field_counts_for_the_hash() {
        let hash = |header: Header<'_>| header.hash(&[0; 32], &mut Vec::new());
        let others = [
            Header { seq: 3, ..HEADER },
            Header { ts_ms: 0, ..HEADER },
            Header { subject: "", ..HEADER },
            Header { rev: Some(0), ..HEADER },
            Header { actor: None, ..HEADER },
            Header { actor: Some(""), ..HEADER },
            Header { actor: Some("李四\",\"flags\":\""), ..HEADER },
            Header { on_behalf_of: Some("李四"), actor: None, ..HEADER },
            Header { via: "api", ..HEADER },
            Header { action: "login.failed", ..HEADER },
            Header { from_state: Some("x"), ..HEADER },
            Header { to_state: Some("x"), ..HEADER },
            Header { payload_digest: &[0; 32], ..HEADER },
            Header { flags: "clock", ..HEADER },
            HEADER,
        ];
        let hashes: std::collections::BTreeSet<[u8; 32]> = others.into_iter().map(hash).collect();
        assert_eq!(hashes.len(), others.len());
        assert_ne!(HEADER.hash(&[1; 32], &mut Vec::new()), hash(HEADER));
    }

    #[test]
    fn digits_go_there_and_back() {
        let bytes: [u8; 32] = std::array::from_fn(|index| index as u8 * 8);
        assert_eq!(unhex(&hex(&bytes)), Some(bytes));
        assert!(unhex("ab").is_none() && unhex(&"g".repeat(64)).is_none() && unhex(&"+1".repeat(32)).is_none());
    }
}
