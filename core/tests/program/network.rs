//! A network of a test's own, with what addresses it wants, and the program in it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use super::{portcullis, started_by};

/// A shell in which `portcullis` is the program, and its lists are those that are compiled in.
pub(crate) fn shell(dir: &Path, script: &str) -> Command {
    let program = portcullis(dir);
    let named = dir.join("bin");
    fs::create_dir_all(&named).unwrap();
    let file = named.join("portcullis");
    let start = format!(
        "#!/bin/sh\nexec '{}' \"$@\"\n",
        env!("CARGO_BIN_EXE_portcullis")
    );
    fs::write(&file, start).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    let path = std::env::var("PATH").unwrap();
    let mut shell = Command::new("sh");
    shell.args(["-e", "-c", script]).current_dir(dir);
    for (name, value) in program.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    shell
        .env("PATH", format!("{}:{path}", named.display()))
        .env("PORTCULLIS_STATE_DIR", dir.join("state"))
        .env("PORTCULLIS_FEEDS_MALWARE_ENABLED", "false");
    shell
}

/// The same in a network of its own, with these addresses.
pub(crate) fn in_network(dir: &Path, addresses: &[&str], script: &str) -> Output {
    let add = |address: &&str| format!("ip address add {address} dev lo\n");
    let addresses: String = addresses.iter().map(add).collect();
    let script = format!("ip link set lo up\n{addresses}{script}");
    let mut within = Command::new("unshare");
    within.args(["--user", "--map-root-user", "--net"]);
    started_by(within, &shell(dir, &script)).output().unwrap()
}

/// Starts something in the background, and goes on when it listens. It ends with the shell.
pub(crate) fn in_background(name: &str, command: &str) -> String {
    format!(
        "mkfifo {name}.log\n{command} 2> {name}.log &\n{name}=$!\n\
         exec 3< {name}.log\n\
         while read -r line <&3; do case $line in *listening*) break;; esac; done\n\
         cat <&3 > {name}.rest &\n"
    )
}
