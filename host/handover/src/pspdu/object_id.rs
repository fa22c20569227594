//! Relative object identifiers of the service-specific parts.

use super::Octets;
use std::fmt;

/// A RELATIVE-OID below `{0 4 0 2 2}`: which module a payload follows.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RelativeOid<'a>(Octets<'a>);

impl<'a> RelativeOid<'a> {
    /// `iPIRIObjId {5 3 version 1}`
    pub fn ip_iri(version: u8) -> RelativeOid<'static> {
        RelativeOid::from_arcs(&[5, 3, version, 1])
    }

    /// `iPCCObjId {5 3 version 2}`
    pub fn ip_cc(version: u8) -> RelativeOid<'static> {
        RelativeOid::from_arcs(&[5, 3, version, 2])
    }

    /// `iPIRIPacketReportObjId {5 3 version 4}`
    pub fn ip_iri_packet_report(version: u8) -> RelativeOid<'static> {
        RelativeOid::from_arcs(&[5, 3, version, 4])
    }

    /// `iPMMIRIObjId {5 5 version 1}`
    pub fn ipmm_iri(version: u8) -> RelativeOid<'static> {
        RelativeOid::from_arcs(&[5, 5, version, 1])
    }

    /// `iPMMCCObjId {5 5 version 2}`
    pub fn ipmm_cc(version: u8) -> RelativeOid<'static> {
        RelativeOid::from_arcs(&[5, 5, version, 2])
    }

    fn from_arcs(arcs: &[u8]) -> RelativeOid<'static> {
        let mut octets = Vec::with_capacity(arcs.len() + 1);
        for &arc in arcs {
            put_arc(&mut octets, u32::from(arc));
        }
        RelativeOid(octets.into())
    }

    /// One that was read.
    pub const fn from_octets(octets: Octets<'a>) -> Self {
        Self(octets)
    }

    /// Its contents octets.
    pub fn octets(&self) -> &[u8] {
        &self.0
    }

    /// Its numbers, or `None` if the octets are no object identifier.
    pub fn arcs(&self) -> Option<Vec<u32>> {
        let mut rest: &[u8] = &self.0;
        let mut arcs = Vec::new();
        while !rest.is_empty() {
            let arc;
            (arc, rest) = split_arc(rest)?;
            arcs.push(arc);
        }
        Some(arcs)
    }
}

impl fmt::Debug for RelativeOid<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RelativeOid").field(&self.arcs()).finish()
    }
}

/// Appends one number of an object identifier.
pub(super) fn put_arc(out: &mut Vec<u8>, arc: u32) {
    let groups = (38 - (arc | 1).leading_zeros()) / 7;
    for group in (0..groups).rev() {
        let more = if group > 0 { 0x80 } else { 0 };
        out.push(more | (arc >> (7 * group)) as u8 & 0x7f);
    }
}

/// The first number of an object identifier and what comes after it.
pub(super) fn split_arc(octets: &[u8]) -> Option<(u32, &[u8])> {
    let mut arc = 0_u32;
    for (index, &octet) in octets.iter().enumerate() {
        if index == 0 && octet == 0x80 || arc >> 25 != 0 {
            return None;
        }
        arc = arc << 7 | u32::from(octet & 0x7f);
        if octet & 0x80 == 0 {
            return Some((arc, &octets[index + 1..]));
        }
    }
    None
}
