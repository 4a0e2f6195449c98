//! No lock of ours is held when the process forks.
//!
//! While attached to the interpreter a thread that forks has the only running thread, so the locks of single
//! operations are free. Work that releases the interpreter passes this gate: a fork waits until it is done.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use pyo3::prelude::*;

struct Gate {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    working: usize,
    forking: bool,
}

static GATE: Gate = Gate { state: Mutex::new(State { working: 0, forking: false }), changed: Condvar::new() };

impl Gate {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }
}

/// Leaves the gate, also when the work panics.
struct Working;

impl Working {
    fn enter() -> Self {
        let mut state = GATE.lock();
        while state.forking {
            state = GATE.wait(state);
        }
        state.working += 1;
        Self
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        GATE.lock().working -= 1;
        GATE.changed.notify_all();
    }
}

/// Runs `work` with the interpreter released.
pub(crate) fn detached<T: Send>(py: Python<'_>, work: impl FnOnce() -> T + Send) -> T {
    py.detach(|| {
        let _working = Working::enter();
        work()
    })
}

/// Waits for detached work and keeps new work out; for `os.register_at_fork(before=…)`.
#[pyfunction]
pub(crate) fn before_fork(py: Python<'_>) {
    py.detach(|| {
        let mut state = GATE.lock();
        while state.forking || state.working > 0 {
            state = GATE.wait(state);
        }
        state.forking = true;
    });
}

/// Lets detached work go on; for both sides of the fork.
#[pyfunction]
pub(crate) fn after_fork() {
    GATE.lock().forking = false;
    GATE.changed.notify_all();
}
