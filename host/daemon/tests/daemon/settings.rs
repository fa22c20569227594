//! What a destination wants otherwise than configured.

use crate::{
    frames::packet4,
    peer::{Language, Peer},
    site::{Site, activation},
};
use aws_lc_rs::{
    digest,
    signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey},
};
use serde_json::Value;
use std::{collections::BTreeMap, net::Ipv4Addr, os::unix::fs::PermissionsExt as _};
use writ_handover::pspdu::{self, CheckType, Octets, Payload, Tri};
use x509_parser::prelude::{FromDer as _, X509Certificate, parse_x509_pem};

const TARGET: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const OTHER: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 9);
const CONTENT: [&str; 6] = ["--kind", "title3", "--scope", "content", "--target", "ipv4=192.0.2.1"];

/// `writ destination add` with more options than the usual ones.
fn add<T>(name: &str, family: &str, peers: [&Peer; 2], more: &[&str], run: impl FnOnce(&[&str]) -> T) -> T {
    let [first, second] = peers.map(|peer| peer.address.to_string());
    let (iri, content) = if family == "hi" { ("--hi2", "--hi3") } else { ("--x2", "--x3") };
    let words = ["destination", "add", name, "--interface", family, iri, &first, content, &second];
    run(&[&words[..], &["--server-name", "lemf.test"], more].concat())
}

fn order(deliver: &str, liid: &str, destination: &str) -> Vec<String> {
    let words = activation(liid, destination, &[&CONTENT[..], &["--deliver", deliver]].concat());
    words.iter().map(|word| word.to_string()).collect()
}

fn run(site: &Site, words: &[String]) -> Value {
    site.done(&words.iter().map(String::as_str).collect::<Vec<_>>())
}

fn traffic(count: u8) -> Vec<Vec<u8>> {
    (0..count).map(|number| packet4(TARGET, OTHER, (4000, 53), &[number; 40])).collect()
}

fn decode(pdu: &[u8]) -> pspdu::PsPdu<'_> {
    pspdu::decode(pdu, &pspdu::Limits::default()).expect("a PS-PDU").expect("whole").pdu
}

/// It shows in the octets, in the listing and in the audit log; what cannot be is refused by name.
#[test]
fn a_destination_has_settings_of_its_own() {
    let site = Site::new();
    let [hi2, hi3, x2, x3] = [Language::Handover, Language::Handover, Language::X, Language::X]
        .map(|language| Peer::new(language, Some(&site.pki())));
    let _daemon = site.start();
    for (wrong, named) in [(["--x-version", "0.6"], "x_version"), (["--source", "::1"], "source")] {
        let refused = add("agency", "hi", [&hi2, &hi3], &wrong, |words| site.refused(1, words));
        assert_eq!(refused["where"], named, "{refused}");
    }
    let wanted = ["--li-version", "43", "--keepalive-idle-ms", "100", "--source", "127.0.0.9", "--dscp", "46"];
    let wanted = [&wanted[..], &["--rate-bytes-per-s", "1000000"]].concat();
    add("agency", "hi", [&hi2, &hi3], &wanted, |words| site.done(words));
    add("mdf", "x", [&x2, &x3], &["--x-version", "0.6"], |words| site.done(words));
    let list = site.done(&["destination", "list"]);
    assert_eq!(list["destinations"][0]["settings"]["source"], "127.0.0.9");
    assert_eq!(list["destinations"][1]["settings"], serde_json::json!({ "x_version": "0.6" }));

    run(&site, &order("hi", "LIID/7", "agency"));
    run(&site, &order("x", "LIID/8", "mdf"));
    site.play(&traffic(12));
    site.wait_idle();
    let is_43 = |pdu: &Vec<u8>| decode(pdu).header.domain == pspdu::Domain::LiPs { version: 43 };
    assert!(hi3.pdus().len() == 12 && hi3.pdus().iter().chain(&hi2.pdus()).all(is_43));
    assert!(x3.pdus().len() == 12 && x3.pdus().iter().all(|pdu| pdu[..2] == [0, 6]));
    assert_eq!(hi3.clients(), ["127.0.0.9"]);
    let log = site.done(&["audit", "show"]);
    let records = log["records"].as_array().expect("records");
    assert!(records.iter().any(|record| record.to_string().contains("\"dscp\":\"46\"")), "{log:#}");
}

/// Hashes and signatures over content, over a restart too, checked as an agency does: with the certificate.
#[test]
fn what_was_delivered_is_proved_by_hashes_and_signatures() {
    let site = Site::new();
    let [hi2, hi3] = [(); 2].map(|()| Peer::new(Language::Handover, Some(&site.pki())));
    let wanted = ["--integrity", "sha384", "--integrity-pdus", "5", "--integrity-ms", "60000", "--integrity-sign"];
    let daemon = site.start();
    let refused = add("agency", "hi", [&hi2, &hi3], &wanted, |words| site.refused(1, words));
    assert_eq!(
        (&refused["where"], refused["hint"].as_str().map(|hint| hint.contains("keys.integrity"))),
        (&"integrity".into(), Some(true))
    );
    drop(daemon);
    site.write_config(|text| text.replace("[keys]", "[keys]\nintegrity = \"pki/writd.key\""));
    let daemon = site.start();
    add("agency", "hi", [&hi2, &hi3], &wanted, |words| site.done(words));
    run(&site, &order("hi", "LIID/7", "agency"));
    site.play(&traffic(10));
    site.wait_idle();
    assert_eq!(daemon.terminate(), Some(0));
    let _daemon = site.start();
    site.play(&traffic(7));
    site.wait_idle();
    site.done(&["task", "deactivate", "--liid", "LIID/7", "--destination", "agency"]);
    site.wait("not ended", |status| status["tasks"][0]["state"] == "ended");

    let pem = std::fs::read(site.pki().join("writd.pem")).expect("made with the site");
    let (_, pem) = parse_x509_pem(&pem).expect("PEM");
    let (_, certificate) = X509Certificate::from_der(&pem.contents).expect("a certificate");
    let public =
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, certificate.public_key().subject_public_key.data.to_vec());
    for (peer, pdus, hashes) in [(&hi3, 17, 4), (&hi2, 2, 2)] {
        assert_eq!(prove(&peer.pdus(), &public), (pdus, hashes));
    }
}

/// PDUs and hashes of one chain; every PDU has to be in a hash, and every hash under a signature.
fn prove(stream: &[Vec<u8>], public: &UnparsedPublicKey<Vec<u8>>) -> (usize, usize) {
    let (mut covered, mut pdus, mut hashes) = (0, BTreeMap::new(), BTreeMap::new());
    let mut signed = 0;
    for octets in stream {
        let pdu = decode(octets);
        let Payload::Tri(Tri::IntegrityCheck(check)) = pdu.payload else {
            if !matches!(pdu.payload, Payload::Hi1(_)) {
                pdus.insert(pdu.header.sequence, octets);
            }
            continue;
        };
        if check.check_type == CheckType::Hash {
            let mut hash = digest::Context::new(&digest::SHA384);
            for number in &check.included_sequence_numbers {
                hash.update(pdus.remove(number).expect("a PDU, once"));
                covered += 1;
            }
            assert_eq!(hash.finish().as_ref(), &*check.check_value);
            hashes.insert(pdu.header.sequence, ());
        } else {
            for number in &check.included_sequence_numbers {
                hashes.remove(number).expect("a hash, once");
                signed += 1;
            }
            let signature = check.check_value.to_vec();
            let bare = pspdu::IntegrityCheck { check_value: Octets::default(), ..check };
            public.verify(&bare.to_vec(), &signature).expect("a good signature");
        }
    }
    assert!(
        pdus.is_empty() && hashes.is_empty(),
        "{} PDUs without a hash, {} hashes unsigned",
        pdus.len(),
        hashes.len()
    );
    (covered, signed)
}

/// Payloads go out encrypted, or not at all.
#[test]
fn payloads_are_encrypted_with_a_key_of_the_configuration() {
    let site = Site::new();
    let [hi2, hi3] = [(); 2].map(|()| Peer::new(Language::Handover, Some(&site.pki())));
    let daemon = site.start();
    let refused = add("agency", "hi", [&hi2, &hi3], &["--payload-key", "a"], |words| site.refused(1, words));
    assert_eq!(refused["where"], "payload_key", "{refused}");
    drop(daemon);
    let key = site.pki().join("a.key");
    std::fs::write(&key, "5a".repeat(32)).expect("own folder");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).expect("own file");
    let with_key = |text: String| text.replace("[limits]", "[keys.payload]\na = \"pki/a.key\"\n[limits]");
    site.write_config(with_key);
    let daemon = site.start();
    add("agency", "hi", [&hi2, &hi3], &["--payload-key", "a"], |words| site.done(words));
    run(&site, &order("hi", "LIID/7", "agency"));
    site.play(&traffic(5));
    site.wait_idle();
    let is_sealed = |pdu: &Vec<u8>| match decode(pdu).payload {
        Payload::Encrypted(container) => container.encryption_type == pspdu::EncryptionType::Aes256Cbc,
        Payload::Hi1(_) => true,
        _ => false,
    };
    assert!(hi3.pdus().len() == 5 && hi3.pdus().iter().chain(&hi2.pdus()).all(is_sealed));
    assert!(!site.log().contains("5a5a"), "no key in the log");
    drop(daemon);
    site.write_config(|text| text);
    let ended = site.writd(&["--config", "writd.toml"]);
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(!ended.status.success() && said.contains("payload"), "without its key nothing goes out: {said}");
}
