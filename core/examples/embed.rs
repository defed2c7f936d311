//! Runs the proxy inside another program, as a tray application would: `cargo run --example embed
//! -- 127.0.0.1:3000`. It ends with Ctrl-C.

use std::error::Error;
use std::io::IsTerminal;
use std::process::ExitCode;

use portcullis::{Config, Ended, run_proxy};
use tokio::sync::broadcast;

fn main() -> Result<ExitCode, Box<dyn Error>> {
    // The proxy starts this very program again for each filter that it compiles. Nothing else may
    // happen then.
    if let Some(code) = portcullis::run_compiler_child() {
        return Ok(code);
    }
    run()?;
    Ok(ExitCode::SUCCESS)
}

#[tokio::main(flavor = "current_thread")]
async fn run() -> Result<(), Box<dyn Error>> {
    let levels = std::env::var("RUST_LOG").unwrap_or_else(|_| "info".into());
    tracing_subscriber::fmt()
        .with_env_filter(levels)
        .with_ansi(std::io::stdout().is_terminal())
        .init();
    let mut config = Config::default();
    config.compiler.program = std::env::current_exe().ok();
    if let Some(listen) = std::env::args().nth(1) {
        config.proxy.listen = listen.parse()?;
    }

    let (shutdown, shutdown_rx) = broadcast::channel(1);
    let proxy = run_proxy(config, shutdown_rx);
    tokio::pin!(proxy);
    let ended = tokio::select! {
        ended = &mut proxy => ended?,
        pressed = tokio::signal::ctrl_c() => {
            pressed?;
            shutdown.send(())?;
            // Everything that the proxy has started has ended when this returns, or the time for it
            // is over.
            proxy.await?
        }
    };
    if ended != Ended::Cleanly {
        tracing::warn!(?ended, "some clients were cut off");
    }
    Ok(())
}
