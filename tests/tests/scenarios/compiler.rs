//! Filters are compiled in a process of their own, which can be ended, and what comes of it is
//! kept.

use std::fs;
use std::path::Path;
#[cfg(unix)]
use std::path::PathBuf;
use std::time::Duration;

use portcullis::Config;
use portcullis_tests::{Log, Proxy, Stage, guests, plug};

/// Machine code in a cache.
fn compiled(cache: &Path) -> usize {
    let files = fs::read_dir(cache).into_iter().flatten().flatten();
    files
        .filter(|file| file.path().extension().is_some_and(|is| is == "cwasm"))
        .count()
}

/// Its own cache, and a filter that was never compiled before.
fn fresh(config: &mut Config, cache: &Path) {
    config.compiler.cache_dir = cache.join("compiled");
    plug(&config.plugins.dir, "bare.wasm", guests::bare());
}

#[tokio::test]
async fn a_compiling_process_that_takes_too_long_is_ended() {
    let stage = Stage::start_with(|config| config.compiler.time = Duration::from_secs(1)).await;
    let mut log = Log::follow();
    // No loop that could be seen beforehand.
    stage.plug("endless-compile.wasm", guests::switch(4000, 1000));
    let reason =
        "compiling it takes more than 1s of computing; make it smaller, or raise [compiler] time";
    log.says(&["refused", "endless-compile", reason]).await;
    stage.plug("bare.wasm", guests::bare());
    stage.until("blocked.example", 403).await;
}

#[tokio::test]
async fn files_that_take_long_to_compile_hold_up_no_others() {
    let cache = tempfile::tempdir().unwrap();
    let stage = Stage::start_with(|config| {
        config.compiler.cache_dir = cache.path().join("compiled");
        config.compiler.time = Duration::from_secs(3600);
    })
    .await;
    stage.answers(&[("blocked.example", 200)]).await;
    for bomb in 0..2 {
        stage.plug(
            &format!("bomb{bomb}.wasm"),
            guests::switch(4000, 1000 + bomb),
        );
    }
    stage.plug("suffix.toml", "[config]\nblock = [\"evil.example\"]");
    stage.plug("suffix.wasm", guests::suffix());
    stage.until("evil.example", 403).await;
    // The compiling processes end with the proxy.
    stage.proxy.stop().await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_compiling_process_that_takes_too_much_memory_is_ended() {
    let cache = tempfile::tempdir().unwrap();
    let stage = Stage::start_with(|config| {
        config.compiler.cache_dir = cache.path().join("compiled");
        config.compiler.memory = 64 << 20;
    })
    .await;
    let mut log = Log::follow();
    stage.plug("greedy-compile.wasm", guests::functions(50_000));
    log.says(&[
        "refused",
        "greedy-compile",
        "memory allocation",
        "[compiler] memory",
    ])
    .await;
    stage.plug("bare.wasm", guests::bare());
    stage.until("blocked.example", 403).await;
}

#[tokio::test]
async fn what_was_compiled_once_is_found_again() {
    let cache = tempfile::tempdir().unwrap();
    let stage = Stage::start_with(|config| fresh(config, cache.path())).await;
    stage.answers(&[("blocked.example", 403)]).await;
    let files = compiled(&cache.path().join("compiled"));
    assert_eq!(files, 2, "the filter and the one that is built in");
    stage.proxy.stop().await;

    let stage = Stage::start_with(|config| {
        fresh(config, cache.path());
        config.compiler.program = Some("/no/such/program".into());
    })
    .await;
    let mut log = Log::follow();
    stage.answers(&[("blocked.example", 403)]).await;
    // Whereas what is new needs the program.
    stage.plug("new-here.wasm", guests::wat("loops"));
    log.says(&["refused", "new-here", "cannot run a compiling process"])
        .await;
}

#[tokio::test]
async fn what_did_not_compile_is_remembered_until_the_file_is_touched() {
    let cache = tempfile::tempdir().unwrap();
    let bomb = guests::switch(4000, 1000);
    for reason in ["touch", "tried again"] {
        let mut log = Log::follow();
        let stage = Stage::start_with(|config| {
            fresh(config, cache.path());
            config.compiler.time = Duration::from_secs(1);
            plug(&config.plugins.dir, "hopeless.wasm", &bomb);
        })
        .await;
        // The start waits no longer than compiling may take.
        stage.until("blocked.example", 403).await;
        if reason == "tried again" {
            log.says(&[
                "refused",
                "hopeless",
                "compiling it takes more than 1s of computing",
                "when it was compiled last",
            ])
            .await;
            stage.plug("hopeless.wasm", &bomb);
        }
        let line = log
            .says(&[
                "refused",
                "hopeless",
                "compiling it takes more than 1s of computing",
            ])
            .await;
        assert!(!line.contains("when it was compiled last"), "{line}");
        stage.proxy.stop().await;
    }
}

#[tokio::test]
async fn what_could_not_be_compiled_for_want_of_a_process_is_tried_again_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("compiler");
    let mut real = None;
    let stage = Stage::start_with(|config| {
        config.compiler.cache_dir = folder.path().join("compiled");
        real = config.compiler.program.replace(program.clone());
    })
    .await;
    let mut log = Log::follow();
    stage.plug("unlucky.wasm", guests::bare());
    log.says(&["refused", "unlucky", "cannot run a compiling process"])
        .await;
    // Not even the filter that is built in could be compiled.
    stage.answers(&[("a.example", 503)]).await;
    fs::copy(real.expect("there is one"), &program).unwrap();
    stage.until("blocked.example", 403).await;
    stage.until("a.example", 200).await;
}

/// A program that compiles as `real` does, but ends by `failing` where there is a file `next`
/// beside it, which it removes.
#[cfg(unix)]
fn stumbling(folder: &Path, real: &Path, failing: &str) -> PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let (program, next) = (folder.join("compiler"), folder.join("next"));
    let script = format!(
        "#!/bin/sh\nif rm '{}' 2> /dev/null; then {failing}; fi\nexec '{}'\n",
        next.display(),
        real.display()
    );
    fs::write(&program, script).expect("a program is written");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("it may be run");
    program
}

/// What was remembered as refused.
#[cfg(unix)]
fn refused(cache: &Path) -> usize {
    let files = fs::read_dir(cache).into_iter().flatten().flatten();
    files
        .filter(|file| file.path().extension().is_some_and(|is| is == "refused"))
        .count()
}

/// A proxy whose next compiling process ends by `failing`. What is built in is compiled.
#[cfg(unix)]
async fn about_to_stumble(folder: &Path, failing: &str) -> Stage {
    let stage = Stage::start_with(|config| {
        config.compiler.cache_dir = folder.join("compiled");
        let real = config.compiler.program.take().expect("there is one");
        config.compiler.program = Some(stumbling(folder, &real, failing));
    })
    .await;
    stage.answers(&[("blocked.example", 200)]).await;
    fs::write(folder.join("next"), "").expect("a file is written");
    stage
}

#[cfg(unix)]
#[tokio::test]
async fn what_a_compiling_process_did_not_come_to_read_is_tried_again_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    // As where the system has no descriptor for a library.
    let failing = "echo 'cannot open libc' >&2; exit 127";
    let stage = about_to_stumble(folder.path(), failing).await;
    let mut log = Log::follow();
    stage.plug("stumbles.wasm", guests::bare());
    log.says(&[
        "refused",
        "stumbles",
        "ended with exit status: 127",
        "cannot open libc",
        "before it read the file",
    ])
    .await;
    stage.until("blocked.example", 403).await;
    assert_eq!(refused(&folder.path().join("compiled")), 0);
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_on_which_a_compiling_process_ends_once_is_tried_again_by_itself() {
    for (failing, reason) in [
        ("exit 1", "exit status: 1"),
        // As one ends that is given no memory.
        ("cat > /dev/null; kill -s ABRT $$", "SIGABRT"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let failing = format!("echo portcullis-compiler; {failing}");
        let stage = about_to_stumble(folder.path(), &failing).await;
        let mut log = Log::follow();
        stage.plug("stumbles.wasm", guests::bare());
        log.says(&["refused", "stumbles", reason, "it is tried again by itself"])
            .await;
        stage.until("blocked.example", 403).await;
        assert_eq!(refused(&folder.path().join("compiled")), 0);
        stage.proxy.stop().await;
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_on_which_compiling_processes_end_again_and_again_is_to_blame() {
    let folder = tempfile::tempdir().unwrap();
    let next = folder.path().join("next");
    let failing = format!(
        "touch '{}'; echo portcullis-compiler; exit 1",
        next.display()
    );
    let stage = about_to_stumble(folder.path(), &failing).await;
    let mut log = Log::follow();
    stage.plug("stumbles.wasm", guests::bare());
    log.says(&["refused", "stumbles", "it is tried again by itself"])
        .await;
    let last = "its limits are [compiler] memory and time\"";
    log.says(&["refused", "stumbles", "exit status: 1", last])
        .await;
    assert_eq!(refused(&folder.path().join("compiled")), 1);
    // It is tried again when it is touched.
    fs::remove_file(next).unwrap();
    stage.plug("stumbles.wasm", guests::bare());
    stage.until("blocked.example", 403).await;
}

#[tokio::test]
async fn machine_code_that_is_too_large_is_not_used() {
    let cache = tempfile::tempdir().unwrap();
    let stage = Stage::start_with(|config| {
        config.compiler.cache_dir = cache.path().join("compiled");
        config.compiler.cache = 1000;
    })
    .await;
    let mut log = Log::follow();
    stage.plug("bulky.wasm", guests::bare());
    log.says(&["refused", "bulky", "raise [compiler] cache"])
        .await;
    // So is the code of the filter that is built in.
    assert_eq!(stage.get("a.example").await.status, 503);
}

#[tokio::test]
async fn machine_code_that_is_damaged_is_made_again() {
    let cache = tempfile::tempdir().unwrap();
    let stage = Stage::start_with(|config| fresh(config, cache.path())).await;
    stage.answers(&[("blocked.example", 403)]).await;
    stage.proxy.stop().await;
    for file in fs::read_dir(cache.path().join("compiled")).unwrap() {
        let file = file.unwrap().path();
        let mut code = fs::read(&file).unwrap();
        // One bit, which the engine would not notice.
        *code.last_mut().unwrap() ^= 1;
        // Another file: what is left of the first proxy may have this one in its memory.
        fs::remove_file(&file).unwrap();
        fs::write(file, code).unwrap();
    }
    let mut log = Log::follow();
    let stage = Stage::start_with(|config| fresh(config, cache.path())).await;
    stage.answers(&[("blocked.example", 403)]).await;
    let file = cache.path().display().to_string();
    let words = ["WARN", &file, "damaged", "it is compiled again"];
    log.says(&words).await;
    assert_eq!(compiled(&cache.path().join("compiled")), 2);
}

#[cfg(unix)]
#[tokio::test]
async fn a_cache_below_a_folder_that_others_can_write_to_is_not_used() {
    use std::os::unix::fs::PermissionsExt;
    let top = tempfile::tempdir().unwrap();
    let parent = top.path().join("shared");
    fs::create_dir(&parent).unwrap();
    fs::set_permissions(&parent, fs::Permissions::from_mode(0o777)).unwrap();
    let mut log = Log::follow();
    let stage = Stage::start_with(|config| fresh(config, &parent)).await;
    stage.answers(&[("blocked.example", 403)]).await;
    let path = parent.display().to_string();
    log.says(&[
        "WARN",
        &format!("{path} can be written by other users"),
        "chmod go-w",
        "each start compiles them again",
    ])
    .await;
    assert_eq!(compiled(&parent.join("compiled")), 0);
}

#[cfg(unix)]
#[tokio::test]
async fn a_cache_that_others_can_write_to_is_not_used() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let cache = tempfile::tempdir().unwrap();
    let dir = cache.path().join("compiled");
    for link in [false, true] {
        if link {
            fs::remove_dir(&dir).unwrap();
            symlink("/tmp", &dir).unwrap();
        } else {
            fs::create_dir(&dir).unwrap();
            fs::set_permissions(&dir, fs::Permissions::from_mode(0o777)).unwrap();
        }
        let mut log = Log::follow();
        let stage = Stage::start_with(|config| fresh(config, cache.path())).await;
        stage.answers(&[("blocked.example", 403)]).await;
        let path = dir.display().to_string();
        log.says(&["WARN", &path, "only the proxy's user can read and write"])
            .await;
        assert_eq!(compiled(&dir), 0);
    }
}

#[tokio::test]
async fn without_a_program_filters_are_compiled_in_the_process() {
    let cache = tempfile::tempdir().unwrap();
    let stage = Stage::start_with(|config| {
        fresh(config, cache.path());
        config.compiler.program = None;
    })
    .await;
    stage.answers(&[("blocked.example", 403)]).await;
}

#[tokio::test]
async fn an_operator_who_waits_for_a_filter_that_takes_long_to_compile_is_told() {
    let stage = Stage::start_with(|config| config.compiler.time = Duration::from_secs(3600)).await;
    let mut log = Log::follow();
    stage.plug("patience.wasm", guests::switch(4000, 1002));
    log.says(&["INFO", "patience", "compiling it takes long"])
        .await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_program_that_cannot_compile_filters_is_named_at_the_start() {
    // One ends without a word, the other says something else.
    for program in ["true", "env"] {
        let proxy = Proxy::start_with(|config| config.compiler.program = Some(program.into()));
        let error = proxy.await.failed().await;
        let cause = std::error::Error::source(&error).expect("there is a cause");
        let expected = format!("{program} does not call portcullis::run_compiler_child() first");
        assert!(cause.to_string().starts_with(&expected), "{cause}");
    }
}
