//! What a guest has opened without a position: named pipes, terminals and other devices. They are
//! used without blocking, and the call waits for them as long as its budget lasts.

use crate::config::budget::Budget;
use crate::platform::descriptor::{Descriptor, Wants};
use crate::sched::driver::Driver;
use crate::wasi::call::Failed;
use crate::wasi::errno;

/// The first number of a pipe: above those of files, below those of sockets.
const FIRST: i32 = 1 << 29;

/// How many numbers pipes have: more than any guest needs.
const MOST: usize = 1 << 20;

/// The pipes of a guest, by their numbers from [`FIRST`] on.
#[derive(Default)]
pub(crate) struct Pipes {
    open: Vec<Option<Pipe>>,
}

/// An open pipe.
pub(crate) struct Pipe {
    pub(crate) descriptor: Descriptor,
    /// Whether the guest waits for what can't be done at once.
    pub(crate) blocks: bool,
    /// Its type, by the numbers of preview 1.
    pub(crate) kind: u8,
}

impl Pipes {
    pub(crate) fn find(&self, number: i32) -> Option<&Pipe> {
        self.open.get(place(number)?)?.as_ref()
    }

    pub(crate) fn find_mut(&mut self, number: i32) -> Option<&mut Pipe> {
        self.open.get_mut(place(number)?)?.as_mut()
    }

    /// How many are open.
    pub(crate) fn count(&self) -> usize {
        self.open.iter().flatten().count()
    }

    /// Whether the number is one for pipes, open or not.
    pub(crate) fn is_own(number: i32) -> bool {
        place(number).is_some()
    }

    /// Closes a pipe. Returns whether there was one.
    pub(crate) fn close(&mut self, number: i32) -> bool {
        place(number).and_then(|place| self.open.get_mut(place)?.take()).is_some()
    }

    pub(crate) fn add(&mut self, pipe: Pipe) -> Result<i32, Failed> {
        let place = self.open.iter().position(Option::is_none).unwrap_or(self.open.len());
        if place == MOST {
            return Err(Failed::Number(errno::MFILE));
        }
        if place == self.open.len() {
            self.open.push(None);
        }
        self.open[place] = Some(pipe);
        // At most MOST.
        Ok(FIRST + place as i32)
    }
}

fn place(number: i32) -> Option<usize> {
    number.checked_sub(FIRST).and_then(|place| usize::try_from(place).ok()).filter(|place| *place < MOST)
}

impl Pipe {
    /// Reads what is available, and waits for it as long as the budget lasts; 0 at the end.
    pub(crate) async fn read(&self, buffer: &mut [u8], driver: Driver, budget: &Budget) -> Result<usize, Failed> {
        loop {
            if let Some(count) = self.descriptor.read(buffer)? {
                return Ok(count);
            }
            self.wait(Wants::Read, driver, budget).await?;
        }
    }

    /// Writes some of the bytes, and waits until there is room for any.
    pub(crate) async fn write(&self, bytes: &[u8], driver: Driver, budget: &Budget) -> Result<usize, Failed> {
        loop {
            if let Some(count) = self.descriptor.write(bytes)? {
                return Ok(count);
            }
            self.wait(Wants::Write, driver, budget).await?;
        }
    }

    async fn wait(&self, wants: Wants, driver: Driver, budget: &Budget) -> Result<(), Failed> {
        if !self.blocks {
            return Err(Failed::Number(errno::AGAIN));
        }
        budget.look(driver)?;
        driver.pause(&[(&self.descriptor, wants)], budget, None).await;
        Ok(())
    }
}
