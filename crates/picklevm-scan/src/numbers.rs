//! Numbers in text: where C, pure Python and Python 2 read them differently.

use picklevm_ops::Opcode;

/// Why readers disagree on a number in text that the machine reads, if they do.
pub(crate) fn disagreement(opcode: Opcode, line: &[u8]) -> Option<&'static str> {
    match opcode {
        Opcode::Get | Opcode::Put if !is_plain_decimal(line, false) => {
            Some("a memo index that Python 2 takes for another key than Python 3 does")
        }
        Opcode::Int if !is_plain_decimal(line, true) && !matches!(line, b"00" | b"01") => {
            Some("an INT that strtol, int() and Python 2 read differently")
        }
        Opcode::Long if !is_plain_decimal(line.strip_suffix(b"L").unwrap_or(line), true) => {
            Some("a LONG that Python 2 and 3 read differently")
        }
        Opcode::Float if !is_plain_float(line) => Some("a FLOAT that C and pure Python read differently"),
        _ => None,
    }
}

/// Whether a line is a decimal as every Python writes it.
fn is_plain_decimal(line: &[u8], signed: bool) -> bool {
    let digits = match line {
        [b'-', digits @ ..] if signed => digits,
        digits => digits,
    };
    match digits {
        [] => false,
        [b'0', _, ..] => false,
        digits => digits.iter().all(u8::is_ascii_digit),
    }
}

fn is_plain_float(line: &[u8]) -> bool {
    let is_number = line.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'));
    is_number && !line.is_empty() || matches!(line.strip_prefix(b"-").unwrap_or(line), b"inf" | b"nan")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_every_python_writes_them_are_no_disagreement() {
        for (opcode, line) in [
            (Opcode::Int, &b"0"[..]),
            (Opcode::Int, b"-42"),
            (Opcode::Int, b"01"),
            (Opcode::Long, b"-1L"),
            (Opcode::Long, b"0"),
            (Opcode::Float, b"-1.5e-07"),
            (Opcode::Float, b"nan"),
            (Opcode::Get, b"0"),
            (Opcode::Put, b"1234"),
        ] {
            assert_eq!(disagreement(opcode, line), None, "{opcode} {}", line.escape_ascii());
        }
    }

    #[test]
    fn numbers_that_readers_understand_in_several_ways_are_one() {
        for (opcode, line) in [
            (Opcode::Int, &b"0x10"[..]),
            (Opcode::Int, b" 1"),
            (Opcode::Int, b"1_0"),
            (Opcode::Long, b""),
            (Opcode::Float, b"1_0.5"),
            (Opcode::Get, b"007"),
            (Opcode::Put, b"+3"),
        ] {
            assert!(disagreement(opcode, line).is_some(), "{opcode} {}", line.escape_ascii());
        }
    }
}
