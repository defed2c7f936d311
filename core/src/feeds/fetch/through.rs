//! Lists that are fetched through a parent proxy, as the settings have it for their servers.

use std::sync::Arc;

use reqwest::Proxy;
use url::Url;

use super::http::Prohibited;
use super::{FetchError, Fetcher};
use crate::flow::Client;
use crate::target::Target;
use crate::upstream::{Parent, Scheme};

/// The parent proxy that a server is asked through.
pub(super) struct Through {
    parent: Arc<Parent>,
    /// Where the proxy is.
    pub(super) proxy: Target,
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
        Ok(candidates.first().map(|member| Self {
            proxy: member.target().clone(),
            url: parent.url_of(member),
            parent: parent.clone(),
        }))
    }

    /// What can be said of a server to which another one redirects, as the proxy resolves its name.
    pub(super) fn judge(&self, target: &Target, fetcher: &Fetcher) -> Result<(), Prohibited> {
        let Some(policy) = &fetcher.policy else {
            return Ok(());
        };
        let judged = policy.judge_target(target, Scheme::Http);
        let judged = judged.and_then(|()| match target.ip() {
            Some(ip) => policy.judge(target, Scheme::Http, ip),
            None => Ok(()),
        });
        judged.map_err(|refusal| Prohibited(refusal.to_string()))
    }

    /// The same for the client.
    pub(super) fn proxy(&self) -> Result<Proxy, FetchError> {
        Proxy::all(self.url.clone()).map_err(FetchError::Http)
    }

    /// What the client trusts, if the settings say more of it than of other servers.
    pub(super) fn tls(&self) -> Option<rustls::ClientConfig> {
        self.parent.tls().map(|tls| tls.config().clone())
    }
}
