//! What a filter writes down about an exchange.

use crate::proxy::ExchangeFacts;

/// What a filter has written down about an exchange. It can be read in the later hooks of the same
/// exchange, which may be called on other instances, and the access log has it under the filter's
/// name. Other filters do not see it.
///
/// A key is made of at most 64 of the characters a-z, 0-9 and `_`, a value has at most 1024 bytes,
/// and a filter can write 16 of them. What goes beyond is dropped, and the proxy's log says so.
///
/// ```
/// use portcullis_sdk::testing;
///
/// let exchange = testing::exchange("www.example");
/// exchange.notes().set("category", "news");
/// assert_eq!(exchange.notes().get("category").as_deref(), Some("news"));
/// assert_eq!(exchange.notes().get("other"), None);
/// ```
#[derive(Debug)]
pub struct Notes(ExchangeFacts);

impl Notes {
    pub(crate) fn new(facts: ExchangeFacts) -> Self {
        Self(facts)
    }

    /// What is written under a key. A verdict of a filter that has asked is never used again, since
    /// another exchange has other notes.
    pub fn get(&self, key: &str) -> Option<String> {
        self.0.note(key)
    }

    /// Writes a value in place of any before.
    pub fn set(&self, key: &str, value: impl AsRef<str>) {
        self.0.set_note(key, value.as_ref());
    }
}
