#![no_main]

use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};

fuzz_target!(|data: &[u8]| portcullis::fuzz::component(&assembled(data)));

// The corpus in the repository is text. A mutation of it is one of the bytes that it stands for.
fuzz_mutator!(
    |data: &mut [u8], size: usize, max_size: usize, _seed: u32| {
        let bytes = assembled(&data[..size]).into_owned();
        let size = bytes.len().min(max_size);
        data[..size].copy_from_slice(&bytes[..size]);
        fuzzer_mutate(data, size, max_size)
    }
);

fn assembled(data: &[u8]) -> std::borrow::Cow<'_, [u8]> {
    if data.starts_with(b"(") {
        wat::parse_bytes(data).unwrap_or(data.into())
    } else {
        data.into()
    }
}
