//! The whole lookup path, emitted and run by Verilator, against a reference that is a few lists.
//!
//! A test writes a script of frames and commands; the model answers with what it decided and completed. Whatever the traffic, the counts in a completion
//! say between which frames the command took effect, so the reference is played in that order and everything has to be equal.

mod card;
mod directed;
mod frames;
mod random;
mod reference;
mod upsets;
