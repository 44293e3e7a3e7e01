//! Connections between gateways and owners: messages may be lost, repeated and overtaken by others.

/// xorshift64*: small, and the same on every machine.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % bound
    }

    pub fn one_in(&mut self, bound: u64) -> bool {
        self.below(bound) == 0
    }
}

/// What is said; questions carry the number that they have on their connection.
#[derive(Debug, Clone)]
pub enum Message {
    Lease { from: usize, to: usize, id: u64 },
    Granted { to: usize, id: u64, held: super::world::Held },
    Refused { to: usize, id: u64, owner: Option<usize> },
    GiveBack { from: usize, to: usize, id: u64, window: i64, epoch: u64, units: u64 },
}

/// Messages under way.
#[derive(Default)]
pub struct Network {
    under_way: Vec<Message>,
}

impl Network {
    pub fn send(&mut self, message: Message) {
        self.under_way.push(message);
    }

    /// The next message to arrive: the oldest, or with faults any, perhaps never or twice.
    pub fn arrive(&mut self, dice: &mut Dice, has_faults: bool) -> Option<Message> {
        if self.under_way.is_empty() {
            return None;
        }
        if !has_faults {
            return Some(self.under_way.remove(0));
        }
        let index = if dice.one_in(4) { dice.below(self.under_way.len() as u64) as usize } else { 0 };
        match dice.below(24) {
            0 => {
                self.under_way.remove(index);
                None
            }
            1 => Some(self.under_way[index].clone()),
            _ => Some(self.under_way.remove(index)),
        }
    }
}
