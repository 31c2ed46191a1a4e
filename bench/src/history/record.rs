//! What a client asked and was answered.

use domain::{AppointmentId, HoldId, PatientId, PractitionerId, ResourceId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ask {
    /// When can be booked between two instants?
    Find {
        /// With whom.
        practitioner: PractitionerId,
        /// From when.
        from: Timestamp,
        /// Until when.
        to: Timestamp,
    },
    /// Keep a time.
    Hold {
        /// Of whom.
        practitioner: PractitionerId,
        /// From when on.
        starts_at: Timestamp,
    },
    /// Book a time.
    Book {
        /// With whom.
        practitioner: PractitionerId,
        /// For whom.
        patient: PatientId,
        /// From when on.
        starts_at: Timestamp,
        /// In which room, if any.
        room: Option<ResourceId>,
        /// With an interpreter.
        interpreter: bool,
        /// The hold that kept it.
        hold: Option<HoldId>,
        /// What the request is called by.
        key: String,
    },
    /// Move an appointment.
    Reschedule {
        /// Which.
        appointment: AppointmentId,
        /// To whom.
        practitioner: PractitionerId,
        /// To when.
        starts_at: Timestamp,
    },
    /// Call an appointment off.
    Cancel {
        /// Which.
        appointment: AppointmentId,
    },
}

/// What is answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// These times are free.
    Found(Vec<Timestamp>),
    /// It is held until then.
    Held(HoldId, Timestamp),
    /// It is booked.
    Booked(AppointmentId),
    /// It was moved; `false` when it was there already.
    Moved(bool),
    /// It is called off.
    Cancelled,
    /// The time of the practitioner is taken.
    SlotTaken,
    /// Refused for another reason, which is one of the words of the use-case.
    Refused(String),
    /// Nobody knows whether it was done: the connection broke.
    Unknown(String),
}

/// One operation: what was asked, when, and what was answered when, if ever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// What was asked.
    pub ask: Ask,
    /// Not before then.
    pub asked_at: Timestamp,
    /// What was answered, and not after when. `None` when the process was killed first.
    pub answer: Option<(Answer, Timestamp)>,
}

#[derive(Serialize, Deserialize)]
enum Line {
    Asked(usize, Timestamp, Ask),
    Answered(usize, Timestamp, Answer),
}

/// The record of one process, written as it goes.
#[derive(Debug)]
pub struct Recorder {
    file: Mutex<File>,
    next: AtomicUsize,
}

impl Recorder {
    /// Begins a record.
    pub fn create(path: &Path) -> std::io::Result<Self> {
        Ok(Self { file: Mutex::new(File::create(path)?), next: AtomicUsize::new(0) })
    }

    /// Somebody is about to ask.
    pub fn asked(&self, at: Timestamp, ask: Ask) -> anyhow::Result<usize> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.write(&Line::Asked(number, at, ask))?;
        Ok(number)
    }

    /// They were answered.
    pub fn answered(&self, number: usize, at: Timestamp, answer: Answer) -> anyhow::Result<()> {
        self.write(&Line::Answered(number, at, answer))
    }

    /// One write a line: what is written outlives the process.
    fn write(&self, line: &Line) -> anyhow::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        self.file.lock().unwrap_or_else(PoisonError::into_inner).write_all(&text)?;
        Ok(())
    }
}

/// Reads a record. A last line that was cut off was never answered.
pub fn read(path: &Path) -> anyhow::Result<Vec<Operation>> {
    let mut operations = BTreeMap::new();
    for line in BufReader::new(File::open(path)?).lines() {
        match serde_json::from_str(&line?) {
            Ok(Line::Asked(number, asked_at, ask)) => {
                operations.insert(number, Operation { ask, asked_at, answer: None });
            }
            Ok(Line::Answered(number, at, answer)) => {
                if let Some(operation) = operations.get_mut(&number) {
                    operation.answer = Some((answer, at));
                }
            }
            Err(_) => {}
        }
    }
    Ok(operations.into_values().collect())
}

impl Operation {
    /// It was answered, and surely done or surely not.
    pub fn is_known(&self) -> bool {
        !matches!(self.answer, None | Some((Answer::Unknown(_), _)))
    }

    /// Until when it may have taken effect; without a known answer, at any time.
    pub fn done_by(&self) -> Timestamp {
        match &self.answer {
            Some((answer, at)) if !matches!(answer, Answer::Unknown(_)) => *at,
            _ => Timestamp::MAX,
        }
    }

    /// The answer, if it is known.
    pub fn known(&self) -> Option<&Answer> {
        self.answer.as_ref().map(|(answer, _)| answer).filter(|answer| !matches!(answer, Answer::Unknown(_)))
    }
}
