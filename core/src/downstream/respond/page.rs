//! The page of an answer that the proxy gives itself, for people and for programs. `respond` says
//! what stands on it.

use std::fmt::{self, Write};

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Response, StatusCode};

use super::PROXY_STATUS;

/// How a page is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PageFormat {
    /// For people with a browser.
    Html,
    /// For every other client.
    Text,
}

impl PageFormat {
    /// Browsers say in `Accept` that they take HTML; other clients do not.
    pub(crate) fn negotiate(accept: Option<&HeaderValue>) -> Self {
        let html = b"text/html";
        let takes_html = |value: &HeaderValue| {
            let mut parts = value.as_bytes().windows(html.len());
            parts.any(|part| part.eq_ignore_ascii_case(html))
        };
        if accept.is_some_and(takes_html) {
            Self::Html
        } else {
            Self::Text
        }
    }
}

/// A short page that needs nothing from elsewhere.
pub(super) struct Page {
    pub(super) title: String,
    pub(super) facts: Vec<(&'static str, String)>,
}

impl Page {
    pub(super) fn into_response(
        self,
        status: StatusCode,
        proxy_status: HeaderValue,
        format: PageFormat,
    ) -> Response<Bytes> {
        let (kind, text) = match format {
            PageFormat::Html => ("text/html; charset=utf-8", self.html()),
            PageFormat::Text => ("text/plain; charset=utf-8", self.text()),
        };
        let mut response = Response::new(Bytes::from(text));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(PROXY_STATUS, proxy_status);
        response
    }

    fn text(&self) -> String {
        let mut text = format!("{}\n\n", self.title);
        for (name, value) in &self.facts {
            let _ = writeln!(text, "{name}: {value}");
        }
        text
    }

    fn html(&self) -> String {
        let title = Escaped(&self.title);
        let mut html = format!(
            "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}</title>\n\
             <style>body{{font:1rem/1.5 system-ui,sans-serif;max-width:40rem;margin:4rem auto;padding:0 1rem}}\
             dt{{font-weight:600}}dd{{margin:0 0 .5rem;overflow-wrap:anywhere}}footer{{color:#777}}</style>\n\
             <h1>{title}</h1>\n<dl>\n"
        );
        for (name, value) in &self.facts {
            let _ = writeln!(html, "<dt>{name}</dt><dd>{}</dd>", Escaped(value));
        }
        html.push_str("</dl>\n<footer>Portcullis</footer>\n</html>\n");
        html
    }
}

/// Text that cannot become markup.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| match c {
            '&' => f.write_str("&amp;"),
            '<' => f.write_str("&lt;"),
            '>' => f.write_str("&gt;"),
            '"' => f.write_str("&quot;"),
            '\'' => f.write_str("&#39;"),
            c => f.write_char(c),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_that_takes_html_gets_html() {
        let form = |accept| PageFormat::negotiate(Some(&HeaderValue::from_static(accept)));
        assert_eq!(
            form("application/xhtml+xml, Text/HTML;q=0.9"),
            PageFormat::Html
        );
        assert_eq!(form("*/*"), PageFormat::Text);
        assert_eq!(PageFormat::negotiate(None), PageFormat::Text);
    }
}
