//! The graph of a function with the ways back into it.
//!
//! When a goroutine is switched, its frames unwind, and are later called again with the number of a
//! basic block (PC_B) to go on at. The only such blocks are those behind calls that may unwind. A
//! graph in which each of them could be entered from outside would have no loops that an engine
//! knows as such. So the function's entry asks once whether PC_B is other than 0. Where the block
//! lies within loops, control is handed through a dispatcher at the head of each, from the outside
//! in, the last of which clears PC_B. A loop without calls has no dispatcher.

use crate::body::{Body, Copied};
use crate::graph::{Dominators, Loops, NONE};

/// What a node of the graph does.
pub(crate) enum Node {
    Segment(usize),
    /// Where PC_B is other than 0, goes on at the node that is for it; else at `default`.
    Dispatch {
        cases: Vec<(u32, usize)>,
        default: usize,
    },
    /// Clears PC_B, and goes on at the segment where the frame is resumed.
    Arrival,
    /// Is reached with a PC_B that nobody can have.
    Trap,
}

/// The nodes and edges of a function. The first nodes are its segments.
pub(crate) struct Flow {
    pub(crate) nodes: Vec<Node>,
    pub(crate) successors: Vec<Vec<usize>>,
    /// Nodes that a `br_table` leads to: these are reached by branches alone.
    pub(crate) is_branched_to: Vec<bool>,
    pub(crate) root: usize,
    pub(crate) trap: usize,
    pub(crate) dominators: Dominators,
    /// Of a segment that is the head of a loop with a dispatcher: that; else the segment.
    entry: Vec<usize>,
}

/// How many cases all dispatchers may have, for each block that a frame can be resumed in.
const CASES_EACH: usize = 32;

impl Flow {
    /// Builds the graph. `steps` bounds the search for dominators.
    pub(crate) fn of(body: &Body, steps: usize) -> Result<Flow, Copied> {
        let loops = loops_of(body, steps)?;
        let count = body.segments.len();
        let (root, trap) = (count, count + 1);
        let mut nodes: Vec<Node> = (0..count).map(Node::Segment).collect();
        nodes.push(Node::Dispatch { cases: Vec::new(), default: 0 });
        nodes.push(Node::Trap);
        let mut entry: Vec<usize> = (0..count).collect();
        let mut arrival = vec![NONE; count];
        let mut arrivals = Vec::new();
        let mut cases: Vec<Vec<(u32, usize)>> = vec![Vec::new(); nodes.len()];
        let mut cases_left = CASES_EACH * body.resumptions.len();
        for &(block, segment) in &body.resumptions {
            if arrival[segment] == NONE {
                arrival[segment] = nodes.len();
                arrivals.push((nodes.len(), segment));
                nodes.push(Node::Arrival);
                cases.push(Vec::new());
            }
            let mut heads: Vec<usize> = loops.of(segment).collect();
            heads.reverse();
            let mut from = root;
            for head in heads {
                if entry[head] == head {
                    entry[head] = nodes.len();
                    nodes.push(Node::Dispatch { cases: Vec::new(), default: head });
                    cases.push(Vec::new());
                }
                cases_left = cases_left.checked_sub(1).ok_or(Copied("its loops are nested too deeply"))?;
                cases[from].push((block, entry[head]));
                from = entry[head];
            }
            cases[from].push((block, arrival[segment]));
        }

        let mut successors: Vec<Vec<usize>> =
            body.segments.iter().map(|segment| segment.successors.iter().map(|to| entry[*to]).collect()).collect();
        successors.resize(nodes.len(), Vec::new());
        for (node, segment) in arrivals {
            successors[node].push(entry[segment]);
        }
        let mut is_branched_to = vec![false; nodes.len()];
        let may_trap = !body.resumptions.is_empty() || count > 1;
        for (at, (node, found)) in nodes.iter_mut().zip(cases).enumerate() {
            let Node::Dispatch { cases, default } = node else { continue };
            *cases = found;
            if at == root {
                *default = entry[0];
                if may_trap {
                    successors[at].push(trap);
                    is_branched_to[trap] = true;
                }
            }
            for &(_, to) in cases.iter().rev() {
                if !is_branched_to[to] {
                    is_branched_to[to] = true;
                    successors[at].push(to);
                }
            }
            successors[at].push(*default);
        }
        let dominators = Dominators::find(&successors, root, steps).ok_or(Copied("its graph takes too long"))?;
        Ok(Flow { nodes, successors, is_branched_to, root, trap, dominators, entry })
    }

    /// The node at which control comes to a segment.
    pub(crate) fn entry(&self, segment: usize) -> usize {
        self.entry[segment]
    }
}

/// The loops of the graph without the ways back in, but for blocks that there is no other way to.
fn loops_of(body: &Body, steps: usize) -> Result<Loops, Copied> {
    let count = body.segments.len();
    let mut successors: Vec<Vec<usize>> = body.segments.iter().map(|segment| segment.successors.clone()).collect();
    successors.push(vec![0]);
    let mut seen = vec![false; count];
    let mut open = Vec::new();
    for (first, segment) in std::iter::once((true, 0)).chain(body.resumptions.iter().map(|(_, segment)| (false, *segment))) {
        if seen[segment] {
            continue;
        }
        if !first {
            successors[count].push(segment);
        }
        seen[segment] = true;
        open.push(segment);
        while let Some(node) = open.pop() {
            for &to in &successors[node] {
                if !seen[to] {
                    seen[to] = true;
                    open.push(to);
                }
            }
        }
    }
    let dominators = Dominators::find(&successors, count, steps).ok_or(Copied("its graph takes too long"))?;
    Loops::find(&successors, &dominators).ok_or(Copied("its loops have several ways in"))
}
