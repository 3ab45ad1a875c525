//! A policy enforced while loading.

use std::sync::Arc;

use picklevm::{Arena, CallResult, Class, Error, Id, Resolver, Result};

use crate::policy::{Decision, Policy};

/// A resolver behind a policy: a global that the policy does not allow ends the load.
///
/// picklevm calls nothing that its caller did not register, so that the guard is for programs that register much, or hand
/// the graph on to Python. It judges names; [`scan`](crate::scan) judges what is done with them as well.
///
/// ```
/// use picklevm::{Standard, Unpickler};
/// use picklevm_scan::{Guard, Policy};
///
/// let unpickler = Unpickler::new().resolver(Guard::new(Policy::builtin().clone(), Standard));
/// assert!(unpickler.loads(b"cdatetime\ndate\n.").is_ok());
/// let error = unpickler.loads(b"cos\nsystem\n(S'true'\ntR.").unwrap_err();
/// assert_eq!(error.to_string(), "offset 0: GLOBAL: os.system: runs programs");
/// ```
#[derive(Clone, Debug)]
pub struct Guard<R> {
    policy: Arc<Policy>,
    inner: R,
}

impl<R: Resolver> Guard<R> {
    /// Creates a guard that lets `inner` resolve what `policy` allows.
    pub fn new(policy: impl Into<Arc<Policy>>, inner: R) -> Self {
        Guard { policy: policy.into(), inner }
    }
}

impl<R: Resolver> Resolver for Guard<R> {
    fn find_class(&self, module: &str, name: &str) -> Result<Class> {
        match self.policy.judge(module, name) {
            Decision::Allowed(_) => self.inner.find_class(module, name),
            Decision::Dangerous(why) => Err(Error::other(why.to_owned())),
            _ => Err(Error::other("it is not covered by the policy")),
        }
    }

    fn persistent_load(&self, arena: &mut Arena, pid: Id) -> Result<CallResult> {
        self.inner.persistent_load(arena, pid)
    }

    fn extension(&self, code: i32) -> Option<(&str, &str)> {
        self.inner.extension(code)
    }
}
