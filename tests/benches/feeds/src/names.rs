//! The names of the list, and hosts that are looked up.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

const NAMES: usize = 1_000_000;

/// Into how many lists the names are also divided.
pub(crate) const PARTS: usize = 10;

/// Chance that is the same each time.
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((u128::from(self.0) * limit as u128) >> 64) as usize
    }

    pub(crate) fn of<'t>(&mut self, all: &'t [String]) -> &'t str {
        &all[self.below(all.len())]
    }
}

pub(crate) fn whole(folder: &Path) -> PathBuf {
    folder.join("names.txt")
}

pub(crate) fn part(folder: &Path, number: usize) -> PathBuf {
    folder.join(format!("names-{number}.txt"))
}

/// Writes a million names into a file, and into several files a part of them each.
pub(crate) fn write(lists: Option<&Path>, folder: &Path) -> String {
    let mut chance = Chance::new(1);
    let real = lists.map(read_all).unwrap_or_default();
    let mut seen: HashSet<String> = real.iter().cloned().collect();
    let mut names = real.clone();
    names.truncate(NAMES);
    while names.len() < NAMES {
        let name = if real.is_empty() {
            made_up(&mut chance)
        } else {
            permuted(&real, &mut chance)
        };
        if seen.insert(name.clone()) {
            names.push(name);
        }
    }
    // A list in order would be read from memory in order.
    for at in (1..names.len()).rev() {
        names.swap(at, chance.below(at + 1));
    }
    let bytes: usize = names.iter().map(String::len).sum();
    fs::write(whole(folder), names.join("\n")).expect("there is room");
    for number in 0..PARTS {
        let names: Vec<&str> = names
            .iter()
            .skip(number)
            .step_by(PARTS)
            .map(|name| &**name)
            .collect();
        fs::write(part(folder, number), names.join("\n")).expect("there is room");
    }
    format!(
        "{NAMES} names of {:.1} bytes, {} of them real\n",
        bytes as f64 / NAMES as f64,
        real.len()
    )
}

/// The first label of one name before the others of another, or all but the last before that.
fn permuted(real: &[String], chance: &mut Chance) -> String {
    let (one, other) = (chance.of(real), chance.of(real));
    let first = one.split('.').next().unwrap_or(one);
    let others = other.split_once('.').map_or(other, |(_, others)| others);
    match chance.below(3) {
        0 => {
            let all = one.rsplit_once('.').map_or(one, |(all, _)| all);
            let last = other.rsplit('.').next().unwrap_or(other);
            format!("{all}.{last}")
        }
        _ => format!("{first}.{others}"),
    }
}

fn made_up(chance: &mut Chance) -> String {
    const ENDS: [&str; 8] = ["com", "com", "net", "org", "info", "de", "co.uk", "xyz"];
    let mut name = String::new();
    for _ in 0..1 + chance.below(2) {
        for _ in 0..4 + chance.below(12) {
            name.push(char::from(
                b"abcdefghijklmnopqrstuvwxyz0123456789"[chance.below(36)],
            ));
        }
        name.push('.');
    }
    name + ENDS[chance.below(ENDS.len())]
}

/// Every name in the files of a folder, in whatever format, as far as its lines show one.
fn read_all(folder: &Path) -> Vec<String> {
    let files = fs::read_dir(folder).expect("it is a folder");
    let mut files: Vec<PathBuf> = files
        .map(|file| file.expect("it is there").path())
        .collect();
    files.sort();
    let mut seen = HashSet::new();
    let mut names = Vec::new();
    for text in files
        .iter()
        .filter_map(|file| fs::read_to_string(file).ok())
    {
        for line in text.lines() {
            let word = ["0.0.0.0 ", "||", "server=/"]
                .iter()
                .find_map(|start| line.strip_prefix(start));
            let word = word.unwrap_or(line).trim_end_matches(['^', '/']).trim();
            let is_name = word.contains('.')
                && word
                    .bytes()
                    .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.'));
            if is_name && seen.insert(word.to_owned()) {
                names.push(word.to_owned());
            }
        }
    }
    names
}

/// Hosts that are looked up.
pub(crate) struct Hosts {
    pub(crate) hits: Vec<String>,
    /// Four labels, on no list.
    pub(crate) misses: Vec<String>,
    /// Eleven labels and more, on no list.
    pub(crate) deep: Vec<String>,
}

impl Hosts {
    pub(crate) fn of(folder: &Path, count: usize, seed: u64) -> Self {
        let text = fs::read_to_string(whole(folder)).expect("it was written");
        let names: Vec<String> = text.lines().map(str::to_owned).collect();
        let mut chance = Chance::new(seed);
        let hits = (0..count).map(|_| chance.of(&names).to_owned()).collect();
        let label = |chance: &mut Chance| {
            let name = chance.of(&names);
            name.split('.').next().unwrap_or(name).to_owned()
        };
        let misses = (0..count).map(|at| {
            format!(
                "www{}.{}.q{}-{at}.com",
                at % 9,
                label(&mut chance),
                label(&mut chance)
            )
        });
        let misses = misses.collect();
        let deep = (0..count).map(|at| {
            let below = "a.b.c.d.e.f.g.h.".repeat(1 + at % 3);
            format!("{below}{}.q{at}.net", label(&mut chance))
        });
        let deep = deep.collect();
        Self { hits, misses, deep }
    }
}
