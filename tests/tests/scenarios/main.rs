//! The proxy end to end: real sockets, real filters, real peers. One program, because linking each
//! of many takes longer than all of the tests.

mod access_log;
mod answers;
mod battery;
mod bindings;
mod browser;
mod builtins;
mod cases;
mod commands;
mod compiler;
mod conformance;
mod connect;
mod connections;
mod contract;
mod decisions;
mod examples;
mod facts;
mod fail_closed;
mod feed_day;
mod feeds;
#[cfg(unix)]
mod folder;
mod grants;
mod hostile;
mod hostile_files;
mod hostile_filters;
mod household;
mod http;
mod limits;
mod manifest;
mod messages;
mod plugins;
mod precedence;
mod properties;
mod quarantine;
mod refused_bodies;
mod replay;
mod shadow;
mod sharing;
mod shutdown;
mod sources;
mod state;
mod supervision;
mod ticks;
mod traffic;
mod verdicts;
