//! The warrants of a demo run.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use uuid::Uuid;

use crate::check::{Delivery, Order};
use crate::rig::{Activation, PREFIX_BITS, kind_for};
use crate::traffic;
use crate::truth::{Scope, Selector, Target};

/// Name of the first agency's LEMF.
pub const LEMF: &str = "agency-1";
/// Name of the second agency's LEMF.
pub const SECOND_LEMF: &str = "agency-2";
/// Name of the mediation function.
pub const MEDIATION: &str = "mdf-1";

/// When a warrant ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Long after the capture: it is deactivated by the operator.
    Later,
    /// In the middle of the capture, by the card's clock.
    MiddleOfCapture,
}

/// A warrant, before the card's time is known.
#[derive(Debug, Clone)]
pub struct Warrant {
    /// What it shows, for people.
    pub title: String,
    /// The agency or mediation function.
    pub destination: String,
    /// Its identifier there.
    pub liid: String,
    /// The task.
    pub xid: Uuid,
    /// What it names.
    pub target: Target,
    /// How much of each packet.
    pub scope: Scope,
    /// Over which interfaces.
    pub delivery: Delivery,
    /// When it ends.
    pub end: End,
}

/// Term of the warrants that do not end during the capture: a day.
const TERM_NS: u64 = 86_400_000_000_000;

impl Warrant {
    /// A warrant on one target that ends later.
    pub fn new(title: &str, number: usize, target: Target, scope: Scope, delivery: Delivery) -> Self {
        Self {
            title: title.to_owned(),
            destination: if delivery == Delivery::Hi { LEMF } else { MEDIATION }.to_owned(),
            // A slash is allowed in a LIID and shows that file names are made with care.
            liid: format!("WRIT/2026/{number:03}"),
            xid: Uuid::new_v4(),
            target,
            scope,
            delivery,
            end: End::Later,
        }
    }

    /// The order as `writ task activate` takes it, for a capture of `duration_ns` whose first frame comes at `first_ns` of card time.
    pub fn activation(&self, first_ns: u64, duration_ns: u64) -> Activation {
        let end_ns = match self.end {
            End::Later => first_ns + TERM_NS,
            End::MiddleOfCapture => first_ns + duration_ns / 2,
        };
        Activation {
            kind: kind_for(self.scope).to_owned(),
            order: Order {
                destination: self.destination.clone(),
                liid: self.liid.clone(),
                xid: self.xid,
                delivery: self.delivery,
                selector: Selector {
                    targets: vec![self.target],
                    scope: self.scope,
                    prefix_bits: Some(PREFIX_BITS),
                    start_ns: 0,
                    end_ns,
                },
                ended: true,
            },
        }
    }
}

/// The warrants for the generated capture: every kind of target, scope and delivery, two agencies on one target, an early end.
pub fn default_warrants() -> Vec<Warrant> {
    let v4 = |address: Ipv4Addr| Target::Address(IpAddr::V4(address));
    let phone = SocketAddr::new(IpAddr::V4(traffic::PHONE_V4), traffic::PHONE_RTP_PORT);
    let rtp = Target::Endpoint { end: phone, protocol: 17 };
    let shared = v4(traffic::SHARED_V4);
    let mut second = Warrant::new("the same target for another agency", 5, shared, Scope::Content, Delivery::Hi);
    second.destination = SECOND_LEMF.to_owned();
    let ending = Warrant {
        end: End::MiddleOfCapture,
        ..Warrant::new("ends in the middle of the capture", 6, v4(traffic::ENDING_V4), Scope::Content, Delivery::X)
    };
    vec![
        Warrant::new("content of an IPv4 subscriber", 1, v4(traffic::CONTENT_V4), Scope::Content, Delivery::Hi),
        Warrant::new(
            "content of an IPv6 subscriber",
            2,
            Target::Address(IpAddr::V6(traffic::CONTENT_V6)),
            Scope::Content,
            Delivery::X,
        ),
        Warrant::new("pen register: headers only", 3, v4(traffic::HEADERS_V4), Scope::HeadersL4, Delivery::Hi),
        Warrant::new("a telephone's RTP stream", 7, rtp, Scope::Content, Delivery::Hi),
        Warrant::new("one target for two agencies", 4, shared, Scope::Content, Delivery::Hi),
        second,
        ending,
        Warrant::new("pen register without ports, over X2", 8, v4(traffic::PHONE_V4), Scope::HeadersL3, Delivery::X),
    ]
}

/// Warrants for targets that a person named, in their order.
pub fn warrants_for(targets: &[(Target, Scope, Delivery)]) -> Vec<Warrant> {
    targets
        .iter()
        .enumerate()
        .map(|(index, &(target, scope, delivery))| Warrant::new("as asked for", index + 1, target, scope, delivery))
        .collect()
}
