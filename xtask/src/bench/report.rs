//! The JSON that every benchmark gives.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value};

use crate::failure::Failure;

/// One object: the benchmark's name and what it measured.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Report {
    pub(crate) bench: String,
    pub(crate) rows: Vec<Row>,
}

/// One number, with what it depends on.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) params: Map<String, Value>,
    /// As it was printed: whole numbers stay whole.
    pub(crate) value: Number,
    pub(crate) unit: String,
}

impl Report {
    /// Reads what a measuring program printed.
    pub(crate) fn read(bench: &str, text: &[u8]) -> Result<Self, Failure> {
        let report: Self = serde_json::from_slice(text).map_err(Failure::while_doing("what the benchmark printed"))?;
        if report.bench != bench {
            return Err(Failure::new(format!("asked for the benchmark {bench}, got {}", report.bench)));
        }
        if report.rows.is_empty() {
            return Err(Failure::new(format!("the benchmark {bench} measured nothing")));
        }
        Ok(report)
    }
}
