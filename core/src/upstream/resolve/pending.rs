//! The names that are being looked up. Who asks for one of them waits for the answer with the
//! others. `resolve` asks here before it asks anything else.

use std::collections::HashMap;
use std::future::Future;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared, WeakShared};

use super::failure::Failure;

/// What becomes of a name.
pub(super) type Found<T = Arc<[IpAddr]>> = Result<T, Failure>;

/// The lookups that have not ended. They are driven by those who wait, and end with the last of
/// them.
#[derive(Clone, Debug)]
pub(super) struct Pending<T = Arc<[IpAddr]>>(Arc<Mutex<Lookups<T>>>);

type Lookup<T> = BoxFuture<'static, Found<T>>;

type Lookups<T> = HashMap<Arc<str>, WeakShared<Lookup<T>>>;

impl<T> Default for Pending<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T: Clone + Send + Sync + 'static> Pending<T> {
    /// The lookup of `host` that is on its way.
    pub(super) fn get(&self, host: &str) -> Option<Shared<Lookup<T>>> {
        self.lookups().get(host).and_then(WeakShared::upgrade)
    }

    /// The lookup of `host` that is on its way, or the one that `start` makes.
    pub(super) fn join<F>(&self, host: &str, start: impl FnOnce() -> F) -> Shared<Lookup<T>>
    where
        F: Future<Output = Found<T>> + Send + 'static,
    {
        let mut lookups = self.lookups();
        if let Some(lookup) = lookups.get(host).and_then(WeakShared::upgrade) {
            return lookup;
        }
        let host: Arc<str> = host.into();
        let forget = Forget {
            pending: self.clone(),
            host: host.clone(),
        };
        let lookup = start();
        let lookup = async move {
            let _forget = forget;
            lookup.await
        };
        let lookup = lookup.boxed().shared();
        lookups.insert(host, lookup.downgrade().expect("it was not polled"));
        lookup
    }
}

impl<T> Pending<T> {
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.lookups().is_empty()
    }

    fn lookups(&self) -> MutexGuard<'_, Lookups<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes a lookup off the list when it ends, or when nothing waits for it any more.
struct Forget<T> {
    pending: Pending<T>,
    host: Arc<str>,
}

impl<T> Drop for Forget<T> {
    fn drop(&mut self) {
        self.pending.lookups().remove(&self.host);
    }
}
