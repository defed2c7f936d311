//! What one site may learn of another.

use portcullis_sdk::Host;

/// What a page's address is cut down to on its way to another site; named as in Referrer Policy.
/// Sites are registered domains: from one host of `example.co.uk` to another nothing is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize, portcullis_sdk::Schema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Trimming {
    /// Nothing is left of it.
    NoReferrer,
    /// Scheme, host and port are left.
    Origin,
    /// The same, but nothing if the page was fetched by https and the request is not.
    StrictOrigin,
}

/// What became of a referrer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Trimmed {
    /// It stays as it is.
    Not,
    /// This is left.
    To(String),
    /// Nothing is.
    Away,
}

impl Trimming {
    /// Cuts `full` on its way to `url`, which has the host `host`.
    pub(crate) fn trim(self, full: &str, host: &Host, url: &str) -> Trimmed {
        let Some(page) = Page::parse(full) else {
            // It cannot be read, so it cannot be trimmed.
            return Trimmed::Away;
        };
        if page.host().is_some_and(|page| is_same_site(&page, host)) {
            return Trimmed::Not;
        }
        let is_downgrade = page.scheme == HTTPS && !url.starts_with(HTTPS);
        match self {
            Self::NoReferrer => Trimmed::Away,
            Self::StrictOrigin if is_downgrade => Trimmed::Away,
            Self::Origin | Self::StrictOrigin => {
                Trimmed::To(format!("{}{}/", page.scheme, page.authority))
            }
        }
    }
}

const HTTPS: &str = "https://";

/// The parts of a page's address that matter.
struct Page<'a> {
    scheme: &'a str,
    /// Host and port.
    authority: &'a str,
}

impl<'a> Page<'a> {
    /// None if it is not the address of a page on the web.
    fn parse(url: &'a str) -> Option<Self> {
        let schemes = [HTTPS, "http://"];
        let scheme = schemes.into_iter().find(|scheme| url.starts_with(scheme))?;
        let (_, rest) = url.split_at_checked(scheme.len())?;
        let authority = rest.split(['/', '?', '#', '\\']).next()?;
        let (_, authority) = authority.rsplit_once('@').unwrap_or(("", authority));
        Some(Self { scheme, authority }).filter(|page| !page.authority.is_empty())
    }

    fn host(&self) -> Option<Host> {
        let host = match self.authority.strip_prefix('[') {
            Some(address) => address.split(']').next()?,
            None => self.authority.split(':').next()?,
        };
        host.parse().ok()
    }
}

/// Hosts without a registrable domain, such as addresses, are sites of their own.
fn is_same_site(a: &Host, b: &Host) -> bool {
    a == b
        || a.registrable_domain()
            .is_some_and(|site| b.registrable_domain() == Some(site))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trim(referrer: Trimming, full: &str, url: &str) -> Trimmed {
        let host = Page::parse(url).unwrap().host().unwrap();
        referrer.trim(full, &host, url)
    }

    #[test]
    fn the_origin_is_left_for_another_site() {
        for (full, origin) in [
            ("http://a.example/b?c", "http://a.example/"),
            ("https://a.example:8443", "https://a.example:8443/"),
            ("http://user:p@ss@a.example/", "http://a.example/"),
            ("http://a.example#x@b.example", "http://a.example/"),
            ("http://[2001:db8::1]:80/x", "http://[2001:db8::1]:80/"),
            // No host, but nothing to hide either.
            ("http://bücher.example/x", "http://bücher.example/"),
        ] {
            let trimmed = trim(Trimming::Origin, full, "http://www.other.test/");
            assert_eq!(trimmed, Trimmed::To(origin.into()), "{full}");
        }
    }

    #[test]
    fn within_a_site_nothing_is_cut() {
        for (full, url) in [
            ("http://a.example.co.uk/x", "http://b.example.co.uk/"),
            ("https://A.example/x", "http://a.example/"),
            ("http://localhost:8080/x", "http://localhost/"),
            ("http://10.0.0.1/x", "http://10.0.0.1:81/"),
            ("http://[2001:DB8::1]/x", "http://[2001:db8::1]/"),
        ] {
            assert_eq!(
                trim(Trimming::NoReferrer, full, url),
                Trimmed::Not,
                "{full}"
            );
        }
        for (full, url) in [
            ("http://a.co.uk/x", "http://b.co.uk/"),
            ("http://10.0.0.1/x", "http://10.0.0.2/"),
            ("http://a.github.io/x", "http://b.github.io/"),
        ] {
            assert_eq!(
                trim(Trimming::NoReferrer, full, url),
                Trimmed::Away,
                "{full}"
            );
        }
    }

    #[test]
    fn what_was_fetched_safely_is_not_told_in_the_open() {
        let (safe, open) = ("https://a.example/x", "http://a.example/x");
        for (full, url, expected) in [
            (safe, "http://b.test/", Trimmed::Away),
            (
                safe,
                "https://b.test/",
                Trimmed::To("https://a.example/".into()),
            ),
            (
                open,
                "http://b.test/",
                Trimmed::To("http://a.example/".into()),
            ),
        ] {
            assert_eq!(
                trim(Trimming::StrictOrigin, full, url),
                expected,
                "{full} {url}"
            );
        }
    }

    #[test]
    fn what_is_no_address_of_a_page_goes_altogether() {
        for full in [
            "",
            "about:blank",
            "android-app://com.example/",
            "/page",
            "http:///x",
            "a.example",
        ] {
            let trimmed = trim(Trimming::Origin, full, "http://a.example/");
            assert_eq!(trimmed, Trimmed::Away, "{full}");
        }
    }
}
