//! Makes the line of a user in the file that `[auth]` names: `portcullis password`.

use crate::config::{PasswordHash, name_problem};

/// As SOCKS has it (RFC 1929), in bytes.
const LONGEST: usize = 255;

/// A user who is to be added, with a name that clients can send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewUser {
    name: String,
}

/// Why there is no line for a user.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PasswordError {
    /// Clients could not send the name.
    #[error("{0}")]
    Name(&'static str),
    /// Clients could not send the password, or there is none.
    #[error("{0}")]
    Password(&'static str),
    /// The system has no random numbers.
    #[error("cannot make a hash: {0}")]
    System(String),
}

impl NewUser {
    /// A user of that name.
    ///
    /// # Errors
    ///
    /// If it is empty or longer than 255 bytes, or has a colon, a control character, or white
    /// space at its ends.
    pub fn new(name: &str) -> Result<Self, PasswordError> {
        match name_problem(name) {
            Some(problem) => Err(PasswordError::Name(problem)),
            None => Ok(Self {
                name: name.to_owned(),
            }),
        }
    }

    /// The line, with the argon2id hash of the password.
    ///
    /// # Errors
    ///
    /// If the password is empty or longer than 255 bytes, or has a control character.
    pub fn line(&self, password: &str) -> Result<String, PasswordError> {
        if let Some(problem) = password_problem(password) {
            return Err(PasswordError::Password(problem));
        }
        let hash = PasswordHash::make(password.as_bytes());
        let hash = hash.map_err(|error| PasswordError::System(error.to_string()))?;
        Ok(format!("{}:{hash}", self.name))
    }
}

fn password_problem(password: &str) -> Option<&'static str> {
    if password.is_empty() {
        return Some("the password is empty");
    }
    if password.len() > LONGEST {
        return Some("the password has more than 255 bytes, which clients of SOCKS cannot send");
    }
    // RFC 7617, section 2.
    password
        .chars()
        .any(char::is_control)
        .then_some("the password has a control character, which clients must not send")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_that_the_file_takes_and_has_a_salt_of_its_own() {
        let user = NewUser::new("ada").unwrap();
        let [one, other] = [(); 2].map(|()| user.line("pass: wörd").unwrap());
        assert_ne!(one, other);
        let hash = one.strip_prefix("ada:").unwrap();
        assert!(
            hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{hash}"
        );
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), format!("{one}\n")).unwrap();
        let users = crate::config::Users::read(file.path()).unwrap();
        let ada = users.find("ada").unwrap();
        assert!(ada.hash.is_of("pass: wörd".as_bytes()));
        assert!(!ada.hash.is_of(b"pass: word"));
    }

    #[test]
    fn what_clients_cannot_send_has_no_line() {
        for name in ["", "a:b", "a\nb", " a", &"a".repeat(256)] {
            assert!(NewUser::new(name).is_err(), "{name:?}");
        }
        let user = NewUser::new("ünï cödé").unwrap();
        for password in ["", "a\tb", &"a".repeat(256)] {
            assert!(user.line(password).is_err(), "{password:?}");
        }
    }
}
