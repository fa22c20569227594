//! What the emitted text looks like, and that it is the same every time.

use rust_hdl::core::prelude::*;
use writ_hdl::emit::{Direction, emit};
use writ_hdl::prelude::*;

/// A counter that loads, with a memory behind it.
#[derive(LogicBlock)]
struct Small {
    pub clock: Signal<In, Clock>,
    pub reset: Signal<In, Bit>,
    pub load: Signal<In, Bit>,
    pub value: Signal<In, Bits<8>>,
    pub word: Signal<Out, Bits<4>>,
    count: RegR<Bits<8>>,
    table: Ram1r1w<Bits<4>, 8>,
}

impl Default for Small {
    fn default() -> Self {
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            load: Signal::default(),
            value: Signal::default(),
            word: Signal::default(),
            count: RegR::new(bits(3)),
            table: Ram1r1w::new(RamStyle::Ultra),
        }
    }
}

impl Logic for Small {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, count);
        clock!(self, clock, table);
        self.count.reset.next = self.reset.val();
        if self.load.val() {
            self.count.d.next = self.value.val();
        } else if self.count.q.val().get_bit(7) {
            self.count.d.next = self.count.q.val() + 1;
        }
        self.table.write_enable.next = self.load.val();
        self.table.write_address.next = self.value.val();
        self.table.write_data.next = self.count.q.val().get_bits::<4>(2);
        self.table.read_enable.next = true;
        self.table.read_address.next = self.count.q.val();
        self.word.next = self.table.read_data.val();
    }
}

const SMALL: &str = r#"// Emitted from RustHDL by writ-hdl. Do not edit.
// One file holds all modules, so that one hash covers the design: file and module names differ.
/* verilator lint_off DECLFILENAME */

module counter (
    input logic clock,
    input logic reset,
    input logic load,
    input logic [7:0] value,
    output logic [3:0] word
);
    logic [7:0] count_q;
    logic [3:0] table_read_data;
    initial count_q = 8'h3;
    always_ff @(posedge clock) begin
        if (reset) begin
            count_q <= 8'h3;
        end else begin
            if (load) begin
                count_q <= value;
            end else if (count_q[7]) begin
                count_q <= {count_q + 8'h1};
            end
        end
    end
    (* ram_style = "ultra" *)
    logic [3:0] table_words [0:255];
`ifndef SYNTHESIS
    initial for (int word_index = 0; word_index < 256; word_index++) table_words[word_index] = 4'h0;
`endif
    always_ff @(posedge clock) if (load) table_words[value] <= count_q[5:2];
    initial table_read_data = 4'h0;
    always_ff @(posedge clock) table_read_data <= table_words[count_q];
    assign word = table_read_data;
endmodule
"#;

#[test]
fn a_small_block_reads_like_written_by_hand() {
    let mut block = Small::default();
    block.connect_all();
    let emitted = emit(&block, "counter").expect("accepted");
    assert_eq!(emitted.verilog, SMALL);
    assert_eq!(emitted.top, "counter");
    assert_eq!(emitted.blake3, blake3::hash(SMALL.as_bytes()).to_hex().to_string());
    let ports: Vec<_> = emitted.ports.iter().map(|p| (p.name.as_str(), p.direction, p.width, p.is_clock)).collect();
    assert_eq!(
        ports,
        [
            ("clock", Direction::Input, 1, true),
            ("reset", Direction::Input, 1, false),
            ("load", Direction::Input, 1, false),
            ("value", Direction::Input, 8, false),
            ("word", Direction::Output, 4, false),
        ]
    );
    assert_eq!((emitted.modules[0].register_bits, emitted.modules[0].memory_bits), (8, 1024));
}

/// Instances that are equal, and one that differs in a constant only.
#[derive(LogicBlock)]
struct Lane {
    pub a: Signal<In, Bits<8>>,
    pub x: Signal<Out, Bits<8>>,
    base: Constant<Bits<8>>,
}

impl Lane {
    fn new(base: u64) -> Self {
        Self { a: Signal::default(), x: Signal::default(), base: Constant::new(bits(base)) }
    }
}

impl Logic for Lane {
    #[hdl_gen]
    fn update(&mut self) {
        self.x.next = self.a.val() + self.base.val();
    }
}

#[derive(LogicBlock)]
struct Lanes {
    pub a: Signal<In, Bits<8>>,
    pub x: Signal<Out, Bits<8>>,
    lanes: [Lane; 3],
    last: Lane,
}

impl Default for Lanes {
    fn default() -> Self {
        Self { a: Signal::default(), x: Signal::default(), lanes: [1, 1, 1].map(Lane::new), last: Lane::new(2) }
    }
}

impl Logic for Lanes {
    #[hdl_gen]
    fn update(&mut self) {
        self.lanes[0].a.next = self.a.val();
        for i in 0..2 {
            self.lanes[i + 1].a.next = self.lanes[i].x.val();
        }
        self.last.a.next = self.lanes[2].x.val();
        self.x.next = self.last.x.val();
    }
}

#[test]
fn equal_instances_share_a_module() {
    let mut block = Lanes::default();
    block.connect_all();
    let emitted = emit(&block, "card").expect("accepted");
    let modules: Vec<_> = emitted.modules.iter().map(|module| (module.name.as_str(), module.instances)).collect();
    assert_eq!(modules, [("card_lanes", 3), ("card_last", 1), ("card", 1)]);
    assert!(
        emitted.verilog.contains("    card_lanes lanes_2 (\n        .a(lanes_1_x),\n        .x(lanes_2_x)\n    );")
    );
}

#[test]
fn the_text_is_the_same_every_time() {
    let emitted = [(); 2].map(|()| {
        let mut block = Small::default();
        block.connect_all();
        emit(&block, "counter").expect("accepted")
    });
    assert_eq!(emitted[0], emitted[1]);
    let text = &emitted[0].verilog;
    assert!(!text.contains('$') && text.is_ascii());
}

/// In kernels `.index()` leaves no trace in RustHDL's tree, so that arithmetic after it would be taken for arithmetic on bits.
#[test]
fn no_kernel_computes_with_an_index() {
    fn check(folder: &std::path::Path) -> usize {
        let mut kernels = 0;
        for entry in std::fs::read_dir(folder).expect("folder") {
            let path = entry.expect("entry").path();
            if path.is_dir() {
                kernels += check(&path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).expect("source");
                kernels += text.matches("#[hdl_gen]").count();
                for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().starts_with("//")) {
                    for (at, _) in line.match_indices(".index()") {
                        let after = line[at + ".index()".len()..].trim_start();
                        let ends = [")", "{", ",", ";", ".to_bits"].iter().any(|end| after.starts_with(end));
                        let in_offset = line[..at].contains("get_bit") || line[..at].contains("replace_bit");
                        assert!(ends || in_offset, "{}:{}: arithmetic on an index", path.display(), number + 1);
                    }
                }
            }
        }
        kernels
    }
    let kernels = check(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    assert!(kernels > 0, "no kernels found: has the source moved?");
}
