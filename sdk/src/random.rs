//! Numbers that cannot be predicted. Natively they are the same in every run, so that a test does
//! not depend on chance; [`testing::set_seed`](crate::testing::set_seed) chooses others.

use crate::proxy;

/// Any number.
///
/// ```
/// use portcullis_sdk::random;
///
/// /// Whether this is one exchange in a hundred.
/// fn is_sample() -> bool {
///     random::number() % 100 == 0
/// }
///
/// assert!((0..10_000).any(|_| is_sample()));
/// ```
pub fn number() -> u64 {
    proxy::random_number()
}

/// At most 4096 bytes; fewer if more are asked for.
///
/// ```
/// use portcullis_sdk::random;
///
/// assert_eq!(random::bytes(16).len(), 16);
/// assert_eq!(random::bytes(5000).len(), 4096);
/// assert_ne!(random::bytes(16), random::bytes(16));
/// ```
pub fn bytes(count: u32) -> Vec<u8> {
    proxy::random_bytes(count)
}
