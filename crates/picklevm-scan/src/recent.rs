//! The items of tuples, which a call takes soon after: those of the latest ones.

use crate::token::Token;

/// Items that are kept of what came before, at the least.
const KEPT: usize = 1 << 17;

/// Tuples by number, in order.
pub(crate) struct Recent {
    items: Vec<Token>,
    /// The numbers, and where their items begin.
    starts: Vec<(u32, u32)>,
    keeps_all: bool,
}

impl Recent {
    pub(crate) const fn new(keeps_all: bool) -> Self {
        Recent { items: Vec::new(), starts: Vec::new(), keeps_all }
    }

    /// Keeps the items of a tuple, whose number is greater than those before.
    #[inline]
    pub(crate) fn push(&mut self, number: u32, items: &[Token]) {
        if self.items.len() >= 2 * KEPT && !self.keeps_all {
            self.forget();
        }
        let Ok(start) = u32::try_from(self.items.len()) else { return };
        self.starts.push((number, start));
        self.items.extend_from_slice(items);
    }

    /// Forgets the older ones.
    #[cold]
    fn forget(&mut self) {
        let old = self.starts.partition_point(|(_, start)| (*start as usize) < self.items.len() - KEPT);
        let cut = self.starts.get(old).map_or(self.items.len(), |(_, start)| *start as usize);
        self.items.drain(..cut);
        self.starts.drain(..old);
        for (_, start) in &mut self.starts {
            *start -= cut as u32;
        }
    }

    /// The items of a tuple of this length, if they are kept.
    #[inline]
    pub(crate) fn get(&self, number: u32, len: usize) -> Option<&[Token]> {
        let at = match self.starts.last()? {
            (last, _) if *last == number => self.starts.len() - 1,
            _ => self.starts.binary_search_by_key(&number, |(number, _)| *number).ok()?,
        };
        self.items.get(self.starts[at].1 as usize..)?.get(..len)
    }
}

#[cfg(test)]
mod tests {
    use super::{KEPT, Recent, Token};

    #[test]
    fn the_latest_tuples_are_kept() {
        let count = 2 * KEPT as u32;
        for keeps_all in [false, true] {
            let mut recent = Recent::new(keeps_all);
            for number in 0..count {
                recent.push(2 * number, &[Token::Int(number as i32), Token::None]);
            }
            assert_eq!(recent.get(0, 2).is_some(), keeps_all);
            for number in [count - 1, count - KEPT as u32 / 2] {
                assert_eq!(recent.get(2 * number, 2), Some(&[Token::Int(number as i32), Token::None][..]));
            }
            assert_eq!(recent.get(2 * count - 1, 2), None);
        }
    }
}
