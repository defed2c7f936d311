//! Has filters compiled, in processes of their own, and keeps what comes of it. `load` asks it.

use std::ffi::OsStr;
use std::num::NonZeroUsize;
use std::path::Path;
use std::pin::pin;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytesize::ByteSize;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;
use tokio::sync::Semaphore;
use tokio::task::{JoinError, spawn_blocking};
use tokio::time::timeout;
use wasmtime::component::Component;

use super::cache::{Cache, Hash};
use super::compile::{self, Bounds};
use super::inspect::{CompileError, inspect};
use crate::config;

/// Filters in a compiled language take a twentieth of that, language runtimes five times as long.
pub(super) const QUICK: Duration = Duration::from_secs(2);

/// A machine with much else to do lets a compiling process wait for so many times what it may compute, and no longer.
const CROWDED: u32 = 5;

/// What a compiling process may say on its standard error, in bytes.
const LAST_WORDS: u64 = 16 << 10;

/// What of its own environment a compiling process gets to know: where to find what it is linked with.
const ENVIRONMENT: [&str; 4] = ["DYLD_LIBRARY_PATH", "LD_LIBRARY_PATH", "PATH", "SystemRoot"];

/// A component, and what it took to make it.
pub(super) struct Compiled {
    pub(super) component: Component,
    /// None if that was done before and kept.
    pub(super) time: Option<Duration>,
}

/// Makes components of files.
#[derive(Debug)]
pub(super) struct Compiler {
    engine: wasmtime::Engine,
    settings: config::Compiler,
    cache: Option<Cache>,
    /// Half as many compilations at a time as there are cores: the rest is for traffic.
    places: Semaphore,
    /// Those that take long go on here, one at a time, so that they hold up no others.
    slow_place: Semaphore,
}

/// Whether a file that failed to compile before is given up at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Memory {
    /// As at a start: nothing is known to have changed.
    Trusted,
    /// Somebody has touched the file.
    Doubted,
}

/// Why there is no machine code, though nothing was found wrong with the file.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CompilerError {
    /// It was ended.
    #[error(
        "compiling it takes more than {0:?} of computing; make it smaller, or raise [compiler] time"
    )]
    Slow(Duration),
    /// It was ended, though it had not computed for as long as it may.
    #[error(
        "compiling it is not done after {0:?}, as others have the processors; touch the file to have it tried again"
    )]
    Crowded(Duration),
    /// It crashed, or reached a limit that the system enforces.
    #[error(
        "the compiling process ended with {how}{said}; its limits are [compiler] memory and time"
    )]
    Died {
        /// Its exit code or the signal.
        how: String,
        /// The first line on its standard error, after a separator.
        said: String,
    },
    /// The system said no.
    #[error("cannot run a compiling process; the file is tried again when it is touched")]
    Run(#[source] std::io::Error),
    /// It was not worth trying again.
    #[error("{0} (when it was compiled last; touch the file to have it tried again)")]
    Remembered(String),
    /// More machine code than is kept.
    #[error("its machine code is larger than {}; make it smaller, or raise [compiler] cache", ByteSize(*.0))]
    Large(u64),
    /// What it wrote is not what this engine runs.
    #[error(
        "the compiled code cannot be used; is another version of the program installed by now? Then restart the proxy"
    )]
    Unusable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Reading the file, or compiling it in this process, made something panic.
    #[error("this file breaks the parser or the compiler: {0}")]
    Panic(String),
}

/// Either side's fault.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotCompiled {
    #[error(transparent)]
    File(#[from] CompileError),
    #[error(transparent)]
    Compiler(#[from] CompilerError),
}

impl Compiler {
    pub(super) fn new(engine: &wasmtime::Engine, settings: config::Compiler) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let cache = Cache::open(engine, &settings)
            .inspect_err(|error| {
                tracing::warn!(
                    dir = %settings.cache_dir.display(),
                    %error,
                    "compiled filters cannot be kept: each start compiles them again"
                );
            })
            .ok();
        Self {
            engine: engine.clone(),
            settings,
            cache,
            places: Semaphore::new((cores / 2).max(1)),
            slow_place: Semaphore::new(1),
        }
    }

    /// The component that a file holds, compiled now or before.
    pub(super) async fn component(
        self: &Arc<Self>,
        wasm: Arc<[u8]>,
        hash: Hash,
        memory: Memory,
    ) -> Result<Compiled, NotCompiled> {
        let this = self.clone();
        if let Some(component) =
            aside(move || this.cache.as_ref()?.find(&this.engine, hash)).await?
        {
            let time = None;
            return Ok(Compiled { component, time });
        }
        if let (Memory::Trusted, Some(cache)) = (memory, &self.cache)
            && let Some(refusal) = cache.refusal(hash, &self.settings)
        {
            return Err(CompilerError::Remembered(refusal).into());
        }
        let begun = Instant::now();
        let file = wasm.clone();
        aside(move || inspect(&file)).await??;
        let compiled = match &self.settings.program {
            Some(program) => self.compile_in_turn(program, &wasm).await,
            None => self.compile_here(wasm).await,
        };
        let code = compiled.inspect_err(|error| self.remember(hash, error))?;
        let time = Some(begun.elapsed());
        let this = self.clone();
        let component = aside(move || match &this.cache {
            Some(cache) => cache.keep(&this.engine, hash, &code),
            None => Cache::load(&this.engine, &code),
        });
        let component = component
            .await?
            .map_err(|error| CompilerError::Unusable(error.into()))?;
        Ok(Compiled { component, time })
    }

    /// A restart should not spend the same time on the same file for nothing.
    fn remember(&self, hash: Hash, error: &NotCompiled) {
        let NotCompiled::Compiler(error @ (CompilerError::Slow(_) | CompilerError::Died { .. })) =
            error
        else {
            return;
        };
        if let Some(cache) = &self.cache {
            cache.remember_refusal(hash, &self.settings, &error.to_string());
        }
    }

    /// How long a start waits for a file.
    pub(super) fn patience(&self) -> Duration {
        self.settings.time
    }

    /// In another process, and in another place if it takes long.
    async fn compile_in_turn(&self, program: &Path, wasm: &[u8]) -> Result<Vec<u8>, NotCompiled> {
        let place = self.places.acquire().await;
        let slow_place = {
            let mut compiling = pin!(self.compile_in(program, wasm));
            if let Ok(compiled) = timeout(QUICK, &mut compiling).await {
                return compiled;
            }
            drop(place);
            if let Ok(_slow_place) = self.slow_place.try_acquire() {
                return compiling.await;
            }
            // What it has done so far is lost, but nobody waits for a file that may never be done.
            self.slow_place.acquire()
        };
        let _slow_place = slow_place.await;
        self.compile_in(program, wasm).await
    }

    /// In another process, which is ended when it takes too long or when nobody waits for it any more.
    async fn compile_in(&self, program: &Path, wasm: &[u8]) -> Result<Vec<u8>, NotCompiled> {
        let run = self.run(program, wasm);
        let (wait, late) = self.deadline();
        let (status, output, said) = timeout(wait, run)
            .await
            .map_err(|_| late)?
            .map_err(CompilerError::Run)?;
        if output.len() as u64 > self.settings.cache {
            return Err(CompilerError::Large(self.settings.cache).into());
        }
        if status.success() {
            return Ok(output);
        }
        if status.code() == Some(compile::REFUSED.into())
            && let Ok(error) = serde_json::from_slice::<CompileError>(&output)
        {
            return Err(error.into());
        }
        if has_spent_its_time(status) {
            return Err(CompilerError::Slow(self.settings.time).into());
        }
        let said = String::from_utf8_lossy(&said);
        let first = said.trim().lines().next().unwrap_or_default();
        let died = CompilerError::Died {
            how: status.to_string(),
            said: if first.is_empty() {
                String::new()
            } else {
                format!(", saying \"{first}\"")
            },
        };
        Err(died.into())
    }

    /// How long another process may take by the clock, and what it means if it takes longer: where the system counts what a process
    /// computes, that is what is bounded.
    fn deadline(&self) -> (Duration, CompilerError) {
        let time = self.settings.time;
        if cfg!(unix) {
            let crowded = time.saturating_mul(CROWDED);
            (crowded, CompilerError::Crowded(crowded))
        } else {
            (time, CompilerError::Slow(time))
        }
    }

    async fn run(
        &self,
        program: &Path,
        wasm: &[u8],
    ) -> std::io::Result<(ExitStatus, Vec<u8>, Vec<u8>)> {
        let mut child = self.command(program).spawn()?;
        let (Some(mut stdin), Some(stdout), Some(stderr)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(std::io::Error::other("a pipe is missing"));
        };
        let feed = async move {
            // Whoever does not read on has a reason, which the exit status tells.
            drop(stdin.write_all(wasm).await);
        };
        let (_, code, said) = tokio::join!(
            feed,
            // Machine code that would not be kept is not read to its end either.
            read(stdout, self.settings.cache.saturating_add(1)),
            read(stderr, LAST_WORDS)
        );
        Ok((child.wait().await?, code?, said?))
    }

    fn command(&self, program: &Path) -> Command {
        let bounds = Bounds {
            memory: self.settings.memory,
            cpu: self.settings.time.as_millis().div_ceil(1000) as u64,
            parent: std::process::id(),
        };
        let known =
            |name: &&str| std::env::var_os(name).map(|value| (OsStr::new(name).to_owned(), value));
        let mut command = Command::new(program);
        #[cfg(unix)]
        command.arg0("portcullis-compiler");
        command
            .env_clear()
            .envs(ENVIRONMENT.iter().filter_map(known))
            .env(compile::ORDER, bounds.order())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    async fn compile_here(&self, wasm: Arc<[u8]>) -> Result<Vec<u8>, NotCompiled> {
        let _place = self.places.acquire().await;
        let engine = self.engine.clone();
        let compiling = aside(move || compile::compile(&engine, &wasm));
        let compiled = timeout(self.settings.time, compiling).await;
        Ok(compiled.map_err(|_| CompilerError::Slow(self.settings.time))???)
    }
}

/// Whether the system has ended it for that.
fn has_spent_its_time(status: ExitStatus) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::process::ExitStatusExt;
        status.signal() == Some(rustix::process::Signal::XCPU.as_raw())
    }
    #[cfg(not(unix))]
    {
        let _ = status;
        false
    }
}

/// Reads at most so many bytes. What follows meets a closed pipe.
async fn read(pipe: impl AsyncRead + Unpin, limit: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    pipe.take(limit).read_to_end(&mut bytes).await?;
    Ok(bytes)
}

/// On a thread that may be busy or wait for the disk.
async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, CompilerError> {
    let broken = |error: JoinError| CompilerError::Panic(error.to_string());
    spawn_blocking(work).await.map_err(broken)
}
