//! Lists that are fetched through a parent proxy, as the settings have it for their servers.

use std::net::SocketAddr;
use std::sync::Arc;

use reqwest::{Proxy, Response};
use url::Url;

use super::prohibited::Prohibited;
use super::{FetchError, Fetcher};
use crate::flow::Client;
use crate::target::Target;
use crate::upstream::{Fault, Parent, Scheme};

/// The parent proxy that a server is asked through.
pub(super) struct Through {
    parent: Arc<Parent>,
    /// Where the proxy is.
    pub(super) proxy: Target,
    /// Its place among those of the settings.
    place: usize,
    url: Url,
}

impl Through {
    /// None if the server is asked itself.
    pub(super) fn find(target: &Target, fetcher: &Fetcher) -> Result<Option<Self>, FetchError> {
        if let Some(why) = &fetcher.parents_error {
            return Err(FetchError::Upstream(why.clone()));
        }
        // The proxy itself is in no group.
        let Some(parent) = fetcher.parents.find(target, &Client::default()) else {
            return Ok(None);
        };
        let candidates = parent.candidates(target.host());
        Ok(candidates.first().map(|&place| Self {
            proxy: parent.member(place).target().clone(),
            url: parent.url_of(place),
            place,
            parent: parent.clone(),
        }))
    }

    /// How the proxy has fared. The next fetch is through another one if it has failed.
    pub(super) fn record(&self, answer: &Result<Response, reqwest::Error>) {
        match answer {
            Ok(_) => self.parent.record_reached(self.place),
            Err(error) if error.is_connect() => {
                let fault = Fault::Unreachable;
                self.parent.record_failure(self.place, fault, error);
            }
            Err(_) => {}
        }
    }

    /// What can be said of a server as the proxy resolves its name, but for those that are known
    /// here. One that the settings name may be anywhere, but for the proxy itself.
    pub(super) fn judge(
        target: &Target,
        is_named: bool,
        fetcher: &Fetcher,
    ) -> Result<(), Prohibited> {
        let Some(policy) = &fetcher.policy else {
            return Ok(());
        };
        let resolver = fetcher.resolver.as_ref();
        let known = match resolver {
            Some(resolver) => resolver.known(target).unwrap_or_default(),
            None => target.ip().into_iter().collect(),
        };
        let judged = if is_named {
            let mut addresses = known.iter();
            addresses.try_for_each(|ip| policy.judge_named(SocketAddr::new(*ip, target.port())))
        } else {
            policy.judge_unresolved(target, Scheme::Http, &known)
        };
        judged.map_err(|refusal| Prohibited(refusal.to_string()))
    }

    /// The same for the client.
    pub(super) fn proxy(&self) -> Result<Proxy, FetchError> {
        Proxy::all(self.url.clone()).map_err(FetchError::Http)
    }
}
