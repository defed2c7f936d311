//! Whether a filter's instances last. Asked wherever one is replaced: by `chain` after a call, by
//! `plugins` after work in the background.

use super::{Failure, Instance};

/// How many instances may wear out soon: some calls need much memory.
const WORN_OUT_IN_A_ROW: u32 = 3;

/// How many instances of a filter in a row were worn out by a few calls.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Wear(u32);

impl Wear {
    /// Notes that an instance is replaced. Fails if one after the other is worn out: starting them
    /// would cost more than they do.
    pub(crate) fn replace(&mut self, instance: &Instance) -> Result<(), Failure> {
        let Some(failure) = instance.worn_out() else {
            self.0 = 0;
            return Ok(());
        };
        self.0 = self.0.saturating_add(1);
        if self.0 > WORN_OUT_IN_A_ROW {
            return Err(failure);
        }
        Ok(())
    }
}
