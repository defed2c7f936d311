//! The part of a file that has records, as memory. `file` maps it when it has looked at all of it.
//! This needs unsafe code.

use std::fs::File;
use std::io;

use memmap2::{Mmap, MmapOptions};

/// A part of a file. What is read of it takes memory that the system can take back.
pub(super) struct Mapped(Mmap);

impl Mapped {
    #[expect(
        unsafe_code,
        reason = "mapping a file is unsafe, as others could change it"
    )]
    pub(super) fn new(file: &File, start: usize, length: usize) -> io::Result<Self> {
        // SAFETY: The bytes must not change and the file must not become shorter while it is
        // mapped. The files of snapshots belong to the proxy: others can neither read nor write
        // them (0600), and the proxy replaces them by renaming another file over them, which leaves
        // the mapped one as it is. Should its owner write into one nevertheless, each byte is
        // checked as it is used; should its owner make one shorter, the system ends the process
        // (SIGBUS), and the README says not to.
        let map = unsafe {
            MmapOptions::new()
                .offset(start as u64)
                .len(length)
                .map(file)
        }?;
        // Records are read one at a time, anywhere. Without this the system would read ahead.
        let _ = map.advise(memmap2::Advice::Random);
        Ok(Self(map))
    }

    pub(super) fn get(&self) -> &[u8] {
        &self.0
    }
}
