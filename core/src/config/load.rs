//! Makes a `Config` of what the file, the environment and the flags say.

use std::fs::File;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::declaration::{Declaration, schema_of};
use super::document::Document;
use super::feed::{Feed, Preset};
use super::file;
use super::layers::Layers;
use super::sources::{DEFAULT_FILE, Sources};
use super::{
    Compiler, Config, ConfigError, Followed, Listen, NameServer, NamedListener, OwnListeners,
    ParentProxy,
};

/// A configuration file is not longer, in bytes. That is enough for a hundred thousand entries.
const LONGEST_FILE: u64 = 16 << 20;

/// Opens a configuration file.
type Open = fn(&Path) -> io::Result<File>;

impl Config {
    /// Reads all sources. What none of them says is as in [`Config::default`], also of the default
    /// feed. Paths in the file are meant from where the file is.
    pub fn load(sources: &Sources) -> Result<Self, ConfigError> {
        Self::load_with(sources, open_any)
    }

    fn load_with(sources: &Sources, open: Open) -> Result<Self, ConfigError> {
        let file = sources.config_file();
        let (text, is_stream) = match &file {
            Some(file) => read(file, open)?,
            None => (String::new(), false),
        };
        let mut config = Self::parse(text, file.clone(), sources)?;
        // One that is not there yet may come.
        let followed = file.unwrap_or_else(|| sources.default_file());
        config.followed = Some(Followed::new(sources, followed, is_stream, config.clone()));
        Ok(config)
    }

    /// The same with the text of the file; `file` is named in errors, and paths are meant from
    /// where it is.
    pub(crate) fn parse(
        text: String,
        file: Option<PathBuf>,
        sources: &Sources,
    ) -> Result<Self, ConfigError> {
        let path = file.as_deref().unwrap_or(Path::new(DEFAULT_FILE));
        let document = Document { path, text: &text };
        let schema = schema_of::<Self>();
        let mut layers = Layers::new(document, Declaration(&schema))?;
        layers.resolve_paths(path.parent().unwrap_or(path))?;
        // Variables may be for it.
        layers.add_table(&["feeds", Feed::DEFAULT]);
        layers.add_variables(&sources.variables)?;
        layers.add_flags(&sources.flags)?;
        add_default_feed(&mut layers);
        add_presets(&mut layers);

        let mut config: Self = layers.read()?;
        config.check(&layers)?;
        config.compiler.cache_dir = Compiler::cache_within(&config.cache.dir);
        config.plugins.dir_must_exist = layers.contains(&["plugins", "dir"]);
        if let (false, Some(file)) = (config.plugins.dir_must_exist, &file) {
            // A default is meant from the file's folder, too.
            config.plugins.dir = file.with_file_name(&config.plugins.dir);
        }
        if !config.listeners.is_empty() && !layers.contains(&["proxy", "listen"]) {
            // Settings that name listeners do not mean the default one.
            config.proxy.listen = Listen::from_iter([]);
        }
        check_listeners(&config, &layers)?;
        check_servers(&config, &layers)?;
        config.file = file;
        Ok(config)
    }

    /// Fails if the settings make no sense together.
    fn check(&self, layers: &Layers<'_>) -> Result<(), ConfigError> {
        for (name, feed) in &self.feeds {
            if let Some(problem) = feed.problem() {
                let keys: Vec<&str> = ["feeds", name].into_iter().chain(problem.key).collect();
                return Err(layers.problem_at(&keys, &problem.text));
            }
        }
        if layers.contains(&["auth"]) && !self.auth.is_on() {
            let problem = "`users` is missing; add users = \"FILE\", or remove the table if no client is to log in";
            return Err(layers.problem_at(&["auth"], problem));
        }
        for (name, group) in &self.groups {
            if let Some(problem) = group.problem(self.auth.is_on()) {
                return Err(layers.problem_at(&["groups", name], problem));
            }
        }
        for (name, upstream) in &self.upstream {
            if let Some(problem) = upstream.problem(|group| self.groups.contains_key(group)) {
                return Err(layers.problem_at(&["upstream", name], &problem));
            }
        }
        if let Some((keys, problem)) = self.egress.problem() {
            return Err(layers.problem_at(keys, problem));
        }
        if let Some(problem) = self.clients.problem() {
            return Err(layers.problem_at(&["clients", "open"], problem));
        }
        Ok(())
    }
}

impl Followed {
    /// Reads the file again, with the flags and variables of the start. A pipe that has taken its
    /// place is not opened, as that would wait for its writer.
    pub(crate) fn read(&self) -> Result<Config, ConfigError> {
        Config::load_with(self.sources(), file::open)
    }
}

/// Looks for listeners that contradict themselves or each other.
fn check_listeners(config: &Config, layers: &Layers<'_>) -> Result<(), ConfigError> {
    for (name, listener) in &config.listeners {
        if let Some(problem) = listener.problem() {
            let keys = ["listeners", name, problem.key];
            return Err(layers.problem_at(&keys, problem.text));
        }
    }
    let listeners = config.listeners();
    if listeners.is_empty() {
        let problem = "no client could connect anywhere; name an address, or remove the line";
        return Err(layers.problem_at(&["proxy", "listen"], problem));
    }
    for (at, listener) in listeners.iter().enumerate() {
        let address = &listener.settings.address;
        let chosen_by_system = address.socket().is_some_and(|address| address.port() == 0);
        let is_same = |other: &NamedListener| other.settings.address == *address;
        if !chosen_by_system && listeners[..at].iter().any(is_same) {
            let problem = format!("there are two listeners at {address}; remove one of them");
            let keys = match &listener.name {
                Some(name) => vec!["listeners", name, "address"],
                None => vec!["proxy", "listen"],
            };
            return Err(layers.problem_at(&keys, &problem));
        }
    }
    Ok(())
}

/// Looks for DNS servers and parent proxies that are written as an address of the proxy itself. The
/// proxy connects to none of these, whether they are written so or found.
fn check_servers(config: &Config, layers: &Layers<'_>) -> Result<(), ConfigError> {
    let own = OwnListeners::of(&config.listeners());
    let check = |keys: &[&str], addresses: Vec<Option<SocketAddr>>| {
        let is_own = |address: &Option<SocketAddr>| address.is_some_and(|it| own.have(it));
        match addresses.iter().position(is_own) {
            None => Ok(()),
            Some(at) => Err(layers.problem_in(
                keys,
                at,
                "the proxy itself listens there, and would wait for its own answer; write another address, or have the \
                 proxy listen elsewhere",
            )),
        }
    };
    let servers = |servers: &[NameServer]| servers.iter().map(NameServer::address).collect();
    check(&["egress", "resolvers"], servers(&config.egress.resolvers))?;
    for (domain, split) in &config.egress.name_servers {
        check(&["egress", "name_servers", domain], servers(split))?;
    }
    for (name, upstream) in &config.upstream {
        let proxies = upstream.proxy.iter().map(ParentProxy::address).collect();
        check(&["upstream", name, "proxy"], proxies)?;
    }
    Ok(())
}

/// Adds what is not said of the default feed. Who names another source says nothing of its format,
/// and the default one is not meant then.
fn add_default_feed(layers: &mut Layers<'_>) {
    let key = |key| ["feeds", Feed::DEFAULT, key];
    if !["url", "urls", "preset"]
        .into_iter()
        .any(|name| layers.contains(&key(name)))
    {
        for (name, text) in Feed::default_source() {
            layers.add_text(&key(name), text);
        }
    }
}

/// Adds how often the lists of presets are fetched, where that is not said.
fn add_presets(layers: &mut Layers<'_>) {
    for name in layers.keys_below("feeds") {
        let preset = layers.text_at(&["feeds", &name, "preset"]);
        if let Some(preset) = preset.and_then(Preset::of) {
            let refresh = humantime::format_duration(preset.refresh()).to_string();
            layers.add_text(&["feeds", &name, "refresh"], refresh);
        }
    }
}

/// Opens what is there at a start, also a pipe, whose writer it waits for.
fn open_any(file: &Path) -> io::Result<File> {
    File::open(file)
}

/// Returns what it says, and whether it is a pipe or a device.
fn read(path: &Path, open: Open) -> Result<(String, bool), ConfigError> {
    let read = || -> io::Result<_> {
        let file = open(path)?;
        let is_stream = !file.metadata()?.is_file();
        Ok((file::text_of(file, LONGEST_FILE)?, is_stream))
    };
    read().map_err(|source| ConfigError::Read {
        path: path.to_owned(),
        source,
    })
}
