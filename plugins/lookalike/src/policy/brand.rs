//! One brand, and the ways to imitate it.

use portcullis_sdk::{Error, Host};

use super::glyphs::look;

/// A shorter name is found within other words.
const MIN_GLUED: usize = 5;

/// A domain that is protected.
pub(crate) struct Brand {
    pub(crate) domain: Host,
    /// Its first label.
    label: String,
    /// What that looks like.
    look: String,
    /// What the whole domain looks like, with dots around it.
    dotted: String,
    /// Names at most this many edits away are look-alikes.
    edits: usize,
}

/// A host, as it looks.
pub(crate) struct Name {
    /// The first label of the registrable domain.
    label: String,
    /// What that looks like.
    look: String,
    /// What the labels below that domain look like, with dots around them.
    below: String,
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
        let edits = look.chars().count().checked_div(characters_per_edit.into());
        Ok(Self {
            label: label.into(),
            look,
            dotted: dotted(domain.as_str()),
            edits: edits.unwrap_or(0),
            domain,
        })
    }

    /// Whether a host that is not the brand's could be taken for the brand's.
    pub(crate) fn is_imitated(&self, name: &Name, words: &[String]) -> bool {
        // The same name below another suffix is often the brand's too.
        let is_near = name.label != self.label && self.is_near(&name.look);
        is_near || self.is_joined(&name.look, words) || name.below.contains(&self.dotted)
    }

    fn is_near(&self, look: &str) -> bool {
        if look == self.look {
            return true;
        }
        let lengths = (look.chars().count(), self.look.chars().count());
        // Most names are told apart without a closer look.
        lengths.0.abs_diff(lengths.1) <= self.edits
            && strsim::osa_distance(look, &self.look) <= self.edits
    }

    /// Whether the brand's name stands beside one of the words: behind a hyphen or, if it is long
    /// enough, right at it.
    fn is_joined(&self, look: &str, words: &[String]) -> bool {
        let is_word = |part: &str| words.iter().any(|word| word == part);
        let may_touch = |part: Option<&str>| match part {
            None | Some("") => true,
            Some(part) => self.look.len() >= MIN_GLUED && is_word(part),
        };
        look.match_indices(&self.look).any(|(at, found)| {
            let (before, rest) = look.split_at(at);
            let (_, after) = rest.split_at(found.len());
            let parts = || before.split('-').chain(after.split('-'));
            may_touch(before.rsplit('-').next())
                && may_touch(after.split('-').next())
                && parts().any(is_word)
        })
    }
}

impl Name {
    /// None for a host without a registrable domain, such as an address.
    pub(crate) fn of(host: &Host) -> Option<Self> {
        let registered = host.registrable_domain()?;
        let label = first_label(&registered);
        let below = host.as_str().strip_suffix(&registered)?;
        Some(Self {
            label: label.into(),
            look: look(label),
            below: dotted(below.trim_end_matches('.')),
        })
    }
}

fn first_label(domain: &str) -> &str {
    domain.split('.').next().unwrap_or_default()
}

fn dotted(name: &str) -> String {
    let looks: Vec<String> = name.split('.').map(look).collect();
    format!(".{}.", looks.join("."))
}
