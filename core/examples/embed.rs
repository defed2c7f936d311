//! Runs the proxy inside another program, as a tray application would: `cargo run --example embed -- 127.0.0.1:3000`.
//! It ends with Ctrl-C.

use std::io::IsTerminal;
use std::process::ExitCode;

use portcullis::{Config, run_proxy};
use tokio::sync::broadcast;

fn main() -> anyhow::Result<ExitCode> {
    // The proxy starts this very program once more for each filter that it has compiled.
    if let Some(compiled) = portcullis::run_compiler_child() {
        return Ok(compiled);
    }
    run()?;
    Ok(ExitCode::SUCCESS)
}

#[tokio::main(flavor = "current_thread")]
async fn run() -> anyhow::Result<()> {
    let levels = std::env::var("RUST_LOG").unwrap_or_else(|_| "info".into());
    tracing_subscriber::fmt()
        .with_env_filter(levels)
        .with_ansi(std::io::stdout().is_terminal())
        .init();
    let mut config = Config::default();
    config.compiler.program = std::env::current_exe().ok();
    if let Some(listen) = std::env::args().nth(1) {
        config.listen = listen.parse()?;
    }

    let (shutdown, shutdown_rx) = broadcast::channel(1);
    let proxy = run_proxy(config, shutdown_rx);
    tokio::pin!(proxy);
    tokio::select! {
        ended = &mut proxy => return Ok(ended?),
        pressed = tokio::signal::ctrl_c() => pressed?,
    }
    shutdown.send(())?;
    proxy.await?;
    Ok(())
}
