//! The units of systemd and the configuration that stand in `systemd/`: they name options that there are, settings that are known, and places that
//! fit together; systemd itself reads them where it is installed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const UNITS: [&str; 3] = ["writ-cardd.socket", "writ-cardd.service", "writd.service"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("systemd")
}

fn text(name: &str) -> String {
    fs::read_to_string(folder().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The values of a setting of a unit, as it is or in front of a sign.
fn values<'a>(unit: &'a str, name: &str) -> Vec<&'a str> {
    let values = unit.lines().filter_map(|line| line.split_once('=')).filter(|(key, _)| *key == name);
    values.map(|(_, value)| value).collect()
}

/// What `cardd.env` holds in the README.
fn environment() -> Vec<(String, String)> {
    let readme = fs::read_to_string(folder().join("../README.md")).expect("the README");
    let (_, rest) = readme.split_once("/etc/writ/cardd.env <<END\n").expect("the README makes the file");
    let (block, _) = rest.split_once("END\n").expect("it ends");
    let pairs = block.lines().filter_map(|line| line.trim().split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.replace("$(id -u writd)", "990"))).collect()
}

fn run(program: &str, words: &[&str]) -> Output {
    Command::new(program).args(words).stdin(Stdio::null()).output().expect("it was just built")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn programs_take_the_options_that_the_units_give_them() {
    let cardd = text("writ-cardd.service");
    let mut line = values(&cardd, "ExecStart")[0].to_owned();
    for (name, value) in environment() {
        let variable = format!("${{{name}}}");
        assert!(cardd.contains(&variable), "{name} is in cardd.env and in no unit");
        line = line.replace(&variable, &value);
    }
    assert!(!line.contains('$'), "cardd.env does not say everything: {line}");
    let words: Vec<&str> = line.split(' ').collect();
    assert_eq!(words[0], "/usr/bin/writ-cardd");
    // What it stumbles over is that there is neither such a card here nor a socket. 2 is a wrong command line.
    let output = run(env!("CARGO_BIN_EXE_writ-cardd"), &words[1..]);
    assert_eq!(output.status.code(), Some(1), "{line}: {}", said(&output));

    let writd = text("writd.service");
    let help = said(&run(env!("CARGO_BIN_EXE_writd"), &["--help"]));
    for line in [values(&writd, "ExecStart"), values(&writd, "ExecStartPre")].concat() {
        assert!(line.starts_with("/usr/bin/writd ") && line.ends_with("--config /etc/writ/writd.toml"), "{line}");
        for option in line.split(' ').filter(|word| word.starts_with("--")) {
            assert!(help.contains(&format!("{option} ")) || help.contains(&format!("{option}\n")), "{option}: {help}");
        }
    }
}

#[test]
fn the_configuration_is_good_and_fits_the_units() {
    let config = text("writd.toml");
    let path = folder().join("writd.toml");
    let output = run(env!("CARGO_BIN_EXE_writd"), &["--check-config", "--config", &path.to_string_lossy()]);
    // All of it was read, and the first file that it names is not beside it here.
    assert!(said(&output).contains("tls.key: looking at"), "{}", said(&output));
    let setting = |name: &str| {
        let line = config.lines().find(|line| line.starts_with(&format!("{name} = "))).expect(name);
        line.split('"').nth(1).expect("a text").to_owned()
    };
    let (socket, writd) = (text("writ-cardd.socket"), text("writd.service"));
    assert_eq!(values(&socket, "ListenStream"), [setting("cardd")]);
    assert_eq!(values(&socket, "SocketUser"), values(&writd, "User"));
    assert_eq!(format!("/var/lib/{}", values(&writd, "StateDirectory")[0]), setting("state_dir"));
    // Operators can pass the folder that systemd makes; the daemon's own lies inside, and it makes that itself.
    let runtime = format!("/run/{}/", values(&writd, "RuntimeDirectory")[0]);
    assert_eq!(values(&writd, "RuntimeDirectoryMode"), ["0711"]);
    assert!(setting("runtime_dir").starts_with(&runtime) && setting("socket").starts_with(&runtime));
    assert_eq!(values(&writd, "RuntimeDirectoryPreserve"), ["yes"], "the arena outlives the process");
    let (name, _) = values(&writd, "LoadCredential")[0].split_once(':').expect("NAME:PATH");
    assert_eq!(name, setting("credential"));
}

#[test]
fn systemd_reads_the_units() {
    if !Command::new("systemd-analyze").arg("--version").output().is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: no systemd-analyze");
        return;
    }
    let programs = Path::new(env!("CARGO_BIN_EXE_writd")).parent().expect("a folder").to_string_lossy().into_owned();
    let copies = Path::new(env!("CARGO_TARGET_TMPDIR")).join("units");
    fs::create_dir_all(&copies).expect("our own folder");
    for name in UNITS {
        // `writ` is built by another crate and udevadm need not be here; both are looked for.
        let there = text(name).replace("/usr/bin/writ card", "/bin/true card").replace("/usr/bin/udevadm", "/bin/true");
        fs::write(copies.join(name), there.replace("/usr/bin/writ", &format!("{programs}/writ")))
            .expect("our own folder");
    }
    let paths = UNITS.map(|name| copies.join(name).to_string_lossy().into_owned());
    let output = run("systemd-analyze", &["verify", &paths[0], &paths[1], &paths[2]]);
    assert!(output.status.success() && said(&output).is_empty(), "{}", said(&output));
}
