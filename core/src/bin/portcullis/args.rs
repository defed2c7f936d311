//! The command line: what to do, and the settings that have a flag. The only user of clap.

mod exec;
mod feed;
mod plugin;

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand};
use ipnet::IpNet;
use portcullis::commands::{Scope, TestedHost};
use portcullis::config::{ListenAddress, Sources, parse_network};

pub(crate) use self::exec::{Exec, Inside};
pub(crate) use self::feed::Feed;
pub(crate) use self::plugin::Plugin;

const EXAMPLES: &str = "\
Examples:
  portcullis                                   serve on 127.0.0.1:3000
  portcullis --listen 127.0.0.1:8080 --plugins /etc/portcullis/plugins
  portcullis check --config portcullis.toml    is everything right?
  portcullis explain malware.wicar.org         why is it blocked?
  portcullis explain --json http://a.example/b
  portcullis password ada >> users             one more who may log in
  portcullis allow shop.example --for 1h       let it pass for a while, whatever filters say
  portcullis feed lookup shop.example          which lists speak of it?
  portcullis plugin new no-ads                 a filter of my own
  portcullis plugin build no-ads               no-ads/no-ads.wasm
  portcullis plugin test no-ads/no-ads.wasm    does it answer as no-ads/cases.toml expects?
  portcullis plugin list                       which filters are there, and how are they doing?
  portcullis plugin check plugins/mine.wasm    what is it, and what does it need?
  portcullis plugin bench plugins/mine.wasm    what does it cost?
  portcullis replay access.log --plugin plugins/mine.wasm
                                               what would it have done?
  portcullis selftest                          does the proxy that runs refuse what it should?
  portcullis exec --allow pypi.org --allow pythonhosted.org -- pip install six
                                               a command that may reach these hosts

Settings come from flags, then from environment variables (PORTCULLIS_PROXY_LISTEN for [proxy] listen, and so on),
then from the configuration file, which --config or else PORTCULLIS_CONFIG names. Without either, portcullis.toml in the
working directory is read if it is there.

Exit codes: 0 done or stopped by a signal, 1 it did not start or could not be done, 2 the configuration, a plugin or
the command line is wrong, 130 ended at once by a second signal.";

/// A forward proxy that runs the host of every request through a chain of WASM filters
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES, max_term_width = 120)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Option<Command>,

    /// The configuration file; it must exist [default: ./portcullis.toml, if there]
    #[arg(long, short, global = true, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Where clients connect: IP:PORT or unix:PATH; may be given several times [default:
    /// 127.0.0.1:3000]
    #[arg(long, short, global = true, value_name = "ADDR")]
    listen: Vec<ListenAddress>,

    /// Clients that may use the proxy, such as 192.168.1.0/24 [default: this machine]
    #[arg(long, global = true, value_name = "NETWORKS", value_delimiter = ',', value_parser = parse_network)]
    clients: Vec<IpNet>,

    /// The folder of filters, watched for changes [default: plugins]
    #[arg(long, short, global = true, value_name = "DIR")]
    plugins: Option<PathBuf>,
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub(crate) enum Command {
    /// Serve until SIGINT or SIGTERM; what happens without a command
    Run,
    /// Check the configuration and every filter
    Check {
        /// Fetch every list, too
        #[arg(long)]
        fetch: bool,
        /// Write JSON
        #[arg(long)]
        json: bool,
    },
    /// Show what each filter answers for a host or URL, and why
    Explain {
        /// A host such as a.example, or a URL such as http://a.example/b
        #[arg(value_name = "HOST|URL")]
        subject: String,
        /// Who asks, an IP address: some filters look at that
        #[arg(long, value_name = "ADDRESS")]
        client: Option<IpAddr>,
        /// Whom the client has logged in as
        #[arg(long, value_name = "NAME")]
        user: Option<String>,
        /// Write JSON
        #[arg(long)]
        json: bool,
    },
    /// Let a host pass, whatever filters say
    ///
    /// A running proxy takes the decision up at once, and it precedes every filter. Of several
    /// decisions about a host, the one for the client counts, then the one for the user, then the
    /// one for a group, then that of the longer name, then the one that denies.
    Allow(Decision),
    /// Refuse a host, whatever filters say; see `allow`
    Deny(Decision),
    /// Let every host pass for a while that is not denied for the same clients; see `allow`
    Pause {
        /// For how long, such as 10m or 1h 30m
        #[arg(value_name = "TIME", value_parser = humantime::parse_duration)]
        time: Duration,
        #[command(flatten)]
        scope: ScopeArgs,
        /// Write JSON
        #[arg(long)]
        json: bool,
    },
    /// Show decisions, or take them back
    #[command(subcommand)]
    Decisions(Decisions),
    /// Print a line for the file of users that [auth] names
    ///
    /// The password is asked for on the terminal, twice. Where standard input is not a terminal,
    /// its first line is the password.
    Password {
        /// The user's name
        name: String,
    },
    /// Ask about the lists of hosts, or fetch them now
    #[command(subcommand)]
    Feed(Feed),
    /// Show what would change if a filter were on
    ///
    /// Asks the filter about each host in an access log of the proxy, and compares its answers with
    /// what has happened. It runs in its sandbox, with the settings in NAME.toml beside it; feeds
    /// are read from the copies on disk.
    Replay {
        /// The proxy's access log, logfmt or JSON; - for standard input
        #[arg(value_name = "ACCESS_LOG")]
        log: PathBuf,
        /// NAME.wasm, or the name of a built-in filter
        #[arg(long, value_name = "FILE")]
        plugin: PathBuf,
        /// Write JSON
        #[arg(long)]
        json: bool,
    },
    /// Run a command whose hosts go through a proxy of its own
    ///
    /// The proxy is in the command's environment (HTTP_PROXY and its relatives), and ends with it.
    /// Which hosts were reached and which were refused is said at the end, on standard error. The
    /// exit code is the command's. Of settings, only a file that is named is read, and no address
    /// is reached that is not public unless --allow names it.
    Exec(Exec),
    /// Ask the proxy that runs for what its settings should refuse, and compare
    ///
    /// Every listener is asked by HTTP, CONNECT and SOCKS for names that are refused, for addresses
    /// in every spelling, for the proxy itself, and with other names in handshakes of TLS. What the
    /// settings let pass is asked for on this machine alone, unless --allowed names a host. Where
    /// clients log in, one wrong login is tried. Exit code 1 if something is not as the settings
    /// say, 2 if nothing could be tried.
    Selftest(SelfTestArgs),
    /// Ask the proxy in place of a command of `exec`, which starts this
    #[command(hide = true)]
    SelftestInside,
    /// Become the command of `exec --enforce`, which starts this
    #[command(hide = true)]
    ExecInside(Inside),
    /// Make an allowlist of the hosts that have passed
    ///
    /// It is written to standard output: settings of the built-in filter `allowlist`, which are put
    /// into the plugin folder as allowlist.toml, or which `exec --allow-from` reads.
    Propose {
        /// The proxy's access log, logfmt or JSON; - for standard input
        #[arg(value_name = "ACCESS_LOG")]
        log: PathBuf,
        /// Write JSON
        #[arg(long)]
        json: bool,
    },
    /// Work on one filter
    #[command(subcommand)]
    Plugin(Plugin),
}

/// What a self-test is told.
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
pub(crate) struct SelfTestArgs {
    /// A user to log in as. The password is asked for on the terminal; where standard input is no
    /// terminal, its first line is the password
    #[arg(long, value_name = "NAME")]
    pub(crate) user: Option<String>,
    /// A host that the settings let pass, with or without a port, to which requests may be sent
    #[arg(long, value_name = "HOST")]
    pub(crate) allowed: Option<TestedHost>,
    /// Write JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// What is decided about one host.
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
pub(crate) struct Decision {
    /// A host, and with it the names below it
    pub(crate) host: String,
    /// Not the names below it
    #[arg(long)]
    pub(crate) exact: bool,
    /// For how long, such as 10m or 1h 30m [default: until it is removed]
    #[arg(long = "for", value_name = "TIME", value_parser = humantime::parse_duration)]
    pub(crate) time: Option<Duration>,
    #[command(flatten)]
    pub(crate) scope: ScopeArgs,
    /// Write JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// For whom something is decided.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub(crate) struct ScopeArgs {
    /// For the client at this address alone [default: for all clients]
    #[arg(long, value_name = "ADDRESS", conflicts_with_all = ["user", "group"])]
    client: Option<IpAddr>,
    /// For this user alone, wherever the user has logged in
    #[arg(long, value_name = "NAME", conflicts_with = "group")]
    user: Option<String>,
    /// For the clients in this group of the configuration alone
    #[arg(long, value_name = "NAME")]
    group: Option<String>,
}

impl ScopeArgs {
    pub(crate) fn into_scope(self) -> Scope {
        match (self.client, self.user, self.group) {
            (Some(address), ..) => Scope::Client(address),
            (None, Some(user), _) => Scope::User(user),
            (None, None, Some(group)) => Scope::Group(group),
            (None, None, None) => Scope::All,
        }
    }
}

/// What to do with decisions that were made.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub(crate) enum Decisions {
    /// Show those that hold, with their numbers
    List {
        /// Write JSON
        #[arg(long)]
        json: bool,
    },
    /// Take some back
    Remove {
        /// Their numbers
        #[arg(value_name = "NUMBER", required = true)]
        ids: Vec<u32>,
    },
}

impl Args {
    /// What to do, and where its settings come from.
    pub(crate) fn into_parts(self) -> (Command, Sources) {
        let mut sources = Sources::default();
        sources.file = self.config;
        sources.variables = std::env::vars_os().collect();
        sources.flags.listen = self.listen;
        sources.flags.clients = self.clients;
        sources.flags.plugins_dir = self.plugins;
        (self.command.unwrap_or(Command::Run), sources)
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parts(line: &str) -> Result<(Command, Sources), clap::Error> {
        Args::try_parse_from(line.split(' ')).map(Args::into_parts)
    }

    #[test]
    fn the_definition_is_sound() {
        Args::command().debug_assert();
    }

    #[test]
    fn flags_stand_before_or_after_the_command() {
        for line in [
            "portcullis --config a.toml --listen [::1]:1 --plugins b",
            "portcullis run --config a.toml --listen [::1]:1 --plugins b",
            "portcullis --config a.toml run -l [::1]:1 -p b",
        ] {
            let (command, sources) = parts(line).unwrap();
            assert_eq!(command, Command::Run, "{line}");
            assert_eq!(sources.file, Some("a.toml".into()));
            assert_eq!(sources.flags.listen, ["[::1]:1".parse().unwrap()]);
            assert_eq!(sources.flags.plugins_dir, Some("b".into()));
        }
        let (_, sources) = parts("portcullis -l [::1]:1 --listen 127.0.0.1:2").unwrap();
        assert_eq!(sources.flags.listen.len(), 2);
        assert_eq!(
            parts("portcullis check -c a.toml").unwrap().0,
            Command::Check {
                fetch: false,
                json: false
            }
        );
        let line = "portcullis explain a.example --client ::1 --user ada --json";
        let (command, _) = parts(line).unwrap();
        let subject = "a.example".to_owned();
        assert_eq!(
            command,
            Command::Explain {
                subject,
                client: Some("::1".parse().unwrap()),
                user: Some("ada".to_owned()),
                json: true
            }
        );
    }

    #[test]
    fn a_wrong_line_is_refused() {
        for line in [
            "portcullis serve",
            "portcullis --listen 3000",
            "portcullis --lisen [::1]:1",
            "portcullis explain",
            "portcullis explain a.example --client b.example",
            "portcullis check more",
            "portcullis plugin",
            "portcullis plugin bench a.wasm --calls 0",
            "portcullis plugin test",
            "portcullis replay a.log",
            "portcullis plugin new",
            "portcullis plugin new a --lang cobol",
            "portcullis plugin check",
            "portcullis allow",
            "portcullis deny a.example --for tomorrow",
            "portcullis deny a.example --client 10.0.0.1 --group b",
            "portcullis deny a.example --user ada --group b",
            "portcullis password",
            "portcullis pause",
            "portcullis decisions",
            "portcullis decisions remove",
            "portcullis decisions remove a.example",
            "portcullis feed",
            "portcullis feed lookup",
            "portcullis exec",
            "portcullis exec --allow a.example",
            "portcullis exec --selftest -- true",
            "portcullis exec --allowed a.example -- true",
            "portcullis selftest a.example",
            "portcullis selftest --allowed http://a.example/",
            "portcullis exec --allow *.a.example -- true",
            "portcullis exec --allow a.example --learn b.toml -- true",
            "portcullis propose",
        ] {
            assert_eq!(parts(line).unwrap_err().exit_code(), 2, "{line}");
        }
    }
}
