//! The programs as processes.

use std::ffi::OsStr;
use std::fs::{self, OpenOptions};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use writ_control::report::AuditVerdict;

use super::RigError;

/// Exit status of `writd --verify-audit` for a log that does not verify.
const AUDIT_BROKEN: i32 = 4;

const LOG_LINES_SHOWN: usize = 25;
const PAUSE: Duration = Duration::from_millis(10);

/// A running program that says when it is ready and runs until it is told to stop. Dropping it kills it.
pub struct Daemon {
    name: &'static str,
    child: Child,
    log: PathBuf,
}

impl Daemon {
    /// Starts `program`, which calls itself `name`, its log appended to `log`, and waits for its line that it is ready.
    ///
    /// # Errors
    /// [`RigError::Daemon`] with the end of the log if it ends or is not ready in time.
    pub fn start(
        (name, program): (&'static str, &Path),
        arguments: &[&OsStr],
        log: &Path,
        time_max: Duration,
    ) -> Result<Self, RigError> {
        let file = OpenOptions::new().create(true).append(true).open(log).map_err(RigError::io(log.display()))?;
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(file)
            .spawn()
            .map_err(RigError::io(program.display()))?;
        let (sender, lines) = mpsc::channel();
        if let Some(stdout) = child.stdout.take() {
            // Reads on after the line was seen, so that the daemon never writes into a broken pipe.
            thread::spawn(move || {
                for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                    let _ = sender.send(line);
                }
            });
        }
        let mut daemon = Self { name, child, log: log.to_path_buf() };
        let ready = format!("{name}: ready");
        let deadline = Instant::now() + time_max;
        loop {
            match lines.recv_timeout(PAUSE) {
                Ok(line) if line.trim() == ready => return Ok(daemon),
                Ok(_) | Err(RecvTimeoutError::Timeout) => daemon.check()?,
                Err(RecvTimeoutError::Disconnected) => {
                    thread::sleep(PAUSE);
                    daemon.check()?;
                }
            }
            if Instant::now() > deadline {
                return Err(daemon.error(format!("was not ready within {} s", time_max.as_secs())));
            }
        }
    }

    /// Its process.
    pub fn process_id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it still runs.
    ///
    /// # Errors
    /// [`RigError::Daemon`] if it has ended.
    pub fn check(&mut self) -> Result<(), RigError> {
        match self.child.try_wait() {
            Ok(None) => Ok(()),
            Ok(Some(status)) => Err(self.error(format!("ended: {status}"))),
            Err(error) => Err(self.error(format!("cannot be waited for: {error}"))),
        }
    }

    /// Sends SIGKILL and waits for the end.
    ///
    /// # Errors
    /// If it cannot be killed.
    pub fn kill(&mut self) -> Result<(), RigError> {
        self.child.kill().map_err(RigError::io(format_args!("killing {}", self.name)))?;
        self.child.wait().map_err(RigError::io(format_args!("waiting for {}", self.name)))?;
        Ok(())
    }

    /// Sends SIGTERM and waits for the end.
    ///
    /// # Errors
    /// If it does not end in time or ends with a fault.
    pub fn stop(&mut self, time_max: Duration) -> Result<(), RigError> {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        let pid = pid.ok_or_else(|| self.error("has no process id".to_owned()))?;
        kill_process(pid, Signal::TERM).map_err(|error| self.error(format!("cannot be signalled: {error}")))?;
        let deadline = Instant::now() + time_max;
        loop {
            match self.child.try_wait().map_err(RigError::io(format_args!("waiting for {}", self.name)))? {
                Some(status) if status.success() => return Ok(()),
                Some(status) => return Err(self.error(format!("did not stop cleanly: {status}"))),
                None if Instant::now() > deadline => {
                    return Err(self.error(format!("did not stop within {} s", time_max.as_secs())));
                }
                None => thread::sleep(PAUSE),
            }
        }
    }

    fn error(&self, what: String) -> RigError {
        let log = fs::read(&self.log).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = log.lines().collect();
        let shown = &lines[lines.len().saturating_sub(LOG_LINES_SHOWN)..];
        let what = format!("{} {what}", self.name);
        RigError::Daemon { what, log: format!("  log: {}\n  {}", self.log.display(), shown.join("\n  ")) }
    }
}

/// Verifies an audit log with nothing but its file and the public key: `writd --verify-audit`. `expect_head` has to be in it.
///
/// # Errors
/// [`RigError::Daemon`] if it says neither yes nor no.
pub(super) fn verify_audit(
    program: &Path,
    log: &Path,
    key: &Path,
    expect_head: &str,
) -> Result<AuditVerdict, RigError> {
    let mut command = Command::new(program);
    command.arg("--verify-audit").arg(log).arg("--audit-key").arg(key).args(["--expect-head", expect_head]);
    let output = command.output().map_err(RigError::io(program.display()))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let verified = match output.status.code() {
        Some(0) => Some(true),
        Some(AUDIT_BROKEN) => Some(false),
        _ => None,
    };
    verified.zip(read_verdict(&text)).map(|(verified, verdict)| AuditVerdict { verified, ..verdict }).ok_or_else(|| {
        let what = format!("writd --verify-audit: {}", output.status);
        RigError::Daemon { what, log: format!("{text}{}", String::from_utf8_lossy(&output.stderr)) }
    })
}

/// Reads `records N, checkpoints N, head HEX`, and behind it what is wrong.
fn read_verdict(text: &str) -> Option<AuditVerdict> {
    let (first, rest) = text.split_once('\n')?;
    let mut parts = first.split(", ");
    let mut part = |name: &str| parts.next()?.strip_prefix(name)?.strip_prefix(' ');
    let (records, checkpoints) = (part("records")?.parse().ok()?, part("checkpoints")?.parse().ok()?);
    let head = part("head")?.to_owned();
    let problem = (!rest.trim().is_empty()).then(|| rest.trim().to_owned());
    Some(AuditVerdict { verified: false, records, checkpoints, head, head_found: Some(problem.is_none()), problem })
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts_about_audit_logs_are_read_and_nothing_else_is() {
        let good = read_verdict("records 80, checkpoints 2, head abcd\n").expect("a verdict");
        assert_eq!((good.records, good.checkpoints, good.head.as_str(), good.problem), (80, 2, "abcd", None));
        let bad = read_verdict("records 7, checkpoints 0, head ab\naudit record 7 is no complete record\n");
        assert_eq!(bad.and_then(|verdict| verdict.problem).as_deref(), Some("audit record 7 is no complete record"));
        for text in ["", "records 7", "records x, checkpoints 0, head ab\n", "checkpoints 0, records 7, head ab\n"] {
            assert_eq!(read_verdict(text), None, "{text}");
        }
    }
}
