//! Signing and checking messages (RFC 3414 sections 2.6, 6 and 7, RFC 7860) where snmp2 cannot: the answer to an inform has a
//! msgID that is not its request-id, and snmp2 always writes the one into the other.

use hmac::Hmac;
use md5::Md5;
use sha1::Sha1;
use sha2::digest::Digest;
use sha2::{Sha224, Sha256, Sha384, Sha512};

use crate::snmp::job::{AuthProtocol, Secret};

/// How much of a repeated pass phrase is hashed (RFC 3414 section A.2).
const STRETCH: usize = 1 << 20;

/// A user's localised authentication key at one engine.
#[derive(Clone)]
pub(crate) struct SignKey {
    protocol: AuthProtocol,
    key: Vec<u8>,
}

impl SignKey {
    /// Localises a pass phrase: slow (a mebioctet hashed).
    pub(crate) fn new(protocol: AuthProtocol, phrase: &Secret, engine_id: &[u8]) -> Self {
        let phrase = phrase.expose();
        let key = match protocol {
            AuthProtocol::Md5 => localise::<Md5>(phrase, engine_id),
            AuthProtocol::Sha1 => localise::<Sha1>(phrase, engine_id),
            AuthProtocol::Sha224 => localise::<Sha224>(phrase, engine_id),
            AuthProtocol::Sha256 => localise::<Sha256>(phrase, engine_id),
            AuthProtocol::Sha384 => localise::<Sha384>(phrase, engine_id),
            AuthProtocol::Sha512 => localise::<Sha512>(phrase, engine_id),
        };
        Self { protocol, key }
    }

    pub(crate) fn into_octets(self) -> Vec<u8> {
        self.key
    }

    /// Whether a message is signed with this key: `at` is where its signature of [`Self::length`] octets stands.
    pub(crate) fn fits(&self, message: &[u8], at: usize) -> bool {
        let mut blank = message.to_vec();
        let Some(place) = blank.get_mut(at..at + self.length()) else { return false };
        let given = place.to_vec();
        place.fill(0);
        // Every octet is looked at, so that the time taken tells nothing.
        given.iter().zip(self.sign(&blank)).fold(0, |differ, (one, other)| differ | (one ^ other)) == 0
    }

    /// How many octets a signature has (msgAuthenticationParameters).
    pub(crate) const fn length(&self) -> usize {
        match self.protocol {
            AuthProtocol::Md5 | AuthProtocol::Sha1 => 12,
            AuthProtocol::Sha224 => 16,
            AuthProtocol::Sha256 => 24,
            AuthProtocol::Sha384 => 32,
            AuthProtocol::Sha512 => 48,
        }
    }

    /// The signature of a whole message whose own place for it is zero.
    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        let mut signature = match self.protocol {
            AuthProtocol::Md5 => self.mac::<Hmac<Md5>>(message),
            AuthProtocol::Sha1 => self.mac::<Hmac<Sha1>>(message),
            AuthProtocol::Sha224 => self.mac::<Hmac<Sha224>>(message),
            AuthProtocol::Sha256 => self.mac::<Hmac<Sha256>>(message),
            AuthProtocol::Sha384 => self.mac::<Hmac<Sha384>>(message),
            AuthProtocol::Sha512 => self.mac::<Hmac<Sha512>>(message),
        };
        signature.truncate(self.length());
        signature
    }

    fn mac<M: hmac::Mac + hmac::KeyInit>(&self, message: &[u8]) -> Vec<u8> {
        // HMAC takes keys of any length: there is no failure to be told.
        M::new_from_slice(&self.key).map_or_else(|_| Vec::new(), |mac| mac.chain_update(message).finalize().into_bytes().to_vec())
    }
}

/// Keys are secrets.
impl std::fmt::Debug for SignKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignKey").field("protocol", &self.protocol).finish_non_exhaustive()
    }
}

/// The plain hash.
pub(crate) fn digest(protocol: AuthProtocol, octets: &[u8]) -> Vec<u8> {
    match protocol {
        AuthProtocol::Md5 => Md5::digest(octets).to_vec(),
        AuthProtocol::Sha1 => Sha1::digest(octets).to_vec(),
        AuthProtocol::Sha224 => Sha224::digest(octets).to_vec(),
        AuthProtocol::Sha256 => Sha256::digest(octets).to_vec(),
        AuthProtocol::Sha384 => Sha384::digest(octets).to_vec(),
        AuthProtocol::Sha512 => Sha512::digest(octets).to_vec(),
    }
}

fn localise<D: Digest>(phrase: &[u8], engine_id: &[u8]) -> Vec<u8> {
    if phrase.is_empty() {
        return Vec::new();
    }
    // A block that begins and ends with the phrase's rhythm: whole repetitions, as near to 4 KiB as they come.
    let block = phrase.repeat((4096 / phrase.len()).max(1));
    let mut hash = D::new();
    let mut left = STRETCH;
    while left > 0 {
        let part = block.get(..left.min(block.len())).unwrap_or(&block);
        hash.update(part);
        left -= part.len();
    }
    let whole = hash.finalize();
    D::new().chain_update(&whole).chain_update(engine_id).chain_update(&whole).finalize().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(octets: &[u8]) -> String {
        octets.iter().map(|octet| format!("{octet:02x}")).collect()
    }

    /// RFC 3414 sections A.3.1 and A.3.2.
    #[test]
    fn keys_are_localised_as_the_standard_shows() {
        let phrase = Secret::new(&b"maplesyrup"[..]);
        let engine = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2];
        assert_eq!(hex(&SignKey::new(AuthProtocol::Md5, &phrase, &engine).key), "526f5eed9fcce26f8964c2930787d82b");
        assert_eq!(hex(&SignKey::new(AuthProtocol::Sha1, &phrase, &engine).key), "6695febc9288e36282235fc7151f128497b38f3f");
    }
}
