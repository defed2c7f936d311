//! Undoes what made a body shorter on its way or where it is kept: the content codings of a
//! response (RFC 9110, section 8.4.1), and a file that is packed as gzip, zstd or ZIP. `fetch`
//! calls it off the async threads. What is unpacked is bounded while it is unpacked.

#[cfg(test)]
mod tests;

use std::io::{self, BufRead, BufReader, Read, Seek, Write};

use brotli_decompressor::{BrotliDecoderParameter, Decompressor};
use flate2::read::MultiGzDecoder;
use memchr::memmem;
use ruzstd::decoding::errors::{FrameDecoderError, FrameHeaderError};
use ruzstd::decoding::{FrameDecoder, StreamingDecoder};
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
    /// It is longer than the limit when it is unpacked.
    #[error("it is too large")]
    TooLarge,
    /// A frame of zstd wants more memory than a list of that length needs. In bytes.
    #[error("it is packed with a window of {window} bytes, and one may have at most {most}")]
    Window { window: u64, most: u64 },
    /// It cannot be read back from where it is kept, or what is unpacked cannot be written there.
    #[error("cannot keep it")]
    Keep(#[source] io::Error),
}

impl UnpackError {
    /// What the operator can do about it.
    pub(super) fn hint(&self) -> &'static str {
        match self {
            Self::Archive(_) => "unpack the list, or fetch another file",
            Self::Window { window, .. } if *window > LARGEST_WINDOW => {
                "have the list packed with a smaller window, of at most 128 MiB"
            }
            Self::Window { .. } => {
                "raise the feed's max_size, or have the list packed with a smaller window"
            }
            Self::TooLarge | Self::Coding(_) | Self::Damaged { .. } | Self::Keep(_) => {
                "was it cut off? Download the feed's url and unpack it by hand"
            }
        }
    }
}

/// How a body is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Packing {
    Gzip,
    Brotli,
    Zstd,
    Zip,
}

/// A body that is being unpacked.
struct Output {
    body: Body,
    /// It may have this many bytes.
    max: u64,
    /// What is unpacked at a time.
    piece: Vec<u8>,
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
        let mut output = Output {
            body: body.room().body(),
            max,
            piece: vec![0; PIECE],
        };
        body.rewind().map_err(UnpackError::Keep)?;
        let body = BufReader::with_capacity(PIECE, body);
        match self {
            Self::Gzip => self.read(MultiGzDecoder::new(body), &mut output)?,
            Self::Brotli => self.read(brotli(body), &mut output)?,
            Self::Zstd => self.frames(body, &mut output)?,
            Self::Zip => self.only_file(body, &mut output)?,
        }
        Ok(output.body)
    }

    /// A body of several frames is what all of them have (RFC 8878, section 3.1). There may be
    /// millions of them that have nothing, so they share a decoder.
    fn frames(self, mut body: impl BufRead, output: &mut Output) -> Result<(), UnpackError> {
        let most = window(output.max);
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(most);
        while !body.fill_buf().map_err(UnpackError::Keep)?.is_empty() {
            let frame = StreamingDecoder::new_with_decoder(&mut body, &mut decoder);
            let mut frame = frame.map_err(|error| match error {
                FrameDecoderError::WindowSizeTooBig {
                    requested: window, ..
                }
                | FrameDecoderError::FrameHeaderError(FrameHeaderError::WindowTooBig {
                    got: window,
                }) => UnpackError::Window { window, most },
                error => self.damaged(io::Error::other(error)),
            })?;
            self.read(&mut frame, output)?;
            // The decoder leaves the comparison to others.
            let checksum = frame.decoder.get_checksum_from_data();
            if checksum.is_some() && checksum != frame.decoder.get_calculated_checksum() {
                return Err(self.damaged(io::Error::other("its checksum is another")));
            }
        }
        Ok(())
    }

    fn only_file(self, mut body: impl Read + Seek, output: &mut Output) -> Result<(), UnpackError> {
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
        self.read(file, output)
    }

    /// Adds what is unpacked.
    fn read(self, mut packed: impl Read, output: &mut Output) -> Result<(), UnpackError> {
        let Output { body, max, piece } = output;
        loop {
            let length = packed.read(piece).map_err(|source| self.damaged(source))?;
            if length == 0 {
                return Ok(());
            }
            if body.len() + length as u64 > *max {
                return Err(UnpackError::TooLarge);
            }
            body.write_all(&piece[..length])
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
