//! A TLS server's answer to a client's first message, read for whether it asks for that message
//! once more (RFC 8446, section 4.1.4). The second one must have the same name, but not every
//! server looks at that.

use super::{HANDSHAKE, MESSAGE_HEADER, RECORD_HEADER, record_length};

/// The first byte of a record that holds alerts. Some servers warn a client before they answer.
const ALERT: u8 = 21;

/// The first byte of an alert that ends the handshake.
const FATAL: u8 = 2;

/// The first byte of the answer.
const SERVER_HELLO: u8 = 2;

/// The answer up to its random bytes, which follow its version.
const START: usize = MESSAGE_HEADER + 2 + REPEAT.len();

/// The random bytes that ask for the first message once more (RFC 8446, section 4.1.3).
const REPEAT: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

/// What a server has begun to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Too little to tell.
    Incomplete,
    /// The client is to send its first message once more.
    Repeat,
    /// The handshake goes on, or has ended, or there is none.
    GoesOn,
}

/// Reads what a server has sent so far.
pub(crate) fn read(received: &[u8]) -> Answer {
    let mut start = Vec::with_capacity(START);
    let mut rest = received;
    loop {
        match rest.first() {
            None => return Answer::Incomplete,
            Some(&(HANDSHAKE | ALERT)) => {}
            Some(_) => return Answer::GoesOn,
        }
        let Some((header, behind)) = rest.split_at_checked(RECORD_HEADER) else {
            return Answer::Incomplete;
        };
        let (content, behind) = behind.split_at(record_length(header).min(behind.len()));
        if header[0] == HANDSHAKE {
            let room = START - start.len();
            start.extend_from_slice(&content[..room.min(content.len())]);
        }
        if header[0] == ALERT && content.first() == Some(&FATAL) {
            return Answer::GoesOn;
        }
        if start.first().is_some_and(|&kind| kind != SERVER_HELLO) {
            return Answer::GoesOn;
        }
        if start.len() == START {
            return if start.ends_with(&REPEAT) {
                Answer::Repeat
            } else {
                Answer::GoesOn
            };
        }
        rest = behind;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The beginning of an answer with these random bytes, in records of so many bytes.
    fn answer(random: [u8; 32], size: usize) -> Vec<u8> {
        let message = [&[SERVER_HELLO, 0, 0, 80, 3, 3][..], &random, &[0; 46]].concat();
        let records = message.chunks(size).flat_map(|fragment| {
            let length = u16::try_from(fragment.len()).unwrap().to_be_bytes();
            [&[HANDSHAKE, 3, 3], &length[..], fragment].concat()
        });
        records.collect()
    }

    #[test]
    fn a_server_asks_for_the_message_once_more_by_its_random_bytes_alone() {
        for size in [1, 5, 37, 38, 100] {
            assert_eq!(read(&answer(REPEAT, size)), Answer::Repeat, "{size}");
            let mut other = REPEAT;
            other[31] ^= 1;
            assert_eq!(read(&answer(other, size)), Answer::GoesOn, "{size}");
        }
        let warned = [&[ALERT, 3, 3, 0, 2, 1, 112][..], &answer(REPEAT, 100)].concat();
        assert_eq!(read(&warned), Answer::Repeat);
    }

    #[test]
    fn it_is_waited_for_until_it_can_be_told() {
        let sent = answer(REPEAT, 10);
        let told = (0..=sent.len()).find(|&end| read(&sent[..end]) != Answer::Incomplete);
        // The last random byte is in the fourth record.
        assert_eq!(told, Some(START + 4 * RECORD_HEADER));
    }

    #[test]
    fn another_protocol_and_a_fatal_alert_are_not_waited_for() {
        for sent in [
            &[ALERT, 3, 3, 0, 2, FATAL, 40][..],
            b"SSH-2.0-x\r\n",
            b"H",
            &[HANDSHAKE, 3, 3, 0, 90, 11],
            &[20],
        ] {
            assert_eq!(read(sent), Answer::GoesOn);
        }
    }
}
