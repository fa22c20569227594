//! The card's own frames: whether the copy path works from the window to the host.

use crate::card::{Card, CardError, read, write_checked};
use writ_abi::registers::self_test;
use writ_abi::time::CORE_CLOCK_HZ;

impl Card {
    /// Lets the card make a frame of each port at once, and another one every `period_clocks` core clocks. What they hold, and how the host selects
    /// and recognises them, stands with [`writ_abi::self_test`]. `token` is to be a new one that nobody can guess.
    ///
    /// # Errors
    /// [`CardError::Setting`] for a period of 0, [`CardError::Gone`], or [`CardError::NotTaken`] if the card does not follow.
    pub fn start_self_test(&self, token: u64, period_clocks: u32) -> Result<(), CardError> {
        let Some(period) = period_clocks.checked_sub(1) else {
            return Err(CardError::Setting { name: "self_test_period", given: 0 });
        };
        let _held = self.hold();
        // Off first: no frame shall have half a token.
        write_checked(&*self.bar, self_test::ENABLE_AT, 0)?;
        write_checked(&*self.bar, self_test::PERIOD_AT, period)?;
        write_checked(&*self.bar, self_test::TOKEN_LO_AT, token as u32)?;
        write_checked(&*self.bar, self_test::TOKEN_HI_AT, (token >> 32) as u32)?;
        write_checked(&*self.bar, self_test::ENABLE_AT, self_test::ENABLE_PORTS.mask())
    }

    /// Once a second.
    pub const SELF_TEST_PERIOD_CLOCKS: u32 = CORE_CLOCK_HZ as u32;

    /// No more frames of the card's own.
    ///
    /// # Errors
    /// [`CardError::Gone`], or [`CardError::NotTaken`] if the card does not follow.
    pub fn stop_self_test(&self) -> Result<(), CardError> {
        let _held = self.hold();
        write_checked(&*self.bar, self_test::ENABLE_AT, 0)
    }

    /// Frames of the card's own of ports A and B since its reset, modulo 2^32: the next ones' sequence numbers.
    ///
    /// # Errors
    /// [`CardError::Gone`].
    pub fn self_tests_sent(&self) -> Result<[u32; 2], CardError> {
        Ok([read(&*self.bar, self_test::SENT_A_AT)?, read(&*self.bar, self_test::SENT_B_AT)?])
    }
}
