//! What servers and files may have packed, sound and damaged.

use std::io::Cursor;

use flate2::Compression;
use flate2::write::GzEncoder;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::*;

const LIST: &[u8] = b"a.example\nb.example\n";

/// [`LIST`] as the reference implementation compresses it.
const BROTLI: &[u8] = &[
    0x1b, 0x13, 0x00, 0x00, 0xa4, 0x15, 0x5c, 0xc2, 0xc4, 0x54, 0x25, 0x97, 0x94, 0xd2, 0xc9, 0xd6,
    0x0c,
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
fn frames_of_zstd_have_nothing_in_common() {
    let empty: [u8; 9] = [0x28, 0xb5, 0x2f, 0xfd, 0x20, 0, 1, 0, 0];
    let (long, longer) = (LIST.repeat(1000), LIST.repeat(20_000));
    let mut frames = [
        zstd(&longer),
        empty.to_vec(),
        zstd(LIST),
        empty.repeat(10_000),
        zstd(&long),
    ]
    .concat();
    let whole = [longer, LIST.to_vec(), long].concat();
    assert_eq!(unpack(frames.clone(), 1 << 20).unwrap(), whole);
    // The last frame has a checksum of its own.
    *frames.last_mut().unwrap() ^= 1;
    let error = unpack(frames, 1 << 20).unwrap_err();
    assert!(matches!(error, UnpackError::Damaged { .. }), "{error:?}");
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
    for (exponent, max, most) in [
        (24, 100, USUAL_WINDOW),
        (26, 32 << 20, 32 << 20),
        (27, 64 << 20, 64 << 20),
        (28, u64::MAX, LARGEST_WINDOW),
        (41, u64::MAX, LARGEST_WINDOW),
    ] {
        let error = unpacked(exponent, max).unwrap_err();
        let told = format!(
            "it is packed with a window of {} bytes, and one may have at most {most}",
            1_u64 << exponent
        );
        assert_eq!(error.to_string(), told);
    }
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
