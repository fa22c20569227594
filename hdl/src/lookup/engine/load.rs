//! The registers that hold what is written: key, value, row, with their parities.

use crate::lookup::types::RowData;
use crate::prelude::*;

/// What the engine writes next. Zero after a reset.
#[derive(LogicBlock)]
pub struct Loader {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Sets everything to zero.
    pub reset: Signal<In, Bit>,
    /// Key of the command.
    pub command_key: Signal<In, Bits<304>>,
    /// Row of the command, without parity.
    pub command_row: Signal<In, RowData>,
    /// DESTINATION of the command.
    pub command_destination: Signal<In, Bit>,
    /// Bits of the key that count.
    pub key_mask: Signal<In, Bits<304>>,
    /// Take the command's key as a rule's value.
    pub stage: Signal<In, Bit>,
    /// Take the command's key and row.
    pub take: Signal<In, Bit>,
    /// Take zeros.
    pub blank: Signal<In, Bit>,
    /// One clock after `take` or `blank`: sum the parities.
    pub sum: Signal<In, Bit>,
    /// A row that was read.
    pub found_row: Signal<In, RowData>,
    /// Take it with PENDING_CLEAR.
    pub take_marked: Signal<In, Bit>,
    /// Take it with a wrong parity.
    pub take_corrupt: Signal<In, Bit>,
    /// Key, or a rule's mask.
    pub key: Signal<Out, Bits<304>>,
    /// Its parity.
    pub key_parity: Signal<Out, Bits<8>>,
    /// A rule's value.
    pub value: Signal<Out, Bits<304>>,
    /// The rule stands for the receiver.
    pub destination: Signal<Out, Bit>,
    /// Parity of value, mask, and that.
    pub rule_parity: Signal<Out, Bits<8>>,
    /// The row.
    pub row: Signal<Out, RowData>,
    key_register: RegR<Bits<304>>,
    value_register: RegR<Bits<304>>,
    row_register: RegR<RowData>,
    destination_register: RegR<Bit>,
    key_sum: RegR<Bits<8>>,
    rule_sum: RegR<Bits<8>>,
    nothing: Constant<RowData>,
    key_fold: Signal<Local, Bits<32>>,
    value_fold: Signal<Local, Bits<32>>,
    key_byte: Signal<Local, Bits<8>>,
    value_byte: Signal<Local, Bits<8>>,
    row_bits: Signal<Local, Bits<72>>,
    row_fold: Signal<Local, Bits<4>>,
    marked: Signal<Local, RowData>,
    corrupt: Signal<Local, RowData>,
    summed: Signal<Local, RowData>,
}

impl Default for Loader {
    fn default() -> Self {
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            command_key: Signal::default(),
            command_row: Signal::default(),
            command_destination: Signal::default(),
            key_mask: Signal::default(),
            stage: Signal::default(),
            take: Signal::default(),
            blank: Signal::default(),
            sum: Signal::default(),
            found_row: Signal::default(),
            take_marked: Signal::default(),
            take_corrupt: Signal::default(),
            key: Signal::default(),
            key_parity: Signal::default(),
            value: Signal::default(),
            destination: Signal::default(),
            rule_parity: Signal::default(),
            row: Signal::default(),
            key_register: RegR::default(),
            value_register: RegR::default(),
            row_register: RegR::default(),
            destination_register: RegR::default(),
            key_sum: RegR::default(),
            rule_sum: RegR::default(),
            nothing: Constant::new(RowData::default()),
            key_fold: Signal::default(),
            value_fold: Signal::default(),
            key_byte: Signal::default(),
            value_byte: Signal::default(),
            row_bits: Signal::default(),
            row_fold: Signal::default(),
            marked: Signal::default(),
            corrupt: Signal::default(),
            summed: Signal::default(),
        }
    }
}

impl Logic for Loader {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, key_register, value_register, row_register, destination_register, key_sum, rule_sum);
        self.key_register.reset.next = self.reset.val();
        self.value_register.reset.next = self.reset.val();
        self.row_register.reset.next = self.reset.val();
        self.destination_register.reset.next = self.reset.val();
        self.key_sum.reset.next = self.reset.val();
        self.rule_sum.reset.next = self.reset.val();

        self.key_fold.next = bits::<32>(0);
        self.value_fold.next = bits::<32>(0);
        if self.sum.val() {
            for i in 0..10 {
                self.key_fold.next = self.key_fold.val() ^ self.key_register.q.val().get_bits::<32>(i * 32);
                self.value_fold.next = self.value_fold.val() ^ self.value_register.q.val().get_bits::<32>(i * 32);
            }
        }
        self.key_byte.next = self.key_fold.val().get_bits::<8>(0)
            ^ self.key_fold.val().get_bits::<8>(8)
            ^ self.key_fold.val().get_bits::<8>(16)
            ^ self.key_fold.val().get_bits::<8>(24);
        self.value_byte.next = self.value_fold.val().get_bits::<8>(0)
            ^ self.value_fold.val().get_bits::<8>(8)
            ^ self.value_fold.val().get_bits::<8>(16)
            ^ self.value_fold.val().get_bits::<8>(24);
        self.row_bits.next = self.row_register.q.val().into();
        self.row_fold.next = bits::<4>(0);
        if self.sum.val() {
            for i in 0..17 {
                self.row_fold.next = self.row_fold.val() ^ self.row_bits.val().get_bits::<4>(i * 4);
            }
        }
        self.summed.next = self.row_register.q.val();
        self.summed.next.parity = self.row_fold.val();

        // A mark takes its parity bit along.
        self.marked.next = self.found_row.val();
        self.marked.next.pending_clear = true;
        if !self.found_row.val().pending_clear {
            self.marked.next.parity = self.found_row.val().parity ^ bits::<4>(4);
        }
        self.corrupt.next = self.found_row.val();
        self.corrupt.next.parity = self.found_row.val().parity ^ bits::<4>(1);

        if self.stage.val() {
            self.value_register.d.next = self.command_key.val();
        }
        if self.take.val() {
            // Bits behind the table's key are not stored, so they must not count.
            self.key_register.d.next = self.command_key.val() & self.key_mask.val();
            self.row_register.d.next = self.command_row.val();
            self.destination_register.d.next = self.command_destination.val();
        }
        if self.blank.val() {
            self.key_register.d.next = bits::<304>(0);
            self.value_register.d.next = bits::<304>(0);
            self.row_register.d.next = self.nothing.val();
            self.destination_register.d.next = false;
        }
        if self.sum.val() {
            self.key_sum.d.next = self.key_byte.val();
            self.rule_sum.d.next = self.key_byte.val()
                ^ self.value_byte.val()
                ^ bit_cast::<8, 1>(self.destination_register.q.val().into());
            self.row_register.d.next = self.summed.val();
        }
        if self.take_marked.val() {
            self.row_register.d.next = self.marked.val();
        }
        if self.take_corrupt.val() {
            self.row_register.d.next = self.corrupt.val();
        }
        self.key.next = self.key_register.q.val();
        self.key_parity.next = self.key_sum.q.val();
        self.value.next = self.value_register.q.val();
        self.destination.next = self.destination_register.q.val();
        self.rule_parity.next = self.rule_sum.q.val();
        self.row.next = self.row_register.q.val();
    }
}
