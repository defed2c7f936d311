//! What stands in the place of a filter's file and is not a file, and names that are nearly those
//! of one.

use std::fs;
use std::path::Path;
use std::process::Command;

use portcullis_tests::{Log, Stage, guests, plug};

/// Makes what cannot be read as a file.
type Make = fn(&Path);

const NO_FILES: [(&str, Make); 2] = [
    ("a folder", |path| {
        fs::create_dir(path).expect("a folder to write to")
    }),
    ("a pipe", |path| {
        let made = Command::new("mkfifo").arg(path).status();
        assert!(made.expect("a program of every system").success());
    }),
];

#[tokio::test]
async fn what_bears_the_name_of_a_filters_file_and_is_none_refuses() {
    for (what, make) in NO_FILES {
        for file in ["guard.wasm", "guard.toml"] {
            let mut log = Log::follow();
            let stage = Stage::start_with(|config| {
                if file == "guard.toml" {
                    plug(&config.plugins.dir, "guard.wasm", guests::bare());
                }
                make(&config.plugins.dir.join(file));
            })
            .await;
            let refusal = stage.get("a.example").await;
            assert_eq!(refusal.status, 503, "{what} {file}: {refusal:?}");
            assert!(refusal.body.contains("Filter: guard\n"), "{refusal:?}");
            let reason = "is a folder, a pipe or a device";
            log.says(&["ERROR", "guard", file, reason]).await;
            // It is mended while the proxy runs.
            let path = stage.proxy.plugins().join(file);
            fs::remove_dir(&path)
                .or_else(|_| fs::remove_file(&path))
                .unwrap();
            stage.plug("guard.wasm", guests::bare());
            stage.until("a.example", 200).await;
            assert_eq!(stage.get("blocked.example").await.status, 403);
        }
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_name_that_is_nearly_that_of_a_filters_file_is_told_of_once() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let names = [&b"guard.WASM"[..], b"guard.Toml", b"gu\xffard.wasm"].map(OsStr::from_bytes);
    let mut log = Log::follow();
    let all = log.clone();
    let stage = Stage::start_with(|config| {
        for name in names {
            fs::write(config.plugins.dir.join(name), guests::bare()).unwrap();
        }
    })
    .await;
    let told = [
        ("guard.WASM", "in small letters"),
        ("guard.Toml", "in small letters"),
        ("gu\u{fffd}ard.wasm", "UTF-8"),
    ];
    for (name, mistake) in told {
        let mut log = all.clone();
        log.says(&["WARN", "looks like that of a filter", name, mistake])
            .await;
    }
    // Another look at the folder has nothing new to say.
    stage.plug("marker.wasm", guests::bare());
    log.says(&["filters in use", "marker"]).await;
    for (name, _) in told {
        assert_eq!(all.count(&["looks like that of a filter", name]), 1);
    }
}

/// Of two names that differ by case only, the one that sorts first is used.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_filter_that_is_refused_for_its_name_stands_as_its_settings_say_by_now() {
    let stage = Stage::start_with(|config| {
        for file in ["Pair.wasm", "pair.wasm"] {
            plug(&config.plugins.dir, file, guests::bare());
        }
    })
    .await;
    let refusal = stage.get("a.example").await;
    assert_eq!(refusal.status, 503);
    assert!(refusal.body.contains("Filter: pair\n"), "{refusal:?}");
    for settings in ["mode = 'shadow'", "required = false", "on_error = 'skip'"] {
        stage.plug("pair.toml", settings);
        stage.until("a.example", 200).await;
        stage.unplug("pair.toml");
        stage.until("a.example", 503).await;
    }
    stage.plug("pair.toml", "enabled = false");
    stage.until("a.example", 200).await;
    stage.answers(&[("blocked.example", 403)]).await;
}
