//! How many connections or tunnels each client has, so that one cannot take those of all. Asked
//! where connections are accepted, by `tunnels`, and by `forward` for uploads that may outlive the
//! connection.

use std::collections::HashMap;
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::OwnedSemaphorePermit;

use crate::flow::ClientKey;

/// How many connections or tunnels each client has.
#[derive(Clone, Debug, Default)]
pub(crate) struct Clients(Arc<Mutex<HashMap<ClientKey, usize>>>);

/// One of them, counted until this is dropped.
#[derive(Debug)]
pub(crate) struct ClientPermit {
    clients: Clients,
    client: ClientKey,
    /// How many the client may have.
    most: usize,
}

/// Room for a connection, which is free again when this is dropped.
#[derive(Debug)]
pub(crate) struct ConnectionPermit {
    of_all: OwnedSemaphorePermit,
    /// None if the client's connections are not counted.
    of_client: Option<ClientPermit>,
}

impl ConnectionPermit {
    pub(crate) fn new(of_all: OwnedSemaphorePermit, of_client: Option<ClientPermit>) -> Self {
        Self { of_all, of_client }
    }

    /// Room for an upload that may go on when the client's connection has ended. One has that of
    /// the connection; any other takes as much again. None if the client, or all of them, have as
    /// many connections as they may.
    pub(crate) fn for_upload(self: &Rc<Self>) -> Option<Rc<Self>> {
        if Rc::strong_count(self) == 1 {
            return Some(self.clone());
        }
        let of_client = match &self.of_client {
            Some(permit) => Some(permit.another()?),
            None => None,
        };
        let of_all = self.of_all.semaphore().clone().try_acquire_owned().ok()?;
        Some(Rc::new(Self::new(of_all, of_client)))
    }
}

impl ClientPermit {
    fn another(&self) -> Option<Self> {
        self.clients.count(self.client, self.most)
    }
}

impl Clients {
    /// None if the client has as many as it may.
    pub(crate) fn permit(&self, client: IpAddr, most: usize) -> Option<ClientPermit> {
        self.count(ClientKey::of(Some(client.to_canonical())), most)
    }

    fn count(&self, client: ClientKey, most: usize) -> Option<ClientPermit> {
        let mut counts = self.counts();
        let count = counts.entry(client).or_default();
        // Not zero, or it would have been removed.
        if *count >= most.max(1) {
            return None;
        }
        *count += 1;
        Some(ClientPermit {
            clients: self.clone(),
            client,
            most,
        })
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<ClientKey, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for ClientPermit {
    fn drop(&mut self) {
        let mut counts = self.clients.counts();
        if let Some(count) = counts.get_mut(&self.client) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.client);
            }
        }
    }
}

#[cfg(any(test, fuzzing))]
impl ConnectionPermit {
    /// Room for one connection where there is no other.
    pub(crate) fn of_test() -> Self {
        let all = Arc::new(tokio::sync::Semaphore::new(1));
        Self::new(all.try_acquire_owned().expect("it is free"), None)
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::Semaphore;

    use super::*;

    #[test]
    fn uploads_beyond_the_first_of_a_connection_count_as_connections() {
        let (all, clients) = (Arc::new(Semaphore::new(4)), Clients::default());
        let client = "192.0.2.1".parse().unwrap();
        let of_all = all.clone().try_acquire_owned().unwrap();
        let permit = ConnectionPermit::new(of_all, clients.permit(client, 2));
        let connection = Rc::new(permit);

        let first = connection.for_upload().unwrap();
        assert_eq!(all.available_permits(), 3);
        let second = connection.for_upload().unwrap();
        assert_eq!(all.available_permits(), 2);
        assert!(connection.for_upload().is_none(), "the client may have two");
        drop(second);
        let _others = all.clone().try_acquire_many_owned(3).unwrap();
        assert!(connection.for_upload().is_none(), "all may have four");
        assert_eq!(clients.counts().len(), 1);

        drop(connection);
        assert_eq!(all.available_permits(), 0, "the first goes on");
        drop(first);
        assert_eq!(all.available_permits(), 1);
        assert!(clients.counts().is_empty());
    }

    #[test]
    fn all_addresses_of_a_network_of_64_bits_are_one_client() {
        let clients = Clients::default();
        let permit = |address: &str| clients.permit(address.parse().unwrap(), 2);
        let first = permit("2001:db8:1:2::1").unwrap();
        let second = permit("2001:db8:1:2:ffff:ffff:ffff:ffff").unwrap();
        assert!(permit("2001:db8:1:2:3::4").is_none());
        let _neighbour = permit("2001:db8:1:3::1").unwrap();

        drop(first);
        let third = permit("2001:db8:1:2:3::4").unwrap();
        drop((second, third));
        assert_eq!(clients.counts().len(), 1, "who has none is not kept");
    }

    #[test]
    fn an_ipv4_client_is_the_same_whichever_way_it_comes() {
        let clients = Clients::default();
        let permit = |address: &str| clients.permit(address.parse().unwrap(), 1);
        let _first = permit("192.0.2.1").unwrap();
        assert!(permit("::ffff:192.0.2.1").is_none());
        // All of them begin with the same 64 bits.
        let _other = permit("::ffff:192.0.2.2").unwrap();
    }
}
