//! JSON for serde, written to be small: in the smallest filter, serde_json would be half of the file, for it always brings along how
//! to read and write numbers with a fraction. Here only a configuration that has such numbers pays for them. Called by `config`.

mod deserializer;
mod error;
mod reader;
#[cfg(test)]
mod tests;

use serde::de::DeserializeOwned;

use self::error::Error;
use self::reader::Reader;

/// Reads one value, and nothing after it.
pub(super) fn from_str<T: DeserializeOwned>(text: &str) -> Result<T, Error> {
    let mut reader = Reader::new(text);
    let value = T::deserialize(&mut reader)?;
    match reader.peek() {
        None => Ok(value),
        Some(_) => Err(reader.syntax()),
    }
}
