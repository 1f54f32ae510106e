//! Why a render ends before its clip is made.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::{
    publication::{Deadline, Fault},
    request::JobId,
};

/// Shared by the desk, which may cancel a job, and the studio, which asks
/// before every frame.
#[derive(Debug)]
pub(super) struct Halt {
    is_cancelled: AtomicBool,
    deadline: Option<Deadline>,
}

impl Halt {
    /// Nothing but the deadline, if there is one, ends the job.
    pub(super) fn at(deadline: Option<Deadline>) -> Self {
        Self {
            is_cancelled: AtomicBool::new(false),
            deadline,
        }
    }

    /// The job is not wanted any more.
    pub(super) fn cancel(&self) {
        self.is_cancelled.store(true, Ordering::Relaxed);
    }

    /// Why the job is to end now, if it is.
    pub(super) fn reason(&self, id: &JobId) -> Option<Fault> {
        if self.is_cancelled.load(Ordering::Relaxed) {
            return Some(cancelled(id));
        }
        let late = self.deadline?.lateness()?;
        Some(Fault {
            code: "deadline_exceeded".to_owned(),
            message: format!(
                "job {id} is {} ms past its deadline, allowed are 0",
                late.as_millis()
            ),
        })
    }
}

/// A job that was asked to end.
pub(super) fn cancelled(id: &JobId) -> Fault {
    Fault {
        code: "cancelled".to_owned(),
        message: format!("job {id} was cancelled"),
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn a_job_ends_for_a_reason_alone() {
        let id = "a".parse().unwrap();
        let code = |halt: &Halt| halt.reason(&id).map(|fault| fault.code);
        let now = Instant::now();
        assert_eq!(code(&Halt::at(None)), None);
        assert_eq!(
            code(&Halt::at(Some(Deadline::at(now + Duration::from_secs(60))))),
            None
        );
        let late = now.checked_sub(Duration::from_millis(5)).unwrap();
        let late = Halt::at(Some(Deadline::at(late)));
        assert_eq!(code(&late).as_deref(), Some("deadline_exceeded"));
        late.cancel();
        assert_eq!(code(&late).as_deref(), Some("cancelled"));
    }
}
