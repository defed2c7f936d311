//! How many connections or tunnels each client has, so that one cannot take those of all. Asked
//! where connections are accepted, and by `tunnels`.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::flow::ClientKey;

/// How many connections or tunnels each client has.
#[derive(Clone, Debug, Default)]
pub(crate) struct Clients(Arc<Mutex<HashMap<ClientKey, usize>>>);

/// One of them, counted until this is dropped.
#[derive(Debug)]
pub(crate) struct ClientPermit {
    clients: Clients,
    client: ClientKey,
}

impl Clients {
    /// None if the client has as many as it may.
    pub(crate) fn permit(&self, client: IpAddr, most: usize) -> Option<ClientPermit> {
        let client = ClientKey::of(Some(client.to_canonical()));
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

#[cfg(test)]
mod tests {
    use super::*;

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
