//! Settings as one source gives them: a file, the environment, flags. Everything is optional; sources are laid over each
//! other, and `config` makes valid values of what results.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use url::Url;

use super::value::{
    ByteCount, Connections, FeedName, ListSize, LogFilter, Refresh, Resolver, StackSize, Text,
};
use super::{AccessLogFormat, AccessLogTo, FeedFormat, LogFormat};

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Settings {
    pub(super) proxy: Proxy,
    pub(super) limits: Limits,
    pub(super) plugins: Plugins,
    pub(super) compiler: Compiler,
    pub(super) feeds: Option<BTreeMap<Text<FeedName>, Feed>>,
    pub(super) cache: Cache,
    pub(super) egress: Egress,
    pub(super) log: Log,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub(super) struct Proxy {
    pub(super) listen: Option<Text<SocketAddr>>,
    pub(super) workers: Option<Text<NonZeroUsize>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub(super) struct Limits {
    pub(super) connections: Option<Text<Connections>>,
    pub(super) request_head: Option<Text<Duration>>,
    pub(super) keep_alive: Option<Text<Duration>>,
    pub(super) resolve: Option<Text<Duration>>,
    pub(super) connect: Option<Text<Duration>>,
    pub(super) response_head: Option<Text<Duration>>,
    pub(super) idle: Option<Text<Duration>>,
    pub(super) half_closed: Option<Text<Duration>>,
    pub(super) shutdown: Option<Text<Duration>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub(super) struct Plugins {
    pub(super) dir: Option<PathBuf>,
    pub(super) order: Option<Vec<String>>,
    pub(super) deletion_grace: Option<Text<Duration>>,
    pub(super) stack: Option<Text<StackSize>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub(super) struct Compiler {
    pub(super) time: Option<Text<Duration>>,
    pub(super) memory: Option<Text<ByteCount>>,
    pub(super) cache: Option<Text<ByteCount>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub(super) struct Feed {
    pub(super) url: Option<Text<Url>>,
    pub(super) format: Option<Text<FeedFormat>>,
    pub(super) refresh: Option<Text<Refresh>>,
    pub(super) max_size: Option<Text<ListSize>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub(super) struct Cache {
    pub(super) dir: Option<PathBuf>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub(super) struct Egress {
    pub(super) resolvers: Option<Vec<Text<Resolver>>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub(super) struct Log {
    pub(super) format: Option<Text<LogFormat>>,
    pub(super) filter: Option<Text<LogFilter>>,
    pub(super) access: AccessLog,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub(super) struct AccessLog {
    pub(super) to: Option<Text<AccessLogTo>>,
    pub(super) format: Option<Text<AccessLogFormat>>,
}

impl Settings {
    /// These settings, and where they say nothing, those of `base`.
    pub(super) fn over(self, base: Self) -> Self {
        Self {
            proxy: Proxy {
                listen: self.proxy.listen.or(base.proxy.listen),
                workers: self.proxy.workers.or(base.proxy.workers),
            },
            limits: self.limits.over(base.limits),
            plugins: Plugins {
                dir: self.plugins.dir.or(base.plugins.dir),
                order: self.plugins.order.or(base.plugins.order),
                deletion_grace: self.plugins.deletion_grace.or(base.plugins.deletion_grace),
                stack: self.plugins.stack.or(base.plugins.stack),
            },
            compiler: Compiler {
                time: self.compiler.time.or(base.compiler.time),
                memory: self.compiler.memory.or(base.compiler.memory),
                cache: self.compiler.cache.or(base.compiler.cache),
            },
            feeds: match (self.feeds, base.feeds) {
                (Some(feeds), Some(base)) => Some(feeds_over(feeds, base)),
                (feeds, base) => feeds.or(base),
            },
            cache: Cache {
                dir: self.cache.dir.or(base.cache.dir),
            },
            egress: Egress {
                resolvers: self.egress.resolvers.or(base.egress.resolvers),
            },
            log: Log {
                format: self.log.format.or(base.log.format),
                filter: self.log.filter.or(base.log.filter),
                access: AccessLog {
                    to: self.log.access.to.or(base.log.access.to),
                    format: self.log.access.format.or(base.log.access.format),
                },
            },
        }
    }

    /// Paths in a file are meant from where the file is.
    pub(super) fn relative_to(mut self, dir: &Path) -> Self {
        let access_log = match &mut self.log.access.to {
            Some(Text(AccessLogTo::File(path))) => Some(path),
            _ => None,
        };
        let dirs = [self.plugins.dir.as_mut(), self.cache.dir.as_mut()];
        for path in dirs.into_iter().chain([access_log]).flatten() {
            *path = dir.join(&path);
        }
        self
    }
}

impl Limits {
    fn over(self, base: Self) -> Self {
        Self {
            connections: self.connections.or(base.connections),
            request_head: self.request_head.or(base.request_head),
            keep_alive: self.keep_alive.or(base.keep_alive),
            resolve: self.resolve.or(base.resolve),
            connect: self.connect.or(base.connect),
            response_head: self.response_head.or(base.response_head),
            idle: self.idle.or(base.idle),
            half_closed: self.half_closed.or(base.half_closed),
            shutdown: self.shutdown.or(base.shutdown),
        }
    }
}

impl Feed {
    fn over(self, base: Self) -> Self {
        Self {
            url: self.url.or(base.url),
            format: self.format.or(base.format),
            refresh: self.refresh.or(base.refresh),
            max_size: self.max_size.or(base.max_size),
        }
    }
}

fn feeds_over(
    feeds: BTreeMap<Text<FeedName>, Feed>,
    mut base: BTreeMap<Text<FeedName>, Feed>,
) -> BTreeMap<Text<FeedName>, Feed> {
    for (name, feed) in feeds {
        let below = base.remove(&name).unwrap_or_default();
        base.insert(name, feed.over(below));
    }
    base
}
