//! The graph of a function with the ways back into it.
//!
//! When a goroutine is switched, its frames unwind, and are later called again with the number of a
//! basic block (PC_B) to go on at. The only such blocks are those behind calls that may unwind. A
//! graph in which each of them could be entered from outside would have no loops that an engine
//! knows as such. So the function's entry asks once whether PC_B is other than 0. Where the block
//! lies within loops, control is handed through a dispatcher at the head of each, from the outside
//! in, the last of which clears PC_B. A loop without calls has no dispatcher.

use std::collections::BTreeMap;

use crate::body::Body;
use crate::graph::{Dominators, Loops, NONE};
use crate::reduce::{self, Beside, Edge};
use crate::shape::Copied;

/// What a node of the graph does.
pub(crate) enum Node {
    Segment(usize),
    /// Where PC_B is other than 0, goes on at the node that is for it; else at `default`.
    Dispatch {
        cases: Vec<(u32, usize)>,
        default: usize,
    },
    /// Clears PC_B, and goes on at the segment.
    Arrival(usize),
    /// Is reached with a PC_B that nobody can have.
    Trap,
}

/// How control comes to a segment.
#[derive(Clone, Copy)]
pub(crate) struct Way {
    /// The node to go on at.
    pub(crate) node: usize,
    /// What PC_B is to be, for the dispatchers on the way.
    pub(crate) block: Option<u32>,
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
    /// Of edges into a loop beside its head: how control is handed in.
    beside: BTreeMap<Edge, Way>,
}

/// How many cases all dispatchers may have, for each block that is reached through them.
const CASES_EACH: usize = 32;

impl Flow {
    /// Builds the graph. `steps` bounds the search for dominators.
    pub(crate) fn of(body: &Body, steps: usize) -> Result<Flow, Copied> {
        let (loops, ways) = loops_of(body, steps)?;
        let mut building = Building::new(body.segments.len(), CASES_EACH * (body.resumptions.len() + ways.len()));
        let root = building.root;
        for &(block, segment) in &body.resumptions {
            let heads: Vec<usize> = loops.of(segment).collect();
            building.hand_in(root, block, segment, &heads)?;
        }
        let mut beside = BTreeMap::new();
        for Beside { edge, head } in ways {
            let block = body.segments[edge.1].block.ok_or(Copied("its loops have several ways in, one of them without a number"))?;
            let heads: Vec<usize> = loops.of(edge.1).take_while(|inner| *inner != head).collect();
            let node = building.dispatcher(head);
            building.hand_in(node, block, edge.1, &heads)?;
            beside.insert(edge, Way { node, block: Some(block) });
        }
        building.finish(body, beside, steps)
    }

    /// How control comes from a segment to another one.
    pub(crate) fn way(&self, from: usize, to: usize) -> Way {
        let usual = || Way { node: self.entry[to], block: None };
        if self.beside.is_empty() { usual() } else { self.beside.get(&(from, to)).copied().unwrap_or_else(usual) }
    }
}

/// The graph while dispatchers are added to it.
struct Building {
    nodes: Vec<Node>,
    /// The cases of each node.
    cases: Vec<BTreeMap<u32, usize>>,
    cases_left: usize,
    entry: Vec<usize>,
    /// The node of each segment that clears PC_B.
    arrival: Vec<usize>,
    root: usize,
    trap: usize,
}

impl Building {
    fn new(count: usize, cases_left: usize) -> Building {
        let mut nodes: Vec<Node> = (0..count).map(Node::Segment).collect();
        nodes.push(Node::Dispatch { cases: Vec::new(), default: 0 });
        nodes.push(Node::Trap);
        let cases = vec![BTreeMap::new(); nodes.len()];
        Building { nodes, cases, cases_left, entry: (0..count).collect(), arrival: vec![NONE; count], root: count, trap: count + 1 }
    }

    fn add(&mut self, node: Node) -> usize {
        self.nodes.push(node);
        self.cases.push(BTreeMap::new());
        self.nodes.len() - 1
    }

    /// The dispatcher of the loop with that head.
    fn dispatcher(&mut self, head: usize) -> usize {
        if self.entry[head] == head {
            self.entry[head] = self.add(Node::Dispatch { cases: Vec::new(), default: head });
        }
        self.entry[head]
    }

    /// Leads a block from a dispatcher through those of the loops with these heads, the innermost
    /// first, to its segment.
    fn hand_in(&mut self, mut from: usize, block: u32, segment: usize, heads: &[usize]) -> Result<(), Copied> {
        for &head in heads.iter().rev() {
            let to = self.dispatcher(head);
            self.case(from, block, to)?;
            from = to;
        }
        if self.arrival[segment] == NONE {
            self.arrival[segment] = self.add(Node::Arrival(segment));
        }
        self.case(from, block, self.arrival[segment])
    }

    fn case(&mut self, from: usize, block: u32, to: usize) -> Result<(), Copied> {
        self.cases_left = self.cases_left.checked_sub(1).ok_or(Copied("its loops are nested too deeply"))?;
        self.cases[from].insert(block, to);
        Ok(())
    }

    fn finish(mut self, body: &Body, beside: BTreeMap<Edge, Way>, steps: usize) -> Result<Flow, Copied> {
        let (entry, root, trap) = (self.entry, self.root, self.trap);
        let count = body.segments.len();
        let mut successors: Vec<Vec<usize>> = (0..count)
            .map(|from| {
                let all = body.segments[from].successors.iter();
                all.map(|to| beside.get(&(from, *to)).map_or(entry[*to], |way| way.node)).collect()
            })
            .collect();
        successors.resize(self.nodes.len(), Vec::new());
        let mut is_branched_to = vec![false; self.nodes.len()];
        let may_trap = !body.resumptions.is_empty() || count > 1;
        for (at, (node, found)) in self.nodes.iter_mut().zip(self.cases).enumerate() {
            let (cases, default) = match node {
                Node::Arrival(segment) => {
                    successors[at].push(entry[*segment]);
                    continue;
                }
                Node::Dispatch { cases, default } => (cases, default),
                Node::Segment(_) | Node::Trap => continue,
            };
            *cases = found.into_iter().collect();
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
        Ok(Flow { nodes: self.nodes, successors, is_branched_to, root, trap, dominators, entry, beside })
    }
}

/// The successors of each segment, and of a root behind them: without the ways back in, but for
/// blocks that there is no other way to. What can't be reached has none.
fn straight(body: &Body) -> Vec<Vec<usize>> {
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
    for node in 0..count {
        if !seen[node] {
            successors[node].clear();
        }
    }
    successors
}

/// The loops of the graph, and the edges into them beside their heads.
fn loops_of(body: &Body, steps: usize) -> Result<(Loops, Vec<Beside>), Copied> {
    let count = body.segments.len();
    let mut successors = straight(body);
    let too_long = Copied("its graph takes too long");
    let dominators = Dominators::find(&successors, count, steps).ok_or(too_long)?;
    if let Some(loops) = Loops::find(&successors, &dominators) {
        return Ok((loops, Vec::new()));
    }
    let mut ways = reduce::ways_beside(&successors, count, steps).ok_or(too_long)?;
    let heads: BTreeMap<Edge, usize> = ways.iter().map(|way| (way.edge, way.head)).collect();
    for (from, all) in successors.iter_mut().enumerate() {
        for to in all {
            *to = heads.get(&(from, *to)).copied().unwrap_or(*to);
        }
    }
    let dominators = Dominators::find(&successors, count, steps).ok_or(too_long)?;
    let loops = Loops::find(&successors, &dominators).ok_or(Copied("its loops have several ways in"))?;
    // The root leads to resumed blocks by their own cases.
    ways.retain(|way| way.edge.0 != count);
    Ok((loops, ways))
}
