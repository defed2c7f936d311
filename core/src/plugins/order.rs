//! The order in which filters are asked, as the configuration file has it by now. `proxy` follows
//! the file; used by `plugins`.

use tokio::sync::watch;

/// The filters that are asked first, and whether that can be trusted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Order {
    pub(crate) names: Vec<String>,
    /// Why the configuration file, as it is now, cannot be used.
    pub(crate) fault: Option<String>,
}

/// Every later order.
#[derive(Debug)]
pub(super) struct Orders(watch::Receiver<Order>);

impl Orders {
    /// The file is not followed: there is none.
    pub(super) fn none() -> Self {
        Self::from(watch::channel(Order::default()).1)
    }

    /// Waits for the next one.
    pub(super) async fn next(&mut self) -> Order {
        if self.0.changed().await.is_err() {
            // None follows any more.
            std::future::pending().await
        }
        self.0.borrow_and_update().clone()
    }
}

impl From<watch::Receiver<Order>> for Orders {
    fn from(orders: watch::Receiver<Order>) -> Self {
        Self(orders)
    }
}
