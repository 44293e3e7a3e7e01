//! Calls in a gateway's JSON log, read line by line; other lines are counted and skipped.

use std::io::{self, BufRead};
use std::net::IpAddr;
use std::time::Duration;

use domain::{ApplicationId, Timestamp};
use gateway::observe::ACCESS_LOG;
use serde::Deserialize;

/// Longest line that is read, in bytes; longer ones are skipped.
const LINE_BYTES_MAX: usize = 64 * 1024;

/// Lines by what became of them.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Counts {
    pub lines: u64,
    /// Calls that came as far as their quotas.
    pub calls: u64,
    /// Calls that were refused before, or that nothing counts, or of a log without the fields that this needs.
    pub ungoverned: u64,
    /// Lines that tell something else.
    pub other: u64,
    /// Lines that are no JSON object, or too long.
    pub unreadable: u64,
    pub first: Option<Timestamp>,
    pub last: Option<Timestamp>,
}

/// One call that was held against quotas, whatever became of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Call {
    /// When it came.
    pub at: Timestamp,
    pub method: String,
    pub path: String,
    pub trace_id: String,
    pub context: String,
    pub version: String,
    pub tenant: String,
    /// `<template>:<VERB>`.
    pub operation: String,
    pub client: IpAddr,
    pub user: Option<String>,
    pub application: Option<ApplicationId>,
    pub application_tenant: Option<String>,
    pub request_bytes: Option<u64>,
    pub subscription_policy: String,
    pub application_policy: Option<String>,
    pub advanced_policy: Option<String>,
    pub is_api_level: bool,
}

/// A line as `gateway::observe` writes it.
#[derive(Deserialize)]
struct Line {
    timestamp: Option<String>,
    target: Option<String>,
    duration_ms: Option<u64>,
    #[serde(rename = "http.method", default)]
    method: String,
    #[serde(rename = "http.path", default)]
    path: String,
    #[serde(rename = "trace.id", default)]
    trace_id: String,
    #[serde(rename = "api.context")]
    context: Option<String>,
    #[serde(rename = "api.version")]
    version: Option<String>,
    #[serde(rename = "api.operation")]
    operation: Option<String>,
    #[serde(rename = "tenant.domain")]
    tenant: Option<String>,
    #[serde(rename = "client.address")]
    client: Option<IpAddr>,
    #[serde(rename = "user.name")]
    user: Option<String>,
    #[serde(rename = "application.id")]
    application: Option<String>,
    #[serde(rename = "application.tenant")]
    application_tenant: Option<String>,
    #[serde(rename = "request.bytes")]
    request_bytes: Option<u64>,
    #[serde(rename = "policy.subscription")]
    subscription_policy: Option<String>,
    #[serde(rename = "policy.application")]
    application_policy: Option<String>,
    #[serde(rename = "policy.advanced")]
    advanced_policy: Option<String>,
    #[serde(rename = "policy.advanced_level")]
    advanced_level: Option<String>,
}

pub(super) struct Trace<R> {
    input: R,
    line: Vec<u8>,
    pub counts: Counts,
}

impl<R: BufRead> Trace<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, line: Vec::new(), counts: Counts::default() }
    }

    /// The next call; `None` at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<Call>> {
        while let Some(is_whole) = self.read_line()? {
            if self.line.iter().all(u8::is_ascii_whitespace) && is_whole {
                continue;
            }
            self.counts.lines += 1;
            if !is_whole {
                self.counts.unreadable += 1;
                continue;
            }
            let Ok(line) = serde_json::from_slice::<Line>(&self.line) else {
                self.counts.unreadable += 1;
                continue;
            };
            if line.target.as_deref() != Some(ACCESS_LOG) {
                self.counts.other += 1;
                continue;
            }
            let Some(call) = line.call() else {
                self.counts.ungoverned += 1;
                continue;
            };
            self.counts.calls += 1;
            self.counts.first = Some(self.counts.first.map_or(call.at, |first| first.min(call.at)));
            self.counts.last = self.counts.last.max(Some(call.at));
            return Ok(Some(call));
        }
        Ok(None)
    }

    /// Reads a line into the buffer, whether it was short enough; `None` at the end.
    fn read_line(&mut self) -> io::Result<Option<bool>> {
        self.line.clear();
        let (mut is_whole, mut has_any) = (true, false);
        loop {
            let bytes = match self.input.fill_buf() {
                Ok(bytes) => bytes,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if bytes.is_empty() {
                return Ok(has_any.then_some(is_whole));
            }
            has_any = true;
            let (end, length) = match bytes.iter().position(|byte| *byte == b'\n') {
                Some(at) => (true, at + 1),
                None => (false, bytes.len()),
            };
            is_whole &= self.line.len() + length <= LINE_BYTES_MAX;
            if is_whole {
                self.line.extend(bytes.iter().take(length));
            }
            self.input.consume(length);
            if end {
                return Ok(Some(is_whole));
            }
        }
    }
}

impl Line {
    fn call(self) -> Option<Call> {
        // The line was written at the call's end.
        let at = Timestamp::parse(&self.timestamp?)?.minus(Duration::from_millis(self.duration_ms.unwrap_or(0)));
        let application = match self.application {
            Some(id) => Some(id.parse().ok()?),
            None => None,
        };
        Some(Call {
            at,
            method: self.method,
            path: self.path,
            trace_id: self.trace_id,
            context: self.context?,
            version: self.version?,
            tenant: self.tenant?,
            operation: self.operation?,
            client: self.client?,
            user: self.user,
            application,
            application_tenant: self.application_tenant,
            request_bytes: self.request_bytes,
            subscription_policy: self.subscription_policy?,
            application_policy: self.application_policy,
            is_api_level: self.advanced_level.as_deref() == Some("api"),
            advanced_policy: self.advanced_policy,
        })
    }
}
