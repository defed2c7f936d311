//! What keeps a filter from being built.

use crate::error::Escaped;
use std::error::Error as StdError;
use std::io;
use std::path::PathBuf;

use super::Language;
use crate::error::StartError;
use crate::filter::API;

/// Why nothing was built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// Nothing there looks like a filter.
    #[error(
        "{} has no filter in it: no Cargo.toml, package.json or pyproject.toml; name another folder, or make one with \
         `portcullis plugin new NAME`",
        Escaped(.0.display())
    )]
    NoFilter(PathBuf),
    /// The file that describes the project is not as its tool wants it.
    #[error("{} does not say what the filter is called: {problem}", Escaped(file.display()))]
    Manifest {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// That file is not written as its tool wants it.
    #[error("{} is not valid {format}, so the filter cannot be built: {problem}", Escaped(file.display()))]
    Syntax {
        /// The file.
        file: PathBuf,
        /// What it should be.
        format: &'static str,
        /// What is wrong with it, and where.
        problem: String,
    },
    /// The schema of the settings is none, or none that a proxy uses.
    #[error("{} cannot be used: {problem}", Escaped(file.display()))]
    Schema {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A hook in Python that nothing would call.
    #[error(
        "app.py has the class {class}, and wit/world.wit does not export {hook}, so that it would never be called; add \
         there:  export portcullis:filter/{hook}@{API};"
    )]
    NotExported {
        /// The class.
        class: String,
        /// The hook, as the contract names it.
        hook: &'static str,
    },
    /// A hook in Python that the proxy would call, and that is not there.
    #[error(
        "wit/world.wit exports {hook}, and app.py does not have its class, so the filter cannot be built; add to \
         app.py:  class {class}(exports.{class}):  with its method, or take the export out of wit/world.wit"
    )]
    NotWritten {
        /// The class.
        class: String,
        /// The hook, as the contract names it.
        hook: &'static str,
    },
    /// Something that a filter in Python asks the proxy for, and that its world lacks.
    #[error(
        "app.py imports {name}, and wit/world.wit does not import {interface}, so the filter cannot be built; add \
         there:  import portcullis:filter/{interface}@{API};"
    )]
    NotImported {
        /// The module.
        name: String,
        /// The interface, as the contract names it.
        interface: String,
    },
    /// A program that is needed.
    #[error(
        "there is no {program} on this machine, so a filter in {language} cannot be built. To get it:  {fix}"
    )]
    Tool {
        /// The program.
        program: &'static str,
        /// What it is for.
        language: Language,
        /// A command, or where to look.
        fix: &'static str,
    },
    /// No compiler for filters.
    #[error(
        "{cause}, so the filter cannot be built. To get a compiler:\n  with rustup:  {rustup}\n  on Debian:    {debian}"
    )]
    Compiler {
        /// What was looked for.
        cause: String,
        /// A command.
        rustup: String,
        /// Another.
        debian: String,
    },
    /// The folder in Cargo.toml was not committed, or has been deleted.
    #[error(
        "Cargo.toml wants portcullis-sdk from {}, which is not there, so the filter cannot be built. Get that folder from \
         the filter's author, or write\n  portcullis-sdk = {{ path = \"{}\" }}\nand put this program's SDK \
         there:  portcullis plugin update-sdk",
        Escaped(.0.display()), super::sdk::CRATE
    )]
    Sdk(PathBuf),
    /// A program ended with an error. It has said itself what is wrong.
    #[error("{what} failed, see above ({how})")]
    Failed {
        /// What it was to do.
        what: String,
        /// How it ended.
        how: String,
    },
    /// A program has ended well and left nothing.
    #[error(
        "{0} has written no component; it must write one to the file that is its last argument"
    )]
    Nothing(&'static str),
    /// The compiler made something that is not a filter.
    #[error(transparent)]
    Encode(Box<dyn StdError + Send + Sync>),
    /// A file could not be read or written.
    #[error("cannot {action}")]
    Files {
        /// As it continues "cannot …".
        action: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The WASM engine does not start.
    #[error(transparent)]
    Start(#[from] StartError),
}
