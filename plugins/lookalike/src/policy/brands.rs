//! All brands, and the ways to imitate one. A host is not searched for each brand: what could be a
//! brand in it is looked up.

use std::collections::{BTreeSet, HashMap};

use super::brand::{Brand, Name};

/// A shorter name is found within other words.
const MIN_GLUED: usize = 5;

/// The brands in the order of the settings.
pub(crate) struct Brands {
    all: Vec<Brand>,
    /// The first brand with that look.
    by_look: HashMap<String, usize>,
    /// The most hyphens in one of those.
    hyphens: usize,
    /// The first brand with that domain, dots around it.
    by_domain: HashMap<String, usize>,
    /// How many labels these have.
    labels: BTreeSet<usize>,
}

/// A place in a name where a brand could begin or end.
#[derive(Clone, Copy)]
struct Edge {
    at: usize,
    /// Which of the parts between hyphens it lies in.
    part: usize,
    /// One of the words touches it.
    is_glued: bool,
}

impl Brands {
    pub(crate) fn new(all: Vec<Brand>) -> Self {
        let mut brands = Self {
            by_look: HashMap::new(),
            hyphens: 0,
            by_domain: HashMap::new(),
            labels: BTreeSet::new(),
            all: Vec::new(),
        };
        for (at, brand) in all.iter().enumerate() {
            brands.hyphens = brands.hyphens.max(brand.look.matches('-').count());
            brands.labels.insert(brand.dotted.matches('.').count() - 1);
            brands.by_look.entry(brand.look.clone()).or_insert(at);
            brands.by_domain.entry(brand.dotted.clone()).or_insert(at);
        }
        brands.all = all;
        brands
    }

    /// The first brand that a host which is not the brand's could be taken for.
    pub(crate) fn imitated(&self, name: &Name, words: &[String]) -> Option<&Brand> {
        let near = self.all.iter().position(|brand| brand.is_near(name));
        let joined = self.joined(&name.look, words);
        let below = self.below(&name.below);
        let first = near.into_iter().chain(joined).chain(below).min()?;
        Some(&self.all[first])
    }

    /// The first brand whose name stands beside one of the words: behind a hyphen or, if it is long
    /// enough, right at it.
    fn joined(&self, look: &str, words: &[String]) -> Option<usize> {
        let is_word = |part: &str| words.iter().any(|word| word == part);
        let (mut begins, mut ends) = (Vec::new(), Vec::new());
        let (mut first_word, mut last_word) = (None, None);
        let mut at = 0;
        for (part, text) in look.split('-').enumerate() {
            let edge = |at, is_glued| Edge { at, part, is_glued };
            let end = at + text.len();
            if is_word(text) {
                first_word = first_word.or(Some(part));
                last_word = Some(part);
            }
            begins.push(edge(at, false));
            ends.push(edge(end, false));
            for word in words.iter().filter(|word| word.len() < text.len()) {
                if text.starts_with(&**word) {
                    begins.push(edge(at + word.len(), true));
                }
                if text.ends_with(&**word) {
                    ends.push(edge(end - word.len(), true));
                }
            }
            at = end + 1;
        }
        let found = begins.iter().flat_map(|begin| {
            let parts = begin.part..=begin.part + self.hyphens;
            let ends = ends
                .iter()
                .filter(move |end| parts.contains(&end.part) && begin.at < end.at);
            ends.filter_map(move |end| {
                let is_glued = begin.is_glued || end.is_glued;
                let is_beside = first_word.is_some_and(|word| word < begin.part)
                    || last_word.is_some_and(|word| word > end.part);
                let brand = &look[begin.at..end.at];
                let is_joined = if is_glued {
                    brand.len() >= MIN_GLUED
                } else {
                    is_beside
                };
                is_joined.then(|| self.by_look.get(brand).copied())?
            })
        });
        found.min()
    }

    /// The first brand whose domain is among these labels.
    fn below(&self, labels: &str) -> Option<usize> {
        let dots: Vec<usize> = labels.match_indices('.').map(|(at, _)| at).collect();
        let found = dots.iter().enumerate().flat_map(|(begin, from)| {
            let ends = self.labels.iter();
            let ends = ends.filter_map(|labels| dots.get(begin + labels));
            ends.copied()
                .filter_map(|to| self.by_domain.get(&labels[*from..=to]).copied())
                .collect::<Vec<_>>()
        });
        found.min()
    }
}
