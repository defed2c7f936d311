//! Does what the first label of the host says: every answer, failure and capability that a case can
//! be about.

use std::cell::Cell;
use std::time::Duration;

use portcullis_sdk::{
    Error, Exchange, Fallback, Filter, How, Outcome, Request, Response, Verdict, clock, debug,
    feeds, filter, info, metrics, random, state, warn,
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

    fn judge_host(&self, exchange: &Exchange) -> Result<Verdict, Error> {
        self.asked.set(self.asked.get() + 1);
        metrics::count("asked", 1, &[]);
        let host = exchange.host();
        let order = host.as_str().split('.').next().unwrap_or_default();
        match order {
            "fail" => return Err(Error::new("out of order")),
            "panic" => panic!("at {host}"),
            "count" => return count(exchange),
            "by" => return Ok(keep_by(exchange)),
            "measure" => measure(),
            "label" => label(),
            "note" => note(exchange),
            "jot" => exchange.notes().set("mark", "jotted"),
            "fill" => fill()?,
            "name" => state::set("k".repeat(1025), "", None)?,
            "text" => drop(state::increment("full", 1, None)?),
            "forget" => {
                state::set("gone", "x", None)?;
                state::remove("gone")?;
            }
            _ => {}
        }
        if let Some(verdict) = verdict(order) {
            return Ok(verdict);
        }
        Ok(match answer(self, exchange, order)? {
            Some(reason) => Verdict::block(reason),
            None => Verdict::next(),
        })
    }

    fn judge_request(&self, exchange: &Exchange, request: &mut Request) -> Result<Verdict, Error> {
        warn!("{} {}", request.method(), request.url());
        if let Some(mark) = exchange.notes().get("mark") {
            request.headers_mut().set("X-Mark", in_one_line(&mark))?;
            exchange.notes().set("method", request.method());
        }
        request.headers_mut().remove("Referer")?;
        request.headers_mut().append("X-Seen", "yes")?;
        if let Some(name) = request.headers().get("X-Remove") {
            request.headers_mut().remove(&name.text())?;
        }
        Ok(match request.headers().get("X-Block") {
            Some(reason) => Verdict::block(reason.text()),
            None => Verdict::next(),
        })
    }

    fn judge_response(
        &self,
        _: &Exchange,
        request: &Request,
        response: &mut Response,
    ) -> Result<Verdict, Error> {
        let seen = request.headers().names().join(" ");
        response.headers_mut().set("X-Request", seen)?;
        response.headers_mut().remove("Server")?;
        Ok(match response.status() {
            404 => Verdict::replace("text/plain", "nothing here").status(410),
            _ => Verdict::next(),
        })
    }

    fn exchange_ended(&self, exchange: &Exchange, outcome: &Outcome) -> Result<(), Error> {
        let how = outcome.how();
        metrics::count("ended", 1, &[("how", how.as_str())]);
        if how == How::Failed {
            return Err(Error::new("it has failed"));
        }
        let mark = exchange.notes().get("mark").unwrap_or_default();
        info!(
            "{} {how} {:?} {} {} {:?} {} {}",
            exchange.host(),
            outcome.status(),
            outcome.bytes_from_client(),
            outcome.bytes_to_client(),
            outcome.duration(),
            outcome.url().unwrap_or_default(),
            in_one_line(&mark),
        );
        Ok(())
    }

    fn tick(&self) -> Result<Option<Duration>, Error> {
        self.asked.set(self.asked.get() + 1);
        match state::increment("ticks", 1, None)? {
            3 => Err(Error::new("tired")),
            4 => Ok(None),
            _ => Ok(Some(Duration::from_secs(self.asked.get()))),
        }
    }
}

/// What the filter knows.
fn answer(filter: &Obeys, exchange: &Exchange, order: &str) -> Result<Option<String>, Error> {
    let (host, client) = (exchange.host(), exchange.client());
    let missing = ["malware", "no-such-feed"];
    Ok(Some(match order {
        "greet" => filter.greeting.clone(),
        "lines" => "two\nlines".to_owned(),
        "asked" => filter.asked.get().to_string(),
        "client" => format!("{:?}", client.address()),
        "who" => format!(
            "{:?} {:?} {:?}",
            client.user(),
            client.groups(),
            exchange.listener()
        ),
        "flow" => format!("{} {}", exchange.protocol(), exchange.port()),
        "found" => format!("{} {:?}", exchange.found_in(), exchange.server_name()),
        "began" => format!("{:?}", exchange.started().duration_since(clock::now())),
        // An address is asked for by its first number.
        "listed" | "10" => feeds::find(host)
            .map(|found| found.rule)
            .unwrap_or_default(),
        "feeds" => feeds::names().join(" "),
        "missing" => format!("{:?}", feeds::find_in(&missing, host)?),
        "longest" => rule_about(&longest())?,
        "longer" => rule_about(&format!("{}.", longest()))?,
        "feed" => match feeds::find_in(&[long(exchange)], host) {
            Err(feeds::Error::Unknown(name)) => name.len().to_string(),
            other => format!("{other:?}"),
        },
        "domain" => host.registrable_domain().unwrap_or_default(),
        "random" => format!("{} {}", random::bytes(7).len(), random::bytes(5000).len()),
        "nowhere" => clock::local(Some("Nowhere/AtAll"))?.hour.to_string(),
        "zone" => clock::local(Some(&long(exchange)))?.hour.to_string(),
        "time" => {
            let now = clock::local(None)?;
            format!("{}-{} {}:{}", now.month, now.day, now.hour, now.minute)
        }
        _ => return Ok(None),
    }))
}

/// The rule that decides about a host, of all lists and of one.
fn rule_about(host: &str) -> Result<String, Error> {
    let found = [feeds::find(host), feeds::find_in(&["malware"], host)?];
    let rules = found.map(|found| found.map_or_else(|| "nothing".to_owned(), |found| found.rule));
    Ok(rules.join(" "))
}

/// A name below `evil.example` that has as many bytes as a host can have. A dot behind it is one
/// more.
fn longest() -> String {
    format!("b{}evil.example", "c.".repeat(120))
}

/// A text of as many bytes as the second label of the host says.
fn long(exchange: &Exchange) -> String {
    let mut labels = exchange.host().as_str().split('.');
    let bytes: Option<usize> = labels.nth(1).and_then(|label| label.parse().ok());
    "x".repeat(bytes.unwrap_or_default())
}

/// The verdict that is ordered.
fn verdict(order: &str) -> Option<Verdict> {
    let moment = Duration::from_micros(1500);
    Some(match order {
        "allow" => Verdict::allow(),
        "drop" => Verdict::drop(),
        "ask" => Verdict::ask("May it\npass?", Fallback::Block, moment),
        "invalid" => Verdict::block("x").status(200),
        "script" => Verdict::redirect("javascript:alert(1)"),
        "elsewhere" => Verdict::redirect("http://b.example").status(307),
        "portal" => Verdict::redirect("HTTPS://Portal.example:443/a b"),
        "far" => Verdict::redirect(format!("http://b/{}", "x".repeat(9000))),
        "page" => Verdict::replace("text/plain", "instead").status(404),
        "later" => Verdict::block("busy")
            .status(429)
            .retry_after(moment)
            .field("X-Why", "much")
            .field("x-why", "work")
            .matched("rule\n7"),
        "unsaid" => Verdict::next()
            .retry_after(moment)
            .field("X-Why", "no")
            .matched("none"),
        "owned" => Verdict::block("x").field("Host", "a.example"),
        _ => return None,
    })
}

/// Counts the requests of a minute, and lets the proxy use its answer again for a while.
fn count(exchange: &Exchange) -> Result<Verdict, Error> {
    let count = state::increment(exchange.host(), 1, Some(Duration::from_secs(60)))?;
    metrics::gauge("last", count as f64, &[]);
    if exchange.port() != 443 {
        exchange.client().user();
    }
    Ok(Verdict::next().keep(Duration::from_micros(1500)))
}

/// Asks for the fact that the second label of the host names, and lets the proxy use its answer
/// again.
fn keep_by(exchange: &Exchange) -> Verdict {
    let client = exchange.client();
    match exchange.host().as_str().split('.').nth(1) {
        Some("id") => _ = exchange.id(),
        Some("notes") => _ = exchange.notes().get("mark"),
        Some("protocol") => _ = exchange.protocol(),
        Some("found-in") => _ = exchange.found_in(),
        Some("server-name") => _ = exchange.server_name(),
        Some("listener") => _ = exchange.listener(),
        Some("started") => _ = exchange.started().duration_since(clock::now()),
        Some("address") => _ = client.address(),
        Some("user") => _ = client.user(),
        Some("groups") => _ = client.groups(),
        _ => {}
    }
    Verdict::next().keep(Duration::from_secs(1))
}

/// Keeps more metrics than a filter may have, and some that there cannot be.
fn measure() {
    metrics::count("Blocked-Hosts", 1, &[]);
    metrics::count("", 1, &[]);
    metrics::gauge("unmeasurable", f64::NAN, &[]);
    // With `asked`, one too many.
    for number in 0..100 {
        metrics::count(&format!("m{number}"), 1, &[]);
    }
    metrics::count("m0", 1, &[]);
    metrics::gauge("m0", 7.0, &[]);
}

/// Splits numbers by labels, and observes.
fn label() {
    metrics::count("hits", 1, &[("list", "ads"), ("kind", "a")]);
    metrics::count("hits", 1, &[("kind", "a"), ("list", "ads")]);
    metrics::count("hits", 1, &[("List", "ads")]);
    metrics::count("hits", 1, &[("list", &"x".repeat(65))]);
    metrics::count("hits", 1, &[("a", ""), ("b", ""), ("c", ""), ("d", "")]);
    metrics::observe("wait", 0.5, &[]);
    metrics::observe("wait", 1.0, &[]);
}

/// Notes what it can, and what it cannot.
fn note(exchange: &Exchange) {
    let notes = exchange.notes();
    notes.set("mark", "one\ntwo");
    notes.set("Not-A-Key", "x");
    notes.set("long", "x".repeat(1025));
    for number in 0..16 {
        notes.set(&format!("n{number}"), "x");
    }
}

/// For a field and a line of the log, which cannot have its ends of lines.
fn in_one_line(mark: &str) -> String {
    mark.replace('\n', "/")
}

/// Fills the state to the last byte, and goes on.
fn fill() -> Result<(), Error> {
    // Each entry counts 200 bytes more than its key and its value.
    state::set("full", vec![b'x'; (1 << 20) - 204], None)?;
    state::set("more", "", None)?;
    Ok(())
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
