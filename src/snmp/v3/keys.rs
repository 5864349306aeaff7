//! Keys of a user at one engine (RFC 3414 section 2.6, RFC 7860): a megabyte hashed per pass phrase, about a
//! millisecond, so they are made apart from the transport's thread and kept.

use snmp2::v3::{Auth, AuthProtocol as Hash, Cipher, KeyExtension, Security};

use crate::snmp::job::{AuthProtocol, PrivProtocol, Secret};

/// A user as configured.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) auth: Option<(AuthProtocol, Secret)>,
    pub(crate) privacy: Option<(PrivProtocol, Secret)>,
    pub(crate) context: String,
}

/// All that is needed to make keys.
#[derive(Clone, Debug)]
pub(crate) struct Recipe {
    user: User,
    engine_id: Vec<u8>,
}

/// The keys of a user at an engine. Where the hash is too short for the cipher there are two vendors' ways to lengthen
/// it, and a device does not tell which is its own: then there is one set for each.
#[derive(Clone)]
pub(crate) struct Keys {
    pub(crate) engine_id: Vec<u8>,
    sets: Vec<Security>,
    chosen: usize,
}

impl User {
    /// The name of the security level.
    pub(crate) const fn level(&self) -> &'static str {
        match (&self.auth, &self.privacy) {
            (None, _) => "noAuthNoPriv",
            (Some(_), None) => "authNoPriv",
            (Some(_), Some(_)) => "authPriv",
        }
    }
}

impl Recipe {
    pub(crate) fn new(user: &User, engine_id: &[u8]) -> Self {
        Self { user: user.clone(), engine_id: engine_id.to_vec() }
    }

    /// Makes the keys: slow.
    ///
    /// # Errors
    /// What is wrong with the user's settings, in words.
    pub(crate) fn make(&self) -> Result<Keys, String> {
        let user = &self.user;
        let name = &user.name;
        if user.privacy.is_some() && user.auth.is_none() {
            return Err(format!("privacy is set for user {name:?} without authentication; set an auth protocol and pass phrase too"));
        }
        let phrases = [user.auth.as_ref().map(|(_, phrase)| phrase), user.privacy.as_ref().map(|(_, phrase)| phrase)];
        if phrases.into_iter().flatten().any(|phrase| phrase.expose().is_empty()) {
            return Err(format!("a pass phrase of user {name:?} is empty; SNMPv3 wants at least 8 characters"));
        }
        let extensions: &[KeyExtension] =
            if needs_extension(user) { &[KeyExtension::Blumenthal, KeyExtension::Reeder] } else { &[KeyExtension::Blumenthal] };
        let sets = extensions.iter().map(|&extension| self.set(extension)).collect::<Result<Vec<_>, _>>()?;
        Ok(Keys { engine_id: self.engine_id.clone(), sets, chosen: 0 })
    }

    fn set(&self, extension: KeyExtension) -> Result<Security, String> {
        let user = &self.user;
        let (hash, phrase) = user.auth.as_ref().map_or((Hash::Md5, &[][..]), |(protocol, phrase)| (hash(*protocol), phrase.expose()));
        let auth = match (&user.auth, &user.privacy) {
            (None, _) => Auth::NoAuthNoPriv,
            (Some(_), None) => Auth::AuthNoPriv,
            (Some(_), Some((protocol, phrase))) => Auth::AuthPriv { cipher: cipher(*protocol), privacy_password: phrase.expose().to_vec() },
        };
        Security::new(user.name.as_bytes(), phrase)
            .with_auth(auth)
            .with_auth_protocol(hash)
            .with_key_extension_method(extension)
            .with_context_name(&user.context)
            .with_engine_id(&self.engine_id)
            .map_err(|error| format!("the keys of user {:?} cannot be made: {error}", user.name))
    }
}

impl Keys {
    /// The set in use, with the engine's boots and time as they are to be sent.
    pub(crate) fn security_at(&mut self, boots: u32, time: u32) -> Option<&mut Security> {
        let place = self.sets.get_mut(self.chosen)?;
        let set = std::mem::replace(place, Security::new(&[], &[]));
        *place = set.with_engine_boots_and_time(boots.into(), time.into());
        Some(place)
    }

    /// Turns to the other way of lengthening keys; false when there is only one.
    pub(crate) fn turn(&mut self) -> bool {
        self.chosen = (self.chosen + 1) % self.sets.len().max(1);
        self.sets.len() > 1
    }
}

/// Keys are secrets.
impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys").field("engine_id", &self.engine_id).finish_non_exhaustive()
    }
}

fn needs_extension(user: &User) -> bool {
    match (&user.auth, &user.privacy) {
        (Some((auth, _)), Some((privacy, _))) => cipher(*privacy).priv_key_needs_extension(&hash(*auth)),
        _ => false,
    }
}

const fn hash(protocol: AuthProtocol) -> Hash {
    match protocol {
        AuthProtocol::Md5 => Hash::Md5,
        AuthProtocol::Sha1 => Hash::Sha1,
        AuthProtocol::Sha224 => Hash::Sha224,
        AuthProtocol::Sha256 => Hash::Sha256,
        AuthProtocol::Sha384 => Hash::Sha384,
        AuthProtocol::Sha512 => Hash::Sha512,
    }
}

const fn cipher(protocol: PrivProtocol) -> Cipher {
    match protocol {
        PrivProtocol::Des => Cipher::Des,
        PrivProtocol::Aes128 => Cipher::Aes128,
        PrivProtocol::Aes192 => Cipher::Aes192,
        PrivProtocol::Aes256 => Cipher::Aes256,
    }
}
