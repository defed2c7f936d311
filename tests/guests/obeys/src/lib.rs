//! Does what the first label of the host says: every answer, failure and capability that a case can
//! be about.

use std::cell::Cell;
use std::time::Duration;

use portcullis_sdk::{
    Error, Filter, Flow, Request, Response, Scope, Verdict, clock, debug, feeds, filter, metrics,
    state, warn,
};

#[derive(serde::Deserialize, portcullis_sdk::Schema)]
#[serde(deny_unknown_fields)]
struct Config {
    greeting: String,
}

struct Obeys {
    greeting: String,
    asked: Cell<u64>,
}

#[filter]
impl Filter for Obeys {
    type Config = Config;

    fn new(config: Config) -> Result<Self, Error> {
        debug!("made");
        Ok(Self {
            greeting: config.greeting,
            asked: Cell::new(0),
        })
    }

    fn judge_host(&self, flow: &Flow) -> Result<Verdict, Error> {
        self.asked.set(self.asked.get() + 1);
        metrics::count("asked", 1);
        let host = flow.host();
        let order = host.as_str().split('.').next().unwrap_or_default();
        match order {
            "fail" => return Err(Error::new("out of order")),
            "panic" => panic!("at {host}"),
            "allow" => return Ok(Verdict::ALLOW),
            "invalid" => return Ok(Verdict::block("x").with_status(200)),
            "script" => return Ok(Verdict::redirect("javascript:alert(1)")),
            "elsewhere" => return Ok(Verdict::redirect("http://b.example").with_status(307)),
            "portal" => return Ok(Verdict::redirect("HTTPS://Portal.example:443/a b")),
            "far" => return Ok(Verdict::redirect(format!("http://b/{}", "x".repeat(9000)))),
            "page" => return Ok(Verdict::replace("text/plain", "instead").with_status(404)),
            "count" => return count(flow),
            "personal" => return Ok(personal(flow)),
            "measure" => return Ok(measure()),
            "fill" => return fill(),
            "name" => state::set("k".repeat(1025), "", None)?,
            "text" => drop(state::increment("full", 1, None)?),
            _ => {}
        }
        Ok(match answer(self, flow, order)? {
            Some(reason) => Verdict::block(reason),
            None => Verdict::NEXT,
        })
    }

    fn judge_request(&self, _: &Flow, request: &mut Request) -> Result<Verdict, Error> {
        warn!("{} {}", request.method(), request.url());
        request.headers_mut().remove("Referer")?;
        request.headers_mut().append("X-Seen", "yes")?;
        if let Some(name) = request.headers().get("X-Remove") {
            request.headers_mut().remove(&name.text())?;
        }
        Ok(match request.headers().get("X-Block") {
            Some(reason) => Verdict::block(reason.text()),
            None => Verdict::NEXT,
        })
    }

    fn judge_response(
        &self,
        _: &Flow,
        request: &Request,
        response: &mut Response,
    ) -> Result<Verdict, Error> {
        let seen = request.headers().names().join(" ");
        response.headers_mut().set("X-Request", seen)?;
        response.headers_mut().remove("Server")?;
        Ok(match response.status() {
            404 => Verdict::replace("text/plain", "nothing here").with_status(410),
            _ => Verdict::NEXT,
        })
    }

    fn tick(&self) -> Result<Duration, Error> {
        self.asked.set(self.asked.get() + 1);
        match state::increment("ticks", 1, None)? {
            3 => Err(Error::new("tired")),
            _ => Ok(Duration::from_secs(self.asked.get())),
        }
    }
}

/// What the filter knows.
fn answer(filter: &Obeys, flow: &Flow, order: &str) -> Result<Option<String>, Error> {
    let host = flow.host();
    Ok(Some(match order {
        "greet" => filter.greeting.clone(),
        "lines" => "two\nlines".to_owned(),
        "asked" => filter.asked.get().to_string(),
        "client" => format!("{:?}", flow.client().address()),
        "flow" => format!("{:?} {}", flow.protocol(), flow.port()),
        "listed" => feeds::lookup("malware", host)?.unwrap_or_default(),
        "feeds" => feeds::names().join(" "),
        "missing" => feeds::lookup("no-such-feed", host)?.unwrap_or_default(),
        "domain" => host.registrable_domain().unwrap_or_default(),
        "nowhere" => clock::local(Some("Nowhere/AtAll"))?.hour.to_string(),
        "time" => {
            let now = clock::local(None)?;
            format!("{}-{} {}:{}", now.month, now.day, now.hour, now.minute)
        }
        _ => return Ok(None),
    }))
}

/// Counts the requests of a minute, and lets the proxy use its answer again for a while.
fn count(flow: &Flow) -> Result<Verdict, Error> {
    let count = state::increment(flow.host(), 1, Some(Duration::from_secs(60)))?;
    metrics::gauge("last", count as f64);
    let scope = match flow.client().address() {
        Some(_) => Scope::ClientAndHost,
        None => Scope::Host,
    };
    Ok(Verdict::NEXT.cache_for(scope, Duration::from_micros(1500)))
}

/// Lets the proxy use an answer for all clients although it was told who this one is.
fn personal(flow: &Flow) -> Verdict {
    flow.client().address();
    Verdict::NEXT.cache_for(Scope::Host, Duration::from_secs(1))
}

/// Keeps more metrics than a filter may have, and some by names that there cannot be.
fn measure() -> Verdict {
    metrics::count("Blocked-Hosts", 1);
    metrics::count("", 1);
    metrics::gauge("unmeasurable", f64::NAN);
    // With `asked` and `unmeasurable`, one too many.
    for number in 0..99 {
        metrics::count(&format!("m{number}"), 1);
    }
    metrics::count("m0", 1);
    Verdict::NEXT
}

/// Fills the state to the last byte, and goes on.
fn fill() -> Result<Verdict, Error> {
    // Each entry counts 200 bytes more than its key and its value.
    state::set("full", vec![b'x'; (1 << 20) - 204], None)?;
    state::set("more", "", None)?;
    Ok(Verdict::NEXT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_sdk::testing;

    #[test]
    fn the_cases_go_natively_as_they_go_in_the_proxy() {
        testing::cases::<Obeys>("cases.toml");
    }
}
