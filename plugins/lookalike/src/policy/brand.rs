//! One brand, and the name of a host as it is compared with brands.

use portcullis_sdk::{Error, Host};

use super::edits::{Pattern, Size};
use super::glyphs::look;

/// A domain that is protected.
pub(crate) struct Brand {
    pub(crate) domain: Host,
    /// Its first label.
    label: String,
    /// What that looks like.
    pub(crate) look: String,
    size: Size,
    /// What the whole domain looks like, with dots around it.
    pub(crate) dotted: String,
    /// Names at most this many edits away are look-alikes.
    edits: usize,
}

/// A host, as it looks.
pub(crate) struct Name {
    /// The first label of the registrable domain.
    label: String,
    /// What that looks like.
    pub(crate) look: String,
    /// The same. None if it is longer than any name of a brand.
    pattern: Option<Pattern>,
    /// What the labels below that domain look like, with dots around them.
    pub(crate) below: String,
}

impl Brand {
    /// Fails if the domain is not one that can be registered.
    pub(crate) fn new(domain: Host, characters_per_edit: u8) -> Result<Self, Error> {
        match domain.registrable_domain() {
            Some(registered) if domain == *registered => {}
            Some(registered) => {
                return Err(Error::new(format_args!(
                    "{domain} lies below a registrable domain; list that: {registered}"
                )));
            }
            None => {
                return Err(Error::new(format_args!(
                    "{domain} is not a domain that can be registered; list a domain such as example.com"
                )));
            }
        }
        let label = first_label(domain.as_str());
        let look = look(label);
        let size = Size::of(&look);
        let edits = size.length().checked_div(characters_per_edit.into());
        Ok(Self {
            label: label.into(),
            look,
            size,
            dotted: dotted(domain.as_str()),
            edits: edits.unwrap_or(0),
            domain,
        })
    }

    /// Whether a name that is not the brand's is a few edits away from it, or none at all.
    pub(crate) fn is_near(&self, name: &Name) -> bool {
        let is_within = match &name.pattern {
            Some(pattern) => pattern.is_within(&self.look, self.size, self.edits),
            None => name.look == self.look,
        };
        // The same name below another suffix is often the brand's too.
        is_within && name.label != self.label
    }
}

impl Name {
    /// None for a host without a registrable domain, such as an address.
    pub(crate) fn of(host: &Host) -> Option<Self> {
        let registered = host.registrable_domain()?;
        let label = first_label(&registered);
        let below = host.as_str().strip_suffix(&registered)?;
        let look = look(label);
        Some(Self {
            label: label.into(),
            pattern: Pattern::new(&look),
            look,
            below: dotted(below.trim_end_matches('.')),
        })
    }
}

fn first_label(domain: &str) -> &str {
    domain.split('.').next().unwrap_or_default()
}

fn dotted(name: &str) -> String {
    format!(".{}.", look(name))
}
