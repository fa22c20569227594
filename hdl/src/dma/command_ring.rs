//! Fetches commands from the command ring.
//!
//! # Theory of operation
//! Up to 16 reads are under way or waiting in the FIFO, so that the bus's latency does not bound the rate of commands. `owed` counts reads without
//! answer and survives the copy side's reset, as the answers come whatever happens here. When the ring is disabled the FIFO is emptied and all answers still owed
//! are swallowed (`stale`).
//!
//! A request waits in a register until the bus takes it. Behind it three clocks pass: the next number, the lower half of its address, the upper half
//! with the carry. Meanwhile it is found out whether there is a command to fetch, and room for it.
//!
//! # Limits
//! Nothing is fetched while the size of the command or the completion ring is no power of two.

use crate::prelude::*;

/// Command ring reader.
#[derive(LogicBlock, Default)]
pub struct CommandRing {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Reset of the card: nothing is owed any more.
    pub card_reset: Signal<In, Bit>,
    /// Reset of the copy side.
    pub reset: Signal<In, Bit>,
    /// The ring is enabled.
    pub enable: Signal<In, Bit>,
    /// Address of the ring.
    pub base: Signal<In, Bits<64>>,
    /// Its commands, a power of two.
    pub ring_commands: Signal<In, Bits<32>>,
    /// Completions of the completion ring, a power of two.
    pub ring_completions: Signal<In, Bits<32>>,
    /// Commands that the host has written.
    pub producer: Signal<In, Bits<32>>,
    /// Read a line.
    pub read_valid: Signal<Out, Bit>,
    /// From where.
    pub read_address: Signal<Out, Bits<64>>,
    /// The bus takes the request.
    pub read_ready: Signal<In, Bit>,
    /// An answer.
    pub data_valid: Signal<In, Bit>,
    /// Its line.
    pub data: Signal<In, Bits<512>>,
    /// There is a command.
    pub command_valid: Signal<Out, Bit>,
    /// The command.
    pub command: Signal<Out, Bits<512>>,
    /// It is taken.
    pub command_take: Signal<In, Bit>,
    /// Nothing fetched, nothing to fetch.
    pub idle: Signal<Out, Bit>,
    fetched: RegR<Bits<32>>,
    owed: RegR<Bits<5>>,
    stale: RegR<Bits<5>>,
    fifo: Fifo<Bits<512>, 4, 5>,
    running: RegR<Bit>,
    mask: Reg<Bits<32>>,
    completion_mask: Reg<Bits<32>>,
    sane: Reg<Bit>,
    seen_producer: Reg<Bits<32>>,
    wanted: RegR<Bit>,
    room: Reg<Bit>,
    settled: RegR<Bit>,
    asking: RegR<Bit>,
    low_place: Reg<Bits<30>>,
    high_base: Reg<Bits<29>>,
    high_place: Reg<Bits<29>>,
    position: Signal<Local, Bits<32>>,
    taken: Signal<Local, Bit>,
    owed_next: Signal<Local, Bits<5>>,
    useful: Signal<Local, Bit>,
}

impl Logic for CommandRing {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self,
            clock,
            fetched,
            owed,
            stale,
            running,
            mask,
            completion_mask,
            sane,
            seen_producer,
            wanted,
            room
        );
        dff_setup!(self, clock, settled, asking, low_place, high_base, high_place);
        clock!(self, clock, fifo);
        self.fetched.reset.next = self.reset.val();
        self.owed.reset.next = self.card_reset.val();
        self.stale.reset.next = self.card_reset.val();
        self.running.reset.next = self.reset.val();
        self.wanted.reset.next = self.reset.val();
        self.settled.reset.next = self.reset.val();
        self.asking.reset.next = self.reset.val();

        // `running` follows `enable` by one clock and clears everything while low.
        self.running.d.next = self.enable.val();
        self.fifo.reset.next = self.reset.val() | !self.running.q.val();
        self.mask.d.next = self.ring_commands.val() - bits::<32>(1);
        self.completion_mask.d.next = self.ring_completions.val() - bits::<32>(1);
        self.sane.d.next = self.ring_commands.val().any()
            & self.ring_completions.val().any()
            & !(self.ring_commands.val() & self.mask.q.val()).any()
            & !(self.ring_completions.val() & self.completion_mask.q.val()).any();
        self.seen_producer.d.next = self.producer.val();

        // What is to be asked for.
        self.wanted.d.next = self.fetched.q.val() != self.seen_producer.q.val();
        self.room.d.next =
            (bit_cast::<6, 5>(self.owed.q.val()) + bit_cast::<6, 5>(self.fifo.count.val())) < bits::<6>(16);
        self.position.next = self.fetched.q.val() & self.mask.q.val();
        self.low_place.d.next = bit_cast::<30, 29>(self.base.val().get_bits::<29>(6))
            + bit_cast::<30, 29>(self.position.val().get_bits::<29>(0));
        self.high_base.d.next =
            self.base.val().get_bits::<29>(35) + bit_cast::<29, 3>(self.position.val().get_bits::<3>(29));
        self.high_place.d.next = self.high_base.q.val() + bit_cast::<29, 1>(self.low_place.q.val().get_bits::<1>(29));
        self.read_valid.next = self.asking.q.val() & self.running.q.val() & self.enable.val();
        self.read_address.next = bit_cast::<64, 6>(self.base.val().get_bits::<6>(0))
            | (bit_cast::<64, 29>(self.low_place.q.val().get_bits::<29>(0)) << 6)
            | (bit_cast::<64, 29>(self.high_place.q.val()) << 35);

        // Asking. What the decision hangs on is settled one clock behind a new number, and the address when the request goes out.
        self.taken.next = self.read_valid.val() & self.read_ready.val();
        self.settled.d.next = true;
        if self.asking.q.val() {
            self.asking.d.next = !self.taken.val();
        } else {
            self.asking.d.next = self.settled.q.val() & self.sane.q.val() & self.wanted.q.val() & self.room.q.val();
        }
        if self.taken.val() {
            self.fetched.d.next = self.fetched.q.val() + bits::<32>(1);
            self.settled.d.next = false;
        }
        if !self.running.q.val() | !self.enable.val() {
            self.settled.d.next = false;
            self.asking.d.next = false;
        }
        self.owed_next.next = self.owed.q.val();
        if self.taken.val() & !self.data_valid.val() {
            self.owed_next.next = self.owed.q.val() + bits::<5>(1);
        } else if !self.taken.val() & self.data_valid.val() {
            self.owed_next.next = self.owed.q.val() - bits::<5>(1);
        }
        self.owed.d.next = self.owed_next.val();

        self.useful.next = self.data_valid.val() & !self.stale.q.val().any();
        if self.data_valid.val() & self.stale.q.val().any() {
            self.stale.d.next = self.stale.q.val() - bits::<5>(1);
        }
        if !self.running.q.val() | self.reset.val() {
            self.fetched.d.next = bits::<32>(0);
            self.stale.d.next = self.owed_next.val();
        }

        self.fifo.write.next = self.useful.val();
        self.fifo.data_in.next = self.data.val();
        self.fifo.read.next = self.command_take.val();
        self.command_valid.next = self.fifo.valid.val() & self.running.q.val();
        self.command.next = self.fifo.data_out.val();
        self.idle.next = !self.owed.q.val().any()
            & !self.fifo.count.val().any()
            & !(self.running.q.val() & self.sane.q.val() & (self.wanted.q.val() | self.asking.q.val()));
    }
}
