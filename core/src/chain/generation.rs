//! The filters that serve at one time, for all workers. `plugins` publishes each new generation.

use std::sync::Arc;

use super::member::Member;

/// One generation of filters, in the order in which they are asked. Immutable; a request sees one
/// generation only.
#[derive(Debug, Default)]
pub(crate) struct Chain {
    members: Box<[Arc<Member>]>,
}

impl Chain {
    pub(crate) fn new(members: impl IntoIterator<Item = Arc<Member>>) -> Self {
        Self {
            members: members.into_iter().collect(),
        }
    }

    /// The filters, in order.
    pub(crate) fn members(&self) -> impl Iterator<Item = &Arc<Member>> {
        self.members.iter()
    }
}
