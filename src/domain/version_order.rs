//! Which of two API versions is the newer one.

use std::cmp::Ordering;

/// Compares versions the way people read them: runs of digits by their number, everything else by its letters, so that
/// `1.9` comes before `1.10` and `v2` before `v10`.
#[must_use]
pub fn compare(left: &str, right: &str) -> Ordering {
    let (mut left, mut right) = (left, right);
    loop {
        match (left.is_empty(), right.is_empty()) {
            (true, true) => return Ordering::Equal,
            (true, false) => return Ordering::Less,
            (false, true) => return Ordering::Greater,
            (false, false) => {}
        }
        let (left_run, left_rest) = split_run(left);
        let (right_run, right_rest) = split_run(right);
        let order = match (is_number(left_run), is_number(right_run)) {
            (true, true) => compare_numbers(left_run, right_run),
            _ => left_run.cmp(right_run),
        };
        if order != Ordering::Equal {
            return order;
        }
        (left, right) = (left_rest, right_rest);
    }
}

fn is_number(run: &str) -> bool {
    run.starts_with(|c: char| c.is_ascii_digit())
}

/// The longest start of `text` that is digits only or without digits.
fn split_run(text: &str) -> (&str, &str) {
    let is_number = is_number(text);
    let end = text.find(|c: char| c.is_ascii_digit() != is_number).unwrap_or(text.len());
    text.split_at(end)
}

/// Numbers of any length: the one with more digits is larger, else the texts decide.
fn compare_numbers(left: &str, right: &str) -> Ordering {
    let (left, right) = (left.trim_start_matches('0'), right.trim_start_matches('0'));
    left.len().cmp(&right.len()).then_with(|| left.cmp(right))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_versions_are_compared_as_numbers() {
        for (older, newer) in
            [("1.0.0", "2.0.0"), ("1.9", "1.10"), ("v2", "v10"), ("1.0", "1.0.1"), ("1.0.0", "1.0.0-a")]
        {
            assert_eq!(compare(older, newer), Ordering::Less, "{older} {newer}");
            assert_eq!(compare(newer, older), Ordering::Greater, "{newer} {older}");
        }
        assert_eq!(compare("1.00", "1.0"), Ordering::Equal);
    }
}
