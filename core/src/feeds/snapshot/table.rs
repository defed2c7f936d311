//! Where the records of names are, found by the hash of a name. `builder` makes it, `file` keeps
//! it, and a snapshot asks it about every domain that a host is in. It knows no names: what it
//! finds is to be confirmed.

/// Names that one cache line has room for.
pub(super) const LINE: usize = 32;

/// Names that are counted from one offset.
pub(super) const GROUP: usize = 8;

/// Groups of a line.
pub(super) const GROUPS: usize = LINE / GROUP;

/// How many names a line has on average. More would fill so many lines that a miss often looks
/// into the next one, too.
const NAMES_A_LINE: usize = 24;

/// The most full lines in a row. Few lines are full by chance, so a table that was built has no run
/// that comes near.
const LONGEST_RUN: usize = 64;

/// Sixteen bits of the hash of each name, in lines of a processor's cache.
///
/// A name is in the line that other bits of its hash choose or, where that is full, in the first
/// behind it that was not. Its record is the one of its place: records lie in the order of places.
#[derive(Debug, Default)]
pub(super) struct Table {
    lines: Box<[Line]>,
    /// Where the records of each group begin.
    starts: Box<[u32]>,
}

/// The prints of names, in places that are filled from the first. An empty place has none, 0.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(64))]
pub(super) struct Line(pub(super) [u16; LINE]);

/// Where the record of a name can be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// Where the records of its group begin.
    pub(super) start: u32,
    /// How many of them come before it.
    pub(super) before: usize,
}

impl Table {
    /// How many lines so many names have.
    pub(super) fn count_for(names: usize) -> usize {
        names.div_ceil(NAMES_A_LINE)
    }

    /// Whether no name can be far from the line in which it is looked for first. A table that was
    /// built is so; one that was made up could have lookups go through all of it.
    pub(super) fn is_loose(&self) -> bool {
        let mut runs = self.lines.split(|line| !line.is_full());
        runs.all(|run| run.len() <= LONGEST_RUN)
    }

    /// Lines for so many names.
    pub(super) fn lines_for(names: usize) -> Vec<Line> {
        vec![Line::default(); Self::count_for(names)]
    }

    /// The offsets are those of the groups of the lines.
    pub(super) fn new(lines: Vec<Line>, starts: Vec<u32>) -> Self {
        debug_assert_eq!(lines.len() * GROUPS, starts.len());
        Self {
            lines: lines.into(),
            starts: starts.into(),
        }
    }

    pub(super) fn lines(&self) -> &[Line] {
        &self.lines
    }

    pub(super) fn starts(&self) -> &[u32] {
        &self.starts
    }

    /// How many names there are.
    pub(super) fn names(&self) -> usize {
        self.lines.iter().map(Line::names).sum()
    }

    /// What `confirm` makes of the first place of the hash at which it finds something.
    #[inline]
    pub(super) fn find<T>(&self, hash: u64, confirm: impl Fn(Place) -> Option<T>) -> Option<T> {
        let print = print(hash);
        let mut at = home(hash, self.lines.len());
        for _ in 0..self.lines.len() {
            let line = &self.lines[at];
            if line.has(print)
                && let Some(found) = self.confirmed(at, print, &confirm)
            {
                return Some(found);
            }
            if !line.is_full() {
                return None;
            }
            at = after(at, self.lines.len());
        }
        None
    }

    /// Few names get here that are on no list.
    #[cold]
    fn confirmed<T>(
        &self,
        at: usize,
        print: u16,
        confirm: &impl Fn(Place) -> Option<T>,
    ) -> Option<T> {
        let places = self.lines[at].0.iter().enumerate();
        let alike = places.filter(|(_, other)| **other == print);
        alike
            .map(|(place, _)| Place {
                start: self.starts[at * GROUPS + place / GROUP],
                before: place % GROUP,
            })
            .find_map(confirm)
    }
}

impl Line {
    #[inline]
    fn has(&self, print: u16) -> bool {
        // Without an early end the processor compares several at a time.
        self.0
            .iter()
            .fold(false, |any, other| any | (*other == print))
    }

    #[inline]
    pub(super) fn is_full(&self) -> bool {
        self.0[LINE - 1] != 0
    }

    pub(super) fn names(&self) -> usize {
        self.0.iter().filter(|print| **print != 0).count()
    }

    /// Whether no empty place comes before one that is not.
    pub(super) fn is_in_order(&self) -> bool {
        self.0.is_sorted_by_key(|print| *print == 0)
    }
}

/// The bits of a hash that a line has.
pub(super) fn print(hash: u64) -> u16 {
    // 0 is the print of an empty place.
    (hash as u16).max(1)
}

/// The line in which a hash is looked for first. There is none if there are no lines.
pub(super) fn home(hash: u64, lines: usize) -> usize {
    ((u128::from(hash) * lines as u128) >> 64) as usize
}

/// The line behind one.
pub(super) fn after(line: usize, lines: usize) -> usize {
    if line + 1 == lines { 0 } else { line + 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_run_of_full_lines_is_told() {
        let table = |full: usize| {
            let mut lines = vec![Line([1; LINE]); full];
            lines.push(Line::default());
            let starts = vec![0; lines.len() * GROUPS];
            Table::new(lines, starts)
        };
        assert!(table(0).is_loose() && table(LONGEST_RUN).is_loose());
        assert!(!table(LONGEST_RUN + 1).is_loose());
    }
}
