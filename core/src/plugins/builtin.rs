//! The filters that are part of the binary: those below `plugins/`, which the build script
//! compiled. Read by `plugins`, which lets a file of the same name take a built-in filter's place,
//! and by `check`.

/// A filter that needs no file.
#[derive(Debug)]
pub(crate) struct Builtin {
    /// The name under which the operator configures it.
    pub(crate) name: &'static str,
    /// The bytes of a component.
    pub(crate) component: &'static [u8],
    /// Whether it runs although the operator has not asked for it. The others wait for their
    /// settings, without which they could do nothing.
    pub(crate) default: bool,
}

/// Sorted by name.
pub(crate) static BUILTINS: &[Builtin] = include!(concat!(env!("OUT_DIR"), "/builtin.rs"));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocklist_is_a_component() {
        let blocklist = BUILTINS
            .iter()
            .find(|builtin| builtin.name == "blocklist")
            .unwrap();
        // Magic number, then version 13 of layer 1: a component, where a core module has version 1
        // of layer 0.
        assert_eq!(blocklist.component[..8], *b"\0asm\x0d\0\x01\0");
    }
    #[test]
    fn only_blocklist_runs_by_default() {
        let defaults = BUILTINS.iter().filter(|builtin| builtin.default);
        let defaults: Vec<&str> = defaults.map(|builtin| builtin.name).collect();
        assert_eq!(defaults, ["blocklist"]);
    }
}
