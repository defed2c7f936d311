//! Everything that can end an exchange without an answer from the origin, everything that can keep
//! the proxy from starting, and everything that can keep a command from saying something about a
//! filter.

mod line;

use std::any::Any;
use std::error::Error as StdError;
use std::io;
use std::path::PathBuf;

use http::StatusCode;

pub(crate) use self::line::ErrorChain;
use crate::config::{Exposed, ListenAddress, UsersError};
use crate::target::InvalidTarget;
pub use portcullis_contract::Escaped;

/// Why an exchange got no answer from its origin. Each variant is a different thing for the client.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The request breaks a rule of RFC 9110 or 9112.
    #[error("malformed request: {0}")]
    MalformedRequest(&'static str),
    /// The request's target is not a host and a port.
    #[error("malformed request target")]
    InvalidTarget(#[from] InvalidTarget),
    /// An absolute-form request for something else than plain HTTP.
    #[error("this proxy forwards http:// requests and CONNECT; use CONNECT for https")]
    UnsupportedScheme,
    /// A method that this proxy does not serve.
    #[error("this proxy does not serve that method")]
    MethodNotAllowed,
    /// An expectation that is not `100-continue` (RFC 9110, section 10.1.1).
    #[error("the only expectation that can be met is 100-continue")]
    ExpectationFailed,
    /// The settings do not let this client use the proxy.
    #[error("this client is in no network of [clients] allow, so this proxy does nothing for it")]
    ClientNotAllowed,
    /// The client has not said who it is, or not so that it is believed.
    #[error("{0}")]
    Unauthenticated(&'static str),
    /// The client has failed to log in too often. The number is of seconds.
    #[error("this client has failed to log in too often; it may try again in {0} s")]
    TooManyLogins(u64),
    /// What came is not HTTP/1.1.
    #[error("malformed request")]
    NotHttp(#[source] hyper::Error),
    /// The request is of another version of HTTP.
    #[error("this proxy speaks HTTP/1.1 and HTTP/1.0 with its clients")]
    VersionNotSupported,
    /// The request's first line is longer than a head may be.
    #[error("the request's target is longer than [limits] head_size or than 64 KiB")]
    TargetTooLong,
    /// The request's head is larger than the proxy takes.
    #[error("the request's head is larger than [limits] head_size or has more than 1000 fields")]
    HeadTooLarge,
    /// The client stopped in the middle of its request.
    #[error("the request did not arrive in time")]
    RequestTimeout,
    /// The client sends the body of its request at less than the lowest rate.
    #[error("the body of the request arrived too slowly")]
    RequestTooSlow,
    /// The name does not resolve.
    #[error("{host} does not resolve")]
    Dns {
        /// The canonical host.
        host: String,
        /// What the resolver said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The resolver did not answer in time.
    #[error("resolving {host} took too long")]
    DnsTimeout {
        /// The canonical host.
        host: String,
    },
    /// The target is this proxy itself.
    #[error("the request would come back to this proxy")]
    Loop,
    /// The settings prohibit the target, whatever its addresses are.
    #[error("{0}")]
    Prohibited(String),
    /// The settings prohibit the addresses of the target.
    #[error("{0}")]
    AddressProhibited(String),
    /// No address of the host accepted a connection.
    #[error("cannot connect to {target}")]
    Connect {
        /// `host:port`.
        target: String,
        /// The failure of the address tried last.
        #[source]
        source: io::Error,
    },
    /// No address of the host answered in time.
    #[error("connecting to {target} took too long")]
    ConnectTimeout {
        /// `host:port`.
        target: String,
    },
    /// A parent proxy is well, and does not lead to the target.
    #[error("{0}")]
    Parent(String),
    /// The origin closed the connection or sent something that is not HTTP.
    #[error("the origin broke off or sent an invalid response")]
    Upstream(#[source] hyper::Error),
    /// The head of the origin's response is larger than the proxy takes.
    #[error(
        "the head of the origin's response is larger than [limits] head_size or has more than 1000 fields"
    )]
    ResponseHeadTooLarge,
    /// The origin closed the connection before it took the request.
    #[error("the origin closed the connection")]
    Closed,
    /// The origin's response breaks a rule of RFC 9110 or 9112 that makes it unsafe to forward.
    #[error("the origin sent an invalid response: {0}")]
    InvalidResponse(&'static str),
    /// The origin did not begin its response in time.
    #[error("the origin did not answer in time")]
    ResponseTimeout,
    /// The body of the response took longer than it may.
    #[error("the response did not end in time")]
    ResponseTooSlow,
    /// There is no room for the connection.
    #[error("{0}; try again in a moment")]
    NoRoom(&'static str),
}

impl Error {
    /// The status of the answer that the client gets.
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::MalformedRequest(_)
            | Self::InvalidTarget(_)
            | Self::UnsupportedScheme
            | Self::NotHttp(_) => StatusCode::BAD_REQUEST,
            Self::ClientNotAllowed | Self::Prohibited(_) | Self::AddressProhibited(_) => {
                StatusCode::FORBIDDEN
            }
            Self::Unauthenticated(_) => StatusCode::PROXY_AUTHENTICATION_REQUIRED,
            Self::TooManyLogins(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::TargetTooLong => StatusCode::URI_TOO_LONG,
            Self::VersionNotSupported => StatusCode::HTTP_VERSION_NOT_SUPPORTED,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::ExpectationFailed => StatusCode::EXPECTATION_FAILED,
            Self::HeadTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::RequestTimeout | Self::RequestTooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Dns { .. }
            | Self::Connect { .. }
            | Self::Parent(_)
            | Self::Upstream(_)
            | Self::Closed
            | Self::ResponseHeadTooLarge
            | Self::InvalidResponse(_) => StatusCode::BAD_GATEWAY,
            Self::DnsTimeout { .. }
            | Self::ConnectTimeout { .. }
            | Self::ResponseTimeout
            | Self::ResponseTooSlow => StatusCode::GATEWAY_TIMEOUT,
            Self::Loop => StatusCode::LOOP_DETECTED,
            Self::NoRoom(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The `error` parameter of the Proxy-Status field (RFC 9209, section 2.3).
    pub(crate) fn proxy_status(&self) -> &'static str {
        match self {
            Self::MalformedRequest(_)
            | Self::InvalidTarget(_)
            | Self::UnsupportedScheme
            | Self::MethodNotAllowed
            | Self::ExpectationFailed
            | Self::NotHttp(_)
            | Self::VersionNotSupported
            | Self::TargetTooLong
            | Self::HeadTooLarge
            | Self::RequestTimeout
            | Self::RequestTooSlow => "http_request_error",
            Self::ClientNotAllowed
            | Self::Unauthenticated(_)
            | Self::TooManyLogins(_)
            | Self::Prohibited(_) => "http_request_denied",
            Self::AddressProhibited(_) => "destination_ip_prohibited",
            Self::Dns { .. } => "dns_error",
            Self::DnsTimeout { .. } => "dns_timeout",
            Self::Loop => "proxy_loop_detected",
            Self::NoRoom(_) => "connection_limit_reached",
            Self::Connect { source, .. } if source.kind() == io::ErrorKind::ConnectionRefused => {
                "connection_refused"
            }
            Self::Connect { .. } | Self::Parent(_) => "destination_unavailable",
            Self::ConnectTimeout { .. } => "connection_timeout",
            Self::Upstream(error) if error.is_incomplete_message() => "http_response_incomplete",
            Self::Upstream(error) if error.is_parse() => "http_protocol_error",
            Self::ResponseHeadTooLarge => "http_response_header_section_size",
            Self::InvalidResponse(_) => "http_protocol_error",
            Self::Upstream(_) | Self::Closed => "connection_terminated",
            Self::ResponseTimeout | Self::ResponseTooSlow => "http_response_timeout",
        }
    }

    /// Whether the request itself is in order: the settings keep the proxy from going where the
    /// client wants, or want a login first, which may follow on the same connection.
    pub(crate) fn is_in_order(&self) -> bool {
        matches!(
            self,
            Self::Prohibited(_) | Self::AddressProhibited(_) | Self::Unauthenticated(_)
        )
    }

    /// Whether a connection ended without a word from the origin, as idle connections do.
    pub(crate) fn is_broken_connection(&self) -> bool {
        match self {
            Self::Upstream(error) => !error.is_parse(),
            Self::Closed => true,
            _ => false,
        }
    }
}

/// Why the proxy did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The address is in use, not ours, or not allowed.
    #[error(
        "cannot listen on {address}; is another program using it? Choose another with --listen or [proxy] listen"
    )]
    Bind {
        /// The address that was asked for.
        address: ListenAddress,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// There can be no Unix socket at the path.
    #[error("cannot listen on {address}: {fault}")]
    UnixSocket {
        /// The address that was asked for.
        address: ListenAddress,
        /// What stands against it, and what can be done.
        fault: String,
        /// What the system said, if it was asked.
        #[source]
        source: Option<io::Error>,
    },
    /// Other machines reach the address, and the settings do not say which may use the proxy.
    #[error("{0}")]
    Exposed(Exposed),
    /// It is not known who may log in.
    #[error("cannot start without the users of [auth]")]
    Users(#[from] UsersError),
    /// It is not known how requests get to their origins.
    #[error("cannot start without the parent proxies of [upstream]")]
    Upstream(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// No DNS server that is asked over TLS or HTTPS could be verified.
    #[error(
        "cannot start without a way to verify the DNS servers of [egress]; resolver_ca there names a file of certificates to \
         trust besides those that the system trusts"
    )]
    NameServers(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A thread, runtime or directory could not be made.
    #[error("cannot {action}")]
    System {
        /// What was attempted, as it continues "cannot …".
        action: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The file of the access log cannot be written.
    #[error(
        "cannot open the access log {}; its folder must exist and be writable, or choose another place with [log.access] to",
        Escaped(file.display())
    )]
    AccessLog {
        /// Its path.
        file: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The WASM engine refuses its settings or the filter that is built in.
    #[error("the WASM engine does not start")]
    Engine(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The system denies what every filter needs.
    #[error(
        "this system lets no filter run, so nothing could be judged. Filters need memory that can be made executable (a \
         systemd unit must not say MemoryDenyWriteExecute=yes) and address space (no low `ulimit -v` or LimitAS=)"
    )]
    FiltersCannotRun(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The program that [`config::Compiler::program`](crate::config::Compiler) names would run as a
    /// whole instead of compiling filters.
    #[error("cannot compile filters")]
    Compiler(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// What people have decided is not known.
    #[error("cannot start without the decisions about hosts, of which some may deny")]
    Decisions(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// This process was started to compile a filter, and runs a proxy instead.
    #[error(
        "this process was started to compile a filter, and not to run a proxy; call portcullis::run_compiler_child() \
         at the start of main"
    )]
    CompilerChild,
    /// A defect of the proxy.
    #[error("the proxy panicked while it loaded lists and filters; please report the panic")]
    Panicked,
}

/// Why a command has nothing to say about a filter.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PluginError {
    /// Neither a path that ends in `.wasm` nor a built-in filter.
    #[error("this is neither a file NAME.wasm nor the name of a built-in filter")]
    Name,
    /// What the proxy's log would say.
    #[error(transparent)]
    Refused(Box<dyn StdError + Send + Sync>),
    /// The settings say that it is not to run.
    #[error("its settings say: enabled = false")]
    Disabled,
    /// Not a host.
    #[error("there is no such host to ask it about")]
    Host(#[from] InvalidTarget),
    /// A call had no valid answer.
    #[error("it fails when its {hook} is asked about {host}: {failure}")]
    Failed {
        /// As the contract names it.
        hook: &'static str,
        /// What it was asked about.
        host: String,
        /// What the proxy's log would say.
        failure: String,
    },
    /// A file that a command needs.
    #[error("cannot read {}", Escaped(file.display()))]
    Read {
        /// Its path.
        file: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A file that would be overwritten.
    #[error("{} exists already, and is left as it is; name another file", Escaped(.0.display()))]
    Exists(PathBuf),
    /// A file that a command makes.
    #[error("cannot write {}", Escaped(file.display()))]
    Write {
        /// Its path.
        file: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// No file of cases is named, and there is none beside the filter.
    #[error(
        "no cases are named and there is no {}, so there is nothing to ask; write that file, or name another one:  \
         portcullis plugin test FILE CASES.toml",
        Escaped(.0.display())
    )]
    NoCases(PathBuf),
    /// A file of cases is wrong.
    #[cfg(feature = "cli")]
    #[error(transparent)]
    Cases(#[from] portcullis_cases::Error),
    /// A case is about something that is no host.
    #[error("{}:{line}: there is no such host", Escaped(file))]
    Case {
        /// The file of cases.
        file: String,
        /// Where the case begins, from 1.
        line: usize,
        /// What is wrong with it.
        #[source]
        source: InvalidTarget,
    },
    /// A log without a line that tells of an exchange.
    #[error(
        "{} has no access lines about hosts, only {lines} others; the proxy writes one for each exchange to where [log.access] says",
        Escaped(file.display())
    )]
    NoAccessLines {
        /// Its path.
        file: PathBuf,
        /// How many lines it has.
        lines: u64,
    },
    /// The WASM engine does not start.
    #[error(transparent)]
    Start(#[from] StartError),
}

/// What a caught panic says.
pub(crate) fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a panic").to_owned()
}
