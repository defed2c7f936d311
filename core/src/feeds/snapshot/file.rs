//! A snapshot as a file: a header, the records, the table, the styles. `cache` writes and opens
//! such files. All of a file is compared with its checksums when it is opened, and later nothing
//! is: files are replaced by renaming and never written to. It does not know where they are.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};
use std::sync::Arc;

use super::Snapshot;
use super::builder::Draft;
use super::hits::Hits;
use super::key::Key;
use super::records::Bytes;
use super::styles::Styles;
use super::table::{Line, Table, WORDS};
use super::traits::{Labels, Traits};

/// What the file begins with.
const MAGIC: [u8; 16] = *b"portcullis list\n";

/// Another version is another layout, or other hashes.
const VERSION: u32 = 3;

/// Bytes before the records.
const HEADER: usize = 128;

/// Bytes of a line of the table.
const LINE_BYTES: usize = 2 * WORDS;

/// Bytes that are read or written at a time.
const PIECE: usize = 64 << 10;

/// What a snapshot was made from and how, in short: a file with another is not what is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp(pub(crate) [u8; 16]);

/// Why a file is not used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    #[error("cannot read it")]
    Read(#[from] io::Error),
    #[error("it is not the file of a list")]
    Foreign,
    #[error("it is in version {0} of the format, and this program reads version {VERSION}")]
    Version(u32),
    #[error("it is of another list, or of one that was read with other settings")]
    Other,
    #[error("it is damaged: {0}")]
    Damaged(&'static str),
}

/// The checksums of the records, and of the table and the styles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sums {
    records: u32,
    table: u32,
}

impl Sums {
    /// The checksums of a list in memory.
    pub(super) fn of(records: &[u8], table: &Table, styles: &Styles) -> Self {
        let mut sum = crc32fast::Hasher::new();
        for line in table.lines() {
            sum.update(line.bytes().as_flattened());
        }
        sum.update(&styles.to_bytes());
        Self {
            records: crc32fast::hash(records),
            table: sum.finalize(),
        }
    }

    pub(super) fn to_bytes(self) -> [u8; 8] {
        let both = u64::from(self.records) | (u64::from(self.table) << 32);
        both.to_le_bytes()
    }
}

/// What stands before the records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Header {
    stamp: Stamp,
    key: Key,
    traits: Traits,
    names: u32,
    lines: u32,
    /// Bytes of all records.
    records: u32,
    sums: Sums,
    /// Bytes of all styles.
    styles: u32,
}

impl Draft {
    /// Writes the file of the list, which is to be opened with the same stamp.
    pub(crate) fn write(&self, stamp: Stamp, file: &mut (impl Write + Seek)) -> io::Result<()> {
        file.write_all(&[0; HEADER])?;
        let mut output = BufWriter::with_capacity(PIECE, Summed::new(&mut *file));
        let table = self.write_records(&mut output)?;
        output.flush()?;
        let (records, sum_of_records) = output.get_mut().restart();
        for line in table.lines() {
            output.write_all(line.bytes().as_flattened())?;
        }
        let styles = self.styles.to_bytes();
        output.write_all(&styles)?;
        output.flush()?;
        let (_, sum_of_table) = output.get_mut().restart();
        drop(output);
        let fits = |number: usize| {
            u32::try_from(number).map_err(|_| io::Error::other("it has more than 4 GiB"))
        };
        let header = Header {
            stamp,
            key: self.key,
            traits: self.traits,
            names: fits(self.len())?,
            lines: fits(table.lines().len())?,
            records: fits(records)?,
            sums: Sums {
                records: sum_of_records,
                table: sum_of_table,
            },
            styles: fits(styles.len())?,
        };
        file.rewind()?;
        file.write_all(&header.to_bytes())
    }
}

impl Snapshot {
    /// The list in a file that has this stamp. All of the file is read, and the records stay in it.
    #[cfg(unix)]
    pub(crate) fn open(file: &File, stamp: Stamp) -> Result<Self, Refused> {
        let length = file.metadata()?.len();
        let input = BufReader::with_capacity(PIECE, file);
        let (header, table, styles) = read(input, length, stamp, &mut io::sink())?;
        let length = header.records as usize;
        // Nothing can be mapped of a list without names.
        let records = match length {
            0 => Bytes::default(),
            _ => Bytes::Mapped(super::map::Mapped::new(file, HEADER, length)?),
        };
        Ok(Self::of(&header, table, styles, records))
    }

    /// The list in a file that has this stamp. A file that is mapped cannot be replaced on every
    /// system, so that all of it is read.
    #[cfg(not(unix))]
    pub(crate) fn open(file: &File, stamp: Stamp) -> Result<Self, Refused> {
        let length = file.metadata()?.len();
        Self::read(BufReader::with_capacity(PIECE, file), length, stamp)
    }

    /// The list in the bytes of a file, of which there are `length`.
    #[cfg(any(test, fuzzing, not(unix)))]
    pub(crate) fn read(input: impl Read, length: u64, stamp: Stamp) -> Result<Self, Refused> {
        let mut records = Vec::new();
        let (header, table, styles) = read(input, length, stamp, &mut records)?;
        let records = Bytes::InMemory(records.into());
        Ok(Self::of(&header, table, styles, records))
    }

    fn of(header: &Header, table: Table, styles: Styles, records: Bytes) -> Self {
        Self {
            key: Some(header.key),
            traits: header.traits,
            names: header.names as usize,
            hits: Arc::new(Hits::new(table.places())),
            sums: header.sums,
            table,
            styles,
            records,
        }
    }
}

/// Reads a file of `length` bytes to its end, and copies the records.
fn read(
    input: impl Read,
    length: u64,
    stamp: Stamp,
    records: &mut impl Write,
) -> Result<(Header, Table, Styles), Refused> {
    let mut input = Summed::new(input);
    let mut bytes = [0; HEADER];
    input.read_exact(&mut bytes)?;
    let header = Header::from_bytes(&bytes)?;
    if header.stamp != stamp {
        return Err(Refused::Other);
    }
    if header.length() != length {
        return Err(Refused::Damaged("it is longer or shorter than it says"));
    }
    if header.styles as usize > Styles::MOST_BYTES {
        return Err(Refused::Damaged("it has more styles than a list can have"));
    }
    if header.lines as usize != Table::count_for(header.names as usize) {
        return Err(Refused::Damaged("its table is too full, or too large"));
    }
    input.restart();
    io::copy(&mut input.by_ref().take(header.records.into()), records)?;
    if input.restart().1 != header.sums.records {
        return Err(Refused::Damaged("the checksum of its records is wrong"));
    }
    let table = header.lines as usize * LINE_BYTES;
    let mut bytes = vec![0; table + header.styles as usize];
    input.read_exact(&mut bytes)?;
    if input.restart().1 != header.sums.table {
        return Err(Refused::Damaged("the checksum of its table is wrong"));
    }
    let (table, styles) = bytes.split_at(table);
    let styles = Styles::from_bytes(styles).ok_or(Refused::Damaged("its styles are cut off"))?;
    Ok((header, read_table(&header, table)?, styles))
}

fn read_table(header: &Header, bytes: &[u8]) -> Result<Table, Refused> {
    let line = |bytes: &[u8; LINE_BYTES]| {
        let (words, _) = bytes.as_chunks();
        Line(std::array::from_fn(|at| u16::from_le_bytes(words[at])))
    };
    let lines: Vec<Line> = bytes.as_chunks().0.iter().map(line).collect();
    if !lines.iter().all(Line::is_in_order) {
        return Err(Refused::Damaged("its table has gaps"));
    }
    let table = Table::new(lines);
    if table.names() != header.names as usize {
        return Err(Refused::Damaged("it has more or fewer names than it says"));
    }
    if !table.is_loose() {
        return Err(Refused::Damaged("its table is too full, or too large"));
    }
    Ok(table)
}

impl Header {
    fn to_bytes(self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        let mut rest = &mut bytes[..];
        let Traits {
            is_tree,
            labels,
            prefixes: [ipv4, ipv6],
        } = self.traits;
        let parts: [&[u8]; 13] = [
            &MAGIC,
            &VERSION.to_le_bytes(),
            &u32::from(is_tree).to_le_bytes(),
            &self.key.bytes(),
            &labels.0.to_le_bytes(),
            &ipv4.to_le_bytes(),
            &ipv6.to_le_bytes(),
            &self.stamp.0,
            &self.names.to_le_bytes(),
            &self.lines.to_le_bytes(),
            &self.records.to_le_bytes(),
            &self.sums.to_bytes(),
            &self.styles.to_le_bytes(),
        ];
        for part in parts {
            let (place, behind) = rest.split_at_mut(part.len());
            place.copy_from_slice(part);
            rest = behind;
        }
        let sum = crc32fast::hash(&bytes[..HEADER - 4]);
        bytes[HEADER - 4..].copy_from_slice(&sum.to_le_bytes());
        bytes
    }

    fn from_bytes(bytes: &[u8; HEADER]) -> Result<Self, Refused> {
        let mut rest = &bytes[..];
        if take::<16>(&mut rest) != MAGIC {
            return Err(Refused::Foreign);
        }
        let number = |rest: &mut &[u8]| u32::from_le_bytes(take(rest));
        let bits = |rest: &mut &[u8]| u128::from_le_bytes(take(rest));
        let version = number(&mut rest);
        if version != VERSION {
            return Err(Refused::Version(version));
        }
        let sum = u32::from_le_bytes(*bytes.last_chunk().expect("it is longer"));
        if sum != crc32fast::hash(&bytes[..HEADER - 4]) {
            return Err(Refused::Damaged("the checksum of its header is wrong"));
        }
        let is_tree = number(&mut rest) != 0;
        let key = Key::from_bytes(take(&mut rest)).ok_or(Refused::Damaged("it has no key"))?;
        Ok(Self {
            key,
            traits: Traits {
                is_tree,
                labels: Labels(u64::from_le_bytes(take(&mut rest))),
                prefixes: [bits(&mut rest), bits(&mut rest)],
            },
            stamp: Stamp(take(&mut rest)),
            names: number(&mut rest),
            lines: number(&mut rest),
            records: number(&mut rest),
            sums: Sums {
                records: number(&mut rest),
                table: number(&mut rest),
            },
            styles: number(&mut rest),
        })
    }

    /// Bytes of the whole file.
    fn length(&self) -> u64 {
        let table = u64::from(self.lines) * LINE_BYTES as u64;
        HEADER as u64 + u64::from(self.records) + table + u64::from(self.styles)
    }
}

/// The next bytes of a header, which has them.
fn take<const N: usize>(rest: &mut &[u8]) -> [u8; N] {
    let (bytes, behind) = rest
        .split_first_chunk()
        .expect("a header has all its parts");
    *rest = behind;
    *bytes
}

/// Counts and sums up what passes.
struct Summed<T> {
    inner: T,
    sum: crc32fast::Hasher,
    bytes: usize,
}

impl<T> Summed<T> {
    fn new(inner: T) -> Self {
        Self {
            inner,
            sum: crc32fast::Hasher::new(),
            bytes: 0,
        }
    }

    /// How many bytes have passed since the last call, and their sum.
    fn restart(&mut self) -> (usize, u32) {
        let sum = std::mem::take(&mut self.sum).finalize();
        (std::mem::take(&mut self.bytes), sum)
    }

    fn passed(&mut self, bytes: &[u8]) {
        self.sum.update(bytes);
        self.bytes += bytes.len();
    }
}

impl<R: Read> Read for Summed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        self.passed(&buffer[..length]);
        Ok(length)
    }
}

impl<W: Write> Write for Summed<W> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let length = self.inner.write(buffer)?;
        self.passed(&buffer[..length]);
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Makes the checksums and the header right for whatever the rest of a file has become, as far as
/// that can be.
#[cfg(any(test, fuzzing))]
pub(crate) fn seal(bytes: &mut [u8]) {
    let length = bytes.len();
    let number = |bytes: &[u8], at: usize| {
        let number = bytes.get(at..).and_then(<[u8]>::first_chunk);
        number.map_or(0, |number| u32::from_le_bytes(*number))
    };
    let records = HEADER.saturating_add(number(bytes, RECORDS) as usize);
    let Some((records, table)) = bytes.get(HEADER..records).zip(bytes.get(records..length)) else {
        return;
    };
    let sums = [crc32fast::hash(records), crc32fast::hash(table)];
    bytes[RECORDS + 4..RECORDS + 8].copy_from_slice(&sums[0].to_le_bytes());
    bytes[RECORDS + 8..RECORDS + 12].copy_from_slice(&sums[1].to_le_bytes());
    let sum = crc32fast::hash(&bytes[..HEADER - 4]);
    bytes[HEADER - 4..HEADER].copy_from_slice(&sum.to_le_bytes());
}

/// Where the header has how long the records are. Their checksum and that of the table follow.
#[cfg(any(test, fuzzing))]
const RECORDS: usize = 104;
