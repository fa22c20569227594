//! The report: sizes of all blocks, and how they compare with those that are committed.

use serde::{Deserialize, Serialize};
use writ_abi::limits;

/// Growth that nobody needs to look at, in percent.
const GROWTH_PERCENT_MAX: f64 = 5.0;

/// What the whole card may take, whatever the last report says. LUTs: a little above what was measured once 66,560 rows and 512 rules were in.
const BUDGET: [(&str, f64); 4] = [("lut", 165_000.0), ("ramb36", 300.0), ("uram", 360.0), ("lut_levels", 5.0)];

/// What a report is worth.
const NOTE: &str = "mapped by Yosys; no UltraScale+ place and route was run";

/// Sizes, for one instance or for the card.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Size {
    pub(super) lut: u64,
    pub(super) ff: u64,
    /// A RAMB18 is half of one.
    pub(super) ramb36: f64,
    pub(super) uram: u64,
    pub(super) lut_levels: u32,
}

impl Size {
    fn figures(&self) -> [(&'static str, f64); 5] {
        [
            ("lut", self.lut as f64),
            ("ff", self.ff as f64),
            ("ramb36", self.ramb36),
            ("uram", self.uram as f64),
            ("lut_levels", f64::from(self.lut_levels)),
        ]
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct BlockSize {
    pub(super) name: String,
    pub(super) instances: u64,
    #[serde(flatten)]
    pub(super) size: Size,
    /// BLAKE3 of the text that was measured.
    pub(super) blake3: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Report {
    pub(super) target: String,
    /// Who measured.
    pub(super) tool: String,
    pub(super) note: String,
    /// Rows of all tables.
    pub(super) exact_rows: u32,
    /// Rules of all banks.
    pub(super) rules: u32,
    pub(super) total: Size,
    pub(super) blocks: Vec<BlockSize>,
}

impl Report {
    /// The card's report.
    pub(super) fn new(target: &str, tool: String, total: Size, blocks: Vec<BlockSize>) -> Self {
        let rows_per_way = limits::ADDRESS_ROWS_PER_WAY
            + limits::PREFIX_ROWS_PER_WAY
            + limits::ENDPOINT_ROWS_PER_WAY
            + limits::FIVE_TUPLE_ROWS_PER_WAY
            + limits::TUNNEL_ROWS_PER_WAY
            + limits::MAC_ROWS_PER_WAY
            + limits::VLAN_ROWS_PER_WAY;
        Self {
            target: target.to_owned(),
            tool,
            note: NOTE.to_owned(),
            exact_rows: rows_per_way * limits::WAYS as u32,
            rules: limits::RULE_BANKS as u32 * limits::RULES_PER_BANK,
            total,
            blocks,
        }
    }

    /// What somebody has to look at, compared with the committed report.
    pub(super) fn findings(&self, committed: Option<&Self>) -> Vec<String> {
        let mut findings = Vec::new();
        let Some(committed) = committed else { return vec!["there is no committed report".to_owned()] };
        if committed.tool != self.tool {
            findings.push(format!("the committed report is by {}, this one by {}", committed.tool, self.tool));
        }
        grown("the card", &committed.total, &self.total, &mut findings);
        for block in &self.blocks {
            match committed.blocks.iter().find(|other| other.name == block.name) {
                Some(before) => {
                    grown(&block.name, &before.size, &block.size, &mut findings);
                    if block.instances > before.instances {
                        let (now, before) = (block.instances, before.instances);
                        findings.push(format!("{}: {before} instances were {now}", block.name));
                    }
                }
                None => findings.push(format!("{}: is not in the committed report", block.name)),
            }
        }
        findings
    }

    /// What is over the budget: how much it is, and whether the committed report admits as much.
    pub(super) fn over_budget(&self, committed: Option<&Self>) -> Vec<(String, bool)> {
        let value = |report: &Self, name: &str| {
            report.total.figures().into_iter().find(|(figure, _)| *figure == name).map_or(0.0, |(_, value)| value)
        };
        BUDGET
            .iter()
            .filter(|(name, most)| value(self, name) > *most)
            .map(|(name, most)| {
                let text = format!("{name}: {} where {most} are the budget", value(self, name));
                (text, committed.is_some_and(|committed| value(self, name) <= value(committed, name)))
            })
            .collect()
    }

    /// The page that is committed beside the report.
    pub(super) fn page(&self) -> String {
        let over = self.over_budget(None);
        let misses = if over.is_empty() {
            "The card is within its budget.\n".to_owned()
        } else {
            over.iter().map(|(text, _)| format!("- over budget: {text}\n")).collect()
        };
        let budget: Vec<String> = BUDGET.iter().map(|(name, most)| format!("{name} {most}")).collect();
        format!(
            "# Size and logic depth on {}\n\n\
             Written by `cargo xtask synth {} --update`; do not edit. Measured with `{}`, {} rows in the tables and {} rules.\n\n\
             **No UltraScale+ place and route was run.** These are counts and depths of mapped logic, not a clock that was met. Yosys packs \
             nothing and does not\noptimise across blocks.\n\n\
             Depth is counted from register to register through all blocks and belongs to the block in which the path ends: LUT 1, MUXF 0, each \
             started 8 bits of\na carry chain 1, reading a LUT memory 1.\n\n\
             Budget: {}.\n{misses}\n```text\n{}```\n",
            self.target,
            self.target,
            self.tool,
            self.exact_rows,
            self.rules,
            budget.join(", "),
            self.table()
        )
    }

    /// For people.
    pub(super) fn table(&self) -> String {
        let mut rows = vec![["block", "instances", "LUT", "FF", "RAMB36", "URAM288", "LUT levels"].map(str::to_owned)];
        let row = |name: &str, instances: String, size: &Size| {
            let mut row = vec![name.to_owned(), instances];
            row.extend(size.figures().map(|(_, value)| value.to_string()));
            <[String; 7]>::try_from(row).unwrap_or_default()
        };
        rows.extend(self.blocks.iter().map(|block| row(&block.name, block.instances.to_string(), &block.size)));
        rows.push(row("the card", "1".to_owned(), &self.total));
        let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or_default();
        let widths: [usize; 7] = std::array::from_fn(width);
        let mut out = String::new();
        for row in &rows {
            let mut line = format!("{:<1$}", row[0], widths[0]);
            for (cell, width) in row.iter().zip(&widths).skip(1) {
                line.push_str(&format!("  {cell:>width$}"));
            }
            out.push_str(line.trim_end());
            out.push('\n');
        }
        out
    }
}

fn grown(name: &str, before: &Size, now: &Size, findings: &mut Vec<String>) {
    for ((figure, before), (_, now)) in before.figures().into_iter().zip(now.figures()) {
        if now > before * (1.0 + GROWTH_PERCENT_MAX / 100.0) {
            findings.push(format!("{name}: {figure} was {before}, is {now}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(lut: u64, levels: u32) -> Report {
        let size = Size { lut, ff: 100, ramb36: 0.5, uram: 0, lut_levels: levels };
        let tap = BlockSize { name: "tap".to_owned(), instances: 2, size, blake3: "00".to_owned() };
        Report::new("xcup", "yosys".to_owned(), size, vec![tap])
    }

    #[test]
    fn growth_is_found() {
        let committed = report(1000, 4);
        let findings = |now: &Report| now.findings(Some(&committed));
        assert_eq!(findings(&report(1050, 4)), [""; 0], "five percent");
        assert_eq!(findings(&report(900, 3)), [""; 0], "smaller");
        assert_eq!(findings(&report(1051, 4)), ["the card: lut was 1000, is 1051", "tap: lut was 1000, is 1051"]);
        assert_eq!(findings(&report(1000, 5)).len(), 2, "a level is more than five percent");
        let mut other = report(1000, 4);
        other.blocks[0].instances = 3;
        assert_eq!(findings(&other), ["tap: 2 instances were 3"]);
        other.blocks[0].name = "new".to_owned();
        assert_eq!(findings(&other), ["new: is not in the committed report"]);
        other = report(1000, 4);
        other.tool = "another yosys".to_owned();
        assert_eq!(findings(&other).len(), 1);
        assert_eq!(committed.findings(None).len(), 1);
    }

    #[test]
    fn the_budget_is_absolute() {
        assert!(report(165_000, 5).over_budget(None).is_empty());
        let over = report(165_001, 7);
        assert_eq!(over.over_budget(None).len(), 2);
        let admitted = |committed: &Report| -> Vec<bool> {
            over.over_budget(Some(committed)).into_iter().map(|(_, admitted)| admitted).collect()
        };
        assert_eq!(
            admitted(&report(165_000, 7)),
            [false, true],
            "a miss that the committed report admits, and one that it does not"
        );
    }

    #[test]
    fn the_page_says_what_it_is_not() {
        let page = report(1000, 7).page();
        assert!(page.contains("No UltraScale+ place and route was run") && page.contains("over budget: lut_levels: 7"));
        assert!(page.contains("66560 rows") && page.contains("512 rules") && page.contains("\ntap "));
    }

    #[test]
    fn the_report_has_the_agreed_form() {
        let text = serde_json::to_string(&report(7, 3)).expect("JSON");
        assert_eq!(
            text,
            r#"{"target":"xcup","tool":"yosys","note":"mapped by Yosys; no UltraScale+ place and route was run","exact_rows":66560,"rules":512,"total":{"lut":7,"ff":100,"ramb36":0.5,"uram":0,"lut_levels":3},"blocks":[{"name":"tap","instances":2,"lut":7,"ff":100,"ramb36":0.5,"uram":0,"lut_levels":3,"blake3":"00"}]}"#
        );
        assert_eq!(serde_json::from_str::<Report>(&text).expect("its own text"), report(7, 3));
    }
}
