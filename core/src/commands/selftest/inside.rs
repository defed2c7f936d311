//! The self-test of `exec`: the proxy's process plans and compares, and the process that stands in
//! place of the command asks, within the boundary if there is one. They talk by standard input and
//! output.

use std::io::{self, Read, Write};
use std::net::SocketAddr;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Child;

use super::connector::Connector;
use super::drive::Driver;
use super::error::SelfTestError;
use super::plan::Confinement;
use super::report::{Listener, Row, SelfTest};
use super::step::{Outcome, Step};
use super::{SelfTestOptions, Test, wrong_login};
use crate::config::Config;

/// What the other process is told.
#[derive(Debug, Serialize, Deserialize)]
struct Order {
    /// What the server of the self-test answers.
    word: String,
    steps: Vec<Step>,
}

/// Has `asking` ask the proxy at `proxy`, whose settings are known. It calls [`ask_inside`].
pub(crate) async fn test_inside(
    mut config: Config,
    options: &SelfTestOptions,
    confinement: Confinement,
    proxy: SocketAddr,
    asking: &mut Child,
) -> Result<SelfTest, SelfTestError> {
    config.proxy.listen = proxy.into();
    let test = Test::open(&config, options).await?;
    let mut inquiry = test.judges.inquiry(Some(proxy.ip()), None);
    inquiry.listener = proxy.to_string().into();
    let planner = test.planner(inquiry, true, confinement);
    let outside = "the proxy of a command serves whatever reaches it";
    let plans = planner.plan(Ok(()), Err(outside)).await;
    let steps = plans.iter().flat_map(|(_, _, plan)| &plan.planned);
    let order = Order {
        word: test.origin.word.clone(),
        steps: steps.map(|planned| planned.step.clone()).collect(),
    };
    let asked = tokio::select! {
        asked = ask(asking, &order) => asked,
        () = test.origin.serve() => unreachable!("the server goes on"),
    };
    let mut outcomes = asked.map_err(SelfTestError::Inside)?.into_iter();
    let rows = plans.into_iter().map(|(case, way, plan)| {
        let own: Vec<_> = outcomes.by_ref().take(plan.planned.len()).collect();
        Row::new(case, way, plan, &own)
    });
    let rows = rows.collect();
    Ok(SelfTest::new(vec![Listener {
        listener: proxy.to_string(),
        client: Some(proxy.ip().to_string()),
        rows,
    }]))
}

/// What has become of each step.
async fn ask(asking: &mut Child, order: &Order) -> io::Result<Vec<Outcome>> {
    let gone = || io::Error::from(io::ErrorKind::BrokenPipe);
    let mut input = asking.stdin.take().ok_or_else(gone)?;
    let mut output = asking.stdout.take().ok_or_else(gone)?;
    input.write_all(&serde_json::to_vec(order)?).await?;
    drop(input);
    let mut answer = Vec::new();
    output.read_to_end(&mut answer).await?;
    let status = asking.wait().await?;
    if !status.success() {
        return Err(io::Error::other(format!("it has ended: {status}")));
    }
    let outcomes: Vec<Outcome> = serde_json::from_slice(&answer)?;
    if outcomes.len() != order.steps.len() {
        return Err(io::Error::other("it has not answered everything"));
    }
    Ok(outcomes)
}

/// Asks the proxy at `proxy` for what stands in `input`, and writes to `output` what has come of
/// it.
///
/// # Errors
///
/// If the proxy cannot be reached, or `input` is not what [`ExecSettings::self_test`] writes.
///
/// [`ExecSettings::self_test`]: crate::commands::ExecSettings::self_test
pub async fn ask_inside(
    proxy: SocketAddr,
    input: impl Read,
    mut output: impl Write,
) -> io::Result<()> {
    let order: Order = serde_json::from_reader(input)?;
    let wrong = wrong_login(&SelfTestOptions::default());
    let driver = Driver {
        connector: &Connector::to(proxy),
        word: &order.word,
        right: None,
        wrong: &wrong,
    };
    let mut outcomes = Vec::new();
    for step in &order.steps {
        outcomes.push(driver.carry_out(step).await?);
    }
    output.write_all(&serde_json::to_vec(&outcomes)?)?;
    output.flush()
}
