//! Stores of the global stack pointer that nobody reads.
//!
//! The back end sets local and global whenever the stack pointer moves. The global is looked at by
//! calls, by whoever the function returns to, and by code that loads it. Where it is set again
//! before any of these on every way, the first store is dead.

use crate::body::{Body, Item};
use crate::resume::{Flow, Node};

/// How often the graph is gone over. Real code takes a few rounds more than its loops are deep.
const ROUNDS: usize = 24;

/// Marks the dead stores.
pub(crate) fn mark_dead_stores(body: &mut Body, flow: &Flow) {
    if body.has_inner_blocks {
        return;
    }
    // Whether somebody looks at the global, from the beginning of each node on, before it is set.
    let mut is_live = vec![false; flow.nodes.len()];
    for round in 0.. {
        if round == ROUNDS {
            return;
        }
        let mut has_changed = false;
        for &node in flow.dominators.order.iter().rev() {
            let live = match flow.nodes[node] {
                Node::Segment(segment) => walk(body, segment, &is_live, false),
                _ => flow.successors[node].iter().any(|to| is_live[*to]),
            };
            if live != is_live[node] {
                is_live[node] = live;
                has_changed = true;
            }
        }
        if !has_changed {
            break;
        }
    }
    for segment in 0..body.segments.len() {
        walk(body, segment, &is_live, true);
    }
}

/// Goes over a segment from its end, and tells whether the global is looked at from its beginning
/// on. A dispatcher on the way to a segment looks at nothing.
fn walk(body: &mut Body, segment: usize, is_live: &[bool], is_marking: bool) -> bool {
    let Some(this) = body.segments.get_mut(segment) else { return true };
    let mut live = false;
    // Of each `if` that is open, seen from its end: behind it, and at the beginning of its `else`.
    let mut open: Vec<(bool, Option<bool>)> = Vec::new();
    for item in this.items.iter_mut().rev() {
        match item {
            // A leaf that has to be called after all sets it first.
            Item::Code(_) | Item::Inlined { .. } => {}
            Item::Observing(_) | Item::Return | Item::UnwindIf | Item::Unwind => live = true,
            Item::Sigpanic(_) => live = false,
            Item::SetStackPointer { is_dead, .. } | Item::PublishStackPointer { is_dead } => {
                if is_marking {
                    *is_dead = !live;
                }
                live = false;
            }
            Item::Jump(to) => live = is_live[*to],
            Item::Close => open.push((live, None)),
            Item::Else => {
                if let Some((behind, otherwise)) = open.last_mut() {
                    *otherwise = Some(live);
                    live = *behind;
                }
            }
            Item::Open(_) => {
                if let Some((behind, otherwise)) = open.pop() {
                    live |= otherwise.unwrap_or(behind);
                }
            }
        }
    }
    live
}
