//! What a compiling process may reach: nothing. It has its three pipes and opens no other file and
//! no socket, so that a file which takes the compiler over has gained little. `compile` confines
//! itself before it reads a byte; `compiler` asks how well that works here.

use std::io;

/// Confines this thread, and what it starts from now on, as far as the system can. The rest of the
/// process has no limits but that of descriptors.
pub(super) fn confine() -> io::Result<()> {
    // This takes a descriptor.
    restrict_access()?;
    limit_descriptors()
}

/// Why less than all of that is in force here, for the log.
pub(super) fn shortcoming() -> Option<String> {
    #[cfg(target_os = "linux")]
    {
        let whole = landlock::CompatLevel::HardRequirement;
        ruleset(whole).err().map(|error| error.to_string())
    }
    #[cfg(not(target_os = "linux"))]
    {
        Some("only Linux has Landlock".into())
    }
}

/// What is open stays open. Nothing else can be opened, not even in place of what is closed.
#[cfg(unix)]
fn limit_descriptors() -> io::Result<()> {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let (current, maximum) = (Some(0), Some(0));
    Ok(setrlimit(Resource::Nofile, Rlimit { current, maximum })?)
}

#[cfg(not(unix))]
fn limit_descriptors() -> io::Result<()> {
    Ok(())
}

/// What needs no descriptor, such as deleting a file, running a program, and looking into another
/// process. A kernel that has not all of Landlock gives what it has.
#[cfg(target_os = "linux")]
fn restrict_access() -> io::Result<()> {
    let ruleset = ruleset(landlock::CompatLevel::BestEffort);
    let restricted = ruleset.and_then(landlock::RulesetCreated::restrict_self);
    restricted.map(drop).map_err(io::Error::other)
}

#[cfg(not(target_os = "linux"))]
fn restrict_access() -> io::Result<()> {
    Ok(())
}

/// Everything that Linux 6.12 knows to forbid, without an exception.
#[cfg(target_os = "linux")]
fn ruleset(
    level: landlock::CompatLevel,
) -> Result<landlock::RulesetCreated, landlock::RulesetError> {
    use landlock::{ABI, Access, AccessFs, AccessNet, Compatible, Ruleset, RulesetAttr, Scope};
    let abi = ABI::V6;
    Ruleset::default()
        .set_compatibility(level)
        .handle_access(AccessFs::from_all(abi))?
        .handle_access(AccessNet::from_all(abi))?
        .scope(Scope::from_all(abi))?
        .create()
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs::{self, File};
    use std::net::{TcpListener, UdpSocket};
    use std::os::unix::process::CommandExt;
    use std::path::Path;
    use std::process::Command;

    use rustix::process::{getppid, test_kill_process};

    use super::*;

    /// Set for the process that confines itself: a file that is there.
    const VICTIM: &str = "PORTCULLIS_TEST_CONFINED";

    const DONE: &str = "confined, and tried everything";

    /// Runs twice: in the process of the tests, and in the one that it starts, as there is no way
    /// back.
    #[test]
    fn a_confined_process_reaches_neither_files_nor_sockets_nor_processes() {
        if let Some(victim) = std::env::var_os(VICTIM) {
            return try_everything(Path::new(&victim));
        }
        let victim = tempfile::NamedTempFile::new().unwrap();
        let this = concat!(
            "filter::confine::tests::",
            "a_confined_process_reaches_neither_files_nor_sockets_nor_processes"
        );
        let tried = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", this, "--nocapture"])
            .env(VICTIM, victim.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&tried.stdout);
        let stderr = String::from_utf8_lossy(&tried.stderr);
        assert!(said.contains(DONE), "{said}{stderr}");
        assert!(victim.path().exists());
    }

    #[expect(clippy::print_stdout, reason = "the other process reads it")]
    fn try_everything(victim: &Path) {
        let has_landlock = shortcoming().is_none();
        let open = File::open(victim).expect("it is there");
        let program = std::env::current_exe().expect("it runs");
        let parent = getppid().expect("it waits for this process");
        test_kill_process(parent).expect("it belongs to the same user");
        confine().expect("nothing is needed for it");
        assert!(File::open(victim).is_err());
        drop(open);
        assert!(
            File::open(victim).is_err(),
            "nor in place of what is closed"
        );
        assert!(UdpSocket::bind("127.0.0.1:0").is_err());
        assert!(TcpListener::bind("127.0.0.1:0").is_err());
        if has_landlock {
            assert!(fs::remove_file(victim).is_err());
            assert!(test_kill_process(parent).is_err());
            // Returns only where the program is not run.
            let error = Command::new(program).exec();
            assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
        }
        println!("{DONE}");
    }
}
