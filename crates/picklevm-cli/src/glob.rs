//! Patterns for names: `*` matches any text, `?` one character.

/// Whether a name fits a pattern, or is spelled as it.
pub(crate) fn fits(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    if pattern == name {
        return true;
    }
    let (mut p, mut n) = (0, 0);
    // Where the last `*` stands, and what it stands for at most so far.
    let mut star = None;
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(c) if *c == '?' || *c == name[n] => {
                p += 1;
                n += 1;
            }
            _ => match &mut star {
                Some((at, until)) => {
                    *until += 1;
                    (p, n) = (*at + 1, *until);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn stars_stand_for_any_text_and_question_marks_for_a_character() {
        for (pattern, name) in [
            ("a.pkl", "a.pkl"),
            ("*.pkl", "sub/b.pkl"),
            ("*/data.pkl", "x/data.pkl"),
            ("a?c", "aéc"),
            ("*", ""),
            ("a*b*c", "axbxbxc"),
            ("[1]?", "[1]?"),
        ] {
            assert!(fits(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [("a.pkl", "b.pkl"), ("*.pkl", "a.txt"), ("a?c", "ac"), ("", "a"), ("a*b", "abc")] {
            assert!(!fits(pattern, name), "{pattern} {name}");
        }
    }
}
