//! `writ-sim serve`.

use super::args::Serve;
use super::capture;
use super::traffic::Play;
use std::error::Error;
use std::io::Write;
use std::path::{Path, PathBuf};
use writ_sim::service::{Options, Slot};
use writ_sim::vfio_user::Socket;

/// Serves a card until the process is killed. Everything that is asked for is checked before the first socket is made.
pub(crate) fn run(serve: &Serve) -> Result<(), Box<dyn Error>> {
    let play = play(serve)?;
    let wire = match &play {
        Some(_) => Some(beside(&serve.socket)),
        None => serve.wire.clone(),
    };
    let socket = Socket::open(&serve.socket)?;
    let options = Options { wire_socket: wire.clone(), pace: serve.pace(), ..Options::default() };
    let slot = Slot::start(serve.backend(), &options)?;
    if let (Some(play), Some(wire)) = (play, wire) {
        std::thread::Builder::new().name("traffic".into()).spawn(move || traffic(&play, &wire))?;
    }
    say_ready();
    match socket.serve(slot, |occasion| eprintln!("writ-sim: {occasion}"))? {}
}

/// Reads what is to be played.
fn play(serve: &Serve) -> Result<Option<Play>, Box<dyn Error>> {
    if serve.capture.is_none() && serve.capture_b.is_none() {
        return Ok(None);
    }
    let frames = |path: &Option<PathBuf>| path.as_deref().map(capture::read).transpose().map(Option::unwrap_or_default);
    Ok(Some(Play {
        frames: [frames(&serve.capture)?, frames(&serve.capture_b)?],
        frames_per_s: serve.frames_per_s,
        rounds: serve.rounds,
    }))
}

/// The wire socket of a card that plays a capture.
fn beside(socket: &Path) -> PathBuf {
    let mut name = socket.as_os_str().to_owned();
    name.push(".wire");
    name.into()
}

fn traffic(play: &Play, wire: &Path) {
    match play.run(wire) {
        Ok(sums) => eprintln!("writ-sim: played {} frames, {} late, {} lost", sums.frames, sums.late, sums.lost),
        Err(error) => eprintln!("writ-sim: no more traffic: {error}"),
    }
}

/// For whoever started us: the card takes clients from now on.
fn say_ready() {
    let mut out = std::io::stdout();
    // Nobody has to listen.
    let _ = writeln!(out, "writ-sim: ready").and_then(|()| out.flush());
}
