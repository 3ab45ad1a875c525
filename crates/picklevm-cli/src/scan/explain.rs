//! The actions of a pickle in words, for readers who do not know the format.

use std::collections::HashSet;

use picklevm_scan::{Action, Event, PolicyEntry, Verdict};

/// The verdict on a name of which this is known.
pub(super) fn verdict_of(known: &PolicyEntry) -> Verdict {
    match known {
        PolicyEntry::Safe => Verdict::Safe,
        PolicyEntry::Dangerous(_) => Verdict::Dangerous,
        _ => Verdict::Suspicious,
    }
}

/// Sentences about events, each said once.
#[derive(Default)]
pub(super) struct Words {
    said: HashSet<String>,
    harmed: bool,
}

/// An explanation of the first harmful call.
const LESSON: &str = "The arguments were data until now; they are executed as code from here.";

impl Words {
    /// What an event means; `None` if the same was said before.
    pub(super) fn of(&mut self, event: &Event) -> Option<String> {
        let mut sentence = sentence(event);
        if !self.said.insert(sentence.clone()) {
            return None;
        }
        let does_harm = event.action == Action::Call && matches!(event.known, Some(PolicyEntry::Dangerous(_)));
        if does_harm && !std::mem::replace(&mut self.harmed, true) {
            sentence = format!("{sentence} {LESSON}");
        }
        Some(sentence)
    }
}

fn sentence(event: &Event) -> String {
    let subject = &event.subject;
    match (event.action, &event.known) {
        (Action::Import, Some(known)) => {
            let (module, name) = match event.python.strip_prefix("from ").and_then(|line| line.split_once(" import ")) {
                Some(pair) => pair,
                None => return format!("Python imports the module {subject}{}.", import_ending(subject, known)),
            };
            format!("Python imports the module {module} and looks up {name} in it{}.", import_ending(subject, known))
        }
        (Action::Call, Some(PolicyEntry::Dangerous(why))) => {
            format!("Python calls {subject} with these arguments. {subject} {why}: this is where the harm is done.")
        }
        (Action::Call, Some(PolicyEntry::Suspicious)) => {
            format!("Python calls {subject} with these arguments. What that does is not covered by the policy.")
        }
        (Action::Call, Some(_)) => format!("Python calls {subject}, which does no harm."),
        (Action::Call, None) => {
            format!("Python calls {subject}, which the pickle made before. What that does is unknown.")
        }
        (Action::Construct, Some(PolicyEntry::Dangerous(why))) => format!(
            "Python makes an object of the class {subject} from these arguments. {subject} {why}: this is where the harm \
             is done."
        ),
        (Action::Construct, _) => format!("Python makes an empty object of the class {subject}."),
        (Action::State, Some(_)) => {
            format!("Python changes {subject} itself, for the whole process.")
        }
        (Action::State, None) => {
            "Python gives the object its state: it calls the object's __setstate__, or else sets its attributes.".into()
        }
        (Action::Items, _) => "Python puts items into the object, by the object's own methods.".into(),
        (Action::Persistent, _) => {
            "Python asks the program that loads the pickle what this id stands for: the program decides.".into()
        }
        (Action::Extension, _) => {
            "Python looks this number up in a table of the process, copyreg's. What it stands for is not in the pickle."
                .into()
        }
        (Action::Buffer, _) => "Python takes a buffer that the program passes beside the pickle.".into(),
        (Action::Drop, _) => "The result is discarded: the call was made for its effect.".into(),
        _ => "What this does is unknown.".into(),
    }
}

/// Returns the end of a sentence about an import.
fn import_ending(subject: &str, known: &PolicyEntry) -> String {
    match known {
        PolicyEntry::Safe => ", which does no harm".into(),
        PolicyEntry::Dangerous(why) => format!(". Nothing is called yet, but {subject} {why}"),
        _ => ". Importing a module runs the code in it, and this one is not covered by the policy".into(),
    }
}

/// Lines of a text, broken at blanks where they would be longer than `width` characters.
pub(super) fn wrap(text: &str, width: usize) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut rest = text;
    while let Some((beyond, _)) = rest.char_indices().nth(width) {
        let fits = rest[beyond..].starts_with(' ').then_some(beyond).or_else(|| rest[..beyond].rfind(' '));
        let Some(at) = fits.or_else(|| rest.find(' ')) else { break };
        lines.push(&rest[..at]);
        rest = &rest[at + 1..];
    }
    lines.push(rest);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_at_blanks() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("unbreakable word", 4), ["unbreakable", "word"]);
        assert_eq!(wrap("", 4), [""]);
    }
}
