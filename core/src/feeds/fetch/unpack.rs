//! Undoes what made a body shorter on its way or where it is kept: the content codings of a
//! response (RFC 9110, section 8.4.1), and a file that is packed as gzip, zstd or ZIP. `fetch`
//! calls it off the async threads. What is unpacked is bounded while it is unpacked.

use std::io::{self, BufRead, BufReader, Read, Seek, Write};

use brotli_decompressor::{BrotliDecoderParameter, Decompressor};
use flate2::read::MultiGzDecoder;
use memchr::memmem;
use ruzstd::decoding::StreamingDecoder;
use ruzstd::decoding::errors::FrameDecoderError;
use zip::ZipArchive;

use super::body::Body;

/// What is read of a packed body at a time.
const PIECE: usize = 16 << 10;

/// A window of zstd that is taken however short a list has to be, as servers may answer with it
/// (RFC 9659). In bytes.
const USUAL_WINDOW: u64 = 8 << 20;

/// The largest that is taken however long a list may be, as by zstd(1). In bytes.
const LARGEST_WINDOW: u64 = 128 << 20;

/// How many entries the directory of a ZIP archive may have, those of folders included. Opening an
/// archive takes memory of several times the size of its directory.
const MOST_ENTRIES: usize = 1000;

/// What each entry of that directory begins with.
const ENTRY: &[u8] = b"PK\x01\x02";

/// Content codings that are undone, for `Accept-Encoding`.
pub(super) const ACCEPTED: &str = "gzip, br, zstd";

/// A server has no reason to name more.
const MOST_CODINGS: usize = 3;

/// Why a body is not what it says.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UnpackError {
    /// The server has named a coding that was not asked for.
    #[error("it is in the content coding `{0}`, which was not asked for")]
    Coding(String),
    /// It ends early, or it is damaged.
    #[error("it cannot be unpacked as {format}")]
    Damaged {
        format: &'static str,
        #[source]
        source: io::Error,
    },
    /// A list is one file. Where there are very many, folders are among them.
    #[error("it is a ZIP archive of {0} files, and a list is one file")]
    Archive(usize),
    /// It is longer than the limit when it is unpacked, or has a window that is.
    #[error("it is too large")]
    TooLarge,
    /// It cannot be read back from where it is kept, or what is unpacked cannot be written there.
    #[error("cannot keep it")]
    Keep(#[source] io::Error),
}

/// How a body is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Packing {
    Gzip,
    Brotli,
    Zstd,
    Zip,
}

/// Undoes the codings that a `Content-Encoding` names, the last of them first.
pub(crate) fn decode(mut body: Body, codings: &str, max: u64) -> Result<Body, UnpackError> {
    let codings = codings.split(',').map(str::trim);
    let codings: Vec<_> = codings.filter(|coding| !coding.is_empty()).collect();
    if codings.len() > MOST_CODINGS {
        return Err(UnpackError::Coding(codings.join(", ")));
    }
    for coding in codings.into_iter().rev() {
        let packing = match &*coding.to_ascii_lowercase() {
            "gzip" | "x-gzip" => Packing::Gzip,
            "br" => Packing::Brotli,
            "zstd" => Packing::Zstd,
            "identity" => continue,
            other => return Err(UnpackError::Coding(other.to_owned())),
        };
        // Some servers send the empty body of an answer as it is.
        if body.len() > 0 {
            body = packing.unpack(body, max)?;
        }
    }
    Ok(body)
}

/// The list that a file has in it, as its first bytes tell; a list that is not packed is itself.
pub(crate) fn unpack(mut body: Body, max: u64) -> Result<Body, UnpackError> {
    let packing = match body.start(4).map_err(UnpackError::Keep)?[..] {
        [0x1f, 0x8b, ..] => Packing::Gzip,
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Packing::Zstd,
        // The second is an archive without files.
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Packing::Zip,
        _ => return Ok(body),
    };
    packing.unpack(body, max)
}

impl Packing {
    fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Brotli => "brotli",
            Self::Zstd => "zstd",
            Self::Zip => "ZIP",
        }
    }

    fn unpack(self, mut body: Body, max: u64) -> Result<Body, UnpackError> {
        let mut unpacked = body.room().body();
        body.rewind().map_err(UnpackError::Keep)?;
        let body = BufReader::with_capacity(PIECE, body);
        match self {
            Self::Gzip => self.read(MultiGzDecoder::new(body), &mut unpacked, max)?,
            Self::Brotli => self.read(brotli(body), &mut unpacked, max)?,
            Self::Zstd => self.frames(body, &mut unpacked, max)?,
            Self::Zip => self.only_file(body, &mut unpacked, max)?,
        }
        Ok(unpacked)
    }

    /// A body of several frames is what all of them have (RFC 8878, section 3.1).
    fn frames(
        self,
        mut body: impl BufRead,
        unpacked: &mut Body,
        max: u64,
    ) -> Result<(), UnpackError> {
        while !body.fill_buf().map_err(UnpackError::Keep)?.is_empty() {
            let frame = StreamingDecoder::new_with_max_window_size(&mut body, window(max));
            let mut frame = frame.map_err(|error| match error {
                FrameDecoderError::WindowSizeTooBig { requested, .. }
                    if requested <= LARGEST_WINDOW =>
                {
                    UnpackError::TooLarge
                }
                error => self.damaged(io::Error::other(error)),
            })?;
            self.read(&mut frame, unpacked, max)?;
            // The decoder leaves the comparison to others.
            let checksum = frame.decoder.get_checksum_from_data();
            if checksum.is_some() && checksum != frame.decoder.get_calculated_checksum() {
                return Err(self.damaged(io::Error::other("its checksum is another")));
            }
        }
        Ok(())
    }

    fn only_file(
        self,
        mut body: impl Read + Seek,
        unpacked: &mut Body,
        max: u64,
    ) -> Result<(), UnpackError> {
        let entries = entries(&mut body).map_err(UnpackError::Keep)?;
        if entries > MOST_ENTRIES {
            return Err(UnpackError::Archive(entries));
        }
        let mut archive = ZipArchive::new(body).map_err(|error| self.damaged(error.into()))?;
        let mut only = None;
        let mut files = 0;
        for at in 0..archive.len() {
            let entry = archive.by_index_raw(at);
            if entry.map_err(|error| self.damaged(error.into()))?.is_file() {
                only = Some(at);
                files += 1;
            }
        }
        let only = only.filter(|_| files == 1);
        let only = only.ok_or(UnpackError::Archive(files))?;
        let file = archive.by_index(only);
        let file = file.map_err(|error| self.damaged(error.into()))?;
        self.read(file, unpacked, max)
    }

    /// Adds what is unpacked to a body, which may have so many bytes.
    fn read(self, mut packed: impl Read, unpacked: &mut Body, max: u64) -> Result<(), UnpackError> {
        let mut piece = vec![0; PIECE];
        loop {
            let length = packed
                .read(&mut piece)
                .map_err(|source| self.damaged(source))?;
            if length == 0 {
                return Ok(());
            }
            if unpacked.len() + length as u64 > max {
                return Err(UnpackError::TooLarge);
            }
            unpacked
                .write_all(&piece[..length])
                .map_err(UnpackError::Keep)?;
        }
    }

    fn damaged(self, source: io::Error) -> UnpackError {
        UnpackError::Damaged {
            format: self.name(),
            source,
        }
    }
}

/// How many entries the directory of a ZIP archive may have, by what they begin with.
fn entries(body: &mut (impl Read + Seek)) -> io::Result<usize> {
    body.rewind()?;
    let mut entries = 0;
    let mut piece = Vec::new();
    loop {
        // One may begin at the end of the piece before.
        piece.drain(..piece.len().saturating_sub(ENTRY.len() - 1));
        let mut more = body.by_ref().take(PIECE as u64);
        if more.read_to_end(&mut piece)? == 0 {
            return Ok(entries);
        }
        entries += memmem::find_iter(&piece, ENTRY).count();
    }
}

/// A decoder of zstd keeps a window of what it has unpacked before it hands any of it over. No list
/// of `max` bytes needs one that is larger than the next power of two.
fn window(max: u64) -> u64 {
    let enough = max.checked_next_power_of_two().unwrap_or(u64::MAX);
    enough.clamp(USUAL_WINDOW, LARGEST_WINDOW)
}

/// A decoder of brotli keeps a window of what it has unpacked before it hands any of it over. As a
/// content coding its windows have at most 16 MiB (RFC 7932, section 9.1); those of its extension,
/// which the decoder takes by itself, have up to 1 GiB.
fn brotli<R: Read>(body: R) -> Decompressor<R> {
    let mut decoder = Decompressor::new(body, PIECE);
    decoder.set_parameter(BrotliDecoderParameter::BROTLI_DECODER_PARAM_LARGE_WINDOW, 0);
    decoder
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    const LIST: &[u8] = b"a.example\nb.example\n";

    /// [`LIST`] as the reference implementation compresses it.
    const BROTLI: &[u8] = &[
        0x1b, 0x13, 0x00, 0x00, 0xa4, 0x15, 0x5c, 0xc2, 0xc4, 0x54, 0x25, 0x97, 0x94, 0xd2, 0xc9,
        0xd6, 0x0c,
    ];

    fn decode(body: Vec<u8>, codings: &str, max: u64) -> Result<Vec<u8>, UnpackError> {
        let body = super::decode(body.into(), codings, max)?;
        Ok(body.into_bytes().unwrap())
    }

    fn unpack(body: Vec<u8>, max: u64) -> Result<Vec<u8>, UnpackError> {
        let body = super::unpack(body.into(), max)?;
        Ok(body.into_bytes().unwrap())
    }

    fn gzip(body: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(body).unwrap();
        encoder.finish().unwrap()
    }

    fn zstd(body: &[u8]) -> Vec<u8> {
        ruzstd::encoding::compress_to_vec(body, ruzstd::encoding::CompressionLevel::Fastest)
    }

    fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, body) in files {
            if name.ends_with('/') {
                archive
                    .add_directory(*name, SimpleFileOptions::default())
                    .unwrap();
            } else {
                archive
                    .start_file(*name, SimpleFileOptions::default())
                    .unwrap();
                archive.write_all(body).unwrap();
            }
        }
        archive.finish().unwrap().into_inner()
    }

    #[test]
    fn codings_are_undone_in_their_order() {
        let twice = zstd(&gzip(LIST));
        for (codings, body) in [
            ("gzip", gzip(LIST)),
            ("X-GZIP", gzip(LIST)),
            ("br", BROTLI.to_vec()),
            ("zstd", zstd(LIST)),
            ("gzip, zstd", twice),
            ("identity", LIST.to_vec()),
            ("", LIST.to_vec()),
        ] {
            assert_eq!(decode(body, codings, 100).unwrap(), LIST, "{codings}");
        }
        assert_eq!(decode(Vec::new(), "gzip", 100).unwrap(), b"");
    }

    #[test]
    fn another_coding_is_named() {
        for codings in ["deflate", "gzip, compress", "gzip, gzip, gzip, gzip"] {
            let error = decode(gzip(LIST), codings, 100).unwrap_err();
            assert!(matches!(error, UnpackError::Coding(_)), "{error:?}");
        }
    }

    #[test]
    fn a_packed_file_is_what_is_in_it() {
        for body in [
            LIST.to_vec(),
            gzip(LIST),
            [gzip(&LIST[..5]), gzip(&LIST[5..])].concat(),
            zstd(LIST),
            [zstd(&LIST[..5]), zstd(&LIST[5..])].concat(),
            zip(&[("lists/", b""), ("lists/hosts.txt", LIST)]),
        ] {
            assert_eq!(unpack(body, 100).unwrap(), LIST);
        }
        for (files, count) in [(&[][..], 0), (&[("a", LIST), ("b", LIST)], 2)] {
            let error = unpack(zip(files), 100).unwrap_err();
            assert!(
                matches!(error, UnpackError::Archive(n) if n == count),
                "{error:?}"
            );
        }
    }

    #[test]
    fn an_archive_of_very_many_entries_is_not_opened() {
        let folders: Vec<_> = (0..MOST_ENTRIES).map(|n| format!("{n}/")).collect();
        let archive = |folders: &[String]| {
            let folders = folders.iter().map(|name| (&**name, &b""[..]));
            let files: Vec<_> = folders.chain([("hosts.txt", LIST)]).collect();
            zip(&files)
        };
        assert_eq!(unpack(archive(&folders[1..]), 100).unwrap(), LIST);
        let error = unpack(archive(&folders), 100).unwrap_err();
        assert!(
            matches!(error, UnpackError::Archive(n) if n == MOST_ENTRIES + 1),
            "{error:?}"
        );
    }

    #[test]
    fn what_is_cut_off_is_damaged() {
        for body in [gzip(LIST), zstd(LIST), zip(&[("a", LIST)])] {
            for length in 4..body.len() {
                let error = unpack(body[..length].to_vec(), 100).unwrap_err();
                assert!(
                    matches!(error, UnpackError::Damaged { .. }),
                    "{length}: {error:?}"
                );
            }
        }
        for length in 1..BROTLI.len() {
            let error = decode(BROTLI[..length].to_vec(), "br", 100).unwrap_err();
            assert!(
                matches!(error, UnpackError::Damaged { .. }),
                "{length}: {error:?}"
            );
        }
    }

    #[test]
    fn what_has_another_checksum_than_it_says_is_damaged() {
        for (mut body, from_end) in [(gzip(LIST), 8), (zstd(LIST), 4)] {
            let at = body.len() - from_end;
            body[at] ^= 1;
            let error = unpack(body, 100).unwrap_err();
            assert!(matches!(error, UnpackError::Damaged { .. }), "{error:?}");
        }
    }

    #[test]
    fn brotli_has_no_windows_but_those_of_the_content_coding() {
        // Both are empty: a window of 64 KiB, and one of 1 GiB.
        assert_eq!(decode(vec![0x06], "br", 100).unwrap(), b"");
        let error = decode(vec![0x11, 0xde], "br", 100).unwrap_err();
        assert!(matches!(error, UnpackError::Damaged { .. }), "{error:?}");
    }

    #[test]
    fn windows_of_zstd_are_no_larger_than_what_may_be_in_them() {
        // A frame of one block, which has one byte once.
        let unpacked = |exponent: u8, max| {
            let window = (exponent - 10) << 3;
            let frame = [0x28, 0xb5, 0x2f, 0xfd, 0, window, 0b1011, 0, 0, b'a'];
            unpack(frame.to_vec(), max)
        };
        for (exponent, max) in [(23, 100), (26, (32 << 20) + 1), (27, u64::MAX)] {
            assert_eq!(unpacked(exponent, max).unwrap(), b"a", "{exponent}");
        }
        for (exponent, max) in [(24, 100), (26, 32 << 20), (27, 64 << 20)] {
            let error = unpacked(exponent, max).unwrap_err();
            assert!(
                matches!(error, UnpackError::TooLarge),
                "{exponent}: {error:?}"
            );
        }
        let error = unpacked(28, u64::MAX).unwrap_err();
        assert!(matches!(error, UnpackError::Damaged { .. }), "{error:?}");
    }

    #[test]
    fn what_would_be_too_large_is_not_unpacked() {
        let long = vec![b'a'; 1 << 20];
        for body in [gzip(&long), zstd(&long), zip(&[("a", &long)])] {
            assert!(unpack(body.clone(), 1 << 20).is_ok());
            for max in [0, 5000, (1 << 20) - 1] {
                let error = unpack(body.clone(), max).unwrap_err();
                assert!(matches!(error, UnpackError::TooLarge), "{error:?}");
            }
        }
    }
}
