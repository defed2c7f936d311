//! Runs the proxy inside another program, as a tray application would: `cargo run --example embed -- 127.0.0.1:3000`.
//! It ends with Ctrl-C.

use std::io::IsTerminal;

use portcullis::{Config, run_proxy};
use tokio::sync::broadcast;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let levels = std::env::var("RUST_LOG").unwrap_or_else(|_| "info".into());
    tracing_subscriber::fmt()
        .with_env_filter(levels)
        .with_ansi(std::io::stdout().is_terminal())
        .init();
    let mut config = Config::default();
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
