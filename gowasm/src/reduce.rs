//! Reduces graphs whose loops have several entries, as `goto` into a loop creates.
//!
//! Structured code has no such loops. One entry of each is kept as its head. The others are
//! redirected there, and control passes through the dispatcher at the head, as it does for a frame
//! that is resumed. So the loop itself, which runs often, keeps its form.

use crate::graph::{NONE, Successors};

/// An edge, from one node to another.
pub(crate) type Edge = (usize, usize);

/// An edge into a loop beside its head, and that head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Beside {
    pub(crate) edge: Edge,
    pub(crate) head: usize,
}

/// The edges that have to lead to the head of a loop instead, for the graph to be reducible. What
/// can't be reached must have no edges.
///
/// Gives nothing where that takes more than `steps` steps: one for each edge, at each depth of such
/// loops within each other.
pub(crate) fn ways_beside(successors: &Successors, root: usize, mut steps: usize) -> Option<Vec<Beside>> {
    let mut predecessors = vec![Vec::new(); successors.len()];
    for (from, to) in edges(successors) {
        predecessors[to].push(from);
    }
    let mut found = Vec::new();
    let mut search = Search::new(successors.len());
    let mut open = vec![(0..successors.len()).collect::<Vec<usize>>()];
    while let Some(nodes) = open.pop() {
        for component in search.components(successors, &nodes, &mut steps)? {
            if component.len() == 1 {
                continue;
            }
            search.mark(&component);
            let from_outside = |node: &usize| predecessors[*node].iter().any(|from| !search.is_marked(*from));
            let from_inside = |node: &usize| predecessors[*node].iter().filter(|from| search.is_marked(**from)).count();
            let mut entries: Vec<usize> = component.iter().copied().filter(from_outside).collect();
            entries.sort_unstable();
            // The beginning of the function has no block that a jump could name. Else the entry
            // that is jumped back to most is the head that the source has.
            let is_first = |node: &usize| successors[root].first() == Some(node);
            let head = entries.iter().copied().max_by_key(|node| (is_first(node), from_inside(node), std::cmp::Reverse(*node)));
            let Some(head) = head.or_else(|| component.iter().copied().min()) else { continue };
            for entry in entries {
                if entry != head {
                    let others = predecessors[entry].iter().filter(|from| !search.is_marked(**from));
                    found.extend(others.map(|from| Beside { edge: (*from, entry), head }));
                    predecessors[entry].retain(|from| search.is_marked(*from));
                }
            }
            open.push(component.into_iter().filter(|node| *node != head).collect());
        }
    }
    Some(found)
}

fn edges(successors: &Successors) -> impl Iterator<Item = Edge> {
    successors.iter().enumerate().flat_map(|(from, all)| all.iter().map(move |to| (from, *to)))
}

/// Tarjan's search for strongly connected components, within a part of the graph at a time.
struct Search {
    /// Which part a node belongs to; what is not of the present one is passed over.
    part: Vec<usize>,
    parts: usize,
    place: Vec<usize>,
    low: Vec<usize>,
    is_open: Vec<bool>,
    marked: Vec<usize>,
    marks: usize,
}

impl Search {
    fn new(count: usize) -> Search {
        Search {
            part: vec![0; count],
            parts: 0,
            place: vec![NONE; count],
            low: vec![NONE; count],
            is_open: vec![false; count],
            marked: vec![0; count],
            marks: 0,
        }
    }

    fn mark(&mut self, nodes: &[usize]) {
        self.marks += 1;
        for node in nodes {
            self.marked[*node] = self.marks;
        }
    }

    fn is_marked(&self, node: usize) -> bool {
        self.marked[node] == self.marks
    }

    fn components(&mut self, successors: &Successors, nodes: &[usize], steps: &mut usize) -> Option<Vec<Vec<usize>>> {
        self.parts += 1;
        for node in nodes {
            self.part[*node] = self.parts;
            self.place[*node] = NONE;
        }
        let (mut found, mut stack, mut time) = (Vec::new(), Vec::new(), 0);
        for &first in nodes {
            if self.place[first] != NONE {
                continue;
            }
            let mut path = vec![(first, 0)];
            while let Some((node, next)) = path.last_mut() {
                *steps = steps.checked_sub(1)?;
                let node = *node;
                if *next == 0 && self.place[node] == NONE {
                    self.place[node] = time;
                    self.low[node] = time;
                    self.is_open[node] = true;
                    stack.push(node);
                    time += 1;
                }
                if let Some(&to) = successors[node].get(*next) {
                    *next += 1;
                    if self.part[to] != self.parts {
                        continue;
                    }
                    if self.place[to] == NONE {
                        path.push((to, 0));
                    } else if self.is_open[to] {
                        self.low[node] = self.low[node].min(self.place[to]);
                    }
                    continue;
                }
                path.pop();
                if let Some((before, _)) = path.last() {
                    self.low[*before] = self.low[*before].min(self.low[node]);
                }
                if self.low[node] == self.place[node] {
                    let mut component = Vec::new();
                    while let Some(member) = stack.pop() {
                        self.is_open[member] = false;
                        component.push(member);
                        if member == node {
                            break;
                        }
                    }
                    found.push(component);
                }
            }
        }
        Some(found)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::graph::{Dominators, Loops};

    fn led_to_heads(successors: &Successors, beside: &[Beside]) -> Vec<Vec<usize>> {
        let target = |edge: Edge| beside.iter().find(|way| way.edge == edge).map_or(edge.1, |way| way.head);
        successors.iter().enumerate().map(|(from, all)| all.iter().map(|to| target((from, *to))).collect()).collect()
    }

    #[test]
    fn one_way_in_is_left() {
        // 0 leads to both 1 and 2, which lead to each other; 2 is jumped back to from 3, too.
        let graph = [vec![1, 2], vec![2], vec![1, 3], vec![2, 4], vec![], vec![0]];
        assert_eq!(ways_beside(&graph, 5, 1000), Some(vec![Beside { edge: (0, 1), head: 2 }]));
    }

    proptest! {
        #[test]
        fn any_graph_becomes_reducible(edges in prop::collection::vec((0_usize..12, 0_usize..12), 0..40)) {
            let mut graph = vec![Vec::new(); 13];
            for (from, to) in edges {
                graph[from].push(to);
            }
            graph[12].push(0);
            let before = Dominators::find(&graph, 12, 100_000).expect("few steps");
            for (node, all) in graph.iter_mut().enumerate().filter(|(node, _)| before.place[*node] == NONE) {
                prop_assert!(node < 12);
                all.clear();
            }
            let beside = ways_beside(&graph, 12, 100_000).expect("few steps");
            prop_assert!(beside.iter().all(|way| way.edge != (12, 0)));
            let graph = led_to_heads(&graph, &beside);
            let dominators = Dominators::find(&graph, 12, 100_000).expect("few steps");
            prop_assert!(Loops::find(&graph, &dominators).is_some());
            prop_assert_eq!(before.order.len(), dominators.order.len());
        }
    }
}
