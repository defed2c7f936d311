//! Whether two names are a few edits apart: letters that are added, left out, replaced, or swapped
//! with the next. A host is compared with every brand, so a comparison must cost little: a step for
//! each letter, and most names are told apart without that.

/// The letters of a name, one a bit.
const LONGEST: usize = u64::BITS as usize;

/// A name that many others are compared with.
pub(crate) struct Pattern {
    size: Size,
    /// Where a letter of ASCII stands.
    ascii: [u64; 128],
    /// The same of other letters.
    others: Vec<(char, u64)>,
}

/// What can be said of a name at once.
#[derive(Clone, Copy)]
pub(crate) struct Size {
    length: usize,
    /// Which letters there are, as a set in which some letters share a place.
    letters: u64,
}

impl Size {
    pub(crate) fn of(name: &str) -> Self {
        let place = |letter: char| 1 << (u32::from(letter) % u64::BITS);
        Self {
            length: name.chars().count(),
            letters: name.chars().map(place).fold(0, std::ops::BitOr::bitor),
        }
    }

    pub(crate) fn length(self) -> usize {
        self.length
    }

    /// False only if more edits than `most` lie between the two: each adds or takes one letter, or
    /// both.
    fn may_be_within(self, other: Self, most: usize) -> bool {
        let missing = |from: u64, to: u64| (from & !to).count_ones() as usize;
        self.length.abs_diff(other.length) <= most
            && missing(self.letters, other.letters) <= most
            && missing(other.letters, self.letters) <= most
    }
}

impl Pattern {
    /// None for a name of more than 64 letters.
    pub(crate) fn new(name: &str) -> Option<Self> {
        let mut pattern = Self {
            size: Size::of(name),
            ascii: [0; 128],
            others: Vec::new(),
        };
        if pattern.size.length > LONGEST {
            return None;
        }
        for (at, letter) in name.chars().enumerate() {
            *pattern.places_mut(letter) |= 1 << at;
        }
        Some(pattern)
    }

    /// Whether at most so many edits lie between this name and another.
    pub(crate) fn is_within(&self, name: &str, size: Size, most: usize) -> bool {
        self.size.may_be_within(size, most) && self.distance(name, size, most) <= most
    }

    /// The number of edits (optimal string alignment), by Hyyrö's bit-parallel algorithm of 2003:
    /// a column of the usual table is two words, and a letter of `name` makes the next column. More
    /// than `most` may come out too small, as the end is not looked at then.
    fn distance(&self, name: &str, size: Size, most: usize) -> usize {
        let Some(last) = self.size.length.checked_sub(1) else {
            return size.length;
        };
        let (mut plus, mut minus) = (u64::MAX, 0);
        let (mut diagonal, mut places_before) = (0_u64, 0);
        let mut distance = self.size.length;
        let mut left = size.length;
        for letter in name.chars() {
            let places = self.places(letter);
            let swapped = ((!diagonal & places) << 1) & places_before;
            diagonal = (((places & plus).wrapping_add(plus)) ^ plus) | places | minus | swapped;
            let (up, down) = (minus | !(diagonal | plus), diagonal & plus);
            distance = distance + (up >> last & 1) as usize - (down >> last & 1) as usize;
            let (up, down) = (up << 1 | 1, down << 1);
            plus = down | !(diagonal | up);
            minus = up & diagonal;
            places_before = places;
            left -= 1;
            // Each letter that is left can make up for one edit.
            if distance > most + left {
                break;
            }
        }
        distance
    }

    fn places(&self, letter: char) -> u64 {
        match self.ascii.get(letter as usize) {
            Some(places) => *places,
            None => {
                let mut others = self.others.iter();
                let known = others.find(|(known, _)| *known == letter);
                known.map_or(0, |(_, places)| *places)
            }
        }
    }

    fn places_mut(&mut self, letter: char) -> &mut u64 {
        if letter.is_ascii() {
            return &mut self.ascii[letter as usize];
        }
        let known = self.others.iter().position(|(known, _)| *known == letter);
        let at = known.unwrap_or_else(|| {
            self.others.push((letter, 0));
            self.others.len() - 1
        });
        &mut self.others[at].1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every name of up to `longest` of the letters.
    fn names(letters: &[char], longest: usize) -> Vec<String> {
        let mut names = vec![String::new()];
        let mut begin = 0;
        for _ in 0..longest {
            let end = names.len();
            for at in begin..end {
                let name = names[at].clone();
                names.extend(letters.iter().map(|letter| format!("{name}{letter}")));
            }
            begin = end;
        }
        names
    }

    #[test]
    fn the_edits_between_short_names_are_counted_as_the_textbook_counts_them() {
        let names = names(&['a', 'b', 'я'], 5);
        for one in &names {
            let pattern = Pattern::new(one).unwrap();
            for other in &names {
                let edits = strsim::osa_distance(one, other);
                for most in 0..4 {
                    let is_within = pattern.is_within(other, Size::of(other), most);
                    assert_eq!(is_within, edits <= most, "{one} {other} {most}");
                }
            }
        }
    }

    #[test]
    fn the_longest_label_is_compared_to_its_end() {
        let label = "abcdefghijklmnopqrstuvwxyz0123456789".repeat(2)[..63].to_owned();
        let swapped = label[..61].to_owned() + &label[62..] + &label[61..62];
        let pattern = Pattern::new(&label).unwrap();
        assert_eq!(strsim::osa_distance(&label, &swapped), 1);
        assert!(pattern.is_within(&swapped, Size::of(&swapped), 1));
        assert!(!pattern.is_within(&swapped, Size::of(&swapped), 0));
        assert!(Pattern::new(&"a".repeat(65)).is_none());
    }
}
