//! Hashes of passwords: which are taken, how they are compared, how one is made. The only user of
//! argon2 and bcrypt.

use argon2::password_hash::phc;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};

/// Memory that comparing one password may take, in KiB.
const MOST_MEMORY: u32 = 256 << 10;

/// Memory times passes, in KiB: about a second of computing.
const MOST_WORK: u64 = 1 << 20;

/// A cost of bcrypt: each one more doubles the time, and this is about a second.
const MOST_COST: u32 = 14;

/// The least that bcrypt knows.
const LEAST_COST: u32 = 4;

/// Shorter ones could be guessed, in bytes.
const SHORTEST_OUTPUT: usize = 16;

/// What is made, as OWASP recommends it: 19 MiB and two passes.
const MADE: (u32, u32, u32) = (19 << 10, 2, 1);

const BCRYPT: [&str; 3] = ["$2a$", "$2b$", "$2y$"];

/// Beginnings of hashes that are not taken, and why.
const REFUSED: [(&str, &str); 14] = [
    ("{SHA}", "SHA-1 without a salt is cracked quickly"),
    ("{SSHA}", "SHA-1 is cracked quickly"),
    ("$apr1$", "MD5 as Apache has it is cracked quickly"),
    ("$1$", "MD5 is cracked quickly"),
    ("$md5", "MD5 is cracked quickly"),
    ("$sha1$", "SHA-1 is cracked quickly"),
    ("$2x$", "this form of bcrypt comes from a faulty program"),
    ("$5$", "SHA-crypt is not known here"),
    ("$6$", "SHA-crypt is not known here"),
    ("$7$", "scrypt is not known here"),
    ("$y$", "yescrypt is not known here"),
    ("$scrypt$", "scrypt is not known here"),
    ("$argon2i$", "of argon2, only argon2id is taken"),
    ("$argon2d$", "of argon2, only argon2id is taken"),
];

#[cfg(test)]
thread_local! {
    /// How many passwords this thread has compared.
    static COMPARISONS: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// A hash that can be compared with a password.
pub(crate) struct PasswordHash {
    kind: Kind,
    text: Box<str>,
}

#[derive(Clone, Copy)]
enum Kind {
    Argon2id,
    Bcrypt,
}

impl PasswordHash {
    /// The error says what is wrong and nothing of the text, which may be a password.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let kind = if text.starts_with("$argon2id$") {
            check_argon2id(text)?;
            Kind::Argon2id
        } else if BCRYPT.iter().any(|version| text.starts_with(version)) {
            check_bcrypt(text)?;
            Kind::Bcrypt
        } else {
            let mut refused = REFUSED.iter();
            let known = refused.find(|(beginning, _)| text.starts_with(beginning));
            let unknown =
                "it is neither argon2id nor bcrypt, and a password itself must not stand here";
            return Err(known.map_or(unknown, |(_, why)| why).to_owned());
        };
        let text = text.into();
        Ok(Self { kind, text })
    }

    /// The hash of a new password, with a random salt.
    ///
    /// # Errors
    ///
    /// If the system has no random numbers.
    pub(crate) fn make(password: &[u8]) -> Result<String, argon2::password_hash::Error> {
        let (memory, passes, lanes) = MADE;
        let params = Params::new(memory, passes, lanes, None)?;
        let hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        Ok(hasher.hash_password(password)?.to_string())
    }

    /// Whether it is the hash of that password. Takes as long as the hash wants it to.
    pub(crate) fn is_of(&self, password: &[u8]) -> bool {
        #[cfg(test)]
        COMPARISONS.set(COMPARISONS.get() + 1);
        match self.kind {
            Kind::Argon2id => phc::PasswordHash::new(&self.text)
                .is_ok_and(|hash| Argon2::default().verify_password(password, &hash).is_ok()),
            Kind::Bcrypt => bcrypt::verify(password, &self.text).unwrap_or(false),
        }
    }

    /// How many passwords this thread has compared.
    #[cfg(test)]
    pub(crate) fn comparisons() -> usize {
        COMPARISONS.get()
    }

    /// As it stands in the file.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }
}

/// A hash is not for other eyes.
impl std::fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.kind {
            Kind::Argon2id => "PasswordHash(argon2id …)",
            Kind::Bcrypt => "PasswordHash(bcrypt …)",
        })
    }
}

fn check_argon2id(text: &str) -> Result<(), String> {
    let damaged =
        || "it is damaged: an argon2id hash is $argon2id$v=19$m=…,t=…,p=…$SALT$HASH".to_owned();
    let hash = phc::PasswordHash::new(text).map_err(|_| damaged())?;
    let params = Params::try_from(&hash).map_err(|_| damaged())?;
    if hash.version != Some(Version::V0x13.into()) {
        return Err("of argon2id, only version 19 is taken".to_owned());
    }
    if hash
        .salt
        .is_none_or(|salt| salt.len() < argon2::MIN_SALT_LEN)
    {
        return Err(damaged());
    }
    if hash.hash.is_none_or(|hash| hash.len() < SHORTEST_OUTPUT) {
        return Err(format!(
            "it has fewer than {SHORTEST_OUTPUT} bytes, which is too short"
        ));
    }
    let (memory, passes) = (params.m_cost(), params.t_cost());
    if memory > MOST_MEMORY {
        return Err(format!(
            "each login would take {} MiB of memory (m={memory}), and may take {} MiB",
            memory >> 10,
            MOST_MEMORY >> 10
        ));
    }
    if u64::from(memory) * u64::from(passes) > MOST_WORK {
        return Err(format!(
            "each login would compute for too long: m times t is {memory} times {passes}, and may be {MOST_WORK}"
        ));
    }
    Ok(())
}

fn check_bcrypt(text: &str) -> Result<(), String> {
    let hash: bcrypt::HashParts = text
        .parse()
        .map_err(|_| "it is damaged: a bcrypt hash has 60 characters".to_owned())?;
    let cost = hash.get_cost();
    if cost < LEAST_COST {
        return Err(format!(
            "its cost is {cost}, and bcrypt begins at {LEAST_COST}"
        ));
    }
    if cost > MOST_COST {
        return Err(format!(
            "each login would compute for too long: its cost is {cost}, and may be {MOST_COST}"
        ));
    }
    Ok(())
}
