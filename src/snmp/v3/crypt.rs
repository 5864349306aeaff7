//! Encrypting and decrypting scoped PDUs (RFC 3414 section 8 for DES, RFC 3826 for AES-128, the vendors' AES-192 and -256).
//! snmp2 does this for our own questions; but of a message that somebody sends to us it keeps only the PDU, and the answer must
//! carry the sender's contextEngineID, which is inside.

use aes::cipher::{AsyncStreamCipher, BlockDecryptMut, BlockEncryptMut, KeyIvInit, block_padding::NoPadding};
use aes::{Aes128, Aes192, Aes256};
use des::Des;

use super::sign::{self, SignKey};
use crate::snmp::job::{AuthProtocol, PrivProtocol, Secret};

/// How a key is made longer where the hash is shorter than the cipher wants; a device does not tell which it uses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Extension {
    /// Blumenthal: the hash of what there is, again and again.
    Blumenthal,
    /// Reeder: what there is as a new pass phrase.
    Reeder,
}

impl Extension {
    pub(crate) const ALL: [Self; 2] = [Self::Blumenthal, Self::Reeder];
}

/// A user's localised privacy key at one engine.
#[derive(Clone)]
pub(crate) struct CryptKey {
    protocol: PrivProtocol,
    key: Vec<u8>,
}

impl CryptKey {
    /// Localises a pass phrase: slow.
    pub(crate) fn new(protocol: PrivProtocol, hash: AuthProtocol, phrase: &Secret, engine_id: &[u8], extension: Extension) -> Self {
        let wanted = match protocol {
            PrivProtocol::Des | PrivProtocol::Aes128 => 16,
            PrivProtocol::Aes192 => 24,
            PrivProtocol::Aes256 => 32,
        };
        let mut key = SignKey::new(hash, phrase, engine_id).into_octets();
        while key.len() < wanted && !key.is_empty() {
            let more = match extension {
                Extension::Blumenthal => sign::digest(hash, &key),
                Extension::Reeder => SignKey::new(hash, &Secret::new(key.clone()), engine_id).into_octets(),
            };
            key.extend(more);
        }
        key.truncate(wanted);
        Self { protocol, key }
    }

    /// Decrypts; `None` when octets or parameters have the wrong length. With a wrong key the result is noise.
    pub(crate) fn decrypt(&self, octets: &[u8], boots: u32, time: u32, parameters: &[u8]) -> Option<Vec<u8>> {
        let mut room = octets.to_vec();
        match self.protocol {
            PrivProtocol::Des => {
                let (key, iv) = self.des(parameters)?;
                let length = cbc::Decryptor::<Des>::new_from_slices(&key, &iv).ok()?.decrypt_padded_mut::<NoPadding>(&mut room).ok()?.len();
                room.truncate(length);
            }
            PrivProtocol::Aes128 => {
                cfb_mode::Decryptor::<Aes128>::new_from_slices(&self.key, &aes_iv(boots, time, parameters)?).ok()?.decrypt(&mut room);
            }
            PrivProtocol::Aes192 => {
                cfb_mode::Decryptor::<Aes192>::new_from_slices(&self.key, &aes_iv(boots, time, parameters)?).ok()?.decrypt(&mut room);
            }
            PrivProtocol::Aes256 => {
                cfb_mode::Decryptor::<Aes256>::new_from_slices(&self.key, &aes_iv(boots, time, parameters)?).ok()?.decrypt(&mut room);
            }
        }
        Some(room)
    }

    /// Encrypts under a salt that must never be used twice; the parameters to send are the salt.
    pub(crate) fn encrypt(&self, octets: &[u8], boots: u32, time: u32, salt: [u8; 8]) -> Option<Vec<u8>> {
        let mut room = octets.to_vec();
        match self.protocol {
            PrivProtocol::Des => {
                let (key, iv) = self.des(&salt)?;
                let length = room.len().next_multiple_of(8);
                room.resize(length, 0);
                cbc::Encryptor::<Des>::new_from_slices(&key, &iv).ok()?.encrypt_padded_mut::<NoPadding>(&mut room, length).ok()?;
            }
            PrivProtocol::Aes128 => {
                cfb_mode::Encryptor::<Aes128>::new_from_slices(&self.key, &aes_iv(boots, time, &salt)?).ok()?.encrypt(&mut room);
            }
            PrivProtocol::Aes192 => {
                cfb_mode::Encryptor::<Aes192>::new_from_slices(&self.key, &aes_iv(boots, time, &salt)?).ok()?.encrypt(&mut room);
            }
            PrivProtocol::Aes256 => {
                cfb_mode::Encryptor::<Aes256>::new_from_slices(&self.key, &aes_iv(boots, time, &salt)?).ok()?.encrypt(&mut room);
            }
        }
        Some(room)
    }

    /// RFC 3414 section 8.1.1.1: eight octets of key, eight that are mixed with the salt.
    fn des(&self, salt: &[u8]) -> Option<([u8; 8], [u8; 8])> {
        let (key, mix) = self.key.split_at_checked(8)?;
        let (mut iv, salt): ([u8; 8], [u8; 8]) = (mix.try_into().ok()?, salt.try_into().ok()?);
        iv.iter_mut().zip(salt).for_each(|(octet, salt)| *octet ^= salt);
        Some((key.try_into().ok()?, iv))
    }
}

/// RFC 3826 section 3.1.2.1: boots, time, salt.
fn aes_iv(boots: u32, time: u32, salt: &[u8]) -> Option<[u8; 16]> {
    [&boots.to_be_bytes()[..], &time.to_be_bytes(), salt].concat().try_into().ok()
}

/// Keys are secrets.
impl std::fmt::Debug for CryptKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CryptKey").field("protocol", &self.protocol).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cipher_gives_back_what_it_took() {
        let phrase = Secret::new(&b"privpass1"[..]);
        for protocol in [PrivProtocol::Des, PrivProtocol::Aes128, PrivProtocol::Aes192, PrivProtocol::Aes256] {
            for extension in Extension::ALL {
                let key = CryptKey::new(protocol, AuthProtocol::Sha1, &phrase, b"engine", extension);
                let sealed = key.encrypt(b"sixteen octets!!", 3, 77, *b"saltsalt").unwrap();
                assert_ne!(sealed, b"sixteen octets!!");
                assert_eq!(key.decrypt(&sealed, 3, 77, b"saltsalt").unwrap(), b"sixteen octets!!");
            }
        }
    }

    #[test]
    fn wrong_lengths_are_no_reason_to_fall_over() {
        let phrase = Secret::new(&b"privpass1"[..]);
        for protocol in [PrivProtocol::Des, PrivProtocol::Aes256] {
            let key = CryptKey::new(protocol, AuthProtocol::Md5, &phrase, b"engine", Extension::Blumenthal);
            assert!(key.decrypt(b"12345678", 1, 1, b"short").is_none());
        }
        let key = CryptKey::new(PrivProtocol::Des, AuthProtocol::Md5, &phrase, b"engine", Extension::Blumenthal);
        assert!(key.decrypt(b"1234567", 1, 1, b"saltsalt").is_none());
    }
}
