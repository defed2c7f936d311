//! The body of a list, which may be longer than what should be in memory: a short one stays there,
//! and a long one goes to a file without a name. `fetch` and `unpack` write bodies, `format` and
//! `cache` read them. It knows nothing of what they mean.

use std::fs::{self, File};
use std::io::{self, Cursor, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;

use sha2::{Digest, Sha256};
use tracing::debug;

/// The most bytes in memory of a body that may go to a file.
const MOST_IN_MEMORY: usize = 1 << 20;

/// Where long bodies are kept for as long as they are needed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Room(Option<PathBuf>);

/// A body. It is written to its end first, and then read as often as need be.
#[derive(Debug)]
pub(crate) struct Body {
    content: Content,
    length: u64,
    room: Room,
}

#[derive(Debug)]
enum Content {
    Memory(Cursor<Vec<u8>>),
    File(File),
}

impl Room {
    /// Files in a folder, which need not exist yet. Where there can be none, bodies are in memory.
    pub(crate) fn in_folder(folder: PathBuf) -> Self {
        Self(Some(folder))
    }

    /// A body to be written.
    pub(crate) fn body(&self) -> Body {
        Body {
            room: self.clone(),
            ..Body::from(Vec::new())
        }
    }

    fn file(&self) -> io::Result<Option<File>> {
        let Some(folder) = &self.0 else {
            return Ok(None);
        };
        fs::create_dir_all(folder)?;
        tempfile::tempfile_in(folder).map(Some)
    }
}

impl From<Vec<u8>> for Body {
    /// In memory, however long it is.
    fn from(content: Vec<u8>) -> Self {
        Self {
            length: content.len() as u64,
            content: Content::Memory(Cursor::new(content)),
            room: Room::default(),
        }
    }
}

impl Body {
    /// What is in a file.
    pub(crate) fn in_file(file: File) -> io::Result<Self> {
        Ok(Self {
            length: file.metadata()?.len(),
            content: Content::File(file),
            room: Room::default(),
        })
    }

    /// Its size in bytes.
    pub(crate) fn len(&self) -> u64 {
        self.length
    }

    /// The place for another body of the kind.
    pub(super) fn room(&self) -> Room {
        self.room.clone()
    }

    /// All of it in memory.
    pub(crate) fn into_bytes(mut self) -> io::Result<Vec<u8>> {
        if let Content::Memory(content) = self.content {
            return Ok(content.into_inner());
        }
        self.copied()
    }

    /// A copy of all of it in memory.
    pub(super) fn copied(&mut self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.rewind()?;
        self.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// The bytes that it begins with: this many, or fewer.
    pub(crate) fn start(&mut self, length: u64) -> io::Result<Vec<u8>> {
        let mut start = Vec::new();
        self.rewind()?;
        self.take(length).read_to_end(&mut start)?;
        Ok(start)
    }

    /// Writes all of it.
    pub(crate) fn copy_to(&mut self, output: &mut impl Write) -> io::Result<()> {
        self.rewind()?;
        io::copy(self, output)?;
        Ok(())
    }

    /// Its SHA-256.
    pub(crate) fn sha256(&mut self) -> io::Result<[u8; 32]> {
        let mut digest = Sha256::new();
        self.copy_to(&mut digest)?;
        Ok(digest.finalize().into())
    }

    /// Moves what is in memory to a file, if there can be one.
    fn move_to_file(&mut self) {
        let Content::Memory(content) = &self.content else {
            return;
        };
        let file = self.room.file().and_then(|file| {
            let Some(mut file) = file else {
                return Ok(None);
            };
            file.write_all(content.get_ref())?;
            Ok(Some(file))
        });
        match file {
            Ok(Some(file)) => self.content = Content::File(file),
            Ok(None) => {}
            Err(error) => self.stay_in_memory(&error),
        }
    }

    fn stay_in_memory(&mut self, error: &io::Error) {
        debug!(%error, "there is no room on disk for a list that is fetched; it is kept in memory");
        self.room = Room::default();
    }
}

impl Write for Body {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.length + bytes.len() as u64 > MOST_IN_MEMORY as u64 && self.room.0.is_some() {
            self.move_to_file();
        }
        let mut written = bytes.len();
        match &mut self.content {
            Content::Memory(content) => content.get_mut().extend_from_slice(bytes),
            Content::File(file) => match file.write(bytes) {
                Ok(length) => written = length,
                // The disk is full.
                Err(error) => {
                    self.stay_in_memory(&error);
                    let mut content = self.copied()?;
                    content.extend_from_slice(bytes);
                    self.content = Content::Memory(Cursor::new(content));
                }
            },
        }
        self.length += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Read for Body {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.content {
            Content::Memory(content) => content.read(buffer),
            Content::File(file) => file.read(buffer),
        }
    }
}

impl Seek for Body {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match &mut self.content {
            Content::Memory(content) => content.seek(to),
            Content::File(file) => file.seek(to),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(room: &Room, pieces: usize) -> Body {
        let mut body = room.body();
        for _ in 0..pieces {
            body.write_all(&[b'a'; 1000]).unwrap();
        }
        body
    }

    #[test]
    fn a_long_body_goes_to_a_file_and_is_read_as_a_short_one_is() {
        let dir = tempfile::tempdir().unwrap();
        let room = Room::in_folder(dir.path().join("new"));
        for (pieces, is_in_file) in [(3, false), (3000, true)] {
            let mut body = written(&room, pieces);
            assert_eq!(matches!(body.content, Content::File(_)), is_in_file);
            assert_eq!(body.len(), 1000 * pieces as u64);
            let all = vec![b'a'; 1000 * pieces];
            for _ in 0..2 {
                assert_eq!(body.sha256().unwrap(), *Sha256::digest(&all));
            }
            assert_eq!(body.into_bytes().unwrap(), all);
        }
        // They have no name.
        assert_eq!(fs::read_dir(dir.path().join("new")).unwrap().count(), 0);
    }

    #[test]
    fn where_no_file_can_be_a_body_is_in_memory() {
        let dir = tempfile::tempdir().unwrap();
        let in_the_way = dir.path().join("file");
        fs::write(&in_the_way, "").unwrap();
        for room in [Room::default(), Room::in_folder(in_the_way)] {
            let body = written(&room, 3000);
            assert!(matches!(body.content, Content::Memory(_)));
            assert_eq!(body.into_bytes().unwrap().len(), 3_000_000);
        }
    }

    #[test]
    fn a_body_for_which_the_disk_becomes_full_goes_back_to_memory() {
        let dir = tempfile::tempdir().unwrap();
        let mut body = written(&Room::in_folder(dir.path().to_owned()), 3000);
        let Content::File(file) = &mut body.content else {
            panic!("it is in a file");
        };
        // Nothing can be written to it from here on.
        let path = dir.path().join("read-only");
        fs::write(&path, body_so_far(file)).unwrap();
        body.content = Content::File(File::open(path).unwrap());
        body.write_all(b"b").unwrap();
        assert!(matches!(body.content, Content::Memory(_)));
        let bytes = body.into_bytes().unwrap();
        assert_eq!((bytes.len(), bytes[3_000_000]), (3_000_001, b'b'));
    }

    fn body_so_far(file: &mut File) -> Vec<u8> {
        let mut bytes = Vec::new();
        file.rewind().unwrap();
        file.read_to_end(&mut bytes).unwrap();
        bytes
    }
}
