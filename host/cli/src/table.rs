//! Plain text tables.

use std::io::Write;

/// Rows of text under a heading, printed in columns as wide as they need.
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
    right: Vec<bool>,
}

impl Table {
    /// A table with these headings; columns whose heading starts with `#` hold numbers, and stand to the right.
    pub(crate) fn new(headings: &[&str]) -> Self {
        let right = headings.iter().map(|heading| heading.starts_with('#')).collect();
        let names = headings.iter().map(|heading| heading.trim_start_matches('#').to_owned()).collect();
        Self { rows: vec![names], right }
    }

    /// Adds a row; missing cells are empty.
    pub(crate) fn row<I: IntoIterator<Item = String>>(&mut self, cells: I) {
        // Control characters would let stored text move the cursor of whoever looks at it.
        let clean = |cell: String| cell.chars().map(|c| if c.is_control() { '?' } else { c }).collect();
        let mut row: Vec<String> = cells.into_iter().map(clean).collect();
        row.resize(self.right.len(), String::new());
        self.rows.push(row);
    }

    /// Whether there is nothing under the heading.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.len() == 1
    }

    /// Prints it.
    pub(crate) fn print(&self, out: &mut Vec<u8>) {
        let width = |column: usize| self.rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..self.right.len()).map(width).collect();
        for row in &self.rows {
            let mut line = String::new();
            for (column, cell) in row.iter().enumerate() {
                let pad = " ".repeat(widths[column] - cell.chars().count());
                let (before, after) = if self.right[column] { (pad.as_str(), "") } else { ("", pad.as_str()) };
                let gap = if column == 0 { "" } else { "  " };
                line.extend([gap, before, cell, after]);
            }
            // Writing to memory does not fail.
            let _ = writeln!(out, "{}", line.trim_end());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_control_characters_are_shown_as_such() {
        let mut table = Table::new(&["name", "#packets", "state"]);
        assert!(table.is_empty());
        table.row(["a".to_owned(), "12345678".to_owned(), "up".to_owned()]);
        table.row(["longer\u{1b}[2J".to_owned(), "7".to_owned()]);
        let mut out = Vec::new();
        table.print(&mut out);
        let text = String::from_utf8(out).expect("was text");
        assert_eq!(text, "name         packets  state\na           12345678  up\nlonger?[2J         7\n");
    }
}
