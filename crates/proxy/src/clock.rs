//! hot path
//!
//! A worker's coarse clock and the deadlines that hang on it.
//!
//! Timers cost more than a request should pay, so a connection only writes its deadline into a
//! cell; one tick a worker looks at all of them, and wakes the tasks whose time has come.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::{Context, Waker};
use std::time::{Duration, Instant, SystemTime};

use balance::Moment;
use http::HeaderValue;

/// How often deadlines are looked at, and so how late they may be noticed.
pub(crate) const TICK: Duration = Duration::from_millis(50);

/// A worker's clock.
pub(crate) struct Clock {
    now: Cell<Instant>,
    moment: Cell<Moment>,
    date: RefCell<HeaderValue>,
    date_second: Cell<u64>,
    alarms: RefCell<Vec<Rc<Alarm>>>,
}

/// One task's deadline.
#[derive(Default)]
pub(crate) struct Alarm {
    deadline: Cell<Option<Instant>>,
    waker: RefCell<Option<Waker>>,
    is_over: Cell<bool>,
}

impl Clock {
    pub(crate) fn new() -> Self {
        let now = Instant::now();
        let clock = Self {
            now: Cell::new(now),
            moment: Cell::new(Moment::of(now)),
            date: RefCell::new(HeaderValue::from_static("")),
            date_second: Cell::new(0),
            alarms: RefCell::default(),
        };
        clock.tick();
        clock
    }

    /// The time of the last tick.
    pub(crate) fn now(&self) -> Instant {
        self.now.get()
    }

    /// The time of the last tick, as health knows it.
    pub(crate) fn moment(&self) -> Moment {
        self.moment.get()
    }

    /// The value of a `Date` header.
    pub(crate) fn date(&self) -> HeaderValue {
        self.date.borrow().clone()
    }

    /// Makes a task's alarm. Dropping the returned value takes it off the clock.
    pub(crate) fn alarm(&self) -> Rc<Alarm> {
        let alarm = Rc::new(Alarm::default());
        self.alarms.borrow_mut().push(Rc::clone(&alarm));
        alarm
    }

    /// Moves the clock on and wakes whose deadline has passed.
    pub(crate) fn tick(&self) {
        self.now.set(Instant::now());
        self.moment.set(Moment::of(self.now.get()));
        let wall = SystemTime::now();
        let second = wall.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
        if self.date_second.replace(second) != second
            && let Ok(value) = HeaderValue::from_str(&httpdate::fmt_http_date(wall))
        {
            *self.date.borrow_mut() = value;
        }
        let now = self.now.get();
        // Alarms whose task has ended are held by this list alone.
        self.alarms.borrow_mut().retain(|alarm| Rc::strong_count(alarm) > 1);
        for alarm in self.alarms.borrow().iter() {
            if alarm.deadline.get().is_some_and(|deadline| deadline <= now) {
                alarm.is_over.set(true);
                alarm.deadline.set(None);
                alarm.wake();
            }
        }
    }

    /// Wakes every task that has an alarm, so that it looks at what has changed.
    pub(crate) fn wake_all(&self) {
        for alarm in self.alarms.borrow().iter() {
            alarm.wake();
        }
    }
}

impl Alarm {
    /// Sets the deadline anew; `None`: none.
    pub(crate) fn set(&self, deadline: Option<Instant>) {
        self.deadline.set(deadline);
        self.is_over.set(false);
    }

    /// Tells whether the deadline has passed; if not, the task is woken when it does.
    pub(crate) fn is_over(&self, context: &mut Context<'_>) -> bool {
        if self.is_over.get() {
            return true;
        }
        let mut waker = self.waker.borrow_mut();
        if !waker.as_ref().is_some_and(|waker| waker.will_wake(context.waker())) {
            *waker = Some(context.waker().clone());
        }
        false
    }

    fn wake(&self) {
        if let Some(waker) = &*self.waker.borrow() {
            waker.wake_by_ref();
        }
    }
}
