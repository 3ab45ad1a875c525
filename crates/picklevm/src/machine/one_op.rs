//! A run of the graph builder that pauses after each op: what a [trace](crate::Trace) is made of.

use picklevm_ops::{Op, Opcode};

use super::graph_builder::GraphBuilder;
use super::hooks::Session;
use super::{Machine, Run};
use crate::error::Result;
use crate::graph::{Arena, Cell};
use crate::limits::Limits;
use crate::options::Options;

/// What a run and its builder keep from one op to the next.
pub(crate) struct Paused {
    builder: BuilderState,
    fuel: u64,
    opcodes: u64,
    dropped: Option<Cell>,
    reports_get: bool,
}

/// The fields of a [`GraphBuilder`] that are its own.
#[derive(Clone, Copy)]
struct BuilderState {
    payload_left: u64,
    roots: usize,
    search_work_left: usize,
    is_tree: bool,
    has_longs: bool,
}

impl BuilderState {
    fn of(builder: &GraphBuilder<'_>) -> BuilderState {
        BuilderState {
            payload_left: builder.payload_left,
            roots: builder.roots,
            search_work_left: builder.search_work_left,
            is_tree: builder.is_tree,
            has_longs: builder.has_longs,
        }
    }

    fn resume<'a>(self, arena: &'a mut Arena, options: &'a Options, session: &'a mut Session) -> GraphBuilder<'a> {
        GraphBuilder {
            arena,
            options,
            session,
            copied: (0, 0),
            payload_left: self.payload_left,
            roots: self.roots,
            search_work_left: self.search_work_left,
            is_tree: self.is_tree,
            has_longs: self.has_longs,
        }
    }
}

impl Paused {
    /// Begins a run on an empty arena.
    pub(crate) fn new(arena: &mut Arena, options: &Options, session: &mut Session) -> Paused {
        let builder = BuilderState::of(&GraphBuilder::new(arena, options, session));
        Paused { builder, fuel: options.limits.first_check, opcodes: 0, dropped: None, reports_get: true }
    }

    /// Runs one op, before which the machine is as the one before left it. `next` is the opcode of the next op. Returns the
    /// value that STOP finds.
    pub(crate) fn step(
        &mut self,
        machine: &mut Machine<Cell>,
        (arena, options, session): (&mut Arena, &Options, &mut Session),
        op: Op<'_>,
        next: Option<Opcode>,
    ) -> Result<Option<Cell>> {
        let limits: &Limits = &options.limits;
        let mut builder = self.builder.resume(arena, options, session);
        let mut run = Run::new(machine, &mut builder, limits, self.fuel, None);
        run.opcodes = self.opcodes;
        run.dropped = self.dropped.take();
        run.reports_get = self.reports_get;
        run.limits_checked = true;
        let done = match op {
            Op::Stop => run.stop().map(Some),
            Op::Pop => run.pop_op().map(|call| {
                if let Some(call) = call {
                    run.await_get(call, next);
                }
                None
            }),
            op => run.step_apart(op).map(|()| None),
        };
        run.opcodes += 1;
        run.fuel = run.fuel.saturating_sub(1);
        let checked = if run.fuel == 0 && done.is_ok() { run.check().map(|fuel| run.fuel = fuel) } else { Ok(()) };
        (self.fuel, self.opcodes) = (run.fuel, run.opcodes);
        (self.dropped, self.reports_get) = (run.dropped.take(), run.reports_get);
        run.end();
        self.builder = BuilderState::of(&builder);
        done.and_then(|root| checked.map(|()| root))
    }
}
