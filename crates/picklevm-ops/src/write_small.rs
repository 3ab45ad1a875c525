//! Fast path for writing small pickles into existing memory.

use crate::frame::Framing;
use crate::op_run::OpRun;
use crate::opcode::Opcode;

/// Length of PROTO and its operand.
const PROTO_LEN: usize = 2;
/// Length of PROTO and FRAME with their operands.
const HEADER_LEN: usize = PROTO_LEN + 9;

/// Writes a pickle of protocol 2 or later over `memory`: PROTO, from protocol 4 on one frame, the ops that `write`
/// writes, and STOP. Returns the pickle, or `None` if `write` returns `None` or the memory is too short.
///
/// The result is that of [`Writer`](crate::Writer), in less time: the ends of frame and memory are checked by [`OpRun`]
/// only. `write` returns the number of bytes that it wrote.
///
/// ```
/// use picklevm_ops::{Framing, Opcode};
/// use picklevm_ops::internal::write_small;
///
/// let mut memory = [0; 256];
/// let pickle = write_small(&mut memory, 4, Framing::default(), |mut run| {
///     run.bare(Opcode::EmptyList);
///     run.bare(Opcode::Memoize);
///     run.int(7);
///     run.bare(Opcode::Append);
///     Some(run.len())
/// });
/// assert_eq!(pickle, Some(&b"\x80\x04\x95\x06\0\0\0\0\0\0\0]\x94K\x07a."[..]));
/// ```
#[inline(always)]
pub fn write_small(
    memory: &mut [u8],
    protocol: u8,
    framing: Framing,
    write: impl FnOnce(OpRun<'_>) -> Option<usize>,
) -> Option<&[u8]> {
    let start = if protocol >= 4 { HEADER_LEN } else { PROTO_LEN };
    let body = memory.get_mut(start..)?;
    // From 64 KiB on, one frame is not enough.
    let len = write(OpRun::new(body, usize::from(u16::MAX)))?;
    *body.get_mut(len)? = Opcode::Stop.byte();
    let len = len + 1;
    let [a, b, c, d, e, f, g, h] = (len as u64).to_le_bytes();
    let header = [Opcode::Proto.byte(), protocol, Opcode::Frame.byte(), a, b, c, d, e, f, g, h];
    if protocol >= 4 {
        if len >= framing.min_len() {
            *memory.first_chunk_mut()? = header;
            return memory.get(..HEADER_LEN + len);
        }
        // Too short for a frame.
        memory.copy_within(start..start + len, PROTO_LEN);
    }
    memory[..PROTO_LEN].copy_from_slice(&header[..PROTO_LEN]);
    memory.get(..PROTO_LEN + len)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::writer::Writer;

    #[test]
    fn a_small_pickle_equals_that_of_a_writer() {
        for protocol in 2..=5 {
            for framing in [Framing::Python34, Framing::Python37] {
                for count in 0..10 {
                    let mut writer = Writer::new();
                    writer.begin(protocol, framing).expect("memory");
                    let mut run = writer.reserve();
                    (0..count).for_each(|_| run.bare(Opcode::None));
                    let written = run.len();
                    writer.commit(written);
                    writer.op(crate::Op::Stop).expect("memory");
                    let expected = writer.into_vec().expect("memory");
                    let mut memory = [1; 200];
                    let pickle = write_small(&mut memory, protocol, framing, |mut run| {
                        (0..count).for_each(|_| run.bare(Opcode::None));
                        Some(run.len())
                    });
                    assert_eq!(pickle, Some(&expected[..]), "protocol {protocol}, {framing:?}");
                }
            }
        }
    }

    #[test]
    fn the_result_is_none_if_memory_runs_out_or_the_caller_returns_none() {
        assert_eq!(write_small(&mut [0; 5], 4, Framing::default(), |run| Some(run.len())), None);
        assert_eq!(write_small(&mut [0; 11], 4, Framing::default(), |run| Some(run.len())), None);
        assert_eq!(write_small(&mut [0; 200], 4, Framing::default(), |_| None), None);
    }
}
