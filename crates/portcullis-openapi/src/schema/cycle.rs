//! Schemas that apply themselves to the same value (`A: {allOf: [{$ref: A}]}`) describe nothing and send validators round for ever.
//!
//! Which schemas stand in such a circle is found once for each schema, by Tarjan's algorithm ("Depth-first search and linear graph algorithms", 1972), so that a document of many references costs no more than it has.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::rc::Rc;

use serde_json::Value;

use super::Address;
use crate::reference::Base;

/// Keywords whose schemas apply to the same value as the schema around them.
const SAME_VALUE: [&str; 7] = ["allOf", "anyOf", "oneOf", "not", "if", "then", "else"];

/// A schema, and where its references are tried that name nothing in the document.
#[derive(Clone, Debug)]
pub(super) struct Schema<'d> {
    pub(super) value: &'d Value,
    pub(super) base: Rc<Base<'d>>,
}

impl Schema<'_> {
    fn key(&self) -> (Address, Address) {
        (Address::of(self.value), Address::of(self.base.schema))
    }
}

impl PartialEq for Schema<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Schema<'_> {}

impl Hash for Schema<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

/// Lists the schemas within another that apply to the same value as it.
pub(super) fn applied(schema: &Value) -> Vec<&Value> {
    let mut applied = Vec::new();
    for keyword in SAME_VALUE {
        match schema.get(keyword) {
            Some(Value::Array(members)) => applied.extend(members),
            Some(member @ Value::Object(_)) => applied.push(member),
            _ => {}
        }
    }
    if let Some(Value::Object(dependent)) = schema.get("dependentSchemas") {
        applied.extend(dependent.values());
    }
    applied
}

/// The circles of a graph, found as far as nodes are asked for.
#[derive(Debug)]
pub(super) struct Circles<N> {
    seen: HashMap<N, Seen>,
    /// Nodes whose circle is not known yet, in the order in which they were come upon.
    open: Vec<N>,
}

#[derive(Clone, Copy, Debug)]
struct Seen {
    /// When it was come upon.
    index: usize,
    /// The first of its circle, once that is known.
    circle: Option<usize>,
}

/// A node that is being looked at.
struct Visit<N> {
    node: N,
    index: usize,
    /// The earliest node that it leads to and whose circle is not known yet.
    earliest: usize,
    next: Vec<N>,
}

impl<N> Default for Circles<N> {
    fn default() -> Self {
        Self {
            seen: HashMap::new(),
            open: Vec::new(),
        }
    }
}

impl<N: Clone + Eq + Hash> Circles<N> {
    /// Tells whether each of two nodes leads to the other; `next` says where a node leads, and is asked once for each.
    pub(super) fn joins(&mut self, one: &N, other: &N, next: impl FnMut(&N) -> Vec<N>) -> bool {
        let mut next = next;
        let [one, other] = [one, other].map(|node| {
            if !self.seen.contains_key(node) {
                self.look(node, &mut next);
            }
            self.seen.get(node).and_then(|seen| seen.circle)
        });
        one == other
    }

    fn look(&mut self, node: &N, next: &mut dyn FnMut(&N) -> Vec<N>) {
        let mut visits = vec![self.visit(node.clone(), next)];
        while let Some(visit) = visits.last_mut() {
            if let Some(node) = visit.next.pop() {
                match self.seen.get(&node) {
                    None => visits.push(self.visit(node, next)),
                    Some(seen) if seen.circle.is_none() => {
                        visit.earliest = visit.earliest.min(seen.index);
                    }
                    Some(_) => {}
                }
                continue;
            }
            let (index, earliest) = (visit.index, visit.earliest);
            if index == earliest {
                self.close(&visit.node.clone(), index);
            }
            visits.pop();
            if let Some(before) = visits.last_mut() {
                before.earliest = before.earliest.min(earliest);
            }
        }
    }

    fn visit(&mut self, node: N, next: &mut dyn FnMut(&N) -> Vec<N>) -> Visit<N> {
        let index = self.seen.len();
        let circle = None;
        self.seen.insert(node.clone(), Seen { index, circle });
        self.open.push(node.clone());
        Visit {
            next: next(&node),
            node,
            index,
            earliest: index,
        }
    }

    /// Completes the circle of which this node was the first.
    fn close(&mut self, first: &N, index: usize) {
        while let Some(node) = self.open.pop() {
            let is_first = node == *first;
            if let Some(seen) = self.seen.get_mut(&node) {
                seen.circle = Some(index);
            }
            if is_first {
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn circles_are_told_from_ways_that_do_not_return() {
        let graph: [&[usize]; 7] = [&[1, 4], &[2], &[0, 3], &[], &[5], &[5], &[6, 0]];
        let mut circles = Circles::default();
        let mut joins =
            |one, other| circles.joins(&one, &other, |&node: &usize| graph[node].to_vec());
        assert!(joins(0, 1) && joins(2, 1) && joins(3, 3));
        for (one, other) in [(0, 3), (4, 5), (0, 4), (6, 0)] {
            assert!(!joins(one, other), "{one} and {other}");
        }
    }

    #[test]
    fn x_01_each_schema_is_looked_at_once_however_many_refer_to_it() {
        let count = 300;
        let mut looked = 0;
        let mut circles = Circles::default();
        for one in 0..count {
            for other in 0..count {
                assert!(circles.joins(&one, &other, |_| {
                    looked += 1;
                    (0..count).collect()
                }));
            }
        }
        assert_eq!(looked, count);
    }
}
