//! What the standards say, by document; the name of a test begins with the section.

mod rfc9110;
mod rfc9112;
