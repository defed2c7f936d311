//! What the log tells of logins that are not verified, a few lines in each interval.

use std::net::IpAddr;
use std::sync::Mutex;
use std::time::Duration;

use super::{Client, WAITING, WAITING_PER_CLIENT, lock};
use crate::log::Throttle;

/// Time between two log lines about the same condition while it lasts.
const INTERVAL: Duration = Duration::from_secs(10);

/// Why no thread compares a password with its hash.
#[derive(Clone, Copy, Debug)]
pub(super) enum Unverified {
    /// The login has been right before.
    Known,
    /// The client has failed too often, and has to wait.
    Limited(Duration),
    /// The client has as many logins waiting as it may.
    Crowding,
    /// As many logins wait as may.
    Full,
}

/// What has been told. Each condition has lines of its own, so that none hides another.
#[derive(Debug)]
pub(super) struct Reports {
    limited: Mutex<Throttle>,
    crowding: Mutex<Throttle>,
    full: Mutex<Throttle>,
}

impl Default for Reports {
    fn default() -> Self {
        let of_clients = || Mutex::new(Throttle::new(INTERVAL, 3));
        Self {
            limited: of_clients(),
            crowding: of_clients(),
            full: Mutex::new(Throttle::new(INTERVAL, 1)),
        }
    }
}

impl Reports {
    /// Writes a line, unless there were such before. `address` is the client's.
    pub(super) fn tell(&self, why: Unverified, address: Option<IpAddr>) {
        let client = Client(address);
        let Some(suppressed) = self.admit(why, &client) else {
            return;
        };
        match why {
            Unverified::Known => {}
            Unverified::Limited(_) => tracing::warn!(
                %client,
                suppressed,
                "a client has failed to log in too often; its logins are answered with 429 for a while. If that is too \
                 strict, raise [auth] failures"
            ),
            Unverified::Crowding => tracing::warn!(
                %client,
                waiting = WAITING_PER_CLIENT,
                suppressed,
                "a client has as many logins waiting to be verified as it may; further ones of it are answered with 503. \
                 Logins that it has shown before are served"
            ),
            Unverified::Full => tracing::warn!(
                waiting = WAITING,
                suppressed,
                "as many logins wait to be verified as may; further ones are answered with 503. Clients that have logged \
                 in before are served"
            ),
        }
    }

    /// How many lines were suppressed before this one; none if it is suppressed, too.
    fn admit(&self, why: Unverified, client: &Client) -> Option<u64> {
        let (throttle, condition) = match why {
            Unverified::Known => return None,
            Unverified::Limited(_) => (&self.limited, client.to_string()),
            Unverified::Crowding => (&self.crowding, client.to_string()),
            Unverified::Full => (&self.full, String::new()),
        };
        lock(throttle).admit(&condition)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_that_guess_do_not_hide_that_there_is_no_room() {
        let reports = Reports::default();
        let client = |last| Client(Some(IpAddr::from([192, 0, 2, last])));
        let limited = Unverified::Limited(Duration::from_secs(1));
        let told = [1, 2, 3, 4, 1].map(|last| reports.admit(limited, &client(last)));
        assert_eq!(told, [Some(0), Some(0), Some(0), None, None]);
        assert_eq!(reports.admit(Unverified::Crowding, &client(1)), Some(0));
        assert_eq!(reports.admit(Unverified::Full, &client(5)), Some(0));
        assert_eq!(reports.admit(Unverified::Full, &client(6)), None);
    }
}
