//! A block as Yosys mapped it.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::cells::{self, Kind};

/// A signal inside a block.
pub(super) type Net = u32;

/// A block, mapped.
pub(super) struct Netlist {
    pub(super) name: String,
    /// How many signals it has: `0..nets`.
    pub(super) nets: u32,
    /// Bits of each port, `None` where the block drives a constant.
    pub(super) ports: BTreeMap<String, Vec<Option<Net>>>,
    pub(super) outputs: Vec<String>,
    pub(super) cells: Vec<Cell>,
    pub(super) children: Vec<Child>,
    names: BTreeMap<Net, String>,
}

/// A cell of the target.
pub(super) struct Cell {
    pub(super) kind: Kind,
    pub(super) inputs: Vec<Pin>,
    pub(super) outputs: Vec<Pin>,
}

/// A port of a cell, with the signal at each of its bits; constants left out.
pub(super) struct Pin {
    pub(super) name: String,
    pub(super) bits: Vec<Option<Net>>,
}

/// An instance of another block.
pub(super) struct Child {
    pub(super) instance: String,
    pub(super) block: String,
    pub(super) ports: BTreeMap<String, Vec<Option<Net>>>,
}

/// What cells cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cost {
    pub(super) luts: u64,
    pub(super) flip_flops: u64,
    pub(super) block_ram_halves: u64,
    pub(super) ultra_rams: u64,
}

impl Cost {
    pub(super) fn add(&mut self, other: Self, times: u64) {
        self.luts += other.luts * times;
        self.flip_flops += other.flip_flops * times;
        self.block_ram_halves += other.block_ram_halves * times;
        self.ultra_rams += other.ultra_rams * times;
    }
}

#[derive(Deserialize)]
struct Written {
    modules: BTreeMap<String, WrittenModule>,
}

#[derive(Deserialize)]
struct WrittenModule {
    ports: BTreeMap<String, WrittenPort>,
    cells: BTreeMap<String, WrittenCell>,
    netnames: BTreeMap<String, WrittenName>,
}

#[derive(Deserialize)]
struct WrittenPort {
    direction: String,
    bits: Vec<Bit>,
}

#[derive(Deserialize)]
struct WrittenCell {
    #[serde(rename = "type")]
    kind: String,
    port_directions: BTreeMap<String, String>,
    connections: BTreeMap<String, Vec<Bit>>,
}

#[derive(Deserialize)]
struct WrittenName {
    hide_name: u8,
    bits: Vec<Bit>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Bit {
    Net(Net),
    Constant(serde::de::IgnoredAny),
}

impl Netlist {
    /// Reads what `write_json` wrote for the block `name`. `is_block`: which other modules are blocks.
    pub(super) fn parse(text: &[u8], name: &str, is_block: &dyn Fn(&str) -> bool) -> Result<Self, String> {
        let mut written: Written = serde_json::from_slice(text).map_err(|error| error.to_string())?;
        let module = written.modules.remove(name).ok_or_else(|| format!("no module {name}"))?;
        let mut netlist = Self {
            name: name.to_owned(),
            nets: 0,
            ports: BTreeMap::new(),
            outputs: Vec::new(),
            cells: Vec::new(),
            children: Vec::new(),
            names: BTreeMap::new(),
        };
        for (port, written) in &module.ports {
            let bits = netlist.bits(&written.bits);
            netlist.ports.insert(port.clone(), bits);
            if written.direction == "output" {
                netlist.outputs.push(port.clone());
            }
        }
        for (instance, cell) in module.cells {
            if is_block(&cell.kind) {
                let ports = cell.connections.iter().map(|(port, bits)| (port.clone(), netlist.bits(bits))).collect();
                netlist.children.push(Child { instance, block: cell.kind, ports });
            } else if cell.kind != "$scopeinfo" {
                // That one only remembers what `flatten` dissolved.
                netlist.add_cell(&instance, &cell)?;
            }
        }
        for (name, written) in module.netnames {
            if written.hide_name == 0 {
                netlist.add_names(&name, &written.bits);
            }
        }
        Ok(netlist)
    }

    fn bits(&mut self, bits: &[Bit]) -> Vec<Option<Net>> {
        let bits: Vec<Option<Net>> = bits
            .iter()
            .map(|bit| match bit {
                Bit::Net(net) => Some(*net),
                Bit::Constant(_) => None,
            })
            .collect();
        self.nets = bits.iter().flatten().fold(self.nets, |nets, net| nets.max(net + 1));
        bits
    }

    fn add_cell(&mut self, instance: &str, cell: &WrittenCell) -> Result<(), String> {
        let kind =
            cells::kind(&cell.kind).ok_or_else(|| format!("{instance} is a {}, which has no price", cell.kind))?;
        let (mut inputs, mut outputs) = (Vec::new(), Vec::new());
        for (name, bits) in &cell.connections {
            let pin = Pin { name: name.clone(), bits: self.bits(bits) };
            match cell.port_directions.get(name).map(String::as_str) {
                Some("input") => inputs.push(pin),
                Some("output") => outputs.push(pin),
                other => return Err(format!("{instance}: port {name} has the direction {other:?}")),
            }
        }
        self.cells.push(Cell { kind, inputs, outputs });
        Ok(())
    }

    fn add_names(&mut self, name: &str, bits: &[Bit]) {
        for (index, bit) in bits.iter().enumerate() {
            let Bit::Net(net) = bit else { continue };
            let full = if bits.len() == 1 { name.to_owned() } else { format!("{name}[{index}]") };
            let known = self.names.entry(*net).or_insert_with(|| full.clone());
            if full.len() < known.len() {
                *known = full;
            }
        }
    }

    /// What a person may call a signal.
    pub(super) fn name_of(&self, net: Net) -> Option<&str> {
        self.names.get(&net).map(String::as_str)
    }

    /// The block's own cells, without the blocks in it.
    pub(super) fn cost(&self) -> Cost {
        let mut cost = Cost::default();
        for cell in &self.cells {
            match cell.kind {
                Kind::Logic { luts, .. } | Kind::LutRam { luts } => cost.luts += u64::from(luts),
                Kind::Carry => {}
                Kind::State { luts, flip_flops, block_ram_halves, ultra_rams } => {
                    cost.luts += u64::from(luts);
                    cost.flip_flops += u64::from(flip_flops);
                    cost.block_ram_halves += u64::from(block_ram_halves);
                    cost.ultra_rams += u64::from(ultra_rams);
                }
            }
        }
        cost
    }
}
