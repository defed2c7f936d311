//! Where the records of names are, found by the hash of a name. `builder` makes it, `file` keeps
//! it, and a snapshot asks it about every domain that a host is in. It knows no names: what it
//! finds is to be confirmed.

/// Names that one cache line has room for.
pub(super) const LINE: usize = 27;

/// Names that are counted from one offset.
const GROUP: usize = 7;

/// Numbers of sixteen bits in a line.
pub(super) const WORDS: usize = 32;

/// How many names a line has on average. More would fill so many lines that a miss often looks
/// into the next one, too.
const NAMES_A_LINE: usize = 23;

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
}

/// The prints of names, in places that are filled from the first; an empty place has none, 0.
/// Behind them is where the records of each group of names begin: three offsets from the first,
/// and the first in two halves.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(64))]
pub(super) struct Line(pub(super) [u16; WORDS]);

/// Where the record of a name can be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// Where the records of its group begin.
    pub(super) start: u32,
    /// How many of them come before it.
    pub(super) before: usize,
    /// The number of the place in the table.
    pub(super) number: usize,
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

    pub(super) fn new(lines: Vec<Line>) -> Self {
        Self {
            lines: lines.into(),
        }
    }

    pub(super) fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// How many names there can be.
    pub(super) fn places(&self) -> usize {
        self.lines.len() * LINE
    }

    /// The place of that number, if a name is in it.
    pub(super) fn place(&self, number: usize) -> Option<Place> {
        let line = self.lines.get(number / LINE)?;
        (line.0[number % LINE] != 0).then(|| line.place(number))
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
        let line = &self.lines[at];
        let places = line.prints().iter().enumerate();
        let alike = places.filter(|(_, other)| **other == print);
        alike
            .map(|(place, _)| line.place(at * LINE + place))
            .find_map(confirm)
    }
}

impl Line {
    /// Whether it may have a name with this print.
    #[inline]
    fn has(&self, print: u16) -> bool {
        // Without an early end the processor compares several at a time. What is behind the prints
        // costs nothing, and is seldom equal.
        self.0
            .iter()
            .fold(false, |any, other| any | (*other == print))
    }

    /// As a file has it.
    pub(super) fn bytes(&self) -> [[u8; 2]; WORDS] {
        self.0.map(u16::to_le_bytes)
    }

    pub(super) fn prints(&self) -> &[u16] {
        &self.0[..LINE]
    }

    #[inline]
    pub(super) fn is_full(&self) -> bool {
        self.0[LINE - 1] != 0
    }

    pub(super) fn names(&self) -> usize {
        self.prints().iter().filter(|print| **print != 0).count()
    }

    /// Takes a name into a line that is not full, and tells its place.
    pub(super) fn push(&mut self, print: u16) -> usize {
        let place = self.names();
        self.0[place] = print;
        place
    }

    /// Whether no empty place comes before one that is not.
    pub(super) fn is_in_order(&self) -> bool {
        self.prints().is_sorted_by_key(|print| *print == 0)
    }

    /// Says that its records begin at `start` and have these lengths, and tells where they end;
    /// none if that is too far.
    pub(super) fn set_starts(&mut self, start: u32, lengths: [usize; LINE]) -> Option<u32> {
        self.0[LINE + 3] = start as u16;
        self.0[LINE + 4] = (start >> 16) as u16;
        let mut length = 0;
        for (at, group) in lengths.chunks(GROUP).enumerate() {
            if at > 0 {
                self.0[LINE + at - 1] = u16::try_from(length).ok()?;
            }
            length += group.iter().sum::<usize>();
        }
        start.checked_add(u32::try_from(length).ok()?)
    }

    /// The place of that number, which is in this line.
    fn place(&self, number: usize) -> Place {
        let place = number % LINE;
        let start = u32::from(self.0[LINE + 3]) | (u32::from(self.0[LINE + 4]) << 16);
        let group = match place / GROUP {
            0 => 0,
            group => u32::from(self.0[LINE + group - 1]),
        };
        Place {
            // The records of a table that was made up may be anywhere.
            start: start.saturating_add(group),
            before: place % GROUP,
            number,
        }
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
            let mut lines = vec![Line([1; WORDS]); full];
            lines.push(Line::default());
            Table::new(lines)
        };
        assert!(table(0).is_loose() && table(LONGEST_RUN).is_loose());
        assert!(!table(LONGEST_RUN + 1).is_loose());
    }
}
