//! IP access: TS 102 232-3.

mod address;
mod cc;
mod iri;
mod report;

pub use address::{IpAddress, IpValue};
pub use cc::{IpCc, IpCcContents};
pub use iri::{IpIri, OtherTargetIdentifier};
pub use report::{Indications, PacketReport, PacketReportContents};
