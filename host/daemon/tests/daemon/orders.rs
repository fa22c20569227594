//! What is refused, by whom, and that it changes nothing.

use crate::{
    peer::{Language, Peer},
    site::{Site, activation},
};

const CONTENT: [&str; 8] = ["--kind", "title3", "--scope", "content", "--deliver", "hi", "--target", "ipv4=192.0.2.1"];

#[test]
fn orders_that_the_law_does_not_know_are_refused_and_change_nothing() {
    let site = Site::new();
    let [hi2, hi3] = [(); 2].map(|()| Peer::new(Language::Handover, Some(&site.pki())));
    let _daemon = site.start();
    site.add_destination("agency", "hi", [&hi2, &hi3]);
    let swap = |from: &str, to: &'static str| CONTENT.map(|word| if word == from { to } else { word }).to_vec();
    let with = |more: &[&'static str]| [&CONTENT[..], more].concat();
    let cases: Vec<(Vec<&str>, &str, &str)> = vec![
        (swap("title3", "pen-register"), "invalid", "scope"),
        (swap("hi", "x"), "invalid", "destinations"),
        (swap("ipv4=192.0.2.1", "ipv4=127.0.0.1"), "", ""),
        (with(&["--end", "+31d"]), "invalid", "end"),
        (with(&["--end", "@5"]), "invalid", "end"),
        (with(&["--end", "1999-01-01T00:00:00Z"]), "invalid", "end"),
        (with(&["--end", "+1ns"]), "invalid", "end"),
        (with(&["--start", "+2d", "--end", "+0s"]), "invalid", "end"),
        (with(&["--target", "ipv4=192.0.2.1"]), "invalid", "targets"),
    ];
    for (more, code, place) in cases {
        let arguments = activation("L", "agency", &more);
        if code.is_empty() {
            // Somebody's loopback is nobody's business, but it is an address: accepted as a dry run.
            assert_eq!(site.done(&[&arguments[..], &["--dry-run"]].concat())["applied"], false);
            continue;
        }
        let refusal = site.refused(1, &arguments);
        assert_eq!(refusal["code"], code, "{more:?}: {refusal}");
        assert!(refusal["where"].as_str().expect("text").contains(place), "{more:?}: {refusal}");
        assert!(!refusal.to_string().contains("192.0.2.1"), "{refusal}");
    }
    let mdf = [(); 2].map(|()| Peer::new(Language::X, Some(&site.pki())));
    site.add_destination("mdf", "x", [&mdf[0], &mdf[1]]);
    let refusal = site.refused(1, &activation("L", "mdf", &CONTENT));
    assert!(refusal["what"].as_str().expect("text").contains("destination `mdf` has no interface hi2"), "{refusal}");
    let refusal = site.refused(1, &activation("L", "nowhere", &CONTENT));
    assert_eq!((&refusal["code"], &refusal["where"]), (&"not_found".into(), &"destination".into()));
    let refusal = site.refused(1, &activation("no spaces", "agency", &CONTENT));
    assert_eq!(refusal["where"], "liid");
    let mut odd = activation("L", "agency", &CONTENT);
    let at = odd.iter().position(|word| *word == "fttx").expect("given");
    odd[at] = "carrier-pigeon";
    let refusal = site.refused(1, &odd);
    let hint = refusal["hint"].as_str().expect("text").to_owned();
    assert!(hint.contains("cable-modem"), "{refusal}");
    let help = site.writ(&["task", "activate", "--help"]).stdout;
    let help = String::from_utf8_lossy(&help).split_whitespace().collect::<Vec<_>>().join(" ");
    for name in hint.trim_start_matches("known are ").split(", ") {
        assert!(help.contains(&format!("{name},")) || help.contains(&format!("{name} ")), "{name}: {help}");
    }

    let status = site.wait_idle();
    assert_eq!(status["tasks"], serde_json::json!([]));
    assert_eq!(status["card"]["rows"]["address"]["used"], 0);
}

#[test]
fn the_term_of_an_order_counts_from_the_start_that_it_names() {
    let site = Site::new();
    let [hi2, hi3] = [(); 2].map(|()| Peer::new(Language::Handover, Some(&site.pki())));
    let _daemon = site.start();
    site.add_destination("agency", "hi", [&hi2, &hi3]);
    // Two weeks before the card's present; the law gives such an order thirty days.
    let begun = |end: &'static str| [&CONTENT[..], &["--start", "2023-11-01T00:00:00Z", "--end", end]].concat();
    let refusal = site.refused(1, &activation("L", "agency", &begun("2023-12-10T00:00:00Z")));
    assert_eq!((&refusal["code"], &refusal["where"]), (&"invalid".into(), &"end".into()));
    let change = site.done(&activation("L", "agency", &begun("+30d")));
    let xid = change["after"]["xid"].as_str().expect("a UUID");
    let shown = site.done(&["task", "show", xid]);
    assert_eq!(shown["state"], "active");
    let utc = |field: &str| shown[field]["utc"].as_str().expect("text").to_owned();
    assert!(
        utc("start").starts_with("2023-11-01T00:00:00") && utc("end").starts_with("2023-12-01T00:00:00"),
        "{shown}"
    );
    assert!(shown["armed"]["tai_ns"].as_u64() > Some(crate::site::EPOCH_NS), "{shown}");
    assert!(site.done(&["task", "show", xid])["start"]["tai_ns"].as_u64() < Some(crate::site::EPOCH_NS));
}

#[test]
fn a_liid_is_used_once_at_a_destination_and_free_again_afterwards() {
    let site = Site::new();
    let [hi2, hi3] = [(); 2].map(|()| Peer::new(Language::Handover, Some(&site.pki())));
    let _daemon = site.start();
    site.add_destination("agency", "hi", [&hi2, &hi3]);
    let dry = site.done(&[&activation("L", "agency", &CONTENT)[..], &["--dry-run"]].concat());
    assert_eq!((&dry["applied"], &dry["row_commands"]), (&false.into(), &1.into()));
    site.done(&activation("L", "agency", &CONTENT));
    let refusal = site.refused(1, &activation("L", "agency", &CONTENT));
    assert_eq!((&refusal["code"], &refusal["where"]), (&"conflict".into(), &"liid".into()));

    let refusal = site.refused(1, &["destination", "remove", "agency"]);
    assert_eq!(refusal["code"], "conflict");
    assert!(refusal["what"].as_str().expect("text").starts_with("1 task still delivers"), "{refusal}");
    let by_key = ["--liid", "L", "--destination", "agency"];
    let dry = site.done(&[&["task", "deactivate"][..], &by_key, &["--dry-run"]].concat());
    assert_eq!((&dry["applied"], &dry["before"]["state"]), (&false.into(), &"active".into()));
    site.done(&[&["task", "deactivate"][..], &by_key].concat());
    site.wait("not ended", |status| status["tasks"][0]["state"] == "ended");
    let refusal = site.refused(1, &[&["task", "deactivate"][..], &by_key].concat());
    assert_eq!(refusal["code"], "not_found");
    site.done(&activation("L", "agency", &CONTENT));
    let list = site.done(&["task", "list"]);
    assert_eq!((&list["total"], &list["tasks"][0]["state"]), (&2.into(), &"ended".into()));
    site.done(&[&["task", "deactivate"][..], &by_key].concat());
    site.wait("not ended", |status| status["tasks"][1]["state"] == "ended");
    site.done(&["destination", "remove", "agency"]);
    assert_eq!(site.done(&["destination", "list"])["destinations"], serde_json::json!([]));
}

#[test]
fn roles_decide_and_refusals_are_recorded() {
    let site = Site::new();
    let view_only = |config: String| config.replace(r#"may = ["operate", "audit", "view"]"#, r#"may = ["view"]"#);
    site.write_config(view_only);
    let daemon = site.start();
    site.done(&["status"]);
    site.done(&["card", "counters"]);
    let orders: [&[&str]; 5] = [
        &["destination", "remove", "agency"],
        &["task", "list", "--reveal"],
        &["audit", "verify"],
        &["card", "tables", "--reveal"],
        &["task", "deactivate", "11111111-2222-4333-8444-555555555555"],
    ];
    for order in orders {
        assert_eq!(site.refused(5, order)["code"], "not_permitted", "{order:?}");
    }
    assert_eq!(daemon.terminate(), Some(0));

    // Being somebody is not enough either: root or not, an unlisted uid has no role.
    let uid = site.uid();
    site.write_config(|config| config.replace(&format!("uid = {uid}"), &format!("uid = {}", uid + 1)));
    let daemon = site.start();
    assert_eq!(site.refused(5, &["status"])["code"], "not_permitted");
    drop(daemon);

    site.write_config(|config| config.replace(r#"may = ["operate", "audit", "view"]"#, r#"may = ["audit"]"#));
    let _daemon = site.start();
    let shown = site.done(&["audit", "show"]);
    let records = shown["records"].as_array().expect("list");
    let refused = records.iter().filter(|record| record["fields"]["code"] == "not_permitted").count();
    assert_eq!(refused, 6);
    assert!(records.iter().all(|record| record["hash"].as_str().expect("hex").len() == 64));
    assert_eq!(
        site.done(&["audit", "show", "--last", "1"])["records"][0]["number"],
        records.last().expect("some")["number"]
    );
}

#[test]
fn identities_are_shown_only_when_asked_for_and_that_is_recorded() {
    let site = Site::new();
    let [hi2, hi3] = [(); 2].map(|()| Peer::new(Language::Handover, Some(&site.pki())));
    let _daemon = site.start();
    site.add_destination("agency", "hi", [&hi2, &hi3]);
    let change = site.done(&activation("L", "agency", &CONTENT));
    let xid = change["after"]["xid"].as_str().expect("a UUID");
    assert!(!site.done(&["task", "show", xid]).to_string().contains("192.0.2.1"));
    assert!(!site.done(&["card", "tables"]).to_string().contains("192.0.2.1"));
    let shown = site.done(&["task", "show", xid, "--reveal"]);
    assert_eq!(shown["targets"][0]["value"], "192.0.2.1");
    assert_eq!(shown["username"], "subscriber-17");
    let rows = site.done(&["card", "tables", "--reveal"]);
    assert_eq!((&rows["rows"][0]["key"], &rows["rows"][0]["as_planned"]), (&"192.0.2.1".into(), &true.into()));
    let records = site.done(&["audit", "show"]).to_string();
    assert_eq!(records.matches("identifiers-shown").count(), 2);
}

#[test]
fn bad_configurations_are_named_and_nothing_starts() {
    let site = Site::new();
    let check = |edit: &dyn Fn(String) -> String| {
        site.write_config(edit);
        let output = site.writd(&["--config", "writd.toml", "--check-config"]);
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    assert_eq!(check(&|config| config).0, Some(0));
    let cases: [(&str, &str, &str); 5] = [
        ("country = \"US\"", "country = \"United States\"", "network.country"),
        ("blocks = 32", "blocks = 32\nbloks = 7", "bloks"),
        ("backend = \"model\"", "backend = \"abacus\"", "abacus"),
        ("may = [\"operate\", \"audit\", \"view\"]", "may = [\"everything\"]", "everything"),
        ("[tls]", "[tls", "writd.toml:"),
    ];
    for (from, to, wanted) in cases {
        let (status, talk) = check(&|config| config.replace(from, to));
        assert_eq!(status, Some(2), "{to}");
        assert!(talk.contains(wanted) && talk.contains("writd.toml:"), "{to}: {talk}");
    }
    let edits: [(&str, &str, &str); 3] = [
        ("pki/writd.pem", "pki/nope.pem", "nope.pem"),
        ("pki/writd.key", "foreign/writd.key", "foreign/writd.key"),
        ("pki/ca.pem", "writd.toml", "tls.ca"),
    ];
    for (from, to, wanted) in edits {
        let (status, talk) = check(&|config| config.replace(from, to));
        assert!(status == Some(2) && talk.contains(wanted), "{to}: {talk}");
    }
    assert!(!site.folder.join("state").exists(), "a check touches nothing");

    // A key that others can read, and state that others can read.
    site.write_config(|config| config);
    let open = |path: &str, mode| {
        let path = site.folder.join(path);
        std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode)).expect("own file");
    };
    open("pki/writd.key", 0o644);
    let (status, talk) = check(&|config| config);
    assert!(status == Some(2) && talk.contains("writd.key") && talk.contains("0644"), "{talk}");
    let output = site.writd(&["--config", "writd.toml"]);
    let talk = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{talk}");
    assert!(talk.contains("writd.key") && talk.contains("0644"), "{talk}");
    open("pki/writd.key", 0o600);
    open("state", 0o755);
    let output = site.writd(&["--config", "writd.toml"]);
    let talk = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(1) && talk.contains("0755"), "{talk}");
    assert_eq!(site.writd(&[]).status.code(), Some(2));
}

#[test]
fn a_second_daemon_on_the_same_state_is_refused() {
    let site = Site::new();
    let _daemon = site.start();
    let output = site.writd(&["--config", "writd.toml"]);
    let talk = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1));
    assert!(talk.contains("another writd is running"), "{talk}");
    site.done(&["status"]);
}
