//! Who may change a device: what decides over blocks, and what carries it out. Everybody else reads.

use super::tree;

/// The words of `snmp::set` by which a SetRequest leaves this machine.
const WORDS: [&str; 3] = ["Warrant", "set::write", "Ask::Set"];

/// Where they may stand: the room of the wire itself, and the actuators, which take permits.
const PLACES: [&str; 2] = ["src/snmp", "src/block/actuator"];

#[test]
fn only_permits_and_actuators_change_a_device() {
    let (mut wrong, mut seen) = (Vec::new(), 0);
    for source in tree::sources() {
        let word = WORDS.iter().find(|word| names(&source.code, word));
        let path = source.path.to_string_lossy();
        match word {
            Some(_) if PLACES.iter().any(|place| path.starts_with(place)) => seen += 1,
            Some(word) => wrong.push(format!("{path}: `{word}` belongs to {}", PLACES.join(", "))),
            None => {}
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(seen >= 1, "the words are not those of `snmp::set` any more");
}

fn names(code: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word).any(|(at, _)| {
        let (before, behind) = (code[..at].chars().last(), code[at + word.len()..].chars().next());
        !before.is_some_and(part) && !behind.is_some_and(part)
    })
}

#[test]
fn words_are_told_from_parts_of_words() {
    assert!(names("let w = Warrant::issue(x);", "Warrant") && names("snmp::set::write(a)", "set::write"));
    assert!(!names("Warrants", "Warrant") && !names("offset::write(a)", "set::write") && !names("Ask::Setting", "Ask::Set"));
}
