//! The plugin folder made into a chain: one reconciler that looks at the folder, tries what changed aside, and publishes a new
//! generation. Whatever is wrong with a new file, the filter that served before goes on serving.

mod folder;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::builtin::Builtin;
use crate::chain::Chain;
use crate::config::{self, Sidecar};
use crate::error::Causes;
use crate::filter::{self, Filter, LoadError, Loader};
use folder::{Files, Listing, Watch};

/// The folder is looked at so often even if nothing hints at a change.
const POLL: Duration = Duration::from_secs(2);

/// A file is read when it looked the same twice, so long apart.
const SETTLE: Duration = Duration::from_millis(100);

/// A file that ends early may still be on its way for so long after it was last written to.
const COPY_PATIENCE: Duration = Duration::from_secs(3);

/// The folder, the filters made from it, and the workers' way to hear of them.
#[derive(Debug)]
pub(crate) struct Plugins {
    dir: PathBuf,
    order: Vec<String>,
    builtins: &'static [Builtin],
    loader: Loader,
    last_listing: Listing,
    plugins: BTreeMap<Arc<str>, Plugin>,
    chain: watch::Sender<Arc<Chain>>,
}

/// What became of one name.
#[derive(Debug, Default)]
struct Plugin {
    /// The files when they were last read.
    files: Files,
    /// What was last tried, used or refused: identical content is not tried again.
    digest: [u8; 32],
    filter: Option<Arc<Filter>>,
    refused: Option<String>,
    disabled: bool,
}

/// One plugin as the operator sees it.
#[derive(Debug)]
pub(crate) struct Status {
    pub(crate) name: Arc<str>,
    pub(crate) builtin: bool,
    pub(crate) disabled: bool,
    /// Why the newest version is not used.
    pub(crate) refused: Option<String>,
}

/// Whether a look at the folder left something to be looked at again soon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Look {
    Settled,
    Unsettled,
}

/// Why a plugin is not used.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("cannot read the file")]
    Read(#[from] io::Error),
    #[error(transparent)]
    Sidecar(#[from] config::ConfigError),
    #[error("there are settings, but no {0}.wasm beside them and no built-in filter of that name")]
    NoFilter(Arc<str>),
    #[error(transparent)]
    Load(#[from] LoadError),
}

impl Plugins {
    /// Loads what is there now. Faulty files are logged and left out.
    pub(crate) async fn open(
        settings: config::Plugins,
        builtins: &'static [Builtin],
        loader: Loader,
    ) -> Self {
        let mut plugins = Self {
            dir: settings.dir,
            order: settings.order,
            builtins,
            loader,
            last_listing: Listing::new(),
            plugins: BTreeMap::new(),
            chain: watch::Sender::new(Arc::default()),
        };
        plugins.last_listing = plugins.list().await;
        plugins.reconcile().await;
        plugins
    }

    /// The generation that serves, and every later one.
    pub(crate) fn chain(&self) -> watch::Receiver<Arc<Chain>> {
        self.chain.subscribe()
    }

    /// Every name that is known, in the order of the chain.
    pub(crate) fn status(&self) -> Vec<Status> {
        let status = |(name, plugin): (&Arc<str>, &Plugin)| Status {
            name: name.clone(),
            builtin: plugin.files.wasm.is_none(),
            disabled: plugin.disabled,
            refused: plugin.refused.clone(),
        };
        self.ordered().map(status).collect()
    }

    /// Keeps the chain true to the folder until shutdown.
    pub(crate) async fn run(mut self, shutdown: CancellationToken) {
        let mut watch = Watch::new(self.dir.clone());
        let keep = async {
            loop {
                watch.arm();
                match self.reconcile().await {
                    Look::Unsettled => tokio::time::sleep(SETTLE).await,
                    Look::Settled => {
                        tokio::select! {
                            () = watch.changed() => {}
                            () = tokio::time::sleep(POLL) => {}
                        }
                    }
                }
            }
        };
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = keep => {}
        }
    }

    /// One look: what changed since it was last read and has settled is tried, and a new chain published if need be.
    async fn reconcile(&mut self) -> Look {
        let listing = self.list().await;
        let names: BTreeSet<Arc<str>> = listing
            .keys()
            .chain(self.plugins.keys())
            .cloned()
            .chain(self.builtins.iter().map(|builtin| builtin.name.into()))
            .collect();
        let (mut look, mut changed) = (Look::Settled, false);
        for name in names {
            let files = listing.get(&name).cloned().unwrap_or_default();
            if self
                .plugins
                .get(&name)
                .is_some_and(|plugin| plugin.files == files)
            {
                continue;
            }
            if self.last_listing.get(&name).cloned().unwrap_or_default() != files {
                look = Look::Unsettled;
                continue;
            }
            match self.take_up(&name, files).await {
                Change::None => {}
                Change::Chain => changed = true,
                Change::Later => look = Look::Unsettled,
            }
        }
        self.last_listing = listing;
        if changed {
            self.publish();
        }
        look
    }

    /// Reads one plugin's files and puts the filter they make in place of the one before.
    async fn take_up(&mut self, name: &Arc<str>, files: Files) -> Change {
        let builtin = self.builtins.iter().find(|builtin| *builtin.name == **name);
        if files == Files::default() && builtin.is_none() {
            let removed = self.plugins.remove(name).and_then(|plugin| plugin.filter);
            tracing::info!(plugin = %name, "removed");
            return removed.map_or(Change::None, |_| Change::Chain);
        }
        let tried = match read(
            &self.dir,
            name,
            &files,
            builtin.map(|builtin| builtin.component),
        )
        .await
        {
            Ok(source) => {
                let plugin = self.plugins.entry(name.clone()).or_default();
                if plugin.digest == source.digest {
                    plugin.files = files;
                    return Change::None;
                }
                plugin.digest = source.digest;
                self.try_out(name, source).await
            }
            Err(error) => Err(error.into()),
        };
        let young = files
            .wasm
            .as_ref()
            .is_some_and(|stamp| stamp.is_younger_than(COPY_PATIENCE));
        let plugin = self.plugins.entry(name.clone()).or_default();
        match tried {
            Err(Refusal::Load(LoadError::Truncated)) if young => {
                plugin.digest = Default::default();
                Change::Later
            }
            Err(refusal) => {
                plugin.files = files;
                plugin.refuse(name, &refusal);
                Change::None
            }
            Ok(filter) => {
                plugin.files = files;
                plugin.accept(name, filter)
            }
        }
    }

    /// `None` if the operator has disabled it.
    async fn try_out(
        &self,
        name: &Arc<str>,
        source: Source,
    ) -> Result<Option<Arc<Filter>>, Refusal> {
        let sidecar = match source.sidecar {
            Some(text) => Sidecar::parse(&text, &self.dir.join(format!("{name}.toml")))?,
            None => Sidecar::default(),
        };
        if !sidecar.enabled {
            return Ok(None);
        }
        let wasm = source.wasm.ok_or_else(|| Refusal::NoFilter(name.clone()))?;
        Ok(Some(
            self.loader
                .load(name.clone(), wasm, settings(sidecar))
                .await?,
        ))
    }

    fn publish(&self) {
        let chain = Chain::new(
            self.ordered()
                .filter_map(|(_, plugin)| plugin.filter.clone()),
        );
        let names: Vec<&str> = chain.names().map(|name| &**name).collect();
        tracing::info!(chain = names.join(" > "), "filters in use");
        self.chain.send_replace(Arc::new(chain));
    }

    /// First the names that the configuration orders, then the rest by name.
    fn ordered(&self) -> impl Iterator<Item = (&Arc<str>, &Plugin)> {
        let listed = self
            .order
            .iter()
            .filter_map(|name| self.plugins.get_key_value(name.as_str()));
        let is_listed = |name: &str| self.order.iter().any(|listed| listed == name);
        listed.chain(
            self.plugins
                .iter()
                .filter(move |(name, _)| !is_listed(name)),
        )
    }

    async fn list(&self) -> Listing {
        let dir = self.dir.clone();
        let listing = tokio::task::spawn_blocking(move || folder::list(&dir)).await;
        match listing.map_err(io::Error::other).flatten() {
            Ok(listing) => listing,
            Err(error) => {
                tracing::warn!(
                    dir = %self.dir.display(),
                    %error,
                    "cannot list the plugin folder; the filters in use stay as they are"
                );
                self.last_listing.clone()
            }
        }
    }
}

/// What taking up a plugin did.
enum Change {
    None,
    /// The chain is another one.
    Chain,
    /// The file seems to be on its way still.
    Later,
}

impl Plugin {
    fn refuse(&mut self, name: &str, refusal: &Refusal) {
        let reason = Causes(refusal).to_string();
        let consequence = match &self.filter {
            Some(_) => "the version in use goes on serving",
            None => "requests are not judged by it",
        };
        tracing::error!(plugin = name, reason, consequence, "refused");
        self.refused = Some(reason);
    }

    fn accept(&mut self, name: &str, filter: Option<Arc<Filter>>) -> Change {
        self.refused = None;
        self.disabled = filter.is_none();
        let before = self.filter.take();
        tracing::info!(
            plugin = name,
            "{}",
            match (&before, &filter) {
                (_, None) => "disabled",
                (None, Some(_)) => "loaded",
                (Some(_), Some(_)) => "replaced",
            }
        );
        let change = if before.is_none() && filter.is_none() {
            Change::None
        } else {
            Change::Chain
        };
        self.filter = filter;
        change
    }
}

fn settings(sidecar: Sidecar) -> filter::Settings {
    filter::Settings {
        on_error: sidecar.on_error,
        limits: filter::Limits {
            cpu: sidecar.limits.cpu,
            wall: sidecar.limits.wall,
            memory: usize::try_from(sidecar.limits.memory).unwrap_or(usize::MAX),
        },
        config: serde_json::Value::Object(sidecar.config).to_string(),
    }
}

/// The contents of a plugin's files, read once.
struct Source {
    wasm: Option<Arc<[u8]>>,
    sidecar: Option<String>,
    digest: [u8; 32],
}

async fn read(
    dir: &Path,
    name: &str,
    files: &Files,
    builtin: Option<&'static [u8]>,
) -> io::Result<Source> {
    let wasm: Option<Arc<[u8]>> = match files.wasm {
        Some(_) => Some(
            tokio::fs::read(dir.join(format!("{name}.wasm")))
                .await?
                .into(),
        ),
        None => builtin.map(Into::into),
    };
    let sidecar = match files.sidecar {
        Some(_) => Some(tokio::fs::read_to_string(dir.join(format!("{name}.toml"))).await?),
        None => None,
    };
    let mut digest = Sha256::new();
    for part in [wasm.as_deref(), sidecar.as_ref().map(String::as_bytes)] {
        digest.update(
            part.map_or(u64::MAX, |part| part.len() as u64)
                .to_le_bytes(),
        );
        digest.update(part.unwrap_or_default());
    }
    Ok(Source {
        wasm,
        sidecar,
        digest: digest.finalize().into(),
    })
}
