//! `writ-sim serve`.

use super::args::Serve;
use super::tap::Cables;
use super::traffic::Play;
use super::{capture, generate};
use std::error::Error;
use std::io::Write;
use std::path::{Path, PathBuf};
use writ_sim::service::{Options, Slot};
use writ_sim::vfio_user::Socket;

/// Serves a card until the process is killed. Everything that is asked for is checked before the first socket is made.
pub(crate) fn run(serve: &Serve) -> Result<(), Box<dyn Error>> {
    let cables = cables(serve)?;
    let wire = match &cables {
        Some(_) => Some(beside(&serve.socket)),
        None => serve.wire.clone(),
    };
    let socket = Socket::open(&serve.socket)?;
    let options = Options { wire_socket: wire.clone(), pace: serve.pace(), ..Options::default() };
    let slot = Slot::start(serve.backend(), &options)?;
    if let (Some(cables), Some(wire)) = (cables, wire) {
        std::thread::Builder::new().name("traffic".into()).spawn(move || traffic(cables, &wire))?;
    }
    say_ready();
    match socket.serve(slot, |occasion| eprintln!("writ-sim: {occasion}"))? {}
}

/// What this process plugs into the card.
enum Plugged {
    Play(Play),
    Taps(Cables),
}

/// Reads what is to be played, or opens what is to be plugged in.
fn cables(serve: &Serve) -> Result<Option<Plugged>, Box<dyn Error>> {
    if let Some([a, b]) = serve.tap.as_deref() {
        return Ok(Some(Plugged::Taps(Cables::open([a, b])?)));
    }
    let read = |path: &Option<PathBuf>| path.as_deref().map(capture::read).transpose().map(Option::unwrap_or_default);
    let frames = match serve.generate {
        Some(flows) => generate::frames(flows, &serve.frame_bytes),
        None if serve.capture.is_none() && serve.capture_b.is_none() => return Ok(None),
        None => [read(&serve.capture)?, read(&serve.capture_b)?],
    };
    Ok(Some(Plugged::Play(Play { frames, frames_per_s: serve.frames_per_s, rounds: serve.rounds })))
}

/// The wire socket of a card whose cables are in use.
fn beside(socket: &Path) -> PathBuf {
    let mut name = socket.as_os_str().to_owned();
    name.push(".wire");
    name.into()
}

fn traffic(cables: Plugged, wire: &Path) {
    let ended: Box<dyn Error> = match cables {
        Plugged::Taps(taps) => taps.run(wire).into(),
        Plugged::Play(play) => match play.run(wire) {
            Ok(sums) => {
                eprintln!("writ-sim: played {} frames, {} late, {} lost", sums.frames, sums.late, sums.lost);
                return;
            }
            Err(error) => error.into(),
        },
    };
    eprintln!("writ-sim: no more traffic: {ended}");
}

/// For whoever started us: the card takes clients from now on.
fn say_ready() {
    let mut out = std::io::stdout();
    // Nobody has to listen.
    let _ = writeln!(out, "writ-sim: ready").and_then(|()| out.flush());
}
