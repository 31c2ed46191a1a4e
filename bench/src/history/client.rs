//! A client: asks for one thing after the other, by dice.

use super::{
    SIZE, STEPS,
    record::{Answer, Ask, Recorder},
};
use crate::world::{Dice, LANGUAGE, World};
use domain::{AppointmentId, Clock as _, HoldId, PractitionerId};
use jiff::{SignedDuration, Timestamp};
use scheduler::{
    BookError, BookRequest, Cancel, CancelError, HoldRequest, IdempotencyKey, Needs, Reschedule, RescheduleError,
    SlotSearch,
};
use service::{clock::SystemClock, postgres::Db, random::SystemRandom};
use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// How long a hold lasts: short, so that many expire.
const HOLD_LIFETIME: SignedDuration = SignedDuration::from_secs(2);

/// How often a booking is sent again when the connection broke.
const TRIES: usize = 100;

/// What is waited before it is sent again.
const PAUSE: Duration = Duration::from_millis(200);

/// The time in which everything is booked.
#[derive(Debug, Clone, Copy)]
pub struct Hours {
    /// The first start.
    pub from: Timestamp,
    /// How many steps of [`SIZE`] follow.
    pub steps: usize,
}

struct Client {
    db: Db,
    world: Arc<World>,
    hours: Hours,
    dice: Dice,
    recorder: Arc<Recorder>,
    /// The appointments that are known to be booked.
    booked: Arc<Mutex<Vec<AppointmentId>>>,
    /// A time that this client holds.
    held: Option<(HoldId, PractitionerId, Timestamp)>,
}

/// A process of clients, which works until it is killed.
pub async fn worker(url: &str, log: &Path, from: Timestamp, count: usize, seed: u64) -> anyhow::Result<()> {
    let db = Db::over(url.parse()?, u32::try_from(count)?);
    let hours = Hours { from, steps: STEPS };
    clients(&db, &Arc::new(World::of(SIZE)), hours, Arc::new(Recorder::create(log)?), count, seed, usize::MAX).await
}

/// So many clients at once, each of whom asks so many times.
pub async fn clients(
    db: &Db,
    world: &Arc<World>,
    hours: Hours,
    recorder: Arc<Recorder>,
    count: usize,
    seed: u64,
    times: usize,
) -> anyhow::Result<()> {
    let booked = Arc::new(Mutex::new(Vec::new()));
    let mut tasks = Vec::new();
    for number in 0..count {
        let seed = seed.wrapping_mul(1_000).wrapping_add(u64::try_from(number)?);
        let mut client = Client {
            db: db.clone(),
            world: world.clone(),
            hours,
            dice: Dice::new(seed),
            recorder: recorder.clone(),
            booked: booked.clone(),
            held: None,
        };
        tasks.push(tokio::spawn(async move {
            for _ in 0..times {
                client.act().await?;
            }
            anyhow::Ok(())
        }));
    }
    for task in tasks {
        task.await??;
    }
    Ok(())
}

impl Client {
    async fn act(&mut self) -> anyhow::Result<()> {
        match self.dice.below(100) {
            0..15 => self.find().await,
            15..30 => self.hold().await,
            30..65 => self.book().await,
            65..82 => self.reschedule().await,
            _ => self.cancel().await,
        }
    }

    fn time(&self) -> Timestamp {
        let step = i64::try_from(self.dice.below(self.hours.steps)).unwrap_or(0);
        self.hours.from + SignedDuration::from_mins(i64::from(SIZE.step_minutes) * step)
    }

    fn practitioner(&self) -> PractitionerId {
        self.dice.one_of(&self.world.practitioners).unwrap_or(self.world.practitioners[0])
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Vec<AppointmentId>> {
        self.booked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn any_booked(&self) -> Option<AppointmentId> {
        let known = self.known();
        self.dice.one_of(&known)
    }

    async fn find(&mut self) -> anyhow::Result<()> {
        let (practitioner, from) = (self.practitioner(), self.time());
        let to = from + SignedDuration::from_hours(12);
        let number = self.recorder.asked(SystemClock.now(), Ask::Find { practitioner, from, to })?;
        let search = SlotSearch {
            practitioners: vec![practitioner],
            visit_type: self.world.visit_type,
            from,
            to,
            language: None,
            time_of_day: None,
            zone: None,
            after: None,
            limit: 100,
        };
        let found = scheduler::find_slots(&self.db, &SystemClock, &self.world.receptionist, &search).await;
        let answer = match found {
            Ok(slots) => Answer::Found(slots.into_iter().map(|slot| slot.starts_at).collect()),
            Err(scheduler::FindSlotsError::Database(error)) => broken(&error).await,
            Err(error) => Answer::Refused(error.to_string()),
        };
        self.recorder.answered(number, SystemClock.now(), answer)
    }

    async fn hold(&mut self) -> anyhow::Result<()> {
        let (practitioner, starts_at) = (self.practitioner(), self.time());
        let number = self.recorder.asked(SystemClock.now(), Ask::Hold { practitioner, starts_at })?;
        let request = HoldRequest { practitioner, visit_type: self.world.visit_type, starts_at, patient: None };
        let by = &self.world.receptionist;
        let answer = match scheduler::hold(&self.db, &SystemClock, &SystemRandom, by, request, HOLD_LIFETIME).await {
            Ok(hold) => {
                self.held = Some((hold.id, practitioner, starts_at));
                Answer::Held(hold.id, hold.expires_at)
            }
            Err(error) => refused(error).await,
        };
        self.recorder.answered(number, SystemClock.now(), answer)
    }

    async fn book(&mut self) -> anyhow::Result<()> {
        let held = self.held.take();
        let (practitioner, starts_at) = held.map_or_else(
            || (self.practitioner(), self.time()),
            |(_, practitioner, starts_at)| (practitioner, starts_at),
        );
        let patient = self.dice.one_of(&self.world.patients).unwrap_or(self.world.patients[0]);
        let room = if self.dice.below(4) == 0 { self.dice.one_of(&self.world.rooms) } else { None };
        let interpreter = self.dice.below(5) == 0;
        let key = domain::Random::uuid(&SystemRandom).to_string();
        let hold = held.map(|(id, ..)| id);
        let ask = Ask::Book { practitioner, patient, starts_at, room, interpreter, hold, key: key.clone() };
        let number = self.recorder.asked(SystemClock.now(), ask)?;
        let languages = interpreter.then(|| ("en".to_owned(), LANGUAGE.to_owned()));
        let request = BookRequest {
            needs: Needs { interpreter: languages, room, device: None },
            hold,
            idempotency_key: IdempotencyKey::new(key),
            ..BookRequest::new(patient, practitioner, self.world.visit_type, starts_at)
        };
        let answer = self.send(request).await;
        if let Answer::Booked(id) = answer {
            self.known().push(id);
        }
        self.recorder.answered(number, SystemClock.now(), answer)
    }

    /// Sends a booking until somebody answers. The same key makes it one booking.
    async fn send(&self, request: BookRequest) -> Answer {
        let mut answer = Answer::Unknown("never sent".to_owned());
        for _ in 0..TRIES {
            let by = &self.world.receptionist;
            answer = match scheduler::book(&self.db, &SystemClock, &SystemRandom, by, request.clone()).await {
                Ok(id) => Answer::Booked(id),
                Err(error) => refused(error).await,
            };
            if !matches!(answer, Answer::Unknown(_)) {
                break;
            }
        }
        answer
    }

    async fn reschedule(&mut self) -> anyhow::Result<()> {
        let Some(appointment) = self.any_booked() else { return self.look_around().await };
        let (practitioner, starts_at) = (self.practitioner(), self.time());
        let ask = Ask::Reschedule { appointment, practitioner, starts_at };
        let number = self.recorder.asked(SystemClock.now(), ask)?;
        let request =
            Reschedule { practitioner: Some(practitioner), ..Reschedule::new(appointment, starts_at, "By dice") };
        let moved = scheduler::reschedule(&self.db, &SystemClock, &self.world.receptionist, request).await;
        let answer = match moved {
            Ok(moved) => Answer::Moved(!moved.is_empty()),
            Err(RescheduleError::Refused(why)) => refused(why).await,
            Err(RescheduleError::Database(error)) => broken(&error).await,
            Err(error) => {
                self.known().retain(|id| *id != appointment);
                Answer::Refused(error.to_string())
            }
        };
        self.recorder.answered(number, SystemClock.now(), answer)
    }

    async fn cancel(&mut self) -> anyhow::Result<()> {
        let Some(appointment) = self.any_booked() else { return self.look_around().await };
        let number = self.recorder.asked(SystemClock.now(), Ask::Cancel { appointment })?;
        let request = Cancel::new(appointment, "By dice");
        let answer = match scheduler::cancel(&self.db, &SystemClock, &self.world.receptionist, request).await {
            Ok(_) => Answer::Cancelled,
            Err(CancelError::Database(error)) => broken(&error).await,
            Err(error) => Answer::Refused(error.to_string()),
        };
        if !matches!(answer, Answer::Unknown(_)) {
            self.known().retain(|id| *id != appointment);
        }
        self.recorder.answered(number, SystemClock.now(), answer)
    }

    /// What others have booked, or this process before it was killed.
    async fn look_around(&mut self) -> anyhow::Result<()> {
        let days = self.hours.steps * usize::try_from(SIZE.step_minutes)? / (24 * 60) + 1;
        let day = i64::try_from(self.dice.below(days))?;
        let date = (self.hours.from + SignedDuration::from_hours(24 * day)).to_zoned(jiff::tz::TimeZone::UTC).date();
        if let Ok(found) = scheduler::day(&self.db, &self.world.receptionist, date, None).await {
            let booked = found.into_iter().filter(|one| one.state == domain::AppointmentState::Booked);
            self.known().extend(booked.map(|one| one.id));
        }
        Ok(())
    }
}

/// A refusal in the words of the checker.
async fn refused(error: BookError) -> Answer {
    match error {
        BookError::SlotTaken => Answer::SlotTaken,
        BookError::Database(error) => broken(&error).await,
        error => Answer::Refused(error.to_string()),
    }
}

/// The connection broke, and what was asked may have been done: waits a moment before going on. Or the database gave up waiting, and
/// nothing was done. Anything else that it says is a mistake of ours.
async fn broken(error: &sqlx::Error) -> Answer {
    let code = error.as_database_error().and_then(|error| error.code()).unwrap_or_default().into_owned();
    if service::postgres::gave_up(error) {
        return Answer::Refused(super::check::GAVE_UP.to_owned());
    }
    if !code.is_empty() && !["57P01", "57P02", "57P03", "53300"].contains(&code.as_str()) {
        return Answer::Refused(format!("{}{code}", super::check::UNEXPECTED));
    }
    tokio::time::sleep(PAUSE).await;
    Answer::Unknown(error.to_string())
}
