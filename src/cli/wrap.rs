//! Text in lines of limited width.

/// Width of the lines that are printed, in characters.
const WIDTH: usize = 100;

/// The words of `text` in lines with a newline each, the first behind `first`, the others behind
/// `others`. A word that is longer than a line has a line of its own.
pub fn wrap(text: &str, first: &str, others: &str) -> String {
    let mut lines = String::new();
    let mut line = first.to_owned();
    let mut is_empty = true;
    for word in text.split_whitespace() {
        if !is_empty && line.chars().count() + 1 + word.chars().count() > WIDTH {
            lines += &line;
            lines.push('\n');
            line = others.to_owned();
            is_empty = true;
        }
        if !is_empty {
            line.push(' ');
        }
        line += word;
        is_empty = false;
    }
    lines + &line + "\n"
}
