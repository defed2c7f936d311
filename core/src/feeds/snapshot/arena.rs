//! Room for the records of a list that is being read: they never move, and what they take is what
//! they have. `builder` alone uses it.

use super::records::{self, Record, SAID, Said};

/// Bytes that are asked for at a time. No record is longer.
const PIECE: usize = 1 << 20;

/// Records one behind the other, each with what one line says.
#[derive(Debug, Default)]
pub(super) struct Arena {
    /// All but the last have no room for what came next.
    pieces: Vec<Vec<u8>>,
}

impl Arena {
    /// Adds a record and tells where it is; none if that is beyond 4 GiB.
    pub(super) fn push(&mut self, name: &[u8], said: Said) -> Option<u32> {
        let has_room = self
            .pieces
            .last()
            .is_some_and(|piece| piece.len() + records::length(name.len(), 1) <= PIECE);
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
    pub(super) fn bytes(&self, at: u32) -> &[u8] {
        let at = at as usize;
        let rest = &self.pieces[at / PIECE][at % PIECE..];
        let (_, behind) = Record::read(rest).expect("it was written as one");
        &rest[..rest.len() - behind.len()]
    }

    /// Replaces what the line says.
    pub(super) fn say(&mut self, at: u32, said: Said) {
        let length = self.bytes(at).len();
        let at = at as usize;
        let record = &mut self.pieces[at / PIECE][at % PIECE..][..length];
        let [rules, line @ ..] = record
            .last_chunk_mut::<SAID>()
            .expect("each has what one line says");
        *rules = said.rules.bits();
        *line = said.line.to_le_bytes();
    }
}
