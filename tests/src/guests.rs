//! The filters below `guests/`, as the build script has compiled them.

macro_rules! guest {
    ($(#[$doc:meta])* $name:ident = $file:literal) => {
        $(#[$doc])*
        pub fn $name() -> &'static [u8] {
            include_bytes!(concat!(env!("OUT_DIR"), "/", $file))
        }
    };
}

guest! {
    /// Blocks hosts that begin with `blocked.`; takes no configuration.
    bare = "bare.wasm"
}
guest! {
    /// [`bare`] as a core module.
    bare_module = "bare.module.wasm"
}
guest! {
    /// Lets each host have `limit` requests in all, or in each `window_ms`.
    counter = "counter.wasm"
}
guest! {
    /// Blocks by method, URL and header fields (`methods`, `urls`, `headers`).
    headers = "headers.wasm"
}
guest! {
    /// Remembers `bytes` bytes for every host.
    hoarder = "hoarder.wasm"
}
guest! {
    /// Panics where the host contains "panic".
    panics = "panics.wasm"
}
guest! {
    /// Blocks the suffixes in `block`, without which it does not start.
    suffix = "suffix.wasm"
}
guest! {
    /// [`suffix`] as a core module.
    suffix_module = "suffix.module.wasm"
}
