//! Where in the graph the value is that the ops have been read up to: found from the ops, not from values.

use picklevm_ops::{Decoder, Op, Opcode};

use super::cursor::{BINGET, MEMOIZE};
use super::stack::{Effect, Stack, atom_len};

/// A list, tuple or dict that is being read, by where it starts.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Open {
    /// At EMPTY_LIST, EMPTY_DICT or MARK.
    At(usize),
    /// A tuple without MARK, at its first item.
    Item(usize),
}

/// What has been read of an open container.
#[derive(Clone, Copy, Default)]
pub(super) struct Place {
    /// Number of items before the one that is read next. A row of a dict is two.
    pub(super) index: usize,
    /// Number of items in the end. `None` for a tuple of which nothing has been read.
    pub(super) len: Option<usize>,
}

/// The place of an offset.
pub(super) struct Found {
    /// The open containers, outermost first.
    pub(super) places: Vec<Place>,
    /// Whether the value of the pickle has been read, if nothing is open.
    pub(super) is_read: bool,
    /// At most as many values have been read.
    pub(super) pushed: u64,
    /// Whether the outermost container is the first list of the pickle, whose length is not known.
    pub(super) is_first_list: bool,
}

/// Where an open container is on the stack.
enum Level {
    Container(usize),
    Tuple { first: usize, is_marked: bool },
}

/// Finds the place of the value at an offset, or after the op before it, by running the ops to the end without values: each
/// op that takes the value, or what it has become part of, must end the innermost open container. `None` if another op does,
/// or if one changes a value that has been read.
pub(super) fn find(input: &[u8], at: usize, open: &[Open]) -> Option<Found> {
    let (mut stack, mut decoder) = (Stack::default(), Decoder::new(input));
    let mut pushed = 0;
    loop {
        pushed += stack.run_atoms(&mut decoder, at);
        if decoder.offset() >= at {
            break;
        }
        let op = decoder.next_op().ok()?;
        let base = stack.base(Effect::of(op.opcode()))?;
        stack.run(&op, decoder.op_offset(), base);
        pushed += 1;
    }
    // Tuples of which this value would be the first item: the graph has to have tuples there.
    let known = open.iter().position(|open| *open == Open::Item(at)).unwrap_or(open.len());
    let levels = levels(input, &stack, &open[..known])?;
    let mut places = vec![Place::default(); open.len()];
    let mut left = known;
    // Height of the value, or of the container it has become part of.
    let mut target = stack.items.len();
    // All lists that end before are in this one.
    let mut may_skim = matches!(levels.first(), Some(Level::Container(0))) && is_list(input, open);
    loop {
        if left == 0 && may_skim {
            if is_unchanged(input, decoder, &stack, at) {
                return Some(Found { places, is_read: false, pushed, is_first_list: true });
            }
            may_skim = false;
        }
        stack.run_atoms(&mut decoder, usize::MAX);
        let op = decoder.next_op().ok()?;
        let opcode = op.opcode();
        let effect = Effect::of(opcode);
        let mut base = stack.base(effect)?;
        if let Some(Level::Container(position)) = left.checked_sub(1).map(|level| &levels[level])
            && base <= *position
            && target == position + 1
            && target == stack.items.len()
        {
            // It is taken, and has no more items.
            left -= 1;
            places[left].index = stack.items[*position].len;
            target = *position;
        }
        if op == Op::Stop {
            let is_read = target == 1;
            let is_all = stack.items.len() == 1 && left == 0 && (target == 0 || is_read && open.is_empty());
            if let Some(Level::Container(_)) = levels.first() {
                places[0].len = Some(stack.items[0].len);
            }
            return is_all.then_some(Found { places, is_read, pushed, is_first_list: false });
        }
        let takes = base < stack.items.len() || effect.takes_mark;
        if takes && base <= target {
            let inner = left;
            let mark = if effect.takes_mark { stack.marks.last() } else { None };
            let level = left.checked_sub(1).map(|level| &levels[level]);
            let in_place = if effect.is_mutating { base.checked_sub(1) } else { None };
            match (level, in_place) {
                (Some(Level::Container(position)), Some(changed)) if changed == *position && adds(opcode) => {
                    left -= 1;
                    places[left].index = stack.items[changed].len + target - base;
                    base = changed;
                }
                (Some(Level::Tuple { first, is_marked }), None)
                    if *first == base && is_tuple(opcode, *is_marked) && mark.is_none_or(|mark| mark.at < at) =>
                {
                    left -= 1;
                    places[left] = Place { index: target - base, len: Some(stack.items.len() - base) };
                }
                // The value goes on.
                (_, None)
                    if base == target
                        && left == known
                        && mark.is_none_or(|mark| mark.at >= at)
                        && !opcode.stack_after().is_empty() => {}
                _ => return None,
            }
            if left < inner {
                if let Some(Level::Container(position)) = levels.get(inner) {
                    places[inner].len = Some(stack.items[*position].len);
                }
                target = base;
            }
        } else if takes && effect.is_mutating {
            // It may add to the container that is taken next, or to a new one.
            let changed = base.checked_sub(1)?;
            if stack.items[changed].made < at && !(changed == target && left < known && adds(opcode)) {
                return None;
            }
        }
        let base = stack.base(effect)?;
        stack.run(&op, decoder.op_offset(), base);
    }
}

fn is_list(input: &[u8], open: &[Open]) -> bool {
    matches!(open.first(), Some(Open::At(at)) if input.get(*at) == Some(&Opcode::EmptyList.byte()))
}

/// Whether the ops that are left fetch no list or dict that was made before an offset, so that none changes one.
fn is_unchanged(input: &[u8], mut decoder: Decoder<'_>, stack: &Stack, at: usize) -> bool {
    let may_change = |number: u64| {
        let made = stack.made(number);
        made < at && matches!(input.get(made), Some(b']' | b'}'))
    };
    let first: [bool; 256] = std::array::from_fn(|number| may_change(number as u64));
    loop {
        let rest = decoder.rest();
        match *rest {
            [BINGET, number, ..] if first[usize::from(number)] => return false,
            [BINGET, _, ..] => decoder.skip_op(2),
            [MEMOIZE, ..] => decoder.skip_op(1),
            _ => match atom_len(rest) {
                0 => match decoder.next_op() {
                    Ok(Op::Stop) => return true,
                    Ok(Op::Get(number)) if may_change(number) => return false,
                    Ok(Op::LongBinGet(number)) if may_change(number.into()) => return false,
                    Ok(Op::BinGet(number)) if first[usize::from(number)] => return false,
                    Ok(Op::Dup) | Err(_) => return false,
                    Ok(_) => {}
                },
                len => decoder.skip_op(len),
            },
        }
    }
}

/// Whether an opcode adds to a list or dict.
fn adds(opcode: Opcode) -> bool {
    matches!(opcode, Opcode::Append | Opcode::Appends | Opcode::SetItem | Opcode::SetItems)
}

fn is_tuple(opcode: Opcode, is_marked: bool) -> bool {
    match opcode {
        Opcode::Tuple => is_marked,
        _ => !is_marked && matches!(opcode, Opcode::Tuple1 | Opcode::Tuple2 | Opcode::Tuple3),
    }
}

/// Finds the open containers on the stack.
fn levels(input: &[u8], stack: &Stack, open: &[Open]) -> Option<Vec<Level>> {
    let position = |at: usize| stack.items.iter().position(|item| item.at == at);
    open.iter()
        .map(|open| match *open {
            Open::Item(at) => Some(Level::Tuple { first: position(at)?, is_marked: false }),
            Open::At(at) if input.get(at) == Some(&Opcode::Mark.byte()) => {
                let mark = stack.marks.iter().find(|mark| mark.at == at)?;
                Some(Level::Tuple { first: mark.height, is_marked: true })
            }
            Open::At(at) => Some(Level::Container(position(at)?)),
        })
        .collect()
}
