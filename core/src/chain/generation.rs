//! The filters that serve at one time, for all workers. `plugins` publishes each new generation.

use std::sync::Arc;

use super::member::Member;
use super::missing::Missing;

/// One generation of filters, in the order in which they are asked. Immutable; a request sees one
/// generation only.
#[derive(Debug, Default)]
pub(crate) struct Chain {
    places: Box<[Place]>,
}

/// A place in a chain.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    Filter(Arc<Member>),
    Missing(Missing),
}

impl Chain {
    pub(crate) fn new(places: impl IntoIterator<Item = Place>) -> Self {
        Self {
            places: places.into_iter().collect(),
        }
    }

    /// Its places, in order.
    pub(crate) fn places(&self) -> impl Iterator<Item = &Place> {
        self.places.iter()
    }

    /// The filters, in order.
    pub(crate) fn members(&self) -> impl Iterator<Item = &Arc<Member>> {
        self.places().filter_map(|place| match place {
            Place::Filter(member) => Some(member),
            Place::Missing(_) => None,
        })
    }

    /// The places without a filter, in order.
    pub(crate) fn missing(&self) -> impl Iterator<Item = &Missing> {
        self.places().filter_map(|place| match place {
            Place::Filter(_) => None,
            Place::Missing(missing) => Some(missing),
        })
    }
}
