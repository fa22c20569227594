//! The parser against a reading of [`writ_abi::parse`] that takes one header after the other: in RustHDL's simulator with few frames, and
//! translated by Verilator with many.

mod frames;
mod known;
mod reference;
mod tunnels;
mod verilated;

use crate::bench::{Bench, Random, number, to_bits};
use num_bigint::BigUint;
use reference::{Layer, Parse};
use rust_hdl::core::prelude::Synth;
use std::collections::VecDeque;
use std::sync::mpsc;
use writ_abi::parse::TunnelKind;
use writ_hdl::parse::types::{Parsed, Window};
use writ_hdl::parse::{PARSER_CLOCKS, Parser};

/// One clock's inputs.
#[derive(Clone)]
struct Input {
    reset: bool,
    valid: bool,
    /// Stands in the ticket.
    mark: u64,
    window: Vec<u8>,
    /// 192 bytes: what lies behind `W` is whatever the frame before left.
    padded: Vec<u8>,
}

impl Input {
    fn new(random: &mut Random, mark: u64, window: Vec<u8>) -> Self {
        let mut padded = window.clone();
        padded.extend(random.bytes(192 - window.len()));
        Self { reset: false, valid: true, mark, window, padded }
    }
}

/// What comes out.
#[derive(Debug, PartialEq, Eq)]
struct Answer {
    port: bool,
    mark: u64,
    parse: Parse,
}

/// Takes fields off a value, lowest bits first.
struct Fields<'a>(&'a [u8], usize);

impl Fields<'_> {
    fn number(&mut self, bits: usize) -> u64 {
        let bit = |i: usize| u64::from(self.0[i / 8] >> (i % 8) & 1);
        let number = (0..bits).fold(0, |number, i| number | bit(self.1 + i) << i);
        self.1 += bits;
        number
    }

    fn flag(&mut self) -> bool {
        self.number(1) == 1
    }

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.number(8) as u8).collect()
    }

    fn optional<T>(&mut self, read: impl FnOnce(&mut Self) -> T) -> Option<T> {
        let there = self.flag();
        let value = read(self);
        there.then_some(value)
    }

    /// An IP header, all but its addresses and ports, and whether it has ports.
    fn layer(&mut self) -> (Layer, bool) {
        let [l3_offset, l3_end, l4_end] = core::array::from_fn(|_| self.number(8) as usize);
        let protocol = self.number(8) as u8;
        let has_ports = self.flag();
        let fragment = self.flag();
        (Layer { l3_offset, l3_end, l4_end, protocol, fragment, addresses: [vec![], vec![]], ports: None }, has_ports)
    }
}

impl Answer {
    /// From the bits of a [`Parsed`], in the order of its fields.
    fn from_bytes(bytes: &[u8]) -> Self {
        let mut fields = Fields(bytes, 0);
        let port = fields.flag();
        assert_eq!(fields.number(2), 1, "quality");
        let mark = fields.number(64);
        assert_eq!(fields.number(12), mark % 4096, "start");
        let class = fields.number(4) as u8;
        let vlan_tags = fields.number(2) as usize;
        let mpls_labels = fields.number(3) as usize;
        let pppoe = fields.flag();
        let pseudowire = fields.flag();
        let tunnel = fields.number(4) as u8;
        let inner_ethernet = fields.flag();
        let layers = [fields.layer(), fields.layer()];
        let mac = fields.optional(|fields| [fields.bytes(6), fields.bytes(6)]);
        let vlan = fields.optional(|fields| fields.bytes(4));
        let link_tunnel = fields.optional(|fields| fields.bytes(22));
        let ip_tunnel = fields.optional(|fields| fields.bytes(22));
        let addresses = [(); 2].map(|()| fields.optional(|fields| [fields.bytes(17), fields.bytes(17)]));
        let has_ports = fields.flag();
        let ports: [u8; 4] = fields.bytes(4).try_into().expect("four");
        assert!(has_ports || ports == [0; 4], "no ports are zeros");
        let innermost = usize::from(addresses[1].is_some());
        assert_eq!(layers[innermost].1, has_ports, "of the innermost layer");
        let mut found =
            layers.into_iter().zip(addresses).enumerate().map(|(i, ((layer, layer_has_ports), addresses))| {
                let Some(addresses) = addresses else {
                    let nothing = layer.l3_offset + layer.l3_end + layer.l4_end + usize::from(layer.protocol) == 0;
                    assert!(nothing && !layer.fragment && !layer_has_ports, "a layer that is not there: {layer:?}");
                    return None;
                };
                // The outer layer's ports do not leave the parser if there is an inner one.
                let ports = layer_has_ports.then_some(if i == innermost { ports } else { [0; 4] });
                Some(Layer { addresses, ports, ..layer })
            });
        let [outer, inner] = core::array::from_fn(|_| found.next().expect("two layers"));
        let parse = Parse {
            class,
            vlan_tags,
            mpls_labels,
            pppoe,
            pseudowire,
            tunnel,
            inner_ethernet,
            mac,
            vlan,
            link_tunnel,
            ip_tunnel,
            outer,
            inner,
        };
        Self { port, mark, parse }
    }
}

/// What should come out.
fn expected(input: &Input) -> Answer {
    let mut parse = reference::parse(&input.window);
    if let (Some(outer), Some(_)) = (&mut parse.outer, &parse.inner) {
        outer.ports = outer.ports.map(|_| [0; 4]);
    }
    Answer { port: input.mark % 2 == 1, mark: input.mark, parse }
}

/// Follows frames through the pipeline.
#[derive(Default)]
struct Check {
    inside: VecDeque<Option<Answer>>,
    windows: VecDeque<Vec<u8>>,
    frames: usize,
    classes: [usize; 16],
    tunnels: [usize; 10],
}

impl Check {
    /// One clock: what went in, and what came out behind the edge.
    fn clock(&mut self, input: &Input, answer: Option<Answer>) {
        if input.reset {
            self.inside.iter_mut().for_each(|frame| *frame = None);
        }
        self.inside.push_back((input.valid && !input.reset).then(|| expected(input)));
        self.windows.push_back(input.window.clone());
        if self.inside.len() < PARSER_CLOCKS {
            assert_eq!(answer, None, "before anything can come out");
            return;
        }
        let expected = self.inside.pop_front().flatten();
        let window = self.windows.pop_front();
        assert_eq!(answer, expected, "answer, expected; window {window:02x?}");
        if let Some(answer) = answer {
            self.frames += 1;
            self.classes[usize::from(answer.parse.class)] += 1;
            self.tunnels[usize::from(answer.parse.tunnel)] += 1;
        }
    }

    /// Nothing may be tried too rarely.
    fn covers(&self, at_least: usize) {
        println!("{} frames, classes {:?}, tunnels {:?}", self.frames, self.classes, self.tunnels);
        assert!(self.classes.iter().all(|&count| count >= at_least), "classes {:?}", self.classes);
        let ip_tunnels = &self.tunnels[..=TunnelKind::IpInIp as usize];
        assert!(ip_tunnels.iter().all(|&count| count >= at_least), "tunnels {:?}", self.tunnels);
    }
}

/// Clocks with and without frames, and now and then a reset.
fn random_inputs(seed: u64, clocks: u64) -> impl Iterator<Item = Input> + Send {
    let mut random = Random(seed);
    (0..clocks).map(move |mark| {
        let window = frames::window(&mut random);
        let mut input = Input::new(&mut random, mark, window);
        // Idle and busy for some time each.
        input.valid = if mark / 200 % 3 == 0 { random.one_in(8) } else { !random.one_in(16) };
        input.reset = random.one_in(3_000);
        input
    })
}

fn verilated(inputs: impl Iterator<Item = Input> + Send) -> Option<Check> {
    let (to_check, sent) = mpsc::channel();
    let idle = Input { reset: false, valid: false, mark: 0, window: vec![], padded: vec![0; 192] };
    let inputs = inputs.chain(std::iter::repeat_n(idle, PARSER_CLOCKS)).inspect(move |input| {
        to_check.send(input.clone()).expect("the check goes on");
    });
    let mut check = Check::default();
    verilated::answers(inputs, |answer| check.clock(&sent.recv().expect("as many clocks"), answer)).then_some(check)
}

#[test]
fn verilated_parser_follows_the_text() {
    let setting = |name, default| std::env::var(name).map_or(default, |value| value.parse().expect("a number"));
    let (seed, clocks) = (setting("WRIT_PARSER_SEED", 4), setting("WRIT_PARSER_CLOCKS", 600_000));
    let Some(check) = verilated(random_inputs(seed, clocks)) else { return };
    assert!(check.frames as u64 > clocks / 2);
    check.covers(clocks as usize / 2_000);
}

#[test]
fn known_frames_cut_anywhere_parse_as_the_text_says() {
    let mut random = Random(5);
    let mut inputs = Vec::new();
    for known in known::frames() {
        known.holds_for(&reference::parse(known.window()));
        for length in 0..=known.window().len() {
            let mark = inputs.len() as u64;
            inputs.push(Input::new(&mut random, mark, known.window()[..length].to_vec()));
        }
    }
    let frames = inputs.len();
    let Some(check) = verilated(inputs.into_iter()) else { return };
    assert_eq!(check.frames, frames);
}

/// The bits of a value of RustHDL's, as they lie in Verilog.
fn packed(parsed: Parsed) -> Vec<u8> {
    let literal = format!("{:x}", parsed.verilog());
    let (_, digits) = literal.split_once("'h").expect("a sized literal");
    let mut bytes = BigUint::parse_bytes(digits.as_bytes(), 16).expect("digits").to_bytes_le();
    bytes.resize(Parsed::BITS.div_ceil(8), 0);
    bytes
}

#[test]
fn simulated_parser_follows_the_text() {
    let work = || {
        let mut bench = Bench::new(Parser::default(), |block| &mut block.clock);
        let mut check = Check::default();
        for input in random_inputs(6, 600) {
            let block = &mut bench.block;
            block.reset.next = input.reset;
            block.valid.next = input.valid;
            block.port.next = input.mark % 2 == 1;
            block.window.next = Window {
                bytes: to_bits(&input.padded),
                length: number(input.window.len() as u64),
                quality: number(1),
                stamp: number(input.mark),
                start: number(input.mark % 4096),
            };
            bench.tick();
            let block = &bench.block;
            let parsed = || Answer::from_bytes(&packed(block.parsed.val()));
            check.clock(&input, block.out_valid.val().then(parsed));
        }
        assert!(check.frames > 200);
    };
    // A parser as a value is large.
    std::thread::Builder::new().stack_size(256 << 20).spawn(work).expect("thread").join().expect("as the text says");
}
