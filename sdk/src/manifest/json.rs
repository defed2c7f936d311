//! JSON, written in constants: to learn its length first, where there is no room, and then into
//! that much room.

/// Writes as long as there is room, and counts what that would take.
pub(super) struct Writer<'a> {
    room: &'a mut [u8],
    length: usize,
    /// Whether the next value needs no comma before it.
    is_first: bool,
}

impl<'a> Writer<'a> {
    pub(super) const fn new(room: &'a mut [u8]) -> Self {
        Self {
            room,
            length: 0,
            is_first: true,
        }
    }

    pub(super) const fn length(&self) -> usize {
        self.length
    }

    /// Begins a list or an object.
    pub(super) const fn open(&mut self, bracket: u8) {
        self.separate();
        self.byte(bracket);
        self.is_first = true;
    }

    pub(super) const fn close(&mut self, bracket: u8) {
        self.byte(bracket);
        self.is_first = false;
    }

    /// The key of the next value.
    pub(super) const fn key(&mut self, key: &str) {
        self.text(key);
        self.byte(b':');
        self.is_first = true;
    }

    pub(super) const fn text(&mut self, text: &str) {
        self.separate();
        self.byte(b'"');
        let bytes = text.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            self.character(bytes[at]);
            at += 1;
        }
        self.byte(b'"');
    }

    pub(super) const fn texts(&mut self, texts: &[&str]) {
        self.open(b'[');
        let mut at = 0;
        while at < texts.len() {
            self.text(texts[at]);
            at += 1;
        }
        self.close(b']');
    }

    pub(super) const fn integer(&mut self, number: i128) {
        self.separate();
        if number < 0 {
            self.byte(b'-');
        }
        self.digits(number.unsigned_abs());
    }

    pub(super) const fn boolean(&mut self, value: bool) {
        self.separate();
        self.bytes(if value { b"true" } else { b"false" });
    }

    const fn digits(&mut self, number: u128) {
        if number >= 10 {
            self.digits(number / 10);
        }
        self.byte(b'0' + (number % 10) as u8);
    }

    /// A byte of UTF-8 as it stands between quotes.
    const fn character(&mut self, byte: u8) {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        match byte {
            b'"' | b'\\' => self.bytes(&[b'\\', byte]),
            b'\n' => self.bytes(b"\\n"),
            0..0x20 => {
                self.bytes(b"\\u00");
                self.byte(DIGITS[(byte >> 4) as usize]);
                self.byte(DIGITS[(byte & 15) as usize]);
            }
            _ => self.byte(byte),
        }
    }

    const fn separate(&mut self) {
        if !self.is_first {
            self.byte(b',');
        }
        self.is_first = false;
    }

    const fn bytes(&mut self, bytes: &[u8]) {
        let mut at = 0;
        while at < bytes.len() {
            self.byte(bytes[at]);
            at += 1;
        }
    }

    const fn byte(&mut self, byte: u8) {
        if self.length < self.room.len() {
            self.room[self.length] = byte;
        }
        self.length += 1;
    }
}
