//! Answers on standard output: for programs as JSON, for people as tables.

use crate::table::Table;
use serde::Serialize;
use std::io::Write;
use writ_control::{
    Answer, DestinationSettings, PROTOCOL_VERSION, Sensitive, TransportSecurity,
    report::{
        AuditPage, AuditVerdict, CardReport, DestinationView, InterfaceCounts, RowsHealth, StatusReport, TablePage,
        TaskView,
    },
};

/// Prints one JSON object: the version, and the value under `name`.
pub(crate) fn json(name: &str, value: &impl Serialize, out: &mut Vec<u8>) {
    let object = serde_json::to_value(value).map(|value| serde_json::json!({"version": PROTOCOL_VERSION, name: value}));
    match object {
        // Writing to memory does not fail.
        Ok(object) => drop(writeln!(out, "{object}")),
        Err(error) => eprintln!("writ: the answer cannot be written as JSON: {error}"),
    }
}

/// Prints an answer for people.
pub(crate) fn people(answer: &Answer, out: &mut Vec<u8>) {
    match answer {
        Answer::Status(report) => status(report, out),
        Answer::TaskChange(change) => before_and_after(change.before.as_ref(), change.after.as_ref(), task_fields, out),
        Answer::TaskList(page) => task_list(&page.tasks, out),
        Answer::Task(task) => fields(&task_fields(task), out),
        Answer::DestinationChange(change) => {
            before_and_after(change.before.as_ref(), change.after.as_ref(), destination_fields, out);
        }
        Answer::DestinationList(page) => destination_list(&page.destinations, out),
        Answer::CardStatus(card) => {
            fields(&card_fields(card), out);
            rings(card, out);
        }
        Answer::CardCounters(page) => {
            let mut table = Table::new(&["counter", "#value"]);
            for (name, value) in &page.counters {
                table.row([name.clone(), value.to_string()]);
            }
            table.print(out);
        }
        Answer::CardTables(page) => rows(page, out),
        Answer::Audit(page) => audit(page, out),
        Answer::AuditVerdict(verdict) => fields(&verdict_fields(verdict), out),
    }
}

type Fields = Vec<(&'static str, String)>;

fn fields(list: &Fields, out: &mut Vec<u8>) {
    let mut table = Table::new(&["field", "value"]);
    for (name, value) in list {
        table.row([(*name).to_owned(), value.clone()]);
    }
    table.print(out);
}

fn before_and_after<T>(before: Option<&T>, after: Option<&T>, list: fn(&T) -> Fields, out: &mut Vec<u8>) {
    let (before, after) = (before.map(list).unwrap_or_default(), after.map(list).unwrap_or_default());
    let names = if after.is_empty() { &before } else { &after };
    let value = |list: &Fields, at: usize| list.get(at).map_or("-".to_owned(), |(_, value)| value.clone());
    let mut table = Table::new(&["field", "before", "after"]);
    for (at, (name, _)) in names.iter().enumerate() {
        table.row([(*name).to_owned(), value(&before, at), value(&after, at)]);
    }
    table.print(out);
}

fn shown(value: Option<&Sensitive>) -> String {
    value.map_or_else(|| "(hidden)".to_owned(), |value| value.reveal().to_owned())
}

fn yes_no(value: bool) -> String {
    if value { "yes" } else { "no" }.to_owned()
}

fn targets(task: &TaskView) -> String {
    let each = |target: &writ_control::report::TargetView| format!("{}={}", target.kind, shown(target.value.as_ref()));
    task.targets.iter().map(each).collect::<Vec<_>>().join(" ")
}

fn task_fields(task: &TaskView) -> Fields {
    vec![
        ("xid", task.xid.to_string()),
        ("liid", task.liid.reveal().to_owned()),
        ("destination", task.destination.clone()),
        ("state", task.state.name().to_owned()),
        ("kind", task.kind.name().to_owned()),
        ("authority", task.authority.clone()),
        ("officer", task.officer.clone()),
        ("signer", task.signer.clone()),
        ("circuit", shown(task.circuit.as_ref())),
        ("username", shown(task.username.as_ref())),
        ("access type", task.access_type.clone()),
        ("targets", targets(task)),
        ("scope", task.scope.name().to_owned()),
        ("deliver", task.deliver.name().to_owned()),
        ("start", task.start.utc.clone()),
        ("end", task.end.utc.clone()),
        ("effective end", task.effective_end.utc.clone()),
        ("armed", task.armed.as_ref().map_or("-".to_owned(), |armed| armed.utc.clone())),
        ("responsible", format!("{} (uid {})", task.responsible.person, task.responsible.uid)),
    ]
}

fn task_list(tasks: &[TaskView], out: &mut Vec<u8>) {
    let mut table =
        Table::new(&["xid", "liid", "destination", "state", "kind", "scope", "deliver", "start", "end", "targets"]);
    for task in tasks {
        table.row([
            task.xid.to_string(),
            task.liid.reveal().to_owned(),
            task.destination.clone(),
            task.state.name().to_owned(),
            task.kind.name().to_owned(),
            task.scope.name().to_owned(),
            task.deliver.name().to_owned(),
            task.start.utc.clone(),
            task.effective_end.utc.clone(),
            targets(task),
        ]);
    }
    table.print(out);
}

fn destination_fields(destination: &DestinationView) -> Fields {
    use writ_control::InterfaceAddresses::{Hi, X};
    let (first, second) = match destination.addresses {
        Hi { hi2, hi3 } => (format!("hi2 {hi2}"), format!("hi3 {hi3}")),
        X { x2, x3 } => (format!("x2 {x2}"), format!("x3 {x3}")),
    };
    let security = match &destination.security {
        TransportSecurity::MutualTls { server_name, min_tls, ca_pem } => {
            let authority = if ca_pem.is_some() { "its own" } else { "the daemon's" };
            format!("mutual TLS {} or later, name {server_name}, {authority} authorities", min_tls.name())
        }
        TransportSecurity::DangerPlaintext => "NONE (danger_plaintext)".to_owned(),
    };
    vec![
        ("name", destination.name.clone()),
        ("iri", first),
        ("content", second),
        ("security", security),
        ("confirmed when", destination.confirmation.name().to_owned()),
        ("settings", settings(&destination.settings)),
        ("tasks", destination.tasks.to_string()),
    ]
}

fn settings(settings: &DestinationSettings) -> String {
    let named: Vec<String> = settings.named().into_iter().map(|(name, value)| format!("{name} {value}")).collect();
    if named.is_empty() { "as configured".to_owned() } else { named.join(", ") }
}

fn destination_list(destinations: &[DestinationView], out: &mut Vec<u8>) {
    let mut table = Table::new(&["name", "iri", "content", "security", "confirmed when", "settings", "#tasks"]);
    for destination in destinations {
        table.row(destination_fields(destination).into_iter().map(|(_, value)| value));
    }
    table.print(out);
}

fn card_fields(card: &CardReport) -> Fields {
    let mut list = vec![
        ("backend", card.backend.clone()),
        ("abi", card.abi.clone()),
        ("build hash", card.build_hash.clone()),
        ("armed", yes_no(card.armed)),
        ("tables ready", yes_no(card.tables_ready)),
        ("record path idle", yes_no(card.records_idle)),
        ("batch committed", yes_no(card.committed)),
        ("time", format!("{} ({} ns TAI, {})", card.time.utc, card.time.tai_ns, card.time_quality)),
        ("prefix table", card.prefix_bits.map_or("none".to_owned(), |bits| format!("IPv6 prefixes of {bits} bits"))),
        ("own tunnels", if card.own_tunnels.is_empty() { "none".to_owned() } else { card.own_tunnels.join(", ") }),
        ("records consumed", card.records_consumed.to_string()),
        ("gaps consumed", card.gaps_consumed.to_string()),
    ];
    for (table, rows) in &card.rows {
        list.push(("rows", format!("{table}: {} of {}", rows.used, rows.capacity)));
    }
    let health = &card.rows_health;
    list.extend([
        ("damaged rows found", found_damaged(health)),
        ("lookups of damaged rows", health.damaged_reads.to_string()),
        ("contradicting rows", health.multi_hits.to_string()),
        ("scrubber rounds", health.scrub_rounds.to_string()),
    ]);
    list
}

fn found_damaged(health: &RowsHealth) -> String {
    let found = format!("{} (written again: {})", health.damaged_rows, health.repaired);
    health.last_damaged.as_ref().map_or(found.clone(), |place| format!("{found}, the last one in {place}"))
}

fn rings(card: &CardReport, out: &mut Vec<u8>) {
    let mut table = Table::new(&["#ring", "#tasks", "#packets", "#gaps", "#missing", "#lost", "#bad records"]);
    for ring in &card.rings {
        let numbers =
            [ring.ring.into(), ring.tasks, ring.packets, ring.gaps, ring.missing, ring.lost, ring.bad_records];
        table.row(numbers.map(|number: u64| number.to_string()));
    }
    section(&table, out);
}

fn interface_cells(interface: &InterfaceCounts) -> [String; 6] {
    let dropped: Vec<String> = interface.dropped.iter().map(|(cause, packets)| format!("{cause} {packets}")).collect();
    [
        interface.interface.clone(),
        interface.selected.packets.to_string(),
        interface.delivered.packets.to_string(),
        interface.buffered.packets.to_string(),
        interface.withheld.packets.to_string(),
        if dropped.is_empty() { "0".to_owned() } else { dropped.join(", ") },
    ]
}

fn status(report: &StatusReport, out: &mut Vec<u8>) {
    let mut card = card_fields(&report.card);
    card.push(("arena blocks free", format!("{} of {}", report.arena.free, report.arena.blocks)));
    card.push(("idle", yes_no(report.idle)));
    fields(&card, out);
    rings(&report.card, out);

    let mut tasks = Table::new(&[
        "liid",
        "destination",
        "state",
        "kind",
        "scope",
        "interface",
        "#selected",
        "#delivered",
        "#buffered",
        "#withheld",
        "dropped",
    ]);
    for task in &report.tasks {
        for interface in &task.interfaces {
            let about = [
                task.liid.reveal().to_owned(),
                task.destination.clone(),
                task.state.name().to_owned(),
                task.kind.name().to_owned(),
                task.scope.name().to_owned(),
            ];
            tasks.row(about.into_iter().chain(interface_cells(interface)));
        }
    }
    section(&tasks, out);

    let mut sessions =
        Table::new(&["destination", "interface", "address", "state", "#connects", "#unconfirmed bytes", "last error"]);
    for destination in &report.destinations {
        for session in &destination.sessions {
            sessions.row([
                destination.name.clone(),
                session.interface.clone(),
                session.address.to_string(),
                session.state.name().to_owned(),
                session.connects.to_string(),
                session.unconfirmed_bytes.to_string(),
                session.last_error.clone().unwrap_or_default(),
            ]);
        }
    }
    section(&sessions, out);

    let mut alarms = Table::new(&["alarm"]);
    for alarm in &report.alarms {
        alarms.row([alarm.clone()]);
    }
    section(&alarms, out);
}

fn section(table: &Table, out: &mut Vec<u8>) {
    if !table.is_empty() {
        out.push(b'\n');
        table.print(out);
    }
}

fn rows(page: &TablePage, out: &mut Vec<u8>) {
    // Of a rule, way and row are bank and number.
    let headings =
        ["table", "#way", "#row", "#match index", "scope", "#ring", "#not after (TAI ns)", "key", "as planned"];
    let mut table = Table::new(&headings);
    for row in &page.rows {
        table.row([
            row.table.clone(),
            row.way.to_string(),
            row.row.to_string(),
            row.match_index.to_string(),
            row.scope.name().to_owned(),
            row.ring.to_string(),
            row.not_after_ns.to_string(),
            shown(row.key.as_ref()),
            yes_no(row.as_planned),
        ]);
    }
    table.print(out);
}

fn audit(page: &AuditPage, out: &mut Vec<u8>) {
    let mut table = Table::new(&["#number", "time", "event", "fields"]);
    for record in &page.records {
        let cells =
            [record.number.to_string(), record.time.utc.clone(), record.event.clone(), record.fields.to_string()];
        table.row(cells);
    }
    table.print(out);
}

fn verdict_fields(verdict: &AuditVerdict) -> Fields {
    let head_found = match verdict.head_found {
        None => "not asked: verified up to the last record that is there".to_owned(),
        Some(found) => yes_no(found),
    };
    vec![
        ("verified", yes_no(verdict.verified)),
        ("good records", verdict.records.to_string()),
        ("signed checkpoints", verdict.checkpoints.to_string()),
        ("head", verdict.head.clone()),
        ("expected head found", head_found),
        ("problem", verdict.problem.clone().unwrap_or_else(|| "none".to_owned())),
    ]
}
