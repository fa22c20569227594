//! Every register of a card that nobody uses.

use crate::args::Selftest;
use crate::table::Table;
use crate::{exit, print};
use std::time::Duration;
use writ_control::{Refusal, RefusalCode};
use writ_driver::bus::place::{OwnedCard, Place};
use writ_driver::bus::sysfs::Sysfs;
use writ_driver::memory::{HostMemory, PageSize};
use writ_driver::{CardError, Examination, examine};

/// The card is given that much, for it has to have some. Rings are not set up.
const MEMORY_BYTES: usize = 1 << 16;

/// Takes the card, resets it, walks its registers, prints what it found, and gives the exit status.
pub(super) fn run(sysfs: &Sysfs, which: &Selftest, ready_timeout: Duration, json: bool, out: &mut Vec<u8>) -> u8 {
    let Some(place) = which.place() else {
        return fail(
            RefusalCode::Invalid,
            "no card is named: --device or --vfio-user".to_owned(),
            exit::USAGE,
            json,
            out,
        );
    };
    let memory = match HostMemory::shared(MEMORY_BYTES, PageSize::Small) {
        Ok(memory) => memory,
        Err(error) => return fail(RefusalCode::Unavailable, error.to_string(), exit::UNREACHABLE, json, out),
    };
    let card = match OwnedCard::open(sysfs, &place, memory) {
        Ok(card) => card,
        Err(error) if error.is_in_use() => {
            let why = format!(
                "{error}. A self-test resets the card, so it is done only on one that nobody has: stop writ-cardd first"
            );
            return fail(RefusalCode::Conflict, why, exit::REFUSED, json, out);
        }
        Err(error) => return fail(RefusalCode::Unavailable, error.to_string(), exit::UNREACHABLE, json, out),
    };
    eprintln!("writ: the card at {place} was reset; trying its registers");
    report(&place, &examine(&*card.bar(), ready_timeout), json, out)
}

fn fail(code: RefusalCode, why: String, status: u8, json: bool, out: &mut Vec<u8>) -> u8 {
    super::say(&Refusal::new(code, "card", why), "no self-test", json, out);
    status
}

fn report(place: &Place, examined: &Result<Examination, CardError>, json: bool, out: &mut Vec<u8>) -> u8 {
    let findings = examined.as_ref().map_or(&[][..], |examination| &examination.findings);
    let passed = examined.is_ok() && findings.is_empty();
    if json {
        let rows: Vec<_> = findings
            .iter()
            .map(|finding| {
                serde_json::json!({
                    "block": finding.block, "register": finding.register, "offset": finding.offset,
                    "what": finding.violation.name(), "expected": finding.expected, "found": finding.found,
                })
            })
            .collect();
        let who = examined.as_ref().ok().map(|Examination { identity, .. }| {
            serde_json::json!({
                "abi": format!("{}.{}", identity.abi_major, identity.abi_minor), "build_hash": hex(&identity.build_hash),
                "record_rings": identity.record_rings,
            })
        });
        let error = examined.as_ref().err().map(ToString::to_string);
        let answer = serde_json::json!({
            "is": "card_selftest", "place": place.to_string(), "passed": passed, "card": who, "error": error, "findings": rows,
        });
        print::json("answer", &answer, out);
    } else {
        people(place, examined, passed, out);
    }
    match examined {
        Err(error) => eprintln!("writ: the card at {place} fails: {error}"),
        Ok(_) if !passed => eprintln!("writ: the card at {place} fails: {} findings", findings.len()),
        Ok(_) => {}
    }
    if passed { exit::DONE } else { exit::CARD_FAULTY }
}

fn people(place: &Place, examined: &Result<Examination, CardError>, passed: bool, out: &mut Vec<u8>) {
    let mut table = Table::new(&["field", "value"]);
    let mut row = |name: &str, value: String| table.row([name.to_owned(), value]);
    row("card", place.to_string());
    if let Ok(Examination { identity, .. }) = examined {
        row("abi", format!("{}.{}", identity.abi_major, identity.abi_minor));
        row("build hash", hex(&identity.build_hash));
        row("record rings", identity.record_rings.to_string());
    }
    row("registers", if passed { "as they should be" } else { "NOT as they should be" }.to_owned());
    table.print(out);
    let findings = examined.as_ref().map_or(&[][..], |examination| &examination.findings);
    if findings.is_empty() {
        return;
    }
    out.push(b'\n');
    let mut table = Table::new(&["block", "register", "#offset", "what", "#expected", "#found"]);
    for finding in findings {
        table.row([
            finding.block.to_owned(),
            finding.register.to_owned(),
            format!("{:#06x}", finding.offset),
            finding.violation.name().to_owned(),
            format!("{:#010x}", finding.expected),
            format!("{:#010x}", finding.found),
        ]);
    }
    table.print(out);
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use writ_driver::{Finding, Identity, Violation};

    fn examined(findings: Vec<Finding>) -> Result<Examination, CardError> {
        let identity = Identity {
            abi_major: 2,
            abi_minor: 0,
            build_hash: [0xab; 32],
            table_rows_per_way: Default::default(),
            rule_banks: 1,
            rules_per_bank: 1,
            match_indices: 1,
            record_rings: 4,
        };
        Ok(Examination { identity, findings })
    }

    fn shown(examined: &Result<Examination, CardError>, json: bool) -> (u8, String) {
        let mut out = Vec::new();
        let place = Place::Device("0000:3b:00.0".parse().expect("an address"));
        let status = report(&place, examined, json, &mut out);
        (status, String::from_utf8(out).expect("text"))
    }

    #[test]
    fn findings_are_a_table_and_a_status() {
        let stuck = Finding {
            block: "rings",
            register: "ENABLE",
            offset: 0x80,
            violation: Violation::NotStored,
            expected: 0xf,
            found: 0x7,
        };
        let bad = examined(vec![stuck]);
        let (status, text) = shown(&bad, false);
        assert_eq!(status, exit::CARD_FAULTY);
        assert!(text.contains("NOT as they should be"), "{text}");
        let row = "rings  ENABLE    0x0080  written bit did not stick  0x0000000f  0x00000007";
        assert!(text.contains(row), "{text}");
        let (_, text) = shown(&bad, true);
        let json: serde_json::Value = serde_json::from_str(&text).expect("one JSON object");
        let answer = &json["answer"];
        assert_eq!((&answer["passed"], &answer["findings"][0]["offset"]), (&false.into(), &0x80.into()));
        assert_eq!(answer["card"]["build_hash"], "ab".repeat(32));

        let (status, text) = shown(&examined(Vec::new()), false);
        assert_eq!(status, exit::DONE);
        assert!(text.contains("as they should be") && !text.contains("NOT"), "{text}");
    }

    #[test]
    fn a_card_that_goes_fails() {
        let gone = Err(CardError::Gone { register: 0 });
        let (status, text) = shown(&gone, true);
        assert_eq!(status, exit::CARD_FAULTY);
        let json: serde_json::Value = serde_json::from_str(&text).expect("one JSON object");
        assert_eq!((&json["answer"]["passed"], &json["answer"]["card"]), (&false.into(), &serde_json::Value::Null));
        assert!(json["answer"]["error"].as_str().is_some_and(|error| !error.is_empty()));
    }
}
