//! Writes the graph as structured code, by its dominator tree ("Beyond Relooper", Ramsey, ICFP
//! 2022).
//!
//! A node that several edges lead to is put behind a block, whose end is where they branch to. The
//! head of a loop is put into a `loop`. Any other node is written where the one edge to it is.

use crate::body::{Body, Item};
use crate::graph::NONE;
use crate::leb;
use crate::operator::code;
use crate::resume::{Flow, Node};
use crate::shape::{Code, Copied};

/// Writes the function: its locals and its code.
///
/// # Errors
///
/// Where the graph is irreducible, or the code would become longer than `most`.
pub(crate) fn emit(module: &[u8], body: &Body, flow: &Flow, sigpanic: Option<u32>, most: usize) -> Result<Vec<u8>, Copied> {
    let layout = Layout::of(flow)?;
    let count = flow.nodes.len();
    let mut emitter = Emitter {
        module,
        body,
        flow,
        layout,
        out: Vec::new(),
        most,
        open: 0,
        blocks: vec![NONE; count],
        loops: vec![NONE; count],
        unwind: NONE,
        sigpanic: NONE,
    };
    emitter.locals();
    emitter.bytes(&[code::GLOBAL_GET, 0, code::LOCAL_SET, 1]);
    if body.may_unwind {
        emitter.unwind = emitter.begin(code::BLOCK);
    }
    if body.has_sigpanic {
        emitter.sigpanic = emitter.begin(code::BLOCK);
    }
    emitter.tree()?;
    emitter.bytes(&[code::UNREACHABLE]);
    if body.has_sigpanic {
        emitter.end();
        emitter.raise(sigpanic.ok_or(Copied("it panics by a function that is not known"))?);
    }
    if body.may_unwind {
        emitter.end();
        emitter.bytes(&[code::I32_CONST, 1]);
    }
    emitter.bytes(&[code::END]);
    if emitter.out.len() > most { Err(Copied("it would become larger")) } else { Ok(emitter.out) }
}

/// Which nodes need a block or a loop, and where those with a block are written.
struct Layout {
    is_merge: Vec<bool>,
    is_loop: Vec<bool>,
    /// The merge nodes that each node immediately dominates, in reverse postorder.
    behind: Vec<Vec<usize>>,
}

impl Layout {
    fn of(flow: &Flow) -> Result<Layout, Copied> {
        let count = flow.nodes.len();
        let mut edges = vec![0_usize; count];
        let mut is_loop = vec![false; count];
        for &from in &flow.dominators.order {
            for &to in &flow.successors[from] {
                if !flow.dominators.is_back(from, to) {
                    edges[to] += 1;
                } else if flow.dominators.dominates(to, from) {
                    is_loop[to] = true;
                } else {
                    return Err(Copied("its loops have several ways in"));
                }
            }
        }
        let is_merge: Vec<bool> = edges.iter().zip(&flow.is_branched_to).map(|(edges, branched)| *edges > 1 || *branched).collect();
        let mut behind = vec![Vec::new(); count];
        for &node in &flow.dominators.order {
            if node != flow.root && is_merge[node] {
                behind[flow.dominators.immediate[node]].push(node);
            }
        }
        Ok(Layout { is_merge, is_loop, behind })
    }
}

/// What is still to be written: the last one first. In place of recursion, since graphs may be
/// deep.
enum Task {
    /// A node with all that it dominates.
    Tree(usize),
    /// The node's own code.
    Node(usize),
    /// The rest of a segment, from an item on.
    Rest {
        node: usize,
        segment: usize,
        item: usize,
    },
    End,
}

struct Emitter<'a> {
    module: &'a [u8],
    body: &'a Body,
    flow: &'a Flow,
    layout: Layout,
    out: Vec<u8>,
    most: usize,
    /// How many labels are open. A label's number here counts from the outside.
    open: usize,
    /// The label of the block in front of each node, and of the loop around it.
    blocks: Vec<usize>,
    loops: Vec<usize>,
    unwind: usize,
    sigpanic: usize,
}

impl Emitter<'_> {
    fn bytes(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    fn number(&mut self, number: u64) {
        leb::unsigned(&mut self.out, number);
    }

    fn locals(&mut self) {
        self.number((self.body.locals.len() + self.body.more_locals.len()) as u64 + 1);
        for &(many, ty) in &self.body.locals {
            self.number(u64::from(many));
            self.out.push(ty);
        }
        self.bytes(&[1, 0x7F]);
        for ty in &self.body.more_locals {
            self.bytes(&[1, *ty]);
        }
    }

    /// Opens a block or a loop; gives its label.
    fn begin(&mut self, opcode: u8) -> usize {
        self.bytes(&[opcode, code::EMPTY]);
        self.open += 1;
        self.open - 1
    }

    fn end(&mut self) {
        self.out.push(code::END);
        self.open -= 1;
    }

    /// Writes how far out a label is, as branches name it.
    fn label(&mut self, label: usize) -> Result<(), Copied> {
        let depth = self.open.checked_sub(1).and_then(|last| last.checked_sub(label)).ok_or(Copied("its graph has an edge to nowhere"))?;
        self.number(depth as u64);
        Ok(())
    }

    fn code(&mut self, code: &Code) {
        match code {
            Code::Original(bytes) => self.out.extend_from_slice(self.module.get(bytes.clone()).unwrap_or_default()),
            Code::New(bytes) => self.out.extend_from_slice(bytes),
        }
    }

    /// Writes all nodes, from the root on.
    fn tree(&mut self) -> Result<(), Copied> {
        let mut tasks = vec![Task::Tree(self.flow.root)];
        while let Some(task) = tasks.pop() {
            if self.out.len() > self.most {
                return Err(Copied("it would become larger"));
            }
            match task {
                Task::Tree(node) => {
                    if self.layout.is_loop[node] {
                        self.loops[node] = self.begin(code::LOOP);
                        tasks.push(Task::End);
                    }
                    // The first one's block is the innermost, and ends first.
                    for at in (0..self.layout.behind[node].len()).rev() {
                        let behind = self.layout.behind[node][at];
                        self.blocks[behind] = self.begin(code::BLOCK);
                        tasks.push(Task::Tree(behind));
                        tasks.push(Task::End);
                    }
                    tasks.push(Task::Node(node));
                }
                Task::Node(node) => self.node(node, &mut tasks)?,
                Task::Rest { node, segment, item } => self.segment(node, segment, item, &mut tasks)?,
                Task::End => self.end(),
            }
        }
        Ok(())
    }

    /// Goes on at a node: by a branch, or by writing it here.
    fn go(&mut self, from: usize, to: usize, tasks: &mut Vec<Task>) -> Result<(), Copied> {
        let label = if self.flow.dominators.is_back(from, to) {
            self.loops[to]
        } else if self.layout.is_merge[to] {
            self.blocks[to]
        } else {
            tasks.push(Task::Tree(to));
            return Ok(());
        };
        self.out.push(code::BR);
        self.label(label)
    }

    fn node(&mut self, node: usize, tasks: &mut Vec<Task>) -> Result<(), Copied> {
        match &self.flow.nodes[node] {
            Node::Trap => self.out.push(code::UNREACHABLE),
            Node::Arrival(_) => {
                self.bytes(&[code::I32_CONST, 0, code::LOCAL_SET, 0]);
                let to = *self.flow.successors[node].first().ok_or(Copied("its graph has an edge to nowhere"))?;
                self.go(node, to, tasks)?;
            }
            Node::Dispatch { cases, default } => {
                self.dispatch(node, cases)?;
                self.go(node, *default, tasks)?;
            }
            Node::Segment(segment) => self.segment(node, *segment, 0, tasks)?,
        }
        Ok(())
    }

    /// `if PC_B { … }`, with a branch for each block that a frame is resumed in.
    fn dispatch(&mut self, node: usize, cases: &[(u32, usize)]) -> Result<(), Copied> {
        let (Some(&(low, first)), Some(&(high, _))) = (cases.first(), cases.last()) else { return Ok(()) };
        let is_root = node == self.flow.root;
        if (high - low) as usize > self.most {
            return Err(Copied("it would become larger"));
        }
        self.bytes(&[code::LOCAL_GET, 0]);
        self.begin(code::IF);
        if !is_root && cases.iter().all(|(_, to)| *to == first) {
            self.out.push(code::BR);
            self.label(self.blocks[first])?;
        } else {
            // Whoever handed control here knows that the block lies in this loop.
            let otherwise = self.blocks[if is_root { self.flow.trap } else { first }];
            self.bytes(&[code::LOCAL_GET, 0]);
            if low != 0 {
                self.out.push(code::I32_CONST);
                leb::signed(&mut self.out, i64::from(low));
                self.out.push(code::I32_SUB);
            }
            self.out.push(code::BR_TABLE);
            self.number(u64::from(high - low) + 1);
            let mut next = cases.iter().peekable();
            for block in low..=high {
                let case = next.next_if(|(case, _)| *case == block);
                self.label(case.map_or(otherwise, |(_, to)| self.blocks[*to]))?;
            }
            self.label(otherwise)?;
        }
        self.end();
        Ok(())
    }

    /// Writes a segment from an item on, until a node has to be written in its middle.
    fn segment(&mut self, node: usize, segment: usize, first: usize, tasks: &mut Vec<Task>) -> Result<(), Copied> {
        let Some(this) = self.body.segments.get(segment) else { return Err(Copied("its graph has an edge to nowhere")) };
        for (at, item) in this.items.iter().enumerate().skip(first) {
            match item {
                Item::Code(code) | Item::Observing(code) => self.code(code),
                Item::SetStackPointer { local, is_dead } => {
                    self.out.push(if *is_dead { code::LOCAL_SET } else { code::LOCAL_TEE });
                    self.number(u64::from(*local));
                    if !is_dead {
                        self.bytes(&[code::GLOBAL_SET, 0]);
                    }
                }
                Item::Inlined { code, call } => {
                    self.bytes(code);
                    if let Some((callee, pc)) = *call {
                        self.open += 1;
                        self.call(callee, pc)?;
                        self.end();
                    }
                }
                Item::PublishStackPointer { is_dead: false } => self.bytes(&[code::LOCAL_GET, 1, code::GLOBAL_SET, 0]),
                Item::PublishStackPointer { is_dead: true } => {}
                Item::Open(code) => {
                    self.code(code);
                    self.open += 1;
                }
                Item::Else => self.out.push(code::ELSE),
                Item::Close => self.end(),
                Item::Jump(to) => {
                    tasks.push(Task::Rest { node, segment, item: at + 1 });
                    let way = self.flow.way(segment, *to);
                    if let Some(block) = way.block {
                        self.out.push(code::I32_CONST);
                        leb::signed(&mut self.out, i64::from(block));
                        self.bytes(&[code::LOCAL_SET, 0]);
                    }
                    return self.go(node, way.node, tasks);
                }
                Item::UnwindIf => {
                    self.out.push(code::BR_IF);
                    self.label(self.unwind)?;
                }
                Item::Unwind => {
                    self.bytes(&[code::DROP, code::BR]);
                    self.label(self.unwind)?;
                }
                Item::Sigpanic(block) => {
                    self.out.push(code::I32_CONST);
                    leb::signed(&mut self.out, i64::from(*block));
                    self.out.push(code::LOCAL_SET);
                    self.number(u64::from(self.body.scratch));
                    self.out.push(code::BR);
                    self.label(self.sigpanic)?;
                }
                Item::Return => self.out.push(code::RETURN),
            }
        }
        Ok(())
    }

    /// Calls a leaf that is going to panic.
    fn call(&mut self, callee: u32, pc: i64) -> Result<(), Copied> {
        self.bytes(&[code::LOCAL_GET, 1, code::I32_CONST, 8, code::I32_SUB, code::LOCAL_TEE, 1, code::GLOBAL_SET, 0]);
        self.bytes(&[code::LOCAL_GET, 1, code::I64_CONST]);
        leb::signed(&mut self.out, pc);
        self.bytes(&[code::I64_STORE, 3, 0, code::I32_CONST, 0, code::CALL]);
        self.number(u64::from(callee));
        self.bytes(&[code::DROP, code::BR]);
        self.label(self.unwind)
    }

    /// Calls `sigpanic` as each check did by itself: `SP -= 8; *SP = PC; sigpanic(0)`. The block's
    /// number is in the scratch local.
    fn raise(&mut self, sigpanic: u32) {
        self.bytes(&[code::LOCAL_GET, 1, code::I32_CONST, 8, code::I32_SUB, code::LOCAL_TEE, 1, code::GLOBAL_SET, 0]);
        self.bytes(&[code::LOCAL_GET, 1, code::LOCAL_GET]);
        self.number(u64::from(self.body.scratch));
        self.bytes(&[code::I64_EXTEND_I32_U, code::I64_CONST]);
        leb::signed(&mut self.out, self.body.function_pc << 16);
        self.bytes(&[code::I64_OR, code::I64_STORE, 3, 0, code::I32_CONST, 0, code::CALL]);
        self.number(u64::from(sigpanic));
        self.out.push(code::DROP);
    }
}
