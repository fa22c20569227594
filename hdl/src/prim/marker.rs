//! What a primitive tells the Verilog back end about itself.

use rust_hdl::core::prelude::*;

/// First line of a marker. No Verilog tool reads it, so that RustHDL's own emitter cannot be used by mistake.
const HEADER: &str = "writ-primitive 1";

/// Which kind of memory the synthesis tool shall take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RamStyle {
    /// Block RAM.
    #[default]
    Block,
    /// LUT RAM.
    Distributed,
    /// UltraRAM. It holds no initial contents.
    Ultra,
}

impl RamStyle {
    /// Value of the Verilog attribute `ram_style`.
    pub fn attribute(self) -> &'static str {
        match self {
            RamStyle::Block => "block",
            RamStyle::Distributed => "distributed",
            RamStyle::Ultra => "ultra",
        }
    }

    fn from_attribute(text: &str) -> Option<Self> {
        [RamStyle::Block, RamStyle::Distributed, RamStyle::Ultra].into_iter().find(|style| style.attribute() == text)
    }
}

/// What a primitive is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Marker {
    /// `q` takes `d` at every clock. Powers up as `initial` (hexadecimal digits).
    Register {
        /// Power-up value, hexadecimal.
        initial: String,
    },
    /// As `Register`; while `reset` is high `q` takes `initial` instead.
    RegisterWithReset {
        /// Value after power-up and after reset, hexadecimal.
        initial: String,
    },
    /// One write port; `read_ports` read ports with one clock of latency that return the contents before the clock's write.
    Memory {
        /// Wanted kind of memory.
        style: RamStyle,
        /// 1 or 2.
        read_ports: usize,
    },
    /// One port that reads or writes, one port that reads, each with one clock of latency.
    SharedMemory {
        /// Wanted kind of memory.
        style: RamStyle,
    },
    /// One write port; one read port without latency.
    LutRam,
    /// One write port on one clock, one read port with one clock of latency on another.
    DualClockMemory {
        /// Wanted kind of memory.
        style: RamStyle,
    },
    /// `count` goes up by one at each clock with `step`; `gray` is the same number in Gray code, from registers of its own.
    GrayCounter,
    /// Two registers in a row; the first may be driven from another clock. Powers up as `initial` (hexadecimal).
    Synchronizer {
        /// Power-up value, hexadecimal.
        initial: String,
    },
}

impl Marker {
    /// The marker as the text that a block's `hdl()` returns.
    pub fn verilog(&self) -> Verilog {
        let body = match self {
            Marker::Register { initial } => format!("register {initial}"),
            Marker::RegisterWithReset { initial } => format!("register_with_reset {initial}"),
            Marker::Memory { style, read_ports } => format!("memory {} {read_ports}", style.attribute()),
            Marker::SharedMemory { style } => format!("shared_memory {}", style.attribute()),
            Marker::LutRam => "lut_ram".to_owned(),
            Marker::DualClockMemory { style } => format!("dual_clock_memory {}", style.attribute()),
            Marker::GrayCounter => "gray_counter".to_owned(),
            Marker::Synchronizer { initial } => format!("synchronizer {initial}"),
        };
        Verilog::Custom(format!("{HEADER}\n{body}"))
    }

    /// Reads a marker back. `None`: the text is none.
    pub fn parse(text: &str) -> Option<Marker> {
        let body = text.strip_prefix(HEADER)?.strip_prefix('\n')?;
        let words: Vec<&str> = body.split(' ').collect();
        match words[..] {
            ["register", initial] => Some(Marker::Register { initial: hexadecimal(initial)? }),
            ["register_with_reset", initial] => Some(Marker::RegisterWithReset { initial: hexadecimal(initial)? }),
            ["memory", style, read_ports @ ("1" | "2")] => Some(Marker::Memory {
                style: RamStyle::from_attribute(style)?,
                read_ports: if read_ports == "1" { 1 } else { 2 },
            }),
            ["shared_memory", style] => Some(Marker::SharedMemory { style: RamStyle::from_attribute(style)? }),
            ["lut_ram"] => Some(Marker::LutRam),
            ["dual_clock_memory", style] => Some(Marker::DualClockMemory { style: RamStyle::from_attribute(style)? }),
            ["gray_counter"] => Some(Marker::GrayCounter),
            ["synchronizer", initial] => Some(Marker::Synchronizer { initial: hexadecimal(initial)? }),
            _ => None,
        }
    }

    /// Hexadecimal digits of a value of a RustHDL type.
    pub(crate) fn digits<T: Synth>(value: T) -> String {
        let literal = format!("{:x}", value.verilog());
        match literal.split_once("'h") {
            Some((_, digits)) => digits.to_owned(),
            None => literal,
        }
    }
}

fn hexadecimal(text: &str) -> Option<String> {
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_marker_reads_back() {
        for marker in [
            Marker::Register { initial: "0".to_owned() },
            Marker::RegisterWithReset { initial: Marker::digits(bits::<40>(0xab_cdef_0123)) },
            Marker::Memory { style: RamStyle::Block, read_ports: 1 },
            Marker::Memory { style: RamStyle::Ultra, read_ports: 2 },
            Marker::Memory { style: RamStyle::Distributed, read_ports: 1 },
            Marker::SharedMemory { style: RamStyle::Ultra },
            Marker::LutRam,
            Marker::DualClockMemory { style: RamStyle::Distributed },
            Marker::GrayCounter,
            Marker::Synchronizer { initial: "3".to_owned() },
        ] {
            let Verilog::Custom(text) = marker.verilog() else { panic!("a marker is custom text") };
            assert_eq!(Marker::parse(&text), Some(marker));
        }
    }

    #[test]
    fn other_text_is_no_marker() {
        for text in [
            "",
            "always @(posedge clock) q <= d;",
            "writ-primitive 1\nregister xyz",
            "writ-primitive 1\nmemory block 3",
        ] {
            assert_eq!(Marker::parse(text), None, "{text:?}");
        }
    }
}
