//! Graphs: an order of their nodes, dominators, and loops.

/// A node that a search did not reach, or that is in no loop.
pub(crate) const NONE: usize = usize::MAX;

/// The successors of each node, by its number.
pub(crate) type Successors = [Vec<usize>];

/// A graph as seen from its root: the nodes that can be reached, and which of them dominate others.
pub(crate) struct Dominators {
    /// The reachable nodes in reverse postorder.
    pub(crate) order: Vec<usize>,
    /// The place of each node in `order`, or [`NONE`].
    pub(crate) place: Vec<usize>,
    /// The immediate dominator of each node; the root is its own.
    pub(crate) immediate: Vec<usize>,
    /// When a walk through the tree of dominators comes to each node, and when it leaves it.
    enter: Vec<usize>,
    leave: Vec<usize>,
}

impl Dominators {
    /// Finds the dominators ("A Simple, Fast Dominance Algorithm", Cooper, Harvey and Kennedy).
    ///
    /// Gives nothing where that takes more than `steps` steps, of which a graph of real code takes
    /// a few for each edge.
    pub(crate) fn find(successors: &Successors, root: usize, mut steps: usize) -> Option<Dominators> {
        let (order, place) = reverse_postorder(successors, root);
        let mut immediate = vec![NONE; successors.len()];
        immediate[root] = root;
        let predecessors = predecessors(successors, &order);
        let mut changed = true;
        while changed {
            changed = false;
            for &node in order.iter().skip(1) {
                let mut found = NONE;
                for &before in &predecessors[node] {
                    if immediate[before] == NONE {
                        continue;
                    }
                    if found == NONE {
                        found = before;
                        continue;
                    }
                    let mut other = before;
                    while found != other {
                        steps = steps.checked_sub(1)?;
                        if place[found] > place[other] {
                            found = immediate[found];
                        } else {
                            other = immediate[other];
                        }
                    }
                }
                if immediate[node] != found {
                    immediate[node] = found;
                    changed = true;
                }
            }
        }
        let (enter, leave) = intervals(&order, &immediate, root);
        Some(Dominators { order, place, immediate, enter, leave })
    }

    /// Whether every way from the root to `below` passes `above`. Both can be reached.
    pub(crate) fn dominates(&self, above: usize, below: usize) -> bool {
        self.enter[above] <= self.enter[below] && self.leave[below] <= self.leave[above]
    }

    /// Whether an edge leads to a node that comes no later: in a reducible graph, back to the head
    /// of a loop.
    pub(crate) fn is_back(&self, from: usize, to: usize) -> bool {
        self.place[to] <= self.place[from]
    }
}

fn reverse_postorder(successors: &Successors, root: usize) -> (Vec<usize>, Vec<usize>) {
    let mut seen = vec![false; successors.len()];
    let mut order = Vec::new();
    let mut path = vec![(root, 0)];
    seen[root] = true;
    while let Some((node, next)) = path.last_mut() {
        match successors[*node].get(*next) {
            Some(&to) => {
                *next += 1;
                if !seen[to] {
                    seen[to] = true;
                    path.push((to, 0));
                }
            }
            None => {
                order.push(*node);
                path.pop();
            }
        }
    }
    order.reverse();
    let mut place = vec![NONE; successors.len()];
    for (at, &node) in order.iter().enumerate() {
        place[node] = at;
    }
    (order, place)
}

fn predecessors(successors: &Successors, order: &[usize]) -> Vec<Vec<usize>> {
    let mut predecessors = vec![Vec::new(); successors.len()];
    for &node in order {
        for &to in &successors[node] {
            predecessors[to].push(node);
        }
    }
    predecessors
}

fn intervals(order: &[usize], immediate: &[usize], root: usize) -> (Vec<usize>, Vec<usize>) {
    let mut children = vec![Vec::new(); immediate.len()];
    for &node in order.iter().skip(1) {
        children[immediate[node]].push(node);
    }
    let (mut enter, mut leave) = (vec![0; immediate.len()], vec![0; immediate.len()]);
    let mut time = 1;
    let mut path = vec![(root, 0)];
    enter[root] = time;
    while let Some((node, next)) = path.last_mut() {
        time += 1;
        match children[*node].get(*next) {
            Some(&child) => {
                *next += 1;
                enter[child] = time;
                path.push((child, 0));
            }
            None => {
                leave[*node] = time;
                path.pop();
            }
        }
    }
    (enter, leave)
}

/// The loops of a reducible graph.
pub(crate) struct Loops {
    /// The head of the innermost loop that each node is in, or [`NONE`]. A head is in its own loop.
    pub(crate) innermost: Vec<usize>,
    /// For a head, the head of the loop around its own, or [`NONE`].
    pub(crate) around: Vec<usize>,
}

impl Loops {
    /// Finds the loops, from the inside out: one that was found counts as a single node from then
    /// on ("Testing Flow Graph Reducibility", Tarjan). Gives nothing for an irreducible graph.
    pub(crate) fn find(successors: &Successors, dominators: &Dominators) -> Option<Loops> {
        let count = successors.len();
        let predecessors = predecessors(successors, &dominators.order);
        let mut loops = Loops { innermost: vec![NONE; count], around: vec![NONE; count] };
        // What each node has become part of: a forest, whose roots are nodes and heads.
        let mut part: Vec<usize> = (0..count).collect();
        for &head in dominators.order.iter().rev() {
            let mut open = Vec::new();
            let mut is_head = false;
            for &before in &predecessors[head] {
                if dominators.is_back(before, head) {
                    if !dominators.dominates(head, before) {
                        return None;
                    }
                    is_head = true;
                    open.push(before);
                }
            }
            if !is_head {
                continue;
            }
            loops.innermost[head] = head;
            while let Some(node) = open.pop() {
                let node = whole(&mut part, node);
                if node == head {
                    continue;
                }
                part[node] = head;
                if loops.innermost[node] == NONE {
                    loops.innermost[node] = head;
                } else {
                    loops.around[node] = head;
                }
                open.extend(&predecessors[node]);
            }
        }
        Some(loops)
    }

    /// The heads of the loops that a node is in, from the inside out.
    pub(crate) fn of(&self, node: usize) -> impl Iterator<Item = usize> {
        let some = |head: usize| (head != NONE).then_some(head);
        std::iter::successors(some(self.innermost[node]), move |&head| some(self.around[head]))
    }
}

/// The loop that a node has become part of, or itself. Shortens the way for the next who asks.
fn whole(part: &mut [usize], mut node: usize) -> usize {
    while part[node] != node {
        part[node] = part[part[node]];
        node = part[node];
    }
    node
}

#[cfg(test)]
mod tests {
    use super::*;

    fn analyse(successors: &Successors) -> (Dominators, Option<Loops>) {
        let dominators = Dominators::find(successors, 0, 1000).expect("few steps");
        let loops = Loops::find(successors, &dominators);
        (dominators, loops)
    }

    #[test]
    fn a_branch_has_its_dominator_where_it_began() {
        // 0 -> 1 -> {2, 3} -> 4
        let (dominators, loops) = analyse(&[vec![1], vec![2, 3], vec![4], vec![4], vec![]]);
        assert_eq!(dominators.immediate, [0, 0, 1, 1, 1]);
        assert!(dominators.dominates(1, 4) && !dominators.dominates(2, 4) && dominators.dominates(4, 4));
        assert!(loops.is_some_and(|loops| (0..5).all(|node| loops.of(node).next().is_none())));
    }

    #[test]
    fn loops_within_loops() {
        // 1 is the head of {1, 2, 3, 4}, and 2 of {2, 3}; 5 is behind them; 6 can't be reached.
        let (_, loops) = analyse(&[vec![1], vec![2], vec![3], vec![2, 4], vec![1, 5], vec![], vec![1]]);
        let loops = loops.expect("reducible");
        let of = |node| loops.of(node).collect::<Vec<_>>();
        assert_eq!([of(0), of(1), of(2), of(3), of(4), of(5)], [vec![], vec![1], vec![2, 1], vec![2, 1], vec![1], vec![]]);
    }

    #[test]
    fn a_loop_with_two_ways_in_is_irreducible() {
        let (_, loops) = analyse(&[vec![1, 2], vec![2], vec![1]]);
        assert!(loops.is_none());
    }

    #[test]
    fn a_node_that_is_its_own_loop() {
        let (_, loops) = analyse(&[vec![1], vec![1, 2], vec![]]);
        assert_eq!(loops.expect("reducible").of(1).collect::<Vec<_>>(), [1]);
    }

    #[test]
    fn a_graph_that_takes_too_long_is_given_up() {
        let mut ladder: Vec<Vec<usize>> = (0..1000).map(|node| vec![node + 1, 1000]).collect();
        ladder.push(vec![]);
        assert!(Dominators::find(&ladder, 0, 1000).is_none());
        assert!(Dominators::find(&ladder, 0, 10_000_000).is_some());
    }
}
