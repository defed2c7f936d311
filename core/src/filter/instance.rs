//! A filter brought to life: one store with one instance, used for one call at a time and dropped
//! after any failure.

#[cfg(test)]
mod tests;

use std::future::poll_fn;
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::{Instant, sleep_until};
use wasmtime::component::Instance as ComponentInstance;
use wasmtime::{Store, UpdateDeadline};

use super::allowance::Allowance;
use super::bindings::exports::portcullis::filter::{
    exchange_ended, judge_host, judge_request, judge_response, tick,
};
use super::bindings::portcullis::filter::types;
use super::grants::Granted;
use super::host::State;
use super::trap::Trap;
use super::{Answered, CallAnswer, Failure, Filter, FilterAnswer, HookCall};
use crate::config::FilterLimits;
use crate::error::panic_message;
use crate::verdict::{Additions, Fallback, InvalidVerdict, Notes, Verdict};

/// Longest error message of a filter, in bytes. The rest is cut.
const MESSAGE_BYTES: usize = 1024;

/// An instance that lasts for so few calls costs more to start than it does.
const FEW_CALLS: usize = 4;

/// A live filter.
pub(crate) struct Instance {
    store: Store<State>,
    judge_host: Option<judge_host::Guest>,
    judge_request: Option<judge_request::Guest>,
    judge_response: Option<judge_response::Guest>,
    exchange_ended: Option<exchange_ended::Guest>,
    tick: Option<tick::Guest>,
    limits: FilterLimits,
    calls: usize,
    /// Memory at which the instance is replaced, in bytes.
    memory_mark: usize,
    /// Whether a text of a verdict was made one line, or cut.
    has_amended: bool,
}

impl std::fmt::Debug for Instance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Instance").finish_non_exhaustive()
    }
}

impl Instance {
    /// Makes an instance and hands it the filter's configuration.
    pub(crate) async fn start(filter: &Filter) -> Result<Self, Failure> {
        let mut store = new_store(filter);
        let limits = filter.settings.limits;
        let (instance, _) = within(&mut store, Allowance::start(&limits), async |store| {
            filter.component.instantiate_async(store).await
        })
        .await
        .map_err(|failure| match failure {
            Failure::Trap(trap) => Failure::Start(trap),
            other => other,
        })?;
        init(filter, &mut store, &instance).await?;
        store.data_mut().end();
        let hooks = &filter.hooks;
        let memory = store.data().limits.memory();
        Ok(Self {
            limits,
            calls: 0,
            has_amended: false,
            // Most of the way from what it began with to what would be refused.
            memory_mark: memory + limits.memory.saturating_sub(memory) / 4 * 3,
            judge_host: load(
                &mut store,
                &instance,
                hooks.judge_host.as_ref(),
                |i, s, c| i.load(s, c),
            )?,
            judge_request: load(
                &mut store,
                &instance,
                hooks.judge_request.as_ref(),
                |i, s, c| i.load(s, c),
            )?,
            judge_response: load(
                &mut store,
                &instance,
                hooks.judge_response.as_ref(),
                |i, s, c| i.load(s, c),
            )?,
            exchange_ended: load(
                &mut store,
                &instance,
                hooks.exchange_ended.as_ref(),
                |i, s, c| i.load(s, c),
            )?,
            tick: load(&mut store, &instance, hooks.tick.as_ref(), |i, s, c| {
                i.load(s, c)
            })?,
            store,
        })
    }

    /// Calls one of the hooks of an exchange, about which the filter has noted `notes` before. A
    /// filter without that hook has no opinion.
    pub(crate) async fn call(
        &mut self,
        call: HookCall<'_>,
        notes: Option<&Notes>,
    ) -> Result<CallAnswer, Failure> {
        let allowance = Allowance::call(&self.limits);
        let store = &mut self.store;
        store.data_mut().begin(Some(call), notes);
        let (answer, ended) = match call {
            HookCall::Host(flow) => {
                let Some(hook) = &self.judge_host else {
                    return Ok(CallAnswer::NONE);
                };
                let (host, port) = (flow.target.host(), flow.target.port());
                let call =
                    async |store: &mut Store<State>| hook.call_judge(store, host, port).await;
                within(store, allowance, call).await?
            }
            HookCall::Request(_, head) => {
                let Some(hook) = &self.judge_request else {
                    return Ok(CallAnswer::NONE);
                };
                let (method, url) = (head.method.as_str(), head.url);
                let call =
                    async |store: &mut Store<State>| hook.call_judge(store, method, url).await;
                within(store, allowance, call).await?
            }
            HookCall::Response(_, _, response) => {
                let Some(hook) = &self.judge_response else {
                    return Ok(CallAnswer::NONE);
                };
                let status = response.status.as_u16();
                let call = async |store: &mut Store<State>| hook.call_judge(store, status).await;
                within(store, allowance, call).await?
            }
            HookCall::Ended(..) => {
                let Some(hook) = &self.exchange_ended else {
                    return Ok(CallAnswer::NONE);
                };
                let call = async |store: &mut Store<State>| hook.call_ended(store).await;
                let (told, ended) = within(store, allowance, call).await?;
                (told.map(|()| types::Verdict::Next), ended)
            }
        };
        self.answer(answer, ended)
    }

    /// Calls the `tick` hook, and gives the time after which it wants to be called again; none if
    /// it does not want that, or the filter has no such hook.
    pub(crate) async fn tick(&mut self) -> Result<Option<Duration>, Failure> {
        let Some(hook) = &self.tick else {
            return Ok(None);
        };
        self.store.data_mut().begin(None, None);
        let (pause, _) = within(
            &mut self.store,
            Allowance::background(&self.limits),
            async |store| hook.call_tick(store).await,
        )
        .await?;
        self.calls += 1;
        self.store.data_mut().end();
        let pause = pause.map_err(|message| Failure::Reported(cut(message)))?;
        Ok(pause.map(Duration::from_millis))
    }

    /// Whether a verdict was carried out with another text than the filter's since this was asked
    /// last: that was not one line, or too long.
    #[cfg(feature = "cli")]
    pub(crate) fn take_amended(&mut self) -> bool {
        std::mem::take(&mut self.has_amended)
    }

    /// The functions about an exchange, by the contract's names, that it has called in `init` or
    /// `tick`, where there is none.
    #[cfg(feature = "cli")]
    pub(crate) fn astray(&self) -> &[&'static str] {
        self.store.data().astray()
    }

    /// Whether a new instance should take its place. A filter leaks slowly, and no request waits
    /// for a replacement that is made in time.
    pub(crate) fn should_retire(&self) -> bool {
        self.calls >= self.limits.calls || self.memory() > self.memory_mark
    }

    /// Whether the feeds are still those that the filter has asked for by name. Where they are not,
    /// the instance is replaced: it may have checked its configuration by their names. The next
    /// call sees the feeds as they are now.
    pub(crate) fn knows_feeds(&mut self) -> bool {
        self.store.data_mut().knows_feeds()
    }

    /// The failure of an instance that has to be replaced although it was called a few times only.
    pub(super) fn worn_out(&self) -> Option<Failure> {
        let is_worn_out = self.calls < FEW_CALLS && self.memory() > self.memory_mark;
        is_worn_out.then(|| Failure::WornOut {
            calls: self.calls,
            memory: self.memory(),
        })
    }

    /// Its linear memories, in bytes.
    pub(crate) fn memory(&self) -> usize {
        self.store.data().limits.memory()
    }

    fn answer(
        &mut self,
        answer: Result<types::Verdict, String>,
        ended: Instant,
    ) -> Result<CallAnswer, Failure> {
        self.calls += 1;
        let verdict = answer.map_err(|message| Failure::Reported(cut(message)))?;
        let state = self.store.data_mut();
        state.end();
        let granted = state.host.withheld.granted(
            verdict,
            &state.host.grants,
            state.host.is_builtin,
            &state.host.name,
        );
        let verdict = checked(granted, &mut self.has_amended)?;
        let headers = state.fields.end().filter(|_| verdict.passes());
        let answered = if verdict == Verdict::Next && headers.is_none() && state.says_nothing() {
            Answered::Next
        } else {
            Answered::Said(Box::new(FilterAnswer {
                headers,
                matched: state.take_match(),
                additions: if verdict.takes_additions() {
                    state.take_additions()
                } else {
                    Additions::NONE
                },
                notes: state.take_notes(),
                cache: state.take_cache_policy(),
                verdict,
            }))
        };
        Ok(CallAnswer {
            answered,
            ended: Some(ended.into_std()),
        })
    }
}

fn new_store(filter: &Filter) -> Store<State> {
    let state = State::new(filter.host.clone(), filter.engine.clone(), &filter.settings);
    let mut store = Store::new(filter.engine.wasmtime(), state);
    store.limiter(|state| &mut state.limits);
    store.set_hostcall_fuel(filter.settings.limits.transfer);
    // At every tick a running guest gives way to the worker's other requests, until its budget is
    // spent. Tokio's own way of giving way lets new input be noticed first; wasmtime's would have
    // the guest polled again at once, sixty times for each look at the sockets.
    store.epoch_deadline_callback(|mut context| {
        let state = context.data_mut();
        Ok(match state.cpu.at_tick(state.engine.ticker()) {
            Some(pause) => UpdateDeadline::YieldCustom(1, Box::pin(pause)),
            None => UpdateDeadline::Interrupt,
        })
    });
    store
}

async fn init(
    filter: &Filter,
    store: &mut Store<State>,
    instance: &ComponentInstance,
) -> Result<(), Failure> {
    let lifecycle = load(
        store,
        instance,
        filter.hooks.lifecycle.as_ref(),
        |i, s, c| i.load(s, c),
    )?;
    let Some(lifecycle) = lifecycle else {
        return Ok(());
    };
    let allowance = Allowance::start(&filter.settings.limits);
    within(store, allowance, async |store| {
        lifecycle.call_init(store, &filter.settings.config).await
    })
    .await?
    .0
    .map_err(|message| Failure::Init(cut(message)))
}

fn load<I, G>(
    store: &mut Store<State>,
    instance: &ComponentInstance,
    indices: Option<&I>,
    load: impl FnOnce(&I, &mut Store<State>, &ComponentInstance) -> wasmtime::Result<G>,
) -> Result<Option<G>, Failure> {
    indices
        .map(|indices| load(indices, store, instance))
        .transpose()
        .map_err(|error| Failure::Start(Trap::new(error, None)))
}

/// Runs one call under its limits. Returns with its outcome when it ended.
async fn within<T>(
    store: &mut Store<State>,
    allowed: Allowance,
    call: impl AsyncFnOnce(&mut Store<State>) -> wasmtime::Result<T>,
) -> Result<(T, Instant), Failure> {
    let state = store.data_mut();
    let measure = state.suspicion.measure();
    state.cpu.begin(allowed.cpu, measure, state.engine.ticker());
    state.last_error_log = None;
    state.limits.forget_refusals();
    // In this order: a call whose deadline is set cannot be missed by a ticker about to park.
    store.set_epoch_deadline(1);
    store.data().engine.ticker().notify_running();
    // A panic of the proxy's own functions, which run below the guest, is no reason to leave a
    // request without an answer.
    let begun = Instant::now();
    let outcome = {
        // It is large, and stays where it is made.
        let call = pin!(AssertUnwindSafe(call(store)).catch_unwind());
        until(begun, allowed.wall, call).await
    };
    let state = store.data_mut();
    // A guest that neither loops nor calls meets no tick. It must not keep the thread all the same.
    let ended = Instant::now();
    let took = ended - begun;
    let is_late = took >= allowed.wall.min(allowed.cpu);
    if !is_late && let Ok(Ok(Ok(answer))) = outcome {
        state.cpu.end();
        return Ok((answer, ended));
    }
    let is_known = state.cpu.is_exact();
    let exceeds = is_late && state.suspicion.is_confirmed(&mut state.cpu);
    let computed = allowed.cpu.saturating_sub(state.cpu.left());
    state.cpu.end();
    match outcome {
        Ok(Ok(Ok(_))) if exceeds => Err(Failure::Cpu(allowed.cpu, allowed.names[0])),
        Ok(Ok(Ok(answer))) if took < allowed.wall => Ok((answer, ended)),
        Ok(Ok(Ok(_))) | Err(Elapsed) if computed >= allowed.wall / 2 => {
            Err(Failure::Wall(allowed.wall, allowed.names[1]))
        }
        Ok(Ok(Ok(_))) if !is_known => Err(Failure::Late(allowed.wall, allowed.names[1])),
        Ok(Ok(Err(error))) => Err(failure(error, store, allowed)),
        Ok(Err(panic)) => Err(Failure::Proxy(panic_message(&*panic))),
        Ok(Ok(Ok(_))) | Err(Elapsed) => Err(Failure::Starved(allowed.wall, allowed.names[1])),
    }
}

/// A call has taken too long.
struct Elapsed;

/// What `call` gives, unless it is still under way so long after it has begun. This is what tokio's
/// `timeout_at` does, but for the timer of a call that ends when it is first polled. Almost all do,
/// and a timer costs as much as a part of a small filter.
async fn until<F: Future>(
    begun: Instant,
    wall: Duration,
    mut call: Pin<&mut F>,
) -> Result<F::Output, Elapsed> {
    let mut timer = None;
    poll_fn(|cx| {
        if let Poll::Ready(outcome) = call.as_mut().poll(cx) {
            return Poll::Ready(Ok(outcome));
        }
        let timer = timer.get_or_insert_with(|| Box::pin(sleep_until(begun + wall)));
        timer.as_mut().poll(cx).map(|()| Err(Elapsed))
    })
    .await
}

/// What an error of the engine means for the operator.
fn failure(error: wasmtime::Error, store: &mut Store<State>, allowed: Allowance) -> Failure {
    match error.downcast_ref::<wasmtime::Trap>() {
        Some(wasmtime::Trap::Interrupt) => Failure::Cpu(allowed.cpu, allowed.names[0]),
        Some(wasmtime::Trap::StackOverflow) => Failure::Stack(store.data().engine.stack()),
        // The error has no public type, and stands behind others where a list or text is copied.
        None if format!("{error:#}").contains("fuel allocated for hostcalls") => {
            Failure::Transfer(store.hostcall_fuel())
        }
        _ => {
            let state = store.data_mut();
            let trap = || Failure::Trap(Trap::new(error, state.last_error_log.take()));
            state.limits.refusal().unwrap_or_else(trap)
        }
    }
}

/// What a filter says of itself goes into logs and answers of programs.
fn cut(mut message: String) -> String {
    message.truncate(message.floor_char_boundary(MESSAGE_BYTES));
    message
}

/// What guests answer is checked before it is acted on. Says in `has_amended` whether a text was
/// changed.
fn checked(verdict: Granted, has_amended: &mut bool) -> Result<Verdict, InvalidVerdict> {
    let Granted(verdict) = verdict;
    match verdict {
        types::Verdict::Next => Ok(Verdict::Next),
        types::Verdict::Allow => Ok(Verdict::Allow),
        types::Verdict::Block(refusal) => {
            let verdict = Verdict::block(refusal.status, &refusal.reason)?;
            *has_amended |= verdict.parts().text != Some(refusal.reason.as_str());
            Ok(verdict)
        }
        types::Verdict::Redirect(to) => Verdict::redirect(to.status, &to.location),
        types::Verdict::Replace(page) => {
            Verdict::replace(page.status, &page.content_type, page.body)
        }
        types::Verdict::Drop => Ok(Verdict::Drop),
        types::Verdict::Ask(question) => {
            let otherwise = match question.otherwise {
                types::Fallback::Next => Fallback::Next,
                types::Fallback::Block => Fallback::Block,
            };
            let wait = Duration::from_millis(question.wait);
            let verdict = Verdict::ask(&question.text, otherwise, wait);
            *has_amended |= verdict.parts().text != Some(question.text.as_str());
            Ok(verdict)
        }
    }
}
