//! A small filter in front of several lists: most hosts are on none of them, which it tells from
//! one cache line for each domain that a host is in. `feeds` makes it of the lists that serve and
//! has it look at each host first. It knows prints, as tables have them, and no names.

use std::ops::{Range, RangeInclusive};

use super::Snapshot;
use super::key::{AT_HAND, Key, Query, Suffix};
use super::table::{Line, Table, print};
use super::traits::Labels;

/// Bits that one cache line has.
const BLOCK: usize = 512;

/// Bits of the filter for each name.
const BITS_A_NAME: usize = 11;

/// Bits that are set for each name.
const BITS_SET: usize = 4;

/// High bits of a hash that count. A table tells them of its names, but for the smallest lists,
/// whose names then count in all the parts where they may be.
const PART_BITS: u32 = 10;

/// What names on some lists have in common with no other name, but for a few. One list alone has no
/// blocks: its table tells as much from one cache line.
#[derive(Debug, Default)]
pub(crate) struct Sieve {
    blocks: Option<Box<[Block]>>,
    labels: Labels,
}

#[derive(Clone, Copy, Debug, Default)]
#[repr(align(64))]
struct Block([u64; BLOCK / 64]);

impl Sieve {
    /// For those of the lists that have this key.
    pub(crate) fn new<'l>(key: Key, lists: impl Iterator<Item = &'l Snapshot> + Clone) -> Self {
        let lists = lists.filter(|list| list.key == Some(key));
        let are_several = lists.clone().nth(1).is_some();
        Self {
            blocks: are_several.then(|| blocks(lists.clone())),
            labels: lists
                .map(|list| list.traits.labels)
                .fold(Labels::default(), Labels::with),
        }
    }

    /// Leaves out the domains that none of the lists has, and tells whether any is left.
    pub(crate) fn holds(&self, query: &mut Query<'_>) -> bool {
        // Networks have hashes of their own.
        if query.address.is_some() {
            return true;
        }
        query.retain(|suffix| self.may_have(suffix));
        let has_deep_names = self.labels.most() as usize > AT_HAND;
        !query.at_hand().is_empty() || (has_deep_names && query.has_others())
    }

    #[inline]
    fn may_have(&self, suffix: Suffix) -> bool {
        if !self.labels.has(suffix.labels) {
            return false;
        }
        let Some(blocks) = &self.blocks else {
            return true;
        };
        let part = suffix.hash >> (64 - PART_BITS);
        let (block, bits) = bits(blocks.len(), cell(part, print(suffix.hash)));
        // Without names there is no block.
        blocks.get(block).is_some_and(|Block(words)| {
            bits.fold(true, |all, bit| {
                all & ((words[bit / 64] >> (bit % 64)) & 1 != 0)
            })
        })
    }
}

/// Blocks with the bits of all names on these lists.
fn blocks<'l>(lists: impl Iterator<Item = &'l Snapshot> + Clone) -> Box<[Block]> {
    let mut names = 0;
    for list in lists.clone() {
        spread(&list.table, |_, parts| names += parts.count());
    }
    let mut blocks = vec![Block::default(); (names * BITS_A_NAME).div_ceil(BLOCK)];
    let mut set = |cell| {
        let (block, bits) = bits(blocks.len(), cell);
        let Block(words) = &mut blocks[block];
        bits.for_each(|bit| words[bit / 64] |= 1 << (bit % 64));
    };
    for list in lists {
        spread(&list.table, |print, parts| {
            parts.for_each(|part| set(cell(part, print)));
        });
    }
    blocks.into()
}

/// The block of so many in which a cell has its bits, and which these are.
#[inline]
fn bits(blocks: usize, cell: u64) -> (usize, impl Iterator<Item = usize> + use<>) {
    // What is known of a hash is spread over all bits again.
    let mut mixed = cell.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    mixed ^= mixed >> 32;
    let block = ((u128::from(mixed) * blocks as u128) >> 64) as usize;
    let bits = (0..BITS_SET).map(move |at| (mixed >> (9 * at)) as usize % BLOCK);
    (block, bits)
}

/// What is known of a hash.
fn cell(part: u64, print: u16) -> u64 {
    (part << 16) | u64::from(print)
}

/// Tells of each name in a table its print and in which parts its hash may be.
fn spread(table: &Table, mut use_name: impl FnMut(u16, RangeInclusive<u64>)) {
    let lines = table.lines();
    // The least hash that is looked for in a line first.
    let least = |line: usize| ((line as u128) << 64).div_ceil(lines.len() as u128);
    let part = |hash: u128| (hash >> (64 - PART_BITS)) as u64;
    let mut use_line = |line: &Line, homes: Range<usize>| {
        let parts = part(least(homes.start))..=part(least(homes.end) - 1);
        for print in line.prints().iter().filter(|print| **print != 0) {
            use_name(*print, parts.clone());
        }
    };
    // A name may have found some lines full before the one that it is in.
    let mut full = 0;
    for (at, line) in lines.iter().enumerate() {
        use_line(line, at - full..at + 1);
        full = if line.is_full() { full + 1 } else { 0 };
    }
    // The last ones are before the first.
    if full > 0 {
        let behind = lines.iter().position(|line| !line.is_full());
        for line in &lines[..=behind.unwrap_or(lines.len() - 1)] {
            use_line(line, lines.len() - full..lines.len());
        }
    }
}
