//! Whether a body is the one that its maker has published: a checksum, and a signature of minisign.
//! `fetch` gets both, and calls this off the async threads.

use std::io::{self, Write};

use data_encoding::HEXLOWER_PERMISSIVE;
use minisign_verify::{Error, PublicKey, Signature, StreamVerifier};

use super::FetchError;
use super::body::Body;

/// Why a body is not taken for the one that was published.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Forged {
    #[error("its SHA-256 is {found}, and {expected} was expected")]
    Checksum { expected: String, found: String },
    #[error("what is at the checksum's url does not begin with a SHA-256")]
    NoChecksum,
    #[error("what is at the url with .minisig behind it is not a signature of minisign")]
    NoSignature(#[source] minisign_verify::Error),
    #[error("it is not signed with the feed's minisign key")]
    Signature(#[source] minisign_verify::Error),
}

/// Compares the body with a checksum in hexadecimal.
pub(super) fn check_sum(body: &mut Body, expected: &[u8; 32]) -> Result<(), FetchError> {
    let found = body.sha256().map_err(FetchError::Keep)?;
    if found == *expected {
        return Ok(());
    }
    let forged = Forged::Checksum {
        expected: HEXLOWER_PERMISSIVE.encode(expected),
        found: HEXLOWER_PERMISSIVE.encode(&found),
    };
    Err(forged.into())
}

/// The checksum that a text begins with, as sha256sum(1) writes it.
pub(super) fn sum_in(text: &[u8]) -> Result<[u8; 32], Forged> {
    let words = text.split(u8::is_ascii_whitespace);
    let word = words.into_iter().find(|word| !word.is_empty());
    let sum = word.and_then(|word| HEXLOWER_PERMISSIVE.decode(word).ok());
    sum.and_then(|sum| sum.try_into().ok())
        .ok_or(Forged::NoChecksum)
}

/// Verifies that the signature is one of the body by the key's owner.
pub(super) fn check_signature(
    body: &mut Body,
    signature: &[u8],
    key: &PublicKey,
) -> Result<(), FetchError> {
    let signature = String::from_utf8_lossy(signature);
    let signature = Signature::decode(&signature).map_err(Forged::NoSignature)?;
    let verified = match key.verify_stream(&signature) {
        Ok(verifier) => {
            let mut verifying = Verifying(verifier);
            body.copy_to(&mut verifying).map_err(FetchError::Keep)?;
            verifying.0.finalize()
        }
        // Signatures of the first kind take the whole body at once.
        Err(Error::UnsupportedLegacyMode) => {
            let allows_legacy = true;
            let body = body.copied().map_err(FetchError::Keep)?;
            key.verify(&body, &signature, allows_legacy)
        }
        Err(error) => Err(error),
    };
    Ok(verified.map_err(Forged::Signature)?)
}

/// Takes a body piece by piece.
struct Verifying<'k>(StreamVerifier<'k>);

impl Write for Verifying<'_> {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        self.0.update(piece);
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list() -> Body {
        b"a.example\nb.example\n".to_vec().into()
    }

    /// The list without its first byte.
    fn other() -> Body {
        b".example\nb.example\n".to_vec().into()
    }

    const SUM: &str = "8fb9a6ebbf9e0b506b9478b431e6e9dcd34fc2153daea407fc818280551cfed5";
    const KEY: &str = "RWTxVZ1MDE1nH4Nn3ykmqNhaVV9p/htW/RGk6FXas/n2Rk4P+8a+Jc30";
    /// Made by `minisign -S -m list.txt`.
    const SIGNATURE: &str = include_str!("../tests/list.minisig");

    #[test]
    fn a_checksum_is_compared_however_it_is_written() {
        for text in [
            SUM,
            &SUM.to_uppercase(),
            &format!("\n{SUM}  list.txt\n{SUM} other"),
        ] {
            let sum = sum_in(text.as_bytes()).unwrap();
            check_sum(&mut list(), &sum).unwrap();
            let error = check_sum(&mut other(), &sum).unwrap_err();
            assert!(
                matches!(&error, FetchError::Forged(Forged::Checksum { expected, .. }) if expected == SUM)
            );
        }
        for text in ["", "\n", "<html>", &SUM[1..], &format!("{SUM}0"), "md5:x"] {
            assert!(
                matches!(sum_in(text.as_bytes()), Err(Forged::NoChecksum)),
                "{text}"
            );
        }
    }

    fn is_forged(error: &FetchError) -> bool {
        matches!(error, FetchError::Forged(Forged::Signature(_)))
    }

    #[test]
    fn a_signature_holds_for_its_body_and_its_key_alone() {
        let key = PublicKey::from_base64(KEY).unwrap();
        check_signature(&mut list(), SIGNATURE.as_bytes(), &key).unwrap();
        let error = check_signature(&mut other(), SIGNATURE.as_bytes(), &key).unwrap_err();
        assert!(is_forged(&error), "{error:?}");
        let another =
            PublicKey::from_base64("RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3");
        let error =
            check_signature(&mut list(), SIGNATURE.as_bytes(), &another.unwrap()).unwrap_err();
        assert!(is_forged(&error), "{error:?}");
        for text in ["", "<html>\n\n\n\n", &SIGNATURE[..100]] {
            let error = check_signature(&mut list(), text.as_bytes(), &key).unwrap_err();
            let is_none = matches!(error, FetchError::Forged(Forged::NoSignature(_)));
            assert!(is_none, "{text}: {error:?}");
        }
    }
}
