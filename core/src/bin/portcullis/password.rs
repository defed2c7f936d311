//! `password`: where the password comes from. `selftest` asks for one as well.

use std::io::{self, BufRead, IsTerminal};

use anyhow::{Context, bail};
use portcullis::commands::NewUser;

use super::print_line;

/// A longer line is no password, in bytes.
const LONGEST_LINE: u64 = 4096;

/// Prints the line of a new user.
pub(crate) fn run(name: &str) -> anyhow::Result<()> {
    let user = NewUser::new(name)?;
    let password = if io::stdin().is_terminal() {
        asked_for(name)?
    } else {
        first_line(io::stdin().lock())?
    };
    print_line(&user.line(&password)?)
}

/// The password that a user has already.
pub(crate) fn of(name: &str) -> anyhow::Result<String> {
    if io::stdin().is_terminal() {
        prompt(format!("Password of {name}: "))
    } else {
        first_line(io::stdin().lock())
    }
}

fn prompt(prompt: String) -> anyhow::Result<String> {
    rpassword::prompt_password(prompt).context("cannot read a password from the terminal")
}

fn asked_for(name: &str) -> anyhow::Result<String> {
    let password = prompt(format!("Password of {name}: "))?;
    if password != prompt("Once more: ".to_owned())? {
        bail!("the two passwords differ, so there is no line; try again");
    }
    Ok(password)
}

fn first_line(input: impl BufRead) -> anyhow::Result<String> {
    let mut line = String::new();
    let read = input.take(LONGEST_LINE).read_line(&mut line);
    read.context("cannot read a password from standard input")?;
    let line = line.strip_suffix('\n').unwrap_or(&line);
    Ok(line.strip_suffix('\r').unwrap_or(line).to_owned())
}
