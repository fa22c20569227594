//! `writd` and `writ` as processes, on the model card, against receivers over mutual TLS.

mod cardd;
mod delivery;
mod frames;
mod kinds;
mod lab;
mod loss;
mod orders;
mod peer;
#[path = "../../../../sim/tests/common/program.rs"]
mod program;
mod restart;
mod settings;
mod site;
