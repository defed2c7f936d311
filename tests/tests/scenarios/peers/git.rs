//! Git, which clones through the proxy.

use std::fs;
use std::path::{Path, PathBuf};

use portcullis_tests::{Site, output, peer, skip_without};
use tempfile::TempDir;
use tokio::process::Command;

use super::{ALLOWED, BLOCKED, World};

/// Git without the settings of this machine.
pub(super) fn git(folder: &TempDir) -> Command {
    let mut git = peer("git");
    git.current_dir(folder.path())
        .env("HOME", folder.path())
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_TERMINAL_PROMPT", "0")
        .args(["-c", "user.name=a", "-c", "user.email=a@example.com"]);
    git
}

/// Has a site serve a repository with one file, as files. None where git is not installed.
async fn serve_repository(sites: &[&Site], folder: &TempDir) -> Option<()> {
    for words in [
        &["init", "--quiet", "repository"][..],
        &["-C", "repository", "add", "."],
        &[
            "-C",
            "repository",
            "commit",
            "--quiet",
            "--message",
            "A file",
        ],
        &["-C", "repository", "update-server-info"],
    ] {
        let done = output(git(folder).args(words)).await?;
        assert!(done.status.success(), "{words:?}: {done:?}");
        if words[0] == "init" {
            let file = folder.path().join("repository/file");
            fs::write(file, "content").expect("a folder that can be written to");
        }
    }
    let root = folder.path().join("repository/.git");
    for file in files_below(&root) {
        let content = fs::read(&file).expect("a file");
        let path = file.strip_prefix(&root).expect("it is below").display();
        for site in sites {
            site.serves(&format!("/repository.git/{path}"), &content);
        }
    }
    Some(())
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let below = |path: PathBuf| {
        if path.is_dir() {
            files_below(&path)
        } else {
            vec![path]
        }
    };
    paths.flat_map(below).collect()
}

/// What git says of a clone; none where there is a copy of the file.
async fn clone(world: &World, folder: &TempDir, proxy: &str, url: &str) -> Result<(), String> {
    let copy = folder.path().join("copy");
    let mut git = git(folder);
    git.env("GIT_SSL_CAINFO", world.authority.file())
        .env("https_proxy", proxy)
        .env("http_proxy", proxy)
        .args(["clone", "--quiet", url])
        .arg(&copy);
    let done = output(&mut git).await.expect("git is there");
    if !done.status.success() {
        return Err(String::from_utf8_lossy(&done.stderr).into_owned());
    }
    let content = fs::read_to_string(copy.join("file"));
    assert_eq!(content.expect("the file is in the copy"), "content");
    fs::remove_dir_all(copy).expect("a folder");
    Ok(())
}

#[tokio::test]
async fn a_repository_is_cloned_through_a_tunnel_and_in_the_clear() {
    let (world, folder) = (World::start().await, TempDir::new().expect("a folder"));
    let sites = [&world.stage.site, &world.secure];
    let Some(()) = serve_repository(&sites, &folder).await else {
        return skip_without("git");
    };
    let path = "/repository.git";
    let allowed = [
        world.secure_url(ALLOWED, path),
        world.stage.url(ALLOWED) + &path[1..],
    ];
    for scheme in ["http", "socks5h"] {
        let proxy = world.proxy(scheme, "");
        for url in &allowed {
            assert_eq!(
                clone(&world, &folder, &proxy, url).await,
                Ok(()),
                "{scheme} {url}"
            );
        }
    }
    let proxy = world.proxy("http", "");
    for url in [
        world.secure_url(BLOCKED, path),
        world.stage.url(BLOCKED) + &path[1..],
    ] {
        let said = clone(&world, &folder, &proxy, &url).await;
        assert!(
            said.as_ref().is_err_and(|said| said.contains("403")),
            "{url}: {said:?}"
        );
    }
    assert!(!world.stage.dns.was_asked_for(BLOCKED));
}

#[tokio::test]
async fn it_logs_in() {
    let (world, folder) = (World::guarded().await, TempDir::new().expect("a folder"));
    let Some(()) = serve_repository(&[&world.secure], &folder).await else {
        return skip_without("git");
    };
    let url = world.secure_url(ALLOWED, "/repository.git");
    let right = world.proxy("http", "ada:secret@");
    assert_eq!(clone(&world, &folder, &right, &url).await, Ok(()));
    for login in ["ada:wrong@", ""] {
        let said = clone(&world, &folder, &world.proxy("http", login), &url).await;
        assert!(
            said.as_ref().is_err_and(|said| said.contains("407")),
            "{login}: {said:?}"
        );
    }
}
