//! Where filters get numbers from that cannot be predicted, or, in test cases, the same numbers
//! again.

use std::sync::{Arc, Mutex, PoisonError};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// Random numbers. Clones draw from one sequence.
#[derive(Clone, Debug, Default)]
pub(crate) enum Random {
    /// Not to be predicted.
    #[default]
    System,
    /// The same in every run.
    Seeded(Arc<Mutex<StdRng>>),
}

impl Random {
    /// Numbers that depend on nothing but the seed.
    pub(crate) fn seeded(seed: u64) -> Self {
        Self::Seeded(Arc::new(Mutex::new(StdRng::seed_from_u64(seed))))
    }

    pub(super) fn number(&self) -> u64 {
        match self {
            Self::System => rand::rng().next_u64(),
            Self::Seeded(rng) => rng
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .next_u64(),
        }
    }

    pub(super) fn fill(&self, bytes: &mut [u8]) {
        match self {
            Self::System => rand::rng().fill_bytes(bytes),
            Self::Seeded(rng) => rng
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .fill_bytes(bytes),
        }
    }
}
