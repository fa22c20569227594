//! Operating the daemon through `writ`, as a person would.

use std::fmt;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use writ_control::Refusal;
use writ_control::report::{AuditVerdict, StatusReport, TaskState, TaskView};

use super::{Confirmation, PREFIX_BITS, Rig, RigError, server_name};
use crate::check::{Delivery, Order};
use crate::lemf::{Interface, Receiver};
use crate::truth::{Scope, Target};

/// A `writ` command that failed.
#[derive(Debug)]
pub struct OperatorError {
    /// The command, without values that name a target.
    pub command: String,
    /// Its exit status; `None` if it was ended by a signal or could not be started.
    pub exit: Option<i32>,
    /// What it said; a refusal of the daemon as a sentence.
    pub said: String,
}

impl fmt::Display for OperatorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exit = self.exit.map_or_else(|| "no exit status".to_owned(), |exit| format!("exit status {exit}"));
        write!(f, "writ {}: {exit}\n  {}", self.command, self.said.trim())
    }
}

impl std::error::Error for OperatorError {}

/// An order as it is given to `writ task activate`.
#[derive(Debug, Clone)]
pub struct Activation {
    /// Kind of the order: `title3`, `pen-register` and so on.
    pub kind: String,
    /// What is delivered to whom.
    pub order: Order,
}

const POLL: Duration = Duration::from_millis(40);

impl Rig {
    /// Runs `writ --json` with these words and gives the answer.
    ///
    /// # Errors
    /// [`OperatorError`] if it does not exit with 0 or does not answer in JSON.
    pub fn writ(&self, words: &[&str]) -> Result<Value, OperatorError> {
        let error = |exit, said: String| OperatorError {
            command: words.iter().take(2).copied().collect::<Vec<_>>().join(" "),
            exit,
            said,
        };
        let output = Command::new(&self.plan.binaries.writ)
            .arg("--socket")
            .arg(self.control_socket())
            .arg("--json")
            .args(words)
            .output()
            .map_err(|failure| error(None, failure.to_string()))?;
        let stdout = String::from_utf8_lossy(&output.stdout);
        if !output.status.success() {
            let said =
                refusal(&stdout).unwrap_or_else(|| format!("{stdout}{}", String::from_utf8_lossy(&output.stderr)));
            return Err(error(output.status.code(), said));
        }
        let mut answer: Value = serde_json::from_str(&stdout)
            .map_err(|failure| error(output.status.code(), format!("its answer is no JSON: {failure}")))?;
        Ok(answer["answer"].take())
    }

    fn typed<T: serde::de::DeserializeOwned>(&self, words: &[&str]) -> Result<T, OperatorError> {
        let mut answer = self.writ(words)?;
        if let Some(fields) = answer.as_object_mut() {
            fields.remove("is");
        }
        serde_json::from_value(answer).map_err(|failure| OperatorError {
            command: words.join(" "),
            exit: Some(0),
            said: format!("its answer is not as expected: {failure}"),
        })
    }

    /// Makes a receiver known to the daemon.
    pub(super) fn add_destination(&self, receiver: &Receiver, confirmation: Confirmation) -> Result<(), RigError> {
        let mut words =
            vec!["destination".to_owned(), "add".to_owned(), receiver.name().to_owned(), "--interface".to_owned()];
        let is_lemf = receiver.address(Interface::Hi2).is_some();
        words.push(if is_lemf { "hi".to_owned() } else { "x".to_owned() });
        for interface in [Interface::Hi2, Interface::Hi3, Interface::X2, Interface::X3] {
            if let Some(address) = receiver.address(interface) {
                words.extend([format!("--{}", interface.name()), address.to_string()]);
            }
        }
        words.extend(["--server-name".to_owned(), server_name(receiver.name()), "--confirm".to_owned()]);
        words.push(match confirmation {
            Confirmation::Barrier => "barrier".to_owned(),
            Confirmation::Written => "written".to_owned(),
        });
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        self.writ(&words)?;
        Ok(())
    }

    /// Puts an order into force; gives the task as the daemon sees it.
    ///
    /// # Errors
    /// [`RigError::Operator`] if it is refused.
    pub fn activate(&self, activation: &Activation) -> Result<TaskView, RigError> {
        let order = &activation.order;
        let mut words: Vec<String> = [
            "task",
            "activate",
            "--kind",
            &activation.kind,
            "--authority",
            "ORDER-2026-0117",
            "--officer",
            "A. Officer",
            "--signer",
            "J. Judge",
            "--circuit",
            "CIRCUIT-7",
            "--username",
            "subscriber",
            "--access-type",
            "fttx",
            "--liid",
            &order.liid,
            "--destination",
            &order.destination,
            "--scope",
            order.selector.scope.name(),
            "--deliver",
            order.delivery.name(),
        ]
        .map(str::to_owned)
        .to_vec();
        words.extend(["--xid".to_owned(), order.xid.to_string()]);
        for target in &order.selector.targets {
            words.extend(["--target".to_owned(), target.to_string()]);
        }
        if order.selector.start_ns > 0 {
            words.extend(["--start".to_owned(), format!("@{}", order.selector.start_ns)]);
        }
        words.extend(["--end".to_owned(), format!("@{}", order.selector.end_ns)]);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let change: writ_control::report::TaskChange = self.typed(&words)?;
        let gone = || OperatorError {
            command: "task activate".to_owned(),
            exit: Some(0),
            said: "no task came of it".to_owned(),
        };
        Ok(change.after.ok_or_else(gone)?)
    }

    /// Ends a task in good order.
    ///
    /// # Errors
    /// [`RigError::Operator`] if it is refused.
    pub fn deactivate(&self, order: &Order) -> Result<(), RigError> {
        self.writ(&["task", "deactivate", &order.xid.to_string()])?;
        Ok(())
    }

    /// Everything at a glance.
    ///
    /// # Errors
    /// [`RigError::Operator`].
    pub fn status(&self) -> Result<StatusReport, RigError> {
        Ok(self.typed(&["status"])?)
    }

    /// Checks the audit log.
    ///
    /// # Errors
    /// [`RigError::Operator`], also if the log does not verify.
    pub fn verify_audit(&self) -> Result<AuditVerdict, RigError> {
        Ok(self.typed(&["audit", "verify"])?)
    }

    /// Asks for the status until `is_reached` says so; `progress` sees every answer.
    ///
    /// # Errors
    /// [`RigError::Timeout`] with the last status, or what the daemon died of.
    pub fn wait_for(
        &mut self,
        what: &str,
        time_max: Duration,
        mut progress: impl FnMut(&StatusReport),
        is_reached: impl Fn(&StatusReport) -> bool,
    ) -> Result<StatusReport, RigError> {
        let deadline = Instant::now() + time_max;
        loop {
            self.check_daemon()?;
            let status = self.status()?;
            progress(&status);
            if is_reached(&status) {
                return Ok(status);
            }
            if Instant::now() > deadline {
                return Err(RigError::Timeout { what: what.to_owned(), standing: standing(&status) });
            }
            thread::sleep(POLL);
        }
    }

    /// Waits until nothing waits anywhere.
    ///
    /// # Errors
    /// As [`Rig::wait_for`].
    pub fn wait_until_idle(
        &mut self,
        time_max: Duration,
        progress: impl FnMut(&StatusReport),
    ) -> Result<StatusReport, RigError> {
        self.wait_for("that nothing waits anywhere", time_max, progress, |status| status.idle)
    }

    /// Waits until these tasks are ended and everything of them is delivered.
    ///
    /// # Errors
    /// As [`Rig::wait_for`].
    pub fn wait_until_ended(&mut self, orders: &[Order], time_max: Duration) -> Result<StatusReport, RigError> {
        let xids: Vec<_> = orders.iter().map(|order| order.xid).collect();
        self.wait_for(
            "that all tasks are ended and delivered",
            time_max,
            |_| {},
            |status| {
                status.idle
                    && status
                        .tasks
                        .iter()
                        .filter(|task| xids.contains(&task.xid))
                        .all(|task| task.state == TaskState::Ended)
            },
        )
    }
}

/// What a refusal that `writ --json` prints says, and what to do about it.
fn refusal(answer: &str) -> Option<String> {
    let mut answer: Value = serde_json::from_str(answer).ok()?;
    let refusal: Refusal = serde_json::from_value(answer["refused"].take()).ok()?;
    let hint = if refusal.hint.is_empty() { String::new() } else { format!("; {}", refusal.hint) };
    Some(format!("{refusal}{hint}"))
}

/// The part of a status that says what is waited for.
fn standing(status: &StatusReport) -> String {
    let mut text = format!(
        "idle {}, records idle {}, {} records consumed, {} of {} arena blocks free",
        status.idle, status.card.records_idle, status.card.records_consumed, status.arena.free, status.arena.blocks
    );
    for task in &status.tasks {
        text.push_str(&format!("\n  task {} at {}: {}", task.xid, task.destination, task.state.name()));
        for interface in &task.interfaces {
            text.push_str(&format!(
                "; {}: {} selected, {} delivered, {} buffered",
                interface.interface,
                interface.selected.packets,
                interface.delivered.packets,
                interface.buffered.packets
            ));
        }
    }
    for destination in &status.destinations {
        for session in &destination.sessions {
            let error = session.last_error.as_deref().unwrap_or("no error");
            text.push_str(&format!(
                "\n  {} {}: {}, {} octets unconfirmed, {error}",
                destination.name,
                session.interface,
                session.state.name(),
                session.unconfirmed_bytes
            ));
        }
    }
    for alarm in &status.alarms {
        text.push_str(&format!("\n  alarm: {alarm}"));
    }
    text
}

/// The kind of order that fits a scope.
pub fn kind_for(scope: Scope) -> &'static str {
    match scope {
        Scope::Content => "title3",
        Scope::HeadersL4 | Scope::HeadersL3 => "pen-register",
    }
}

/// An order on one target, as scenarios and the demo use them.
pub fn order(
    destination: &str,
    liid: &str,
    target: Target,
    scope: Scope,
    delivery: Delivery,
    end_ns: u64,
) -> Activation {
    Activation {
        kind: kind_for(scope).to_owned(),
        order: Order {
            destination: destination.to_owned(),
            liid: liid.to_owned(),
            xid: uuid::Uuid::new_v4(),
            delivery,
            selector: crate::truth::Selector {
                targets: vec![target],
                scope,
                prefix_bits: Some(PREFIX_BITS),
                start_ns: 0,
                end_ns,
            },
            ended: true,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_told_in_words() {
        let answer =
            r#"{"version":2,"refused":{"code":"invalid","what":"no such port","where":"targets","hint":"see --help"}}"#;
        assert_eq!(refusal(answer).as_deref(), Some("invalid: no such port (at targets); see --help"));
        let bare = answer.replace("see --help", "");
        assert_eq!(refusal(&bare).as_deref(), Some("invalid: no such port (at targets)"));
        for other in ["", "no JSON", r#"{"version":2,"answer":{"is":"status"}}"#] {
            assert_eq!(refusal(other), None, "{other}");
        }
    }
}
