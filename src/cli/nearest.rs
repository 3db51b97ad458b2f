//! The nearest known name to one that was mistyped.

/// Most edits that still count as a slip of the fingers.
const MAX_EDITS: usize = 3;

/// `Did you mean "x"?` with a space before it; empty when nothing is near.
pub fn hint<'n>(typed: &str, known: impl Iterator<Item = &'n str>) -> String {
    find(typed, known).map(|near| format!(" Did you mean {near:?}?")).unwrap_or_default()
}

/// The nearest of the known names, when it is near at all.
pub fn find<'n>(typed: &str, known: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let limit = MAX_EDITS.min(typed.chars().count() / 2);
    known
        .map(|name| (distance(typed, name), name))
        .min()
        .filter(|(edits, _)| *edits <= limit)
        .map(|(_, name)| name)
}

/// How many letters must be put in, taken out, changed or swapped with their neighbour.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let at = |row: &[usize], k: usize| row.get(k).copied().unwrap_or(usize::MAX / 2);
            let change = at(&last, j) + usize::from(x != y);
            let mut best = change.min(at(&last, j + 1) + 1).min(at(&row, j) + 1);
            let swapped = i > 0 && j > 0 && a.get(i - 1) == Some(y) && b.get(j - 1) == Some(x);
            if swapped {
                best = best.min(at(&before, j - 1) + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_seen_and_strangers_are_not() {
        let known = ["http-address", "ssh-address", "data", "access-url"];
        let check = |typed: &str, near: Option<&str>| {
            assert_eq!(find(typed, known.iter().copied()), near, "{typed}");
        };
        check("http-adress", Some("http-address"));
        check("shs-address", Some("ssh-address"));
        check("dta", Some("data"));
        check("acess_url", Some("access-url"));
        check("colour", None);
        check("x", None);
    }
}
