//! What a filter in Python imports of the proxy, compared with what its world does. componentize-py
//! finds a difference after it has built everything, and tells it by a traceback. Called by
//! `python`.

use super::words;
use crate::commands::author::BuildError;
use crate::config::Grants;
use crate::filter::{API, Import};

/// What begins a list of interfaces.
const LIST: &str = "from wit_world.imports import";

/// What begins a line with one interface.
const ONE: [&str; 2] = ["from wit_world.imports.", "import wit_world.imports."];

/// Fails if the module asks for an interface of the contract that the world does not import.
pub(super) fn check(code: &str, world: &str) -> Result<(), BuildError> {
    let statements = || {
        let lines = world.lines().filter_map(|line| line.split("//").next());
        lines.flat_map(|line| line.split(['{', ';'])).map(str::trim)
    };
    let includes = |statement: &str| {
        // The worlds of single hooks bring types alone; any other may bring everything.
        statement.starts_with("include ") && !statement.contains("-hook@")
    };
    if statements().any(includes) {
        return Ok(());
    }
    for name in imported(code) {
        let interface = name.replace('_', "-");
        let import = format!("import portcullis:filter/{interface}@");
        let is_there = statements().any(|statement| statement.starts_with(&import));
        if interface != "types" && is_of_contract(&interface) && !is_there {
            let name = name.to_owned();
            return Err(BuildError::NotImported { name, interface });
        }
    }
    Ok(())
}

fn is_of_contract(interface: &str) -> bool {
    let name = format!("portcullis:filter/{interface}@{API}");
    Import::of(&name, &Grants::default()) != Import::Unknown
}

/// The interfaces that the lines of a module import which are not indented: others may never be
/// reached.
fn imported(code: &str) -> impl Iterator<Item = &str> {
    let begins_line = move |at: usize| at == 0 || code[..at].ends_with('\n');
    let lists = code.match_indices(LIST);
    let lists = lists.filter(move |(at, _)| begins_line(*at));
    let lists = lists.flat_map(move |(at, _)| names(&code[at + LIST.len()..]));
    let ones = code.lines().filter_map(|line| {
        let rest = ONE.iter().find_map(|begin| line.strip_prefix(begin))?;
        words(rest).next()
    });
    lists.chain(ones)
}

/// The names of a list, in parentheses or up to the end of the line.
fn names(rest: &str) -> impl Iterator<Item = &str> {
    let (list, end) = match rest.trim_start_matches(' ').strip_prefix('(') {
        Some(list) => (list, ')'),
        None => (rest, '\n'),
    };
    let list = list.split(end).next().unwrap_or_default();
    let lines = list.lines().filter_map(|line| line.split('#').next());
    lines
        .flat_map(|line| line.split(','))
        .filter_map(|name| words(name).next())
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORLD: &str = "world filter {\n  import portcullis:filter/log@1.0.0; // lines\n  \
        // import portcullis:filter/clock@1.0.0;\n  export portcullis:filter/judge-host@1.0.0;\n}\n";

    #[test]
    fn what_the_world_does_not_import_is_named_with_the_line_to_add() {
        let error = check(
            "from wit_world.imports import log, request_headers\n",
            WORLD,
        );
        assert_eq!(
            error.unwrap_err().to_string(),
            "app.py imports request_headers, and wit/world.wit does not import request-headers, so the filter cannot be \
             built; add there:  import portcullis:filter/request-headers@1.0.0;"
        );
        for code in [
            "import os\nfrom wit_world.imports import clock\n",
            "from wit_world.imports import log, clock as time",
            "from wit_world.imports import (  # all\n    log,  # lines\n    clock,\n)\n",
            "from wit_world.imports.clock import now\n",
            "import wit_world.imports.clock\n",
        ] {
            let error = check(code, WORLD).unwrap_err().to_string();
            assert!(error.contains("app.py imports clock"), "{code}: {error}");
            let included = WORLD.replace("// import", "import");
            assert!(check(code, &included).is_ok(), "{code}");
            let included = WORLD.replace(
                "// import",
                "include portcullis:filter/capabilities@1.0.0; //",
            );
            assert!(check(code, &included).is_ok(), "{code}");
        }
    }

    #[test]
    fn what_is_there_anyway_or_may_never_be_reached_is_left_to_the_tool() {
        for code in [
            "from wit_world import exports\nfrom wit_world.imports import log\n",
            "from wit_world.imports.types import Verdict\n",
            "from wit_world.imports import types\n",
            "from wit_world.imports import *\n",
            "from wit_world.imports import own_thing\n",
            "# from wit_world.imports import clock\n",
            "try:\n    from wit_world.imports import clock\nexcept ImportError:\n    clock = None\n",
        ] {
            assert!(check(code, WORLD).is_ok(), "{code}");
        }
    }
}
