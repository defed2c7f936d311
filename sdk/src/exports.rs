//! From the proxy's calls to the author's [`Filter`]. `#[filter]` implements [`Exports`] and
//! invokes the export macro of each hook that the author wrote; a hook whose macro is not invoked
//! does not exist in the module.

use std::cell::OnceCell;
use std::panic;

use crate::bindings::capabilities::portcullis::filter::types;
use crate::bindings::judge_host_hook::exports::portcullis::filter::judge_host;
use crate::bindings::judge_request_hook::exports::portcullis::filter::judge_request;
use crate::bindings::judge_response_hook::exports::portcullis::filter::judge_response;
use crate::bindings::lifecycle_hook::exports::portcullis::filter::lifecycle;
use crate::bindings::tick_hook::exports::portcullis::filter::tick;
use crate::{
    Decision, Error, Filter, Flow, Host, Level, Protocol, Request, Response, Verdict, config, proxy,
};

/// The one filter of a module's instance.
#[derive(Debug, Default)]
pub struct Instance<F>(OnceCell<F>);

impl<F: Filter> Instance<F> {
    /// An instance whose filter has not been made yet.
    pub const fn new() -> Self {
        Self(OnceCell::new())
    }

    fn init(&self, config: &str) -> Result<(), Error> {
        let filter = F::new(config::parse(config)?)?;
        self.0
            .set(filter)
            .map_err(|_| Error::new("init was called twice"))
    }

    fn filter(&self) -> Result<&F, Error> {
        self.0
            .get()
            .ok_or_else(|| Error::new("a hook was called before init"))
    }
}

/// Where a module keeps its filter. A generic crate cannot have the static itself.
pub trait Exports {
    /// The author's filter.
    type Filter: Filter;

    /// Lends the instance.
    fn with<R>(call: impl FnOnce(&Instance<Self::Filter>) -> R) -> R;
}

impl<E: Exports> lifecycle::Guest for E {
    fn init(config: String) -> Result<(), String> {
        log_panics();
        E::with(|instance| instance.init(&config)).map_err(String::from)
    }
}

impl<E: Exports> judge_host::Guest for E {
    fn judge(flow: types::Flow) -> Result<types::Verdict, String> {
        let flow = Flow::from(flow);
        let verdict = E::with(|instance| instance.filter()?.judge_host(&flow))?;
        let (decision, cached) = verdict.into_parts();
        if let Some((scope, time)) = cached {
            proxy::keep_verdict(scope, time);
        }
        Ok(decision.into())
    }
}

impl<E: Exports> judge_request::Guest for E {
    fn judge(flow: types::Flow, request: types::Request) -> Result<types::Verdict, String> {
        let flow = Flow::from(flow);
        let mut request = Request::from_proxy(request.method, request.url);
        let verdict = E::with(|instance| instance.filter()?.judge_request(&flow, &mut request))?;
        Ok(verdict.into())
    }
}

impl<E: Exports> judge_response::Guest for E {
    fn judge(
        flow: types::Flow,
        request: types::Request,
        status: u16,
    ) -> Result<types::Verdict, String> {
        let flow = Flow::from(flow);
        let request = Request::from_proxy(request.method, request.url);
        let mut response = Response::from_proxy(status);
        let judge = |instance: &Instance<E::Filter>| {
            let filter = instance.filter()?;
            filter.judge_response(&flow, &request, &mut response)
        };
        Ok(E::with(judge)?.into())
    }
}

impl<E: Exports> tick::Guest for E {
    fn tick() -> Result<u64, String> {
        let pause = E::with(|instance| instance.filter()?.tick())?;
        Ok(proxy::milliseconds(pause))
    }
}

/// A panic is a trap to the proxy, which knows no message; this is the only place that does.
fn log_panics() {
    panic::set_hook(Box::new(|panic| {
        let message = panic.payload_as_str().unwrap_or("panic");
        let line = match panic.location() {
            Some(at) => format!("{}:{}: {message}", at.file(), at.line()),
            None => message.to_owned(),
        };
        proxy::write_log(Level::Error, &line);
    }));
}

impl From<types::Flow> for Flow {
    fn from(flow: types::Flow) -> Self {
        let protocol = match flow.protocol {
            types::Protocol::Http => Protocol::Http,
            types::Protocol::Connect => Protocol::Connect,
            types::Protocol::Socks => Protocol::Socks,
            types::Protocol::Tls => Protocol::Tls,
        };
        Self::from_proxy(Host::from_proxy(flow.host), flow.port, protocol)
    }
}

impl From<Verdict> for types::Verdict {
    fn from(verdict: Verdict) -> Self {
        verdict.into_parts().0.into()
    }
}

impl From<Decision> for types::Verdict {
    fn from(decision: Decision) -> Self {
        match decision {
            Decision::Next => Self::Next,
            Decision::Allow => Self::Allow,
            Decision::Block { status, reason } => Self::Block(types::Block { status, reason }),
            Decision::Redirect { status, location } => {
                Self::Redirect(types::Redirect { status, location })
            }
            Decision::Replace {
                status,
                content_type,
                body,
            } => Self::Replace(types::Page {
                status,
                content_type,
                body,
            }),
        }
    }
}
