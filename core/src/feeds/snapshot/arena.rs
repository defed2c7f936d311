//! Room for the records of a list that is being read: they never move, and what they take is what
//! they have. `builder` alone uses it.

use super::records::{self, Record, Said};

/// Bytes that are asked for at a time. No record is longer.
const PIECE: usize = 1 << 20;

/// Records one behind the other, each with what one line says.
#[derive(Debug, Default)]
pub(super) struct Arena {
    /// All but the last have no room for what came next.
    pieces: Vec<Vec<u8>>,
}

impl Arena {
    /// Adds the record of a name and tells where it is; none if that is beyond 4 GiB.
    pub(super) fn push(&mut self, name: &[u8], said: Said<'_>) -> Option<u32> {
        let length = records::length(name.len(), said.text.len());
        let has_room = self
            .pieces
            .last()
            .is_some_and(|piece| piece.len() + length <= PIECE);
        if !has_room {
            // A short list takes little.
            let room = if self.pieces.is_empty() { 0 } else { PIECE };
            self.pieces.push(Vec::with_capacity(room));
        }
        let last = self.pieces.len() - 1;
        let piece = &mut self.pieces[last];
        let at = u32::try_from(last * PIECE + piece.len()).ok()?;
        records::append(piece, name, [said].into_iter());
        Some(at)
    }

    /// The record at a place that [`Arena::push`] has told.
    pub(super) fn record(&self, at: u32) -> Record<'_> {
        self.read(at).0
    }

    /// The same as bytes.
    pub(super) fn bytes(&self, at: u32) -> &[u8] {
        let (_, behind) = self.read(at);
        let rest = self.from(at);
        &rest[..rest.len() - behind.len()]
    }

    /// The places of all records, in their order.
    pub(super) fn places(&self) -> impl Iterator<Item = u32> {
        self.pieces.iter().enumerate().flat_map(|(number, piece)| {
            let mut rest = &piece[..];
            std::iter::from_fn(move || {
                let at = number * PIECE + piece.len() - rest.len();
                (_, rest) = Record::read(rest)?;
                Some(at as u32)
            })
        })
    }

    fn read(&self, at: u32) -> (Record<'_>, &[u8]) {
        Record::read(self.from(at)).expect("it was written as one")
    }

    fn from(&self, at: u32) -> &[u8] {
        let at = at as usize;
        &self.pieces[at / PIECE][at % PIECE..]
    }
}
