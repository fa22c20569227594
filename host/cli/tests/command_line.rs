//! `writ` against a daemon that answers from a script: exit status, standard output, what goes over the socket.

use std::{
    io::{BufRead, BufReader, Write},
    os::unix::net::UnixListener,
    path::PathBuf,
    process::{Command, Output},
    sync::atomic::{AtomicU32, Ordering},
    thread::JoinHandle,
};
use writ_control::{
    Answer, Ask, Delivery, OrderKind, Outcome, Refusal, RefusalCode, Request, Response, Scope, Target, TaskSelector,
    TimeSpec, TransportSecurity, decode_request, encode,
    report::{
        AuditVerdict, CardCounters, CardReport, DestinationChange, Instant, RingReport, RowUse, RowsHealth, TablePage,
        TaskChange,
    },
};

static NUMBER: AtomicU32 = AtomicU32::new(0);

/// A daemon that gives the scripted answers, one a request, and returns the requests.
struct Script {
    socket: PathBuf,
    thread: JoinHandle<Vec<Request>>,
}

impl Script {
    fn new(answers: Vec<Outcome>) -> Self {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let socket = std::env::temp_dir().join(format!("writ-cli-{}-{number}.sock", std::process::id()));
        let listener = UnixListener::bind(&socket).expect("free path");
        let thread = std::thread::spawn(move || {
            let (stream, _) = listener.accept().expect("writ connects");
            let mut lines = BufReader::new(stream.try_clone().expect("own socket")).lines();
            let mut stream = stream;
            let mut requests = Vec::new();
            for answer in answers {
                let line = lines.next().expect("a request an answer").expect("text");
                requests.push(decode_request(line.as_bytes()).expect("a request of the protocol"));
                stream.write_all(&encode(&Response::new(answer)).expect("plain data")).expect("writ reads");
            }
            requests
        });
        Self { socket, thread }
    }

    /// Runs `writ` and returns its output and the requests that it made.
    fn run(self, arguments: &[&str]) -> (Output, Vec<Request>) {
        let output = writ().arg("--socket").arg(&self.socket).args(arguments).output().expect("writ runs");
        let requests = self.thread.join().expect("script ends");
        std::fs::remove_file(&self.socket).expect("own file");
        (output, requests)
    }
}

fn writ() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_writ"));
    command.env_remove("WRIT_SOCKET");
    command
}

fn done(answer: Answer) -> Outcome {
    Outcome::Done(Box::new(answer))
}

fn refused(code: RefusalCode) -> Outcome {
    Outcome::Refused(Box::new(Refusal::new(code, "liid", "is in use there").hint("choose another one")))
}

const ACTIVATE: [&str; 32] = [
    "task",
    "activate",
    "--kind",
    "pen-register",
    "--authority",
    "ORDER-7",
    "--officer",
    "A. Officer",
    "--signer",
    "A. Judge",
    "--circuit",
    "C-17",
    "--username",
    "someone",
    "--access-type",
    "fttx",
    "--liid",
    "LIID/7",
    "--target",
    "ipv4=192.0.2.1",
    "--target",
    "tunnel=gtpu:0x1a2b@192.0.2.7",
    "--scope",
    "headers_l4",
    "--deliver",
    "hi",
    "--destination",
    "agency",
    "--end",
    "+30d",
    "--dry-run",
    "--json",
];

fn empty_change() -> Answer {
    Answer::TaskChange(Box::new(TaskChange { applied: false, before: None, after: None, row_commands: 2 }))
}

#[test]
fn activation_says_exactly_what_was_typed() {
    let (output, requests) = Script::new(vec![done(empty_change())]).run(&ACTIVATE);
    assert_eq!(output.status.code(), Some(0));
    let Ask::TaskActivate { task, dry_run } = &requests[0].ask else { panic!("{:?}", requests[0]) };
    assert!(dry_run);
    assert_eq!((task.kind, task.scope, task.deliver), (OrderKind::PenRegister, Scope::HeadersL4, Delivery::Hi));
    assert_eq!((task.start, task.end), (TimeSpec::Now, TimeSpec::After { nanos: 30 * 86_400 * 1_000_000_000 }));
    assert_eq!((task.liid.reveal(), task.username.reveal()), ("LIID/7", "someone"));
    let targets: Vec<&str> = task.targets.iter().map(Target::reveal).collect();
    assert_eq!(targets, ["ipv4=192.0.2.1", "tunnel=gtpu:0x1a2b@192.0.2.7"], "word for word: the daemon reads them");
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    assert_eq!(json["version"], writ_control::PROTOCOL_VERSION);
    assert_eq!((&json["answer"]["is"], &json["answer"]["row_commands"]), (&"task_change".into(), &2.into()));
    assert!(String::from_utf8_lossy(&output.stderr).contains("dry run"));
}

#[test]
fn refusals_have_their_exit_status_and_say_why() {
    for (code, status) in [(RefusalCode::Conflict, 1), (RefusalCode::NotPermitted, 5), (RefusalCode::Internal, 1)] {
        let (output, _) = Script::new(vec![refused(code)]).run(&ACTIVATE);
        assert_eq!(output.status.code(), Some(status));
        let talk = String::from_utf8_lossy(&output.stderr);
        assert!(talk.contains("is in use there") && talk.contains("choose another one"), "{talk}");
        let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
        assert_eq!(json["refused"]["where"], "liid");
    }
}

#[test]
fn wrong_command_lines_never_reach_the_daemon() {
    let with = |at: usize, value: &'static str| {
        let mut arguments = ACTIVATE.to_vec();
        arguments[at] = value;
        arguments
    };
    let mut no_end = ACTIVATE.to_vec();
    no_end.drain(28..30);
    let cases: Vec<(Vec<&str>, &str)> = vec![
        (with(3, "hunch"), "--kind"),
        (with(19, "imsi=001010000000001"), "known are ipv4, ipv6, endpoint, flow, tunnel, mac, vlan"),
        (with(19, "192.0.2.1"), "KIND=VALUE"),
        (with(21, "endpoint="), "--target"),
        (with(23, "everything"), "--scope"),
        (with(25, "email"), "--deliver"),
        (with(29, "someday"), "+30d"),
        (with(29, "someday"), "@"),
        (no_end, "--end"),
        (vec!["task", "deactivate"], "XID"),
        (vec!["task", "show"], "--liid <LIID>|--destination <NAME>"),
        (vec!["task", "deactivate", "not-a-uuid"], "XID"),
        (vec!["task", "revoke", "--liid", "L"], "--destination"),
        (vec!["destination", "add", "d", "--interface", "hi", "--hi2", "127.0.0.1:1", "--server-name", "n"], "--hi3"),
        (vec!["destination", "add", "d", "--interface", "hi", "--hi2", "lemf.test:1"], "numeric address"),
        (
            vec!["destination", "add", "d", "--interface", "hi", "--hi2", "127.0.0.1:1", "--hi3", "127.0.0.1:2"],
            "--server-name",
        ),
        (
            vec![
                "destination",
                "add",
                "d",
                "--interface",
                "x",
                "--x2",
                "127.0.0.1:1",
                "--x3",
                "nowhere",
                "--danger-plaintext",
            ],
            "--x3",
        ),
        (vec!["frobnicate"], "frobnicate"),
        (vec![], "Usage"),
    ];
    for (arguments, wanted) in cases {
        let output = writ().args(["--socket", "/nonexistent"]).args(&arguments).output().expect("writ runs");
        let talk = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {talk}");
        assert!(talk.contains(wanted), "{arguments:?}: {talk}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn a_daemon_that_is_not_there_has_its_own_status() {
    let output = writ().args(["--socket", "/nonexistent/control.sock", "status"]).output().expect("writ runs");
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&output.stderr).contains("/nonexistent/control.sock"));
    let output = writ().env("WRIT_SOCKET", "/elsewhere/control.sock").arg("status").output().expect("writ runs");
    assert!(String::from_utf8_lossy(&output.stderr).contains("/elsewhere/control.sock"));
}

#[test]
fn broken_audit_log_has_its_own_status() {
    let verdict = |verified, problem: Option<&str>| {
        done(Answer::AuditVerdict(AuditVerdict {
            verified,
            records: 4,
            checkpoints: 1,
            head: "00".repeat(32),
            head_found: None,
            problem: problem.map(str::to_owned),
        }))
    };
    let (good, _) = Script::new(vec![verdict(true, None)]).run(&["audit", "verify"]);
    assert_eq!(good.status.code(), Some(0));
    let (bad, _) = Script::new(vec![verdict(false, Some("record 4: hash does not fit"))]).run(&["audit", "verify"]);
    assert_eq!(bad.status.code(), Some(4));
    assert!(String::from_utf8_lossy(&bad.stdout).contains("record 4: hash does not fit"));
}

#[test]
fn listings_are_fetched_to_their_end() {
    use writ_control::report::RowView;
    let row = |row| RowView {
        table: "address".into(),
        way: 0,
        row,
        match_index: row,
        scope: Scope::Content,
        ring: 0,
        not_after_ns: 1,
        key: None,
        as_planned: true,
    };
    let page =
        |rows: &[u32]| done(Answer::CardTables(TablePage { total: 5, rows: rows.iter().copied().map(row).collect() }));
    let script = Script::new(vec![page(&[1, 2]), page(&[3, 4]), page(&[5])]);
    let (output, requests) = script.run(&["card", "tables", "--json"]);
    assert_eq!(output.status.code(), Some(0));
    let skips: Vec<u64> = requests
        .iter()
        .map(|request| match request.ask {
            Ask::CardTables { page, reveal: false } => page.skip,
            _ => panic!("{request:?}"),
        })
        .collect();
    assert_eq!(skips, [0, 2, 4]);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    assert_eq!(json["answer"]["rows"].as_array().map(Vec::len), Some(5));
}

#[test]
fn counters_are_a_table_for_people() {
    let counters = [("FRAMES_IN_A".to_owned(), 17)].into();
    let answer = done(Answer::CardCounters(CardCounters { counters }));
    let (output, requests) = Script::new(vec![answer]).run(&["card", "counters"]);
    assert_eq!(requests[0].ask, Ask::CardCounters {});
    assert_eq!(String::from_utf8_lossy(&output.stdout), "counter      value\nFRAMES_IN_A     17\n");
}

#[test]
fn the_card_s_rings_and_damage_are_shown() {
    let count = |ring: u8| RingReport { ring, tasks: 1, packets: 17, gaps: 2, missing: 30, lost: 4, bad_records: 5 };
    let card = CardReport {
        backend: "model".into(),
        abi: "2.0".into(),
        build_hash: "00".repeat(32),
        armed: true,
        tables_ready: true,
        records_idle: true,
        committed: false,
        time: Instant { tai_ns: 1, utc: "u".into() },
        time_quality: "free".into(),
        prefix_bits: Some(56),
        own_tunnels: vec!["gtpu".into(), "vxlan".into()],
        rows: [("rules".to_owned(), RowUse { used: 2, capacity: 512 })].into(),
        records_consumed: 34,
        gaps_consumed: 4,
        rings: vec![count(0), count(3)],
        rows_health: RowsHealth {
            damaged_rows: 3,
            last_damaged: Some("MAC table, way 1, row 9".into()),
            repaired: 1,
            ..RowsHealth::default()
        },
    };
    let answer = done(Answer::CardStatus(Box::new(card)));
    let (output, requests) = Script::new(vec![answer]).run(&["card", "status"]);
    assert_eq!(requests[0].ask, Ask::CardStatus {});
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
    let line = |words: &str| lines.contains(&words.split_whitespace().collect());
    assert!(line("ring tasks packets gaps missing lost bad records") && line("3 1 17 2 30 4 5"), "{text}");
    assert!(line("damaged rows found 3 (written again: 1), the last one in MAC table, way 1, row 9"), "{text}");
    assert!(line("rows rules: 2 of 512") && line("prefix table IPv6 prefixes of 56 bits"), "{text}");
    assert!(line("own tunnels gtpu, vxlan"), "{text}");
}

#[test]
fn certificates_travel_in_the_request_and_plaintext_is_explicit() {
    let folder = std::env::temp_dir().join(format!("writ-cli-ca-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("temporary folder");
    let ca = folder.join("ca.pem");
    std::fs::write(&ca, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").expect("own file");
    let ca = ca.to_str().expect("plain name");
    let answer =
        || done(Answer::DestinationChange(Box::new(DestinationChange { applied: true, before: None, after: None })));
    let base = ["destination", "add", "agency", "--interface", "hi", "--hi2", "127.0.0.1:1", "--hi3", "[::1]:2"];
    let security = |arguments: &[&str]| {
        let (output, requests) = Script::new(vec![answer()]).run(&[&base[..], arguments].concat());
        assert_eq!(output.status.code(), Some(0));
        let Ask::DestinationAdd { destination, .. } = requests[0].ask.clone() else { panic!("{requests:?}") };
        destination.security
    };
    let tls = security(&["--server-name", "lemf.example", "--ca", ca, "--min-tls", "1.2"]);
    assert!(matches!(tls, TransportSecurity::MutualTls { ca_pem: Some(pem), .. } if pem.contains("AAAA")));
    assert_eq!(security(&["--danger-plaintext"]), TransportSecurity::DangerPlaintext);

    let both = ["--danger-plaintext", "--server-name", "n"];
    let output = writ().args(["--socket", "/nonexistent"]).args(base).args(both).output().expect("writ runs");
    assert_eq!(output.status.code(), Some(2));
    std::fs::write(ca, "no certificate").expect("own file");
    let output = writ()
        .args(["--socket", "/nonexistent"])
        .args(base)
        .args(["--server-name", "n", "--ca", ca])
        .output()
        .expect("writ runs");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("holds no PEM certificate"));
    std::fs::remove_dir_all(&folder).expect("own folder");
}

#[test]
fn tasks_are_named_by_xid_or_by_liid_and_destination() {
    let xid = "11111111-2222-4333-8444-555555555555";
    let (_, requests) = Script::new(vec![done(empty_change())]).run(&["task", "revoke", xid]);
    let by_xid = TaskSelector::Xid { xid: xid.parse().expect("a UUID") };
    assert_eq!(requests[0].ask, Ask::TaskRevoke { task: by_xid, dry_run: false });
    let arguments = ["task", "deactivate", "--liid", "a/b", "--destination", "agency", "--dry-run"];
    let (_, requests) = Script::new(vec![done(empty_change())]).run(&arguments);
    let Ask::TaskDeactivate { task: TaskSelector::Handover { destination, liid }, dry_run: true } = &requests[0].ask
    else {
        panic!("{requests:?}")
    };
    assert_eq!((destination.as_str(), liid.reveal()), ("agency", "a/b"));
}

#[test]
fn completions_and_manual_come_without_a_daemon() {
    let completions = writ().args(["completions", "bash"]).output().expect("writ runs");
    assert!(String::from_utf8_lossy(&completions.stdout).contains("complete -F"));
    let help = writ().args(["task", "activate", "--help"]).output().expect("writ runs");
    let help = String::from_utf8_lossy(&help.stdout).into_owned();
    assert!(Target::KINDS.iter().all(|kind| help.contains(&format!("{kind}="))), "{help}");
    let manual = writ().arg("man").output().expect("writ runs");
    assert!(String::from_utf8_lossy(&manual.stdout).contains("WRIT_SOCKET"));
}

#[test]
fn people_see_hidden_identities_as_hidden() {
    let view = serde_json::json!({
        "xid": "11111111-2222-4333-8444-555555555555", "liid": "L", "destination": "agency", "state": "active",
        "kind": "title3", "authority": "A", "officer": "O", "signer": "S", "circuit": null, "username": null,
        "access_type": "fttx", "targets": [{"kind": "ipv4", "value": null}], "scope": "content", "deliver": "hi",
        "start": instant(1), "end": instant(2), "effective_end": instant(2), "armed": null,
        "responsible": {"uid": 7, "person": "P"},
    });
    let task = serde_json::from_value(view).expect("a task");
    let (output, _) =
        Script::new(vec![done(Answer::Task(task))]).run(&["task", "show", "11111111-2222-4333-8444-555555555555"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("ipv4=(hidden)") && text.contains("P (uid 7)"), "{text}");
}

fn instant(tai_ns: u64) -> serde_json::Value {
    serde_json::to_value(Instant { tai_ns, utc: "u".into() }).expect("plain data")
}
