//! Has filters compiled in processes of their own, and keeps the machine code and the failures on
//! disk. `load` calls it. It knows nothing of what a filter does.

mod failure;
#[cfg(all(test, unix))]
mod tests;

use std::ffi::OsStr;
use std::io;
use std::num::NonZeroUsize;
use std::path::Path;
use std::pin::pin;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use lru::LruCache;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};
use tokio::sync::Semaphore;
use tokio::task::{JoinError, spawn_blocking};
use tokio::time::timeout;
use wasmtime::component::Component;

use self::failure::Blame;
pub(crate) use self::failure::{CompilerError, NotCompiled};
use super::cache::{Cache, Hash};
use super::compile::{self, Bounds};
use super::confine;
use super::inspect::{CompileError, inspect};
use crate::config;

/// Compiling takes longer than this only for whole language runtimes, which take up to five times
/// as long. Filters in a compiled language take a twentieth of it.
pub(super) const SLOW_AFTER: Duration = Duration::from_secs(2);

/// How many times its computing time a compiling process may take by the clock: on a busy machine
/// it mostly waits for a processor.
const WALL_TO_CPU_FACTOR: u32 = 5;

/// The least that it may take by the clock. That limit is for a process that hangs; what computes
/// for too long is ended by its computing time, however short that is and however busy the machine.
const LEAST_WALL: Duration = Duration::from_mins(1);

/// How much of a compiling process's standard error is read, in bytes.
const STDERR_LIMIT: u64 = 16 << 10;

/// A compiling process greets as soon as it runs, even on a busy machine much sooner than this.
const GREETING_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a process that has closed its output without a greeting may take to end.
const ENDING_TIMEOUT: Duration = Duration::from_secs(1);

/// How often compiling processes end on a file, one after the other, before the file is to blame.
const MOST_DEATHS: u32 = 3;

/// Of how many files it is remembered at a time that compiling processes have ended on them.
const MOST_DEADLY: NonZeroUsize = NonZeroUsize::new(256).expect("it is not 0");

/// The variables that a compiling process inherits: where to find the libraries it is linked with.
const ENVIRONMENT: [&str; 4] = ["DYLD_LIBRARY_PATH", "LD_LIBRARY_PATH", "PATH", "SystemRoot"];

/// A component, and how long it took to make it.
pub(super) struct Compiled {
    pub(super) component: Component,
    /// None if its machine code was on disk.
    pub(super) time: Option<Duration>,
}

/// Makes components of files.
#[derive(Debug)]
pub(super) struct Compiler {
    engine: wasmtime::Engine,
    settings: config::Compiler,
    cache: Option<Cache>,
    /// On which files compiling processes have ended, and how often.
    deaths: Mutex<LruCache<Hash, u32>>,
    /// Half as many compilations at a time as there are cores: the rest is for traffic.
    permits: Semaphore,
    /// A compilation that takes long continues with this permit, so that it does not hold up
    /// others.
    slow_permit: Semaphore,
}

/// What becomes of a file that failed to compile before, as the folder of machine code remembers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CachedFailure {
    /// It fails again at once. This is for a start, where nothing is known to have changed.
    Use,
    /// It is compiled again, as the operator has touched the file.
    Ignore,
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
        if settings.program.is_some()
            && let Some(reason) = confine::shortcoming()
        {
            tracing::debug!(
                reason,
                "the system confines compiling processes only in part"
            );
        }
        Self {
            engine: engine.clone(),
            settings,
            cache,
            deaths: Mutex::new(LruCache::new(MOST_DEADLY)),
            permits: Semaphore::new((cores / 2).max(1)),
            slow_permit: Semaphore::new(1),
        }
    }

    /// The component that a file holds, compiled now or before.
    pub(super) async fn component(
        self: &Arc<Self>,
        wasm: Arc<[u8]>,
        hash: Hash,
        failure: CachedFailure,
    ) -> Result<Compiled, NotCompiled> {
        let this = self.clone();
        if let Some(component) =
            run_blocking(move || this.cache.as_ref()?.find(&this.engine, hash)).await?
        {
            let time = None;
            return Ok(Compiled { component, time });
        }
        if let (CachedFailure::Use, Some(cache)) = (failure, &self.cache)
            && let Some(refusal) = cache.refusal(hash, &self.settings)
        {
            return Err(CompilerError::Remembered(refusal).into());
        }
        let begun = Instant::now();
        let file = wasm.clone();
        run_blocking(move || inspect(&file)).await??;
        let compiled = match &self.settings.program {
            Some(program) => self.compile_in_turn(program, &wasm).await,
            None => self.compile_here(wasm).await,
        };
        let code = compiled.map_err(|error| self.judged(hash, error))?;
        self.deaths().pop(&hash);
        let time = Some(begun.elapsed());
        let this = self.clone();
        let component = run_blocking(move || match &this.cache {
            Some(cache) => cache.keep(&this.engine, hash, &code),
            None => Cache::load(&this.engine, &code),
        });
        let component = component.await?.map_err(CompilerError::of_loading)?;
        Ok(Compiled { component, time })
    }

    /// Blames the file if compiling processes have ended on it often enough. What the file is to
    /// blame for, or took long, is kept, so that a restart does not spend the same time on it.
    fn judged(&self, hash: Hash, mut error: NotCompiled) -> NotCompiled {
        if let NotCompiled::Compiler(CompilerError::Died { blame, .. }) = &mut error {
            let mut deaths = self.deaths();
            let count = deaths.get_or_insert_mut(hash, || 0);
            *count += 1;
            if *count >= MOST_DEATHS {
                *blame = Blame::File;
                deaths.pop(&hash);
            }
        }
        if let NotCompiled::Compiler(failure) = &error
            && failure.is_lasting()
            && let Some(cache) = &self.cache
        {
            cache.remember_refusal(hash, &self.settings, &failure.to_string());
        }
        error
    }

    fn deaths(&self) -> MutexGuard<'_, LruCache<Hash, u32>> {
        self.deaths.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Fails with [`CompilerError::NoEntry`] if the program that should compile filters is of
    /// another kind. A program that cannot be run does not keep the proxy from starting: filters
    /// that were compiled before do not need it.
    pub(super) async fn check_program(&self) -> Result<(), CompilerError> {
        let Some(program) = &self.settings.program else {
            return Ok(());
        };
        if compile::is_entry_called() && is_this_program(program) {
            return Ok(());
        }
        match self.command(program, compile::PROBE.to_owned()).spawn() {
            Ok(mut child) => match self.greeting(program, &mut child).await {
                // A program of another kind may end without a word, too.
                Err(CompilerError::NotBegun(_)) => Err(CompilerError::NoEntry(program.clone())),
                greeted => greeted,
            },
            Err(error) => {
                tracing::debug!(program = %program.display(), %error, "cannot run the compiling process");
                Ok(())
            }
        }
    }

    /// What compiling one file may compute, which is also how long a start waits for it.
    pub(super) fn time_limit(&self) -> Duration {
        self.settings.time
    }

    /// Compiles in another process. If it takes long, it goes on with the permit for slow files.
    async fn compile_in_turn(&self, program: &Path, wasm: &[u8]) -> Result<Vec<u8>, NotCompiled> {
        let permit = self.permits.acquire().await;
        let slow_permit = {
            let mut compiling = pin!(self.compile_in(program, wasm));
            if let Ok(compiled) = timeout(SLOW_AFTER, &mut compiling).await {
                return compiled;
            }
            drop(permit);
            if let Ok(_slow_permit) = self.slow_permit.try_acquire() {
                return compiling.await;
            }
            // Its work so far is lost, but quick files do not wait for one that may never be done.
            self.slow_permit.acquire()
        };
        let _slow_permit = slow_permit.await;
        self.compile_in(program, wasm).await
    }

    /// Compiles in another process. It is ended when it takes too long or when this future is
    /// dropped.
    async fn compile_in(&self, program: &Path, wasm: &[u8]) -> Result<Vec<u8>, NotCompiled> {
        let run = self.run(program, wasm);
        let (wait, late) = deadline(self.settings.time);
        let (status, output, stderr) = timeout(wait, run).await.map_err(|_| late)??;
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
        if let Some(error) = self.ended_by_system(status) {
            return Err(error.into());
        }
        let (how, message) = (status.to_string(), first_words(&stderr));
        if status.code() == Some(compile::UNREADY.into()) {
            return Err(CompilerError::NotBegun(format!("ended with {how}{message}")).into());
        }
        if String::from_utf8_lossy(&stderr).contains("has overflowed its stack") {
            let nested = "something in it is nested too deeply".to_owned();
            return Err(CompileError::TooComplex(nested).into());
        }
        let died = CompilerError::Died {
            how,
            message,
            blame: Blame::Unknown,
        };
        Err(died.into())
    }

    /// Why the system has ended the process, if it has.
    #[cfg(unix)]
    fn ended_by_system(&self, status: ExitStatus) -> Option<CompilerError> {
        use std::os::unix::process::ExitStatusExt;

        use rustix::process::Signal;

        match Signal::from_named_raw(status.signal()?)? {
            Signal::XCPU => Some(CompilerError::Slow(self.settings.time)),
            Signal::KILL => Some(CompilerError::Killed),
            _ => None,
        }
    }

    #[cfg(not(unix))]
    fn ended_by_system(&self, _: ExitStatus) -> Option<CompilerError> {
        None
    }

    async fn run(
        &self,
        program: &Path,
        wasm: &[u8],
    ) -> Result<(ExitStatus, Vec<u8>, Vec<u8>), CompilerError> {
        let command = self.command(program, self.bounds().to_env()).spawn();
        let mut child = command.map_err(CompilerError::Run)?;
        self.greeting(program, &mut child).await?;
        let (Some(mut stdin), Some(stdout), Some(stderr)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(CompilerError::Run(io::Error::other("a pipe is missing")));
        };
        let feed = async move {
            // A process that does not read on has a reason, which its exit status tells.
            drop(stdin.write_all(wasm).await);
        };
        let (_, code, stderr) = tokio::join!(
            feed,
            // Machine code that is too large to be kept is not read to its end.
            read(stdout, self.settings.cache.saturating_add(1)),
            read(stderr, STDERR_LIMIT)
        );
        let done = async { Ok((child.wait().await?, code?, stderr?)) };
        done.await.map_err(CompilerError::Run)
    }

    /// Waits for the greeting of a compiling process. A program that says something else, or
    /// nothing, is ended.
    async fn greeting(&self, program: &Path, child: &mut Child) -> Result<(), CompilerError> {
        let mut said = [0; compile::GREETING.len()];
        let Some(stdout) = &mut child.stdout else {
            return Err(CompilerError::NoEntry(program.to_owned()));
        };
        let greeted = timeout(GREETING_TIMEOUT, stdout.read_exact(&mut said)).await;
        if said == *compile::GREETING {
            return Ok(());
        }
        let status = match greeted {
            // Where the pipe is closed the process has most likely ended.
            Ok(Err(_)) => timeout(ENDING_TIMEOUT, child.wait()).await.ok(),
            _ => None,
        };
        let status = status.and_then(Result::ok);
        if let Some(error) = status.and_then(|status| self.ended_by_system(status)) {
            return Err(error);
        }
        drop(child.kill().await);
        let has_spoken = said[0] != 0;
        if has_spoken || status.is_some_and(|status| status.success()) {
            return Err(CompilerError::NoEntry(program.to_owned()));
        }
        // A library that cannot be opened, say, ends a process before its first line of code.
        let message = last_words(child).await;
        let how = match status {
            Some(status) => format!("ended with {status}{message}"),
            None => format!("said nothing in {GREETING_TIMEOUT:?}"),
        };
        Err(CompilerError::NotBegun(how))
    }

    fn bounds(&self) -> Bounds {
        Bounds {
            memory: self.settings.memory,
            cpu: self.settings.time.as_millis().div_ceil(1000) as u64,
            parent: std::process::id(),
        }
    }

    fn command(&self, program: &Path, request: String) -> Command {
        let known =
            |name: &&str| std::env::var_os(name).map(|value| (OsStr::new(name).to_owned(), value));
        let mut command = Command::new(program);
        #[cfg(unix)]
        command.arg0("portcullis-compiler");
        command
            .env_clear()
            .envs(ENVIRONMENT.iter().filter_map(known))
            .env(compile::REQUEST_VAR, request)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    async fn compile_here(&self, wasm: Arc<[u8]>) -> Result<Vec<u8>, NotCompiled> {
        let _permit = self.permits.acquire().await;
        let engine = self.engine.clone();
        let compiling = run_blocking(move || compile::compile(&engine, &wasm));
        let compiled = timeout(self.settings.time, compiling).await;
        Ok(compiled.map_err(|_| CompilerError::Slow(self.settings.time))???)
    }
}

/// How long a process that may compute for `time` may take by the clock, and the error if it takes
/// longer. Where the system can bound what a process computes, that is the limit that counts.
fn deadline(time: Duration) -> (Duration, CompilerError) {
    if cfg!(unix) {
        let crowded = time.saturating_mul(WALL_TO_CPU_FACTOR).max(LEAST_WALL);
        (crowded, CompilerError::Crowded(crowded))
    } else {
        (time, CompilerError::Slow(time))
    }
}

/// Whether `program` is what runs here. A link to it counts, as Linux has one for each process.
fn is_this_program(program: &Path) -> bool {
    program == Path::new("/proc/self/exe")
        || std::env::current_exe().is_ok_and(|this| this == program)
}

/// What a process that has ended has said on its standard error.
async fn last_words(child: &mut Child) -> String {
    let Some(stderr) = child.stderr.take() else {
        return String::new();
    };
    match timeout(ENDING_TIMEOUT, read(stderr, STDERR_LIMIT)).await {
        Ok(Ok(said)) => first_words(&said),
        _ => String::new(),
    }
}

/// The first line of what a process has said, after a separator.
fn first_words(said: &[u8]) -> String {
    let said = String::from_utf8_lossy(said);
    match said.trim().lines().next() {
        Some(first) => format!(", saying \"{first}\""),
        None => String::new(),
    }
}

/// Reads at most `limit` bytes. The pipe is closed before the rest.
async fn read(pipe: impl AsyncRead + Unpin, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    pipe.take(limit).read_to_end(&mut bytes).await?;
    Ok(bytes)
}

/// Runs `work` on a thread that may be busy or wait for the disk.
async fn run_blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, CompilerError> {
    let broken = |error: JoinError| CompilerError::Panic(error.to_string());
    spawn_blocking(work).await.map_err(broken)
}
