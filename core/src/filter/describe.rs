//! Says without compiling a file what it is and what it imports and exports, also of a file that
//! the proxy refuses. The command `plugin check` calls it.

use wasmparser::{Parser, Payload};

use super::Hook;
use super::capability::{interface, newest_version};

/// What a file says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Description {
    is_component: bool,
    /// The interfaces, as the file names them.
    pub(crate) imports: Vec<String>,
    exports: Vec<String>,
}

impl Description {
    /// None if the file is not WebAssembly or ends early.
    pub(crate) fn of(wasm: &[u8]) -> Option<Self> {
        let mut description = Self {
            is_component: Parser::is_component(wasm),
            imports: Vec::new(),
            exports: Vec::new(),
        };
        // Components contain modules and components. Only the imports of the outermost one are
        // imports of the file.
        let mut depth = 0_usize;
        for payload in Parser::new(0).parse_all(wasm) {
            let payload = payload.ok()?;
            match payload {
                Payload::Version { .. } => depth += 1,
                Payload::End(_) => depth = depth.saturating_sub(1),
                _ if depth == 1 => description.read(payload)?,
                _ => {}
            }
        }
        Some(description)
    }

    fn read(&mut self, payload: Payload<'_>) -> Option<()> {
        match payload {
            Payload::ComponentImportSection(section) => {
                for import in section {
                    push(&mut self.imports, import.ok()?.name.name);
                }
            }
            Payload::ComponentExportSection(section) => {
                for export in section {
                    push(&mut self.exports, export.ok()?.name.name);
                }
            }
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    push(&mut self.imports, import.ok()?.module);
                }
            }
            Payload::ExportSection(section) => {
                for export in section {
                    // `portcullis:filter/judge-host@1.0.0#judge`
                    if let Some((interface, _)) = export.ok()?.name.split_once('#') {
                        push(&mut self.exports, interface);
                    }
                }
            }
            _ => {}
        }
        Some(())
    }

    /// What the file is, in words.
    pub(crate) fn kind(&self) -> &'static str {
        if self.is_component {
            "component"
        } else {
            "core module"
        }
    }

    /// The version of the contract that it was built for.
    pub(crate) fn contract(&self) -> Option<String> {
        let names = self.imports.iter().chain(&self.exports);
        newest_version(names.map(String::as_str))
    }

    /// Something of the contract that it exports and that this proxy does not know: it would never
    /// be called.
    pub(crate) fn unknown_hook(&self) -> Option<&str> {
        let is_known = |name: &str| {
            let hooks = Hook::ALL.map(Hook::name);
            hooks.contains(&name) || ["lifecycle", "types"].contains(&name)
        };
        let mut exports = self.exports.iter().map(String::as_str);
        exports.find(|name| interface(name).is_some_and(|interface| !is_known(interface)))
    }

    /// The hooks of the contract, in any of its versions.
    pub(crate) fn hooks(&self) -> Vec<String> {
        let interfaces: Vec<&str> = self
            .exports
            .iter()
            .filter_map(|name| interface(name))
            .collect();
        let exported = Hook::ALL
            .map(Hook::name)
            .into_iter()
            .filter(|hook| interfaces.contains(hook));
        exported.map(str::to_owned).collect()
    }
}

fn push(names: &mut Vec<String>, name: &str) {
    if !names.iter().any(|known| known == name) {
        names.push(name.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugins::builtin::BUILTINS;

    #[test]
    fn a_component_says_what_it_imports_and_exports() {
        let blocklist = BUILTINS.iter().find(|builtin| builtin.name == "blocklist");
        let wasm = blocklist.unwrap().component;
        let description = Description::of(wasm).unwrap();
        assert_eq!(description.kind(), "component");
        assert_eq!(description.hooks(), ["judge-host"]);
        assert_eq!(description.contract().as_deref(), Some("1.0.0"));
        assert!(
            description
                .imports
                .contains(&"portcullis:filter/feeds@1.0.0".to_owned())
        );
        assert_eq!(Description::of(&wasm[..wasm.len() - 1]), None);
        assert_eq!(Description::of(b"text"), None);
    }
}
