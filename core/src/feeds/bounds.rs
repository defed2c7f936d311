//! How many names a list may have, and how many it may lose at once. `feeds` asks before a list
//! serves. It knows nothing of where the list came from.

use crate::config::{Feed, OnShrink};

/// How near the number of names must be to that of the list which was held: within one in so many.
const NEAR: usize = 10;

/// How many names a list may have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bounds {
    min: Option<usize>,
    max: Option<usize>,
    on_shrink: OnShrink,
}

/// Why a list is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum OutOfBounds {
    #[error("it has {names} names, and min_entries is {min}")]
    TooFew { names: usize, min: usize },
    #[error("it has {names} names, and max_entries is {max}")]
    TooMany { names: usize, max: usize },
    /// It may be half of a list.
    #[error(
        "it has {names} names, fewer than half of the {serving} that serve; it is held until the \
         next fetch finds about as many"
    )]
    Shrunk { names: usize, serving: usize },
}

impl OutOfBounds {
    /// What the operator can do about it.
    pub(super) fn hint(self) -> &'static str {
        match self {
            Self::TooFew { .. } => "lower the feed's min_entries if the list is right",
            Self::TooMany { .. } => "raise the feed's max_entries if the list is right",
            Self::Shrunk { .. } => {
                "if the list is right there is nothing to do; on_shrink = 'apply' would use such a \
                 list at once"
            }
        }
    }
}

impl From<&Feed> for Bounds {
    fn from(feed: &Feed) -> Self {
        Self {
            min: feed.min_entries,
            max: feed.max_entries,
            on_shrink: feed.on_shrink,
        }
    }
}

impl Bounds {
    /// Whether a list with so many names may serve.
    pub(crate) fn check(self, names: usize) -> Result<(), OutOfBounds> {
        match (self.min, self.max) {
            (Some(min), _) if names < min => Err(OutOfBounds::TooFew { names, min }),
            (_, Some(max)) if names > max => Err(OutOfBounds::TooMany { names, max }),
            _ => Ok(()),
        }
    }

    /// Whether it may take the place of one with `serving` names. `held` is how many the list had
    /// that was held at the last fetch, if one was.
    pub(super) fn check_change(
        self,
        names: usize,
        serving: usize,
        held: Option<usize>,
    ) -> Result<(), OutOfBounds> {
        self.check(names)?;
        let has_shrunk = names < serving.div_ceil(2);
        let is_confirmed = held.is_some_and(|held| names.abs_diff(held) <= held / NEAR);
        if self.on_shrink == OnShrink::Hold && has_shrunk && !is_confirmed {
            return Err(OutOfBounds::Shrunk { names, serving });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_within_both_bounds() {
        let bounds = Bounds {
            min: Some(2),
            max: Some(3),
            ..Bounds::default()
        };
        let results = [1, 2, 3, 4].map(|names| bounds.check(names));
        assert_eq!(
            results,
            [
                Err(OutOfBounds::TooFew { names: 1, min: 2 }),
                Ok(()),
                Ok(()),
                Err(OutOfBounds::TooMany { names: 4, max: 3 })
            ]
        );
        assert_eq!(Bounds::default().check(0), Ok(()));
    }

    #[test]
    fn a_list_that_lost_more_than_half_is_held_until_about_as_many_come_again() {
        let bounds = Bounds::default();
        for (names, serving, held, is_used) in [
            (50, 100, None, true),
            (49, 100, None, false),
            (51, 101, None, true),
            (50, 101, None, false),
            (1, 2, None, true),
            (1, 3, None, false),
            (40, 100, Some(40), true),
            (44, 100, Some(40), true),
            (36, 100, Some(40), true),
            (45, 100, Some(40), false),
            (35, 100, Some(40), false),
            (2, 100, Some(1), false),
            (200, 100, Some(40), true),
            (5, 0, None, true),
        ] {
            let result = bounds.check_change(names, serving, held);
            let expected = if is_used {
                Ok(())
            } else {
                Err(OutOfBounds::Shrunk { names, serving })
            };
            assert_eq!(result, expected, "{names} of {serving}, held {held:?}");
        }
        let apply = Bounds {
            on_shrink: OnShrink::Apply,
            ..bounds
        };
        assert_eq!(apply.check_change(1, 100, None), Ok(()));
    }
}
