//! Arrows from a user to the used, for crates and modules, and circles of such arrows.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// Pairs of user and used.
#[derive(Default, PartialEq, Eq)]
pub(crate) struct Arrows(BTreeMap<String, BTreeSet<String>>);

impl Arrows {
    pub(crate) fn add(&mut self, user: &str, used: &str) {
        if user != used {
            self.0.entry(user.to_owned()).or_default().insert(used.to_owned());
        }
    }

    pub(crate) fn contains(&self, user: &str, used: &str) -> bool {
        self.0.get(user).is_some_and(|all| all.contains(used))
    }

    /// The arrows that are part of a circle: a path leads from their end back to their start.
    pub(crate) fn circles(&self) -> Self {
        let mut circles = Self::default();
        for (user, all) in &self.0 {
            for used in all.iter().filter(|used| self.leads_to(used, user)) {
                circles.add(user, used);
            }
        }
        circles
    }

    fn leads_to(&self, start: &str, end: &str) -> bool {
        let mut reached = BTreeSet::from([start]);
        let mut waiting = vec![start];
        while let Some(next) = waiting.pop() {
            let used = self.0.get(next).into_iter().flatten();
            waiting.extend(used.map(String::as_str).filter(|used| reached.insert(used)));
        }
        reached.contains(end)
    }
}

impl fmt::Debug for Arrows {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (user, all) in &self.0 {
            for used in all {
                write!(out, "\n{user} -> {used}")?;
            }
        }
        Ok(())
    }
}

#[test]
fn finds_circles_of_any_length_and_nothing_beside_them() {
    let mut arrows = Arrows::default();
    for (user, used) in [("top", "a"), ("a", "b"), ("b", "c"), ("c", "ground"), ("top", "ground"), ("top", "top")] {
        arrows.add(user, used);
    }
    assert_eq!(arrows.circles(), Arrows::default());
    arrows.add("c", "a");
    let circles = arrows.circles();
    assert!(circles.contains("a", "b") && circles.contains("b", "c") && circles.contains("c", "a"));
    assert!(!circles.contains("top", "a") && !circles.contains("c", "ground"));
}
