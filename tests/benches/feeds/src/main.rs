//! Measures a list of a million names as the proxy has it, and beside it what could be used
//! instead: `make bench-feeds`. Exits with 1 if a promise is broken.
//!
//! `make bench-feeds ARGS="FOLDER"` takes the names that stand in the files of a folder, and
//! permutes their labels until there are a million. Without it they are made up.

mod designs;
mod measure;
mod names;

use std::path::Path;
use std::process::{Command, ExitCode};

use designs::DESIGNS;
use measure::{BUDGET, Figures};

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match &*arguments.iter().map(String::as_str).collect::<Vec<_>>() {
        ["measure", what, folder] => {
            measure::run(what, Path::new(folder));
            ExitCode::SUCCESS
        }
        [] => all(None),
        [folder] => all(Some(Path::new(folder))),
        _ => {
            eprintln!("usage: bench-feeds [FOLDER]");
            ExitCode::from(2)
        }
    }
}

/// Measures each design in processes of its own, so that none has the memory of another.
fn all(lists: Option<&Path>) -> ExitCode {
    let folder = tempfile::tempdir().expect("a folder");
    println!("{}", names::write(lists, folder.path()));
    println!("{}", Figures::HEAD);
    let mut holds = true;
    for (design, _) in DESIGNS {
        let lines = child(design, folder.path());
        let figures = Figures::read(design, &lines);
        println!("{figures}");
        if design == "portcullis" {
            holds &= BUDGET.iter().all(|(_, holds)| holds(&figures));
        }
    }
    println!("\nportcullis, besides:");
    let besides = child("besides", folder.path());
    print!("{besides}");
    holds &= !besides.contains(measure::BROKEN);
    for (what, _) in BUDGET {
        println!("{what}");
    }
    if holds {
        println!("all of it holds");
        ExitCode::SUCCESS
    } else {
        println!("a promise is BROKEN");
        ExitCode::FAILURE
    }
}

/// What a process prints that measures something.
fn child(what: &str, folder: &Path) -> String {
    let mut child = Command::new(std::env::current_exe().expect("this program"));
    child.args(["measure", what]).arg(folder);
    // What was freed is given back at once, so that the system's figures are those of what is used.
    child.env("_RJEM_MALLOC_CONF", "dirty_decay_ms:0,muzzy_decay_ms:0");
    let output = child.output().expect("it starts");
    assert!(
        output.status.success(),
        "{what}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}
