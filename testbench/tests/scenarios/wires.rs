//! The simulated wires on their own: nothing armed, every frame leaves as it came.

use bare_card::start;
use writ_sim::wire::Client;
use writ_testbench::play::Plan;
use writ_testbench::run::play;
use writ_testbench::traffic;

use crate::Folder;

/// Starts the golden model without any host.
mod bare_card {
    use std::path::Path;

    use writ_sim::service::{Backend, Options, Service};

    pub(super) fn start(socket: &Path) -> Service {
        let options = Options { wire_socket: Some(socket.to_path_buf()), ..Options::default() };
        Service::start(Backend::Model, &options).expect("a free socket")
    }
}

#[test]
fn a_card_without_a_host_passes_everything_on() {
    let folder = Folder::new("wires");
    let socket = std::env::temp_dir().join(format!("writ-wires-{}.sock", std::process::id()));
    let service = start(&socket);
    let mut wire = Client::connect(&socket).expect("it listens");
    let plan = Plan::new(&traffic::generate(traffic::DEFAULT_SEED), 500);
    let first_ns = wire.card_time_ns().expect("it answers") + 10_000;
    let mut last = 0;
    let played = play(&mut wire, &plan, first_ns, &mut |frames, _| last = frames).expect("it answers");
    assert_eq!(played.report.problems, [""; 0]);
    assert_eq!((played.report.frames_in, last), (plan.frames.len() as u64, plan.frames.len() as u64));
    assert!(played.stamps.iter().all(|stamp_ns| *stamp_ns >= first_ns));
    drop(wire);
    drop(service);
    drop(folder);
}
