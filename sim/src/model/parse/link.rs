//! Rules 1 to 5: everything in front of the outer IP header.

use super::{Version, Walk, u16_at};
use writ_abi::limits::{INNER_VLAN_TAGS_MAX, MPLS_LABELS_MAX, VLAN_TAGS_MAX};
use writ_abi::parse::{ParseClass, TPIDS};

pub(super) const ETHERNET_BYTES: usize = 14;
const TAG_BYTES: usize = 4;
const PPPOE_SESSION: u16 = 0x8864;
const MPLS: [u16; 2] = [0x8847, 0x8848];

impl Walk<'_> {
    /// Rules 1 to 3. Says which IP header comes, and where.
    pub(super) fn link(&mut self) -> Result<(Version, usize), ParseClass> {
        let header = self.present(0, ETHERNET_BYTES, ParseClass::Truncated)?;
        let mac = |at: usize| std::array::from_fn(|i| header[at + i]);
        self.found.mac = Some([mac(0), mac(6)]);
        let mut ethertype = u16_at(header, 12);
        let mut at = ETHERNET_BYTES;
        while TPIDS.contains(&ethertype) {
            if self.found.vlan_ids.len() == VLAN_TAGS_MAX {
                return Err(ParseClass::VlanDepth);
            }
            let tag = self.present(at, TAG_BYTES, ParseClass::Truncated)?;
            self.found.vlan_ids.push(u16_at(tag, 0) & 0x0fff);
            ethertype = u16_at(tag, 2);
            at += TAG_BYTES;
        }
        match ethertype {
            PPPOE_SESSION => self.pppoe(at),
            ethertype if MPLS.contains(&ethertype) => self.mpls(at),
            ethertype => Ok((Version::of_ethertype(ethertype).ok_or(ParseClass::NonIp)?, at)),
        }
    }

    /// Rule 4.
    fn pppoe(&mut self, at: usize) -> Result<(Version, usize), ParseClass> {
        let header = self.present(at, 8, ParseClass::Truncated)?;
        if header[0] != 0x11 || header[1] != 0 {
            return Err(ParseClass::LinkPayload);
        }
        self.found.pppoe_session = Some(u16_at(header, 2));
        let version = Version::of_ppp(u16_at(header, 6)).ok_or(ParseClass::LinkPayload)?;
        Ok((version, at + 8))
    }

    /// Rule 5.
    fn mpls(&mut self, mut at: usize) -> Result<(Version, usize), ParseClass> {
        loop {
            if usize::from(self.found.mpls_labels) == MPLS_LABELS_MAX {
                return Err(ParseClass::MplsDepth);
            }
            let label = super::u32_at(self.present(at, 4, ParseClass::Truncated)?, 0);
            self.found.mpls_labels += 1;
            at += 4;
            if label >> 8 & 1 == 1 {
                self.found.bottom_label = Some(label >> 12);
                break;
            }
        }
        let first = self.present(at, 1, ParseClass::Truncated)?[0];
        match Version::of_first_byte(first) {
            Some(version) => Ok((version, at)),
            None if first >> 4 == 0 => self.pseudowire(at),
            None => Err(ParseClass::LinkPayload),
        }
    }

    /// The pseudowire of rule 5: control word, Ethernet.
    fn pseudowire(&mut self, at: usize) -> Result<(Version, usize), ParseClass> {
        const CONTROL_WORD_BYTES: usize = 4;
        self.present(at, CONTROL_WORD_BYTES + ETHERNET_BYTES, ParseClass::Truncated)?;
        self.found.pseudowire = true;
        self.inner_ethernet(at + CONTROL_WORD_BYTES, ParseClass::Truncated, ParseClass::LinkPayload)
    }

    /// Tags and ethertype of an Ethernet header at `at` that is present, inside something else.
    pub(super) fn inner_ethernet(
        &self,
        at: usize,
        missing: ParseClass,
        not_ip: ParseClass,
    ) -> Result<(Version, usize), ParseClass> {
        let mut end = at + ETHERNET_BYTES;
        for _ in 0..INNER_VLAN_TAGS_MAX {
            if !TPIDS.contains(&u16_at(self.window, end - 2)) {
                break;
            }
            self.present(end, TAG_BYTES, missing)?;
            end += TAG_BYTES;
        }
        let version = Version::of_ethertype(u16_at(self.window, end - 2)).ok_or(not_ip)?;
        Ok((version, end))
    }
}
