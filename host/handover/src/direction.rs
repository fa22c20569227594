//! The two numberings of payload direction.
//!
//! X2/X3 (TS 103 221-2 clause 5.2.6) and PS-PDUs (TS 102 232-1, `PayloadDirection`) number the directions differently; these
//! functions are the only place that translates.

use crate::{pspdu, x2x3};

/// The PS-PDU direction for an X2/X3 one; `None` for `Reserved` (keep-alives have none) and for numbers without a meaning.
pub const fn pspdu_from_x(direction: x2x3::PayloadDirection) -> Option<pspdu::PayloadDirection> {
    match direction {
        x2x3::PayloadDirection::Unknown => Some(pspdu::PayloadDirection::Indeterminate),
        x2x3::PayloadDirection::ToTarget => Some(pspdu::PayloadDirection::ToTarget),
        x2x3::PayloadDirection::FromTarget => Some(pspdu::PayloadDirection::FromTarget),
        x2x3::PayloadDirection::Multiple => Some(pspdu::PayloadDirection::Combined),
        x2x3::PayloadDirection::NotApplicable => Some(pspdu::PayloadDirection::NotApplicable),
        x2x3::PayloadDirection::Reserved | x2x3::PayloadDirection::Other(_) => None,
    }
}

/// The X2/X3 direction for a PS-PDU one; `None` for numbers without a meaning.
pub const fn x_from_pspdu(direction: pspdu::PayloadDirection) -> Option<x2x3::PayloadDirection> {
    match direction {
        pspdu::PayloadDirection::Indeterminate => Some(x2x3::PayloadDirection::Unknown),
        pspdu::PayloadDirection::ToTarget => Some(x2x3::PayloadDirection::ToTarget),
        pspdu::PayloadDirection::FromTarget => Some(x2x3::PayloadDirection::FromTarget),
        pspdu::PayloadDirection::Combined => Some(x2x3::PayloadDirection::Multiple),
        pspdu::PayloadDirection::NotApplicable => Some(x2x3::PayloadDirection::NotApplicable),
        pspdu::PayloadDirection::Other(_) => None,
    }
}
