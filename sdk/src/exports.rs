//! From the proxy's calls to the author's [`Filter`]. `#[filter]` implements [`Exports`] and
//! invokes the export macro of each hook that the author wrote; a hook whose macro is not invoked
//! does not exist in the module.

use std::cell::OnceCell;
use std::panic;

use portcullis_contract::Fallback;

use crate::bindings::capabilities::portcullis::filter::types;
use crate::bindings::exchange_ended_hook::exports::portcullis::filter::exchange_ended;
use crate::bindings::judge_host_hook::exports::portcullis::filter::judge_host;
use crate::bindings::judge_request_hook::exports::portcullis::filter::judge_request;
use crate::bindings::judge_response_hook::exports::portcullis::filter::judge_response;
use crate::bindings::lifecycle_hook::exports::portcullis::filter::lifecycle;
use crate::bindings::tick_hook::exports::portcullis::filter::tick;
use crate::proxy::{self, ExchangeFacts, Fields, OutcomeFacts};
use crate::verdict::Decision;
use crate::{Error, Exchange, Filter, Level, Outcome, Request, Response, Verdict, config};

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
    fn judge(host: String, port: u16) -> Result<types::Verdict, String> {
        let exchange = Exchange::to(host, port);
        let verdict = E::with(|instance| instance.filter()?.judge_host(&exchange))?;
        if let Some(time) = verdict.extras.keep {
            proxy::keep(time);
        }
        answer(verdict)
    }
}

impl<E: Exports> judge_request::Guest for E {
    fn judge(method: String, url: String) -> Result<types::Verdict, String> {
        let exchange = Exchange::new(ExchangeFacts);
        let mut request = Request::new(method, url, Fields::OfRequest);
        let judge = |instance: &Instance<E::Filter>| {
            let filter = instance.filter()?;
            filter.judge_request(&exchange, &mut request)
        };
        answer(E::with(judge)?)
    }
}

impl<E: Exports> judge_response::Guest for E {
    fn judge(status: u16) -> Result<types::Verdict, String> {
        let exchange = Exchange::new(ExchangeFacts);
        let request = Request::answered();
        let mut response = Response::new(status, Fields::OfResponse);
        let judge = |instance: &Instance<E::Filter>| {
            let filter = instance.filter()?;
            filter.judge_response(&exchange, &request, &mut response)
        };
        answer(E::with(judge)?)
    }
}

impl<E: Exports> exchange_ended::Guest for E {
    fn ended() -> Result<(), String> {
        let exchange = Exchange::new(ExchangeFacts);
        let outcome = Outcome::new(OutcomeFacts);
        let told = |instance: &Instance<E::Filter>| {
            let filter = instance.filter()?;
            filter.exchange_ended(&exchange, &outcome)
        };
        E::with(told).map_err(String::from)
    }
}

impl<E: Exports> tick::Guest for E {
    fn tick() -> Result<Option<u64>, String> {
        let pause = E::with(|instance| instance.filter()?.tick())?;
        Ok(pause.map(proxy::milliseconds))
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

/// Hands over a verdict, and first what it says besides.
fn answer(verdict: Verdict) -> Result<types::Verdict, String> {
    let Verdict { decision, extras } = verdict;
    for (name, value) in &extras.fields {
        proxy::add_field(name, value).map_err(|error| String::from(error.about_added(name)))?;
    }
    if let Some(time) = extras.retry_after {
        proxy::retry_after(time);
    }
    if let Some(rule) = &extras.matched {
        proxy::matched(rule);
    }
    Ok(decision.into())
}

impl From<Decision> for types::Verdict {
    fn from(decision: Decision) -> Self {
        match decision {
            Decision::Next => Self::Next,
            Decision::Allow => Self::Allow,
            Decision::Block { status, reason } => Self::Block(types::Refusal { status, reason }),
            Decision::Redirect { status, location } => {
                Self::Redirect(types::Redirection { status, location })
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
            Decision::Drop => Self::Drop,
            Decision::Ask {
                question,
                otherwise,
                wait,
            } => Self::Ask(types::Question {
                text: question,
                otherwise: match otherwise {
                    Fallback::Next => types::Fallback::Next,
                    Fallback::Block => types::Fallback::Block,
                },
                wait: proxy::milliseconds(wait),
            }),
        }
    }
}
