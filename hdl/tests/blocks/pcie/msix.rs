//! The MSI-X table, and when messages go out.

use crate::bench::{Bench, Random, number, value};
use writ_abi::pci::{MSIX_PENDING_AT, MSIX_TABLE_AT, VECTORS};
use writ_hdl::pcie::MsiX;

struct Table {
    bench: Bench<MsiX>,
    messages: Vec<(u64, u64, u32)>,
    /// One in so many clocks a message is taken.
    take_one_in: u64,
    random: Random,
}

impl Table {
    fn new() -> Self {
        let mut bench = Bench::new(MsiX::new(), |block| &mut block.clock);
        bench.block.open.next = true;
        bench.block.enabled.next = true;
        let mut table = Self { bench, messages: vec![], take_one_in: 1, random: Random(91) };
        for vector in 0..u64::from(VECTORS) {
            let at = u64::from(MSIX_TABLE_AT) + 16 * vector;
            assert_eq!(table.read(at + 12), 1, "masked after a reset");
            table.write(at, address(vector) as u32);
            table.write(at + 4, (address(vector) >> 32) as u32);
            table.write(at + 8, data(vector));
            table.write(at + 12, 0);
        }
        table
    }

    fn tick(&mut self) {
        let take = self.random.one_in(self.take_one_in);
        self.bench.block.message_take.next = false;
        self.bench.settle();
        let block = &mut self.bench.block;
        if block.message_valid.val() && take {
            block.message_take.next = true;
            let message = (value(block.message_address.val()), value(block.message_data.val()) as u32);
            self.messages.push((self.bench.clocks, message.0, message.1));
        }
        self.bench.settle();
        self.bench.tick();
        self.bench.block.events.next = number(0);
    }

    fn write(&mut self, at: u64, word: u32) {
        self.bench.block.local_write.next = true;
        self.bench.block.local_address.next = number(at);
        self.bench.block.local_data.next = number(u64::from(word));
        self.tick();
        self.bench.block.local_write.next = false;
    }

    fn read(&mut self, at: u64) -> u32 {
        self.bench.block.local_read.next = true;
        self.bench.block.local_address.next = number(at);
        self.tick();
        self.bench.block.local_read.next = false;
        for _ in 0..2 {
            self.tick();
        }
        value(self.bench.block.local_answer.val()) as u32
    }

    fn event(&mut self, vectors: u64) {
        self.bench.block.events.next = number(vectors);
        self.tick();
    }

    fn run(&mut self, clocks: usize) -> Vec<(u64, u32)> {
        for _ in 0..clocks {
            self.tick();
        }
        self.messages.drain(..).map(|(_, address, data)| (address, data)).collect()
    }
}

fn address(vector: u64) -> u64 {
    0x11_fee0_0000 + 4 * vector
}

fn data(vector: u64) -> u32 {
    0x4000 + vector as u32
}

fn message(vector: u64) -> (u64, u32) {
    (address(vector), data(vector))
}

#[test]
fn the_table_reads_as_written() {
    let mut table = Table::new();
    for vector in 0..u64::from(VECTORS) {
        let at = u64::from(MSIX_TABLE_AT) + 16 * vector;
        let words = [0, 4, 8, 12].map(|offset| table.read(at + offset));
        assert_eq!(words, [address(vector) as u32, (address(vector) >> 32) as u32, data(vector), 0]);
        table.write(at + 12, 0xffff_fffe);
        assert_eq!(table.read(at + 12), 0, "one bit");
    }
    // Behind the table, and other pages.
    for at in [MSIX_TABLE_AT + 16 * u32::from(VECTORS), MSIX_PENDING_AT + 4, 0x1000, 0x40] {
        table.write(u64::from(at), 0xffff_ffff);
        assert_eq!(table.read(u64::from(at)), 0, "{at:x}");
    }
    table.bench.block.reset.next = true;
    table.tick();
    table.bench.block.reset.next = false;
    assert_eq!((0..8).map(|v| table.read(u64::from(MSIX_TABLE_AT) + 16 * v + 12)).collect::<Vec<_>>(), [1; 8]);
}

#[test]
fn every_event_becomes_a_message_lowest_vector_first() {
    let mut table = Table::new();
    table.event(0b1010_0110);
    assert_eq!(table.run(60), [1, 2, 5, 7].map(message));
    // Events of a vector that waits are one; the host's reads of the table do not mix them up.
    table.take_one_in = 9;
    let mut random = Random(92);
    let mut asked = [false; 8];
    for _ in 0..400 {
        let vector = random.below(8);
        if random.one_in(6) {
            table.event(1 << vector);
            asked[vector as usize] = true;
        }
        let other = random.below(8);
        assert_eq!(table.read(u64::from(MSIX_TABLE_AT) + 16 * other + 8), data(other));
    }
    let messages = table.run(300);
    assert!(messages.len() > 40 && asked == [true; 8]);
    assert!((0..8).all(|vector| messages.contains(&message(vector))));
    assert!(messages.iter().all(|got| (0..8).any(|vector| *got == message(vector))), "no mixture of two entries");
}

#[test]
fn masks_hold_messages_back_and_show_them_pending() {
    let mut table = Table::new();
    let control = |vector: u64| u64::from(MSIX_TABLE_AT) + 16 * vector + 12;
    table.write(control(3), 1);
    table.event(0b1100);
    assert_eq!(table.run(40), [message(2)]);
    assert_eq!(table.read(u64::from(MSIX_PENDING_AT)), 0b1000);
    table.write(control(3), 0);
    assert_eq!(table.run(40), [message(3)]);
    assert_eq!(table.read(u64::from(MSIX_PENDING_AT)), 0);
    // The whole function.
    table.bench.block.masked.next = true;
    table.event(0b1);
    assert_eq!((table.run(40), table.read(u64::from(MSIX_PENDING_AT))), (vec![], 1));
    table.bench.block.masked.next = false;
    assert_eq!(table.run(40), [message(0)]);
    // Disabled, or without the bus: nothing is kept.
    table.bench.block.enabled.next = false;
    table.event(0b1);
    table.bench.block.enabled.next = true;
    table.bench.block.open.next = false;
    table.event(0b10);
    table.bench.block.open.next = true;
    assert_eq!((table.run(40), table.read(u64::from(MSIX_PENDING_AT))), (vec![], 0));
}

#[test]
fn moderation_spaces_messages_of_a_vector_and_loses_none() {
    let mut table = Table::new();
    table.bench.block.interval.next = number(3);
    for clock in 0..6_000 {
        table.event(u64::from(clock % 7 == 0));
    }
    let times: Vec<u64> = table.messages.iter().map(|(at, _, _)| *at).collect();
    for pair in times.windows(2) {
        assert!((3 * 256..=4 * 256 + 20).contains(&(pair[1] - pair[0])), "{pair:?}");
    }
    assert!(times.len() >= 6);
    // The last event is heard of, and another vector does not wait.
    table.messages.clear();
    table.event(0b10);
    assert_eq!(table.run(10), [message(1)]);
    assert_eq!(table.run(1_100), [message(0)]);
}
