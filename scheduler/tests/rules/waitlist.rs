//! A freed time is offered to those who wait, one after the other.

use crate::house::{House, at};
use domain::{
    Actor, ApiTokenId, AppointmentId, AppointmentState, Random as _, Role, Source, WaitlistEntryId, WaitlistOfferId,
    WaitlistOfferState, Who,
};
use jiff::{SignedDuration, Timestamp, civil::date};
use scheduler::{
    AcceptOfferError, AddToWaitlistError, BookError, Cancel, DeclineOfferError, DeskOf, HoldRequest, WaitlistOfferView,
    WaitlistRequest, accept_offer, decline_offer, waitlist,
};
use sqlx::PgPool;
use std::sync::Arc;

fn wish(house: &House, patient: usize) -> WaitlistRequest {
    let clinic = &house.riverside;
    WaitlistRequest {
        patient: clinic.patients[patient],
        visit_type: clinic.consultation,
        practitioner: None,
        from_date: date(2026, 11, 24),
        to_date: date(2026, 12, 1),
        from_minute: 0,
        to_minute: 1440,
        note: String::new(),
    }
}

async fn add(house: &House, request: WaitlistRequest) -> Result<WaitlistEntryId, AddToWaitlistError> {
    scheduler::add_to_waitlist(&house.db, &house.clock, &house.random, &house.riverside.receptionist, request).await
}

/// The second and the third patient wait, in this order, and the first has an appointment at three.
async fn two_wait(house: &House) -> AppointmentId {
    for patient in [1, 2] {
        add(house, wish(house, patient)).await.expect("a place on the list");
        house.clock.advance(jiff::SignedDuration::from_secs(1));
    }
    house.book(0, at("15:00")).await.expect("a free slot")
}

async fn cancel(house: &House, id: AppointmentId) {
    scheduler::cancel(&house.db, &house.clock, &house.riverside.receptionist, Cancel::new(id, "Ill."))
        .await
        .expect("a booked appointment");
}

/// The newest offer of each who waits, in order.
async fn offers(house: &House) -> Vec<Option<WaitlistOfferView>> {
    let entries = waitlist(&house.db, &house.riverside.receptionist).await.expect("a read");
    entries.into_iter().map(|entry| entry.offers.into_iter().next()).collect()
}

async fn first_offer(house: &House) -> WaitlistOfferId {
    offers(house).await[0].as_ref().expect("an offer").id
}

/// Time passes by the clock of the database.
async fn expire(house: &House, id: WaitlistOfferId) {
    for sql in [
        "update holds set expires_at = now() where id = (select hold_id from waitlist_offers where id = $1)",
        "update waitlist_offers set expires_at = now() where id = $1",
    ] {
        sqlx::query(sql).bind(id.0).execute(&house.superuser).await.expect("an update");
    }
}

async fn pass_on(house: &House) -> usize {
    let by = domain::Actor { clinic: house.riverside.id, who: domain::Who::Service("scheduler") };
    scheduler::waitlist::pass_on(&house.db, &house.clock, &by).await.expect("a round")
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_cancelled_time_is_held_for_the_first_who_waits(pool: PgPool) {
    let house = House::new(pool).await;
    let id = two_wait(&house).await;
    cancel(&house, id).await;
    let offers = offers(&house).await;
    let offer = offers[0].as_ref().expect("an offer");
    assert_eq!((offer.starts_at, offer.ends_at, offer.state), (at("15:00"), at("15:30"), WaitlistOfferState::Open));
    assert!(offer.is_open);
    assert_eq!(offers[1], None);
    assert!(matches!(house.book(2, at("15:00")).await, Err(BookError::SlotTaken)));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn an_accepted_offer_becomes_the_appointment_once(pool: PgPool) {
    let house = House::new(pool).await;
    let id = two_wait(&house).await;
    cancel(&house, id).await;
    let offer = first_offer(&house).await;
    let token = scheduler::offer_link(&house.keys.offer_link, offer);
    let opened = scheduler::open_offer(&house.db, &house.keys.offer_link, token.expose()).await.expect("a read");
    let (patient, named) = opened.expect("a good link");
    assert_eq!(named, offer);
    let shown = scheduler::offer(&house.db, &patient, offer).await.expect("a read").expect("their own");
    assert!(shown.is_open);
    for _ in 0..2 {
        let booked = accept_offer(&house.db, &house.clock, &patient, offer).await.expect("it is held for them");
        assert_eq!(booked.0, offer.0);
    }
    let view = house.view(AppointmentId(offer.0)).await;
    assert_eq!((view.state, view.source, view.starts_at), (AppointmentState::Booked, Source::Waitlist, at("15:00")));
    assert_eq!(view.patient.id, house.riverside.patients[1]);
    assert_eq!(offers(&house).await.len(), 1, "they wait no longer");
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_declined_offer_goes_to_the_next_and_comes_back_to_nobody(pool: PgPool) {
    let house = House::new(pool).await;
    let id = two_wait(&house).await;
    cancel(&house, id).await;
    let desk = &house.riverside.receptionist;
    for turn in 0..2 {
        let offer = offers(&house).await[turn].as_ref().expect("an offer").id;
        decline_offer(&house.db, &house.clock, desk, offer).await.expect("an open offer");
        let again = decline_offer(&house.db, &house.clock, desk, offer).await;
        assert!(matches!(again, Err(DeclineOfferError::Over)));
    }
    assert_eq!(offers(&house).await.iter().flatten().filter(|offer| offer.is_open).count(), 0);
    house.book(0, at("15:00")).await.expect("free for everybody");
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn an_offer_without_an_answer_falls_through_by_itself(pool: PgPool) {
    let house = House::new(pool).await;
    let id = two_wait(&house).await;
    cancel(&house, id).await;
    assert_eq!(pass_on(&house).await, 0, "there is time left");
    let first = first_offer(&house).await;
    expire(&house, first).await;
    let desk = &house.riverside.receptionist;
    let late = accept_offer(&house.db, &house.clock, desk, first).await;
    assert!(matches!(late, Err(AcceptOfferError::Over)), "{late:?}");
    assert_eq!(pass_on(&house).await, 1);
    let offers = offers(&house).await;
    assert_eq!(offers[0].as_ref().expect("the first").state, WaitlistOfferState::Expired);
    let second = offers[1].as_ref().expect("the second's turn");
    accept_offer(&house.db, &house.clock, desk, second.id).await.expect("it is held for them");
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_time_goes_only_to_whom_it_fits(pool: PgPool) {
    let house = House::new(pool).await;
    let other = Some(house.riverside.colleague_practitioner);
    let unfit = [
        WaitlistRequest { to_minute: 15 * 60 + 15, ..wish(&house, 1) },
        WaitlistRequest { from_minute: 15 * 60 + 15, ..wish(&house, 1) },
        WaitlistRequest { from_date: date(2026, 11, 25), ..wish(&house, 1) },
        WaitlistRequest { practitioner: other, ..wish(&house, 1) },
        // Busy at three, and so somewhere else.
        wish(&house, 2),
    ];
    for request in unfit {
        add(&house, request).await.expect("a place on the list");
    }
    let colleague = scheduler::BookRequest {
        practitioner: house.riverside.colleague_practitioner,
        ..house.request(2, at("15:00"))
    };
    house.send(colleague).await.expect("a free slot");
    let id = house.book(0, at("15:00")).await.expect("a free slot");
    cancel(&house, id).await;
    assert!(offers(&house).await.iter().all(Option::is_none));
    house.book(0, at("15:00")).await.expect("free for everybody");
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_time_that_begins_soon_is_not_offered_and_a_moved_visit_frees_its_time(pool: PgPool) {
    let house = House::new(pool).await;
    two_wait(&house).await;
    let soon = house.book(0, at("09:30")).await.expect("a free slot");
    house.clock.set(at("09:05"));
    cancel(&house, soon).await;
    assert!(offers(&house).await.iter().all(Option::is_none));
    let later = house.book(0, at("16:00")).await.expect("a free slot");
    let request = scheduler::Reschedule::new(later, at("17:00"), "The patient asked for it.");
    scheduler::reschedule(&house.db, &house.clock, &house.riverside.receptionist, request).await.expect("free");
    assert_eq!(offers(&house).await[0].as_ref().map(|offer| offer.starts_at), Some(at("16:00")));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn who_is_taken_off_the_list_leaves_their_offer_to_the_next(pool: PgPool) {
    let house = House::new(pool).await;
    let id = two_wait(&house).await;
    cancel(&house, id).await;
    let desk = &house.riverside.receptionist;
    let first = waitlist(&house.db, desk).await.expect("a read")[0].id;
    assert!(scheduler::withdraw_from_waitlist(&house.db, &house.clock, desk, first).await.expect("an update"));
    assert!(!scheduler::withdraw_from_waitlist(&house.db, &house.clock, desk, first).await.expect("nothing"));
    let offers = offers(&house).await;
    assert_eq!(offers.len(), 1);
    assert!(offers[0].as_ref().is_some_and(|offer| offer.is_open));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn an_offer_is_answered_only_by_whom_it_was_made_to(pool: PgPool) {
    let house = House::new(pool).await;
    let id = two_wait(&house).await;
    cancel(&house, id).await;
    let offer = first_offer(&house).await;
    for stranger in [house.patient(1, id), house.harbour.receptionist.clone()] {
        let accepted = accept_offer(&house.db, &house.clock, &stranger, offer).await;
        assert!(matches!(accepted, Err(AcceptOfferError::NotFound)));
        let declined = decline_offer(&house.db, &house.clock, &stranger, offer).await;
        assert!(matches!(declined, Err(DeclineOfferError::NotFound)));
    }
    let forged = scheduler::offer_link(&house.keys.visit_link, offer);
    let opened = scheduler::open_offer(&house.db, &house.keys.offer_link, forged.expose()).await.expect("a read");
    assert!(opened.is_none(), "signed with the key of another purpose");
}

/// The times that the desk shows as held, and whether as an offer.
async fn held(house: &House) -> Vec<(Timestamp, bool)> {
    let (desk, day) = (&house.riverside.receptionist, date(2026, 11, 24));
    let of = DeskOf::One(house.riverside.practitioner);
    let view = scheduler::desk(&house.db, &house.clock, desk, (day, day), of, scheduler::DeskFor::Board).await;
    let view = view.expect("a read");
    view.held.iter().map(|one| (one.starts_at, one.is_offered)).collect()
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_time_that_a_program_holds_for_a_patient_is_no_offer(pool: PgPool) {
    let house = House::new(pool).await;
    let clinic = &house.riverside;
    let program = Actor {
        clinic: clinic.id,
        who: Who::ApiToken { id: ApiTokenId(house.random.uuid()), role: Role::Receptionist },
    };
    let request = HoldRequest {
        practitioner: clinic.practitioner,
        visit_type: clinic.consultation,
        starts_at: at("10:00"),
        patient: Some(clinic.patients[0]),
    };
    let lifetime = SignedDuration::from_mins(5);
    scheduler::hold(&house.db, &house.clock, &house.random, &program, request, lifetime).await.expect("a free slot");
    assert_eq!(held(&house).await, [(at("10:00"), false)]);

    let id = two_wait(&house).await;
    cancel(&house, id).await;
    assert_eq!(held(&house).await, [(at("10:00"), false), (at("15:00"), true)]);
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn whoever_is_offered_a_time_is_told_once(pool: PgPool) {
    let house = House::new(pool).await;
    let id = two_wait(&house).await;
    cancel(&house, id).await;
    let by = domain::Actor { clinic: house.riverside.id, who: domain::Who::Service("scheduler") };
    let tell = async || {
        let told = scheduler::waitlist::tell(&house.db, &house.clock, &house.keys.offer_link, &by);
        told.await.expect("a round")
    };
    assert_eq!((tell().await, tell().await), (1, 0));
    let told: i64 = sqlx::query_scalar("select count(*) from outbox where kind = 'waitlist_offer'")
        .fetch_one(&house.superuser)
        .await
        .expect("a count");
    assert_eq!(told, 2, "by e-mail and by text message");
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn accepting_and_declining_at_once_does_one_of_them(pool: PgPool) {
    let house = Arc::new(House::new(pool).await);
    let id = two_wait(&house).await;
    cancel(&house, id).await;
    let offer = first_offer(&house).await;
    let racers: Vec<_> = (0..10)
        .map(|turn| {
            let house = house.clone();
            tokio::spawn(async move {
                let desk = &house.riverside.receptionist;
                match turn % 2 {
                    0 => {
                        accept_offer(&house.db, &house.clock, desk, offer).await.map(|_| ()).map_err(|e| e.to_string())
                    }
                    _ => decline_offer(&house.db, &house.clock, desk, offer).await.map_err(|e| e.to_string()),
                }
            })
        })
        .collect();
    let mut done = 0;
    for racer in racers {
        match racer.await.expect("a racer ends") {
            Ok(()) => done += 1,
            Err(error) => assert_eq!(error, "the time is not offered any more"),
        }
    }
    let offer = offers(&house).await.into_iter().flatten().find(|one| one.is_open);
    let accepted = house.actions().await.iter().filter(|action| *action == "offer.accepted").count();
    match accepted {
        1 => assert!(done >= 1 && offer.is_none(), "accepted, and again"),
        _ => assert!(done == 1 && offer.is_some(), "declined once, and the next is asked"),
    }
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn what_cannot_come_true_is_not_waited_for(pool: PgPool) {
    let house = House::new(pool).await;
    let no_time = [
        WaitlistRequest { to_date: date(2026, 11, 23), ..wish(&house, 0) },
        WaitlistRequest { from_date: date(2026, 11, 20), to_date: date(2026, 11, 23), ..wish(&house, 0) },
        WaitlistRequest { from_minute: 600, to_minute: 620, ..wish(&house, 0) },
        WaitlistRequest { to_minute: 1441, ..wish(&house, 0) },
    ];
    for request in no_time {
        assert!(matches!(add(&house, request).await, Err(AddToWaitlistError::NoTime)));
    }
    let stranger = WaitlistRequest { patient: house.harbour.patients[0], ..wish(&house, 0) };
    assert!(matches!(add(&house, stranger).await, Err(AddToWaitlistError::NoSuchPatient)));
    let long = WaitlistRequest { note: "x".repeat(501), ..wish(&house, 0) };
    assert!(matches!(add(&house, long).await, Err(AddToWaitlistError::NoteTooLong)));
    add(&house, WaitlistRequest { to_date: date(2026, 11, 24), ..wish(&house, 0) }).await.expect("a place");
    house.clock.advance(jiff::SignedDuration::from_hours(24));
    pass_on(&house).await;
    assert!(waitlist(&house.db, &house.riverside.receptionist).await.expect("a read").is_empty());
}

/// What programs were told of the waitlist, with the offer's and the appointment's id where there is one.
async fn told(house: &House) -> Vec<(String, bool, bool)> {
    let read = scheduler::events(&house.db, &house.riverside.receptionist, None, 0, 100).await.expect("events");
    let of_waitlist = read.into_iter().filter(|event| event.kind.starts_with("waitlist."));
    of_waitlist
        .map(|event| (event.kind, event.data["offer_id"].is_string(), event.data["appointment_id"].is_string()))
        .collect()
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn programs_are_told_of_each_step_in_order(pool: PgPool) {
    let house = House::new(pool).await;
    let id = two_wait(&house).await;
    cancel(&house, id).await;
    let desk = &house.riverside.receptionist;
    let first = first_offer(&house).await;
    decline_offer(&house.db, &house.clock, desk, first).await.expect("an open offer");
    let second = offers(&house).await[1].as_ref().expect("the second's turn").id;
    expire(&house, second).await;
    pass_on(&house).await;
    house.clock.advance(jiff::SignedDuration::from_secs(1));
    let another = house.book(0, at("16:00")).await.expect("a free slot");
    cancel(&house, another).await;
    let third = first_offer(&house).await;
    accept_offer(&house.db, &house.clock, desk, third).await.expect("it is held for them");
    let last = waitlist(&house.db, desk).await.expect("a read")[0].id;
    assert!(scheduler::withdraw_from_waitlist(&house.db, &house.clock, desk, last).await.expect("an update"));

    let steps = [
        ("added", false, false),
        ("added", false, false),
        ("offered", true, false),
        ("declined", true, false),
        ("offered", true, false),
        ("expired", true, false),
        ("offered", true, false),
        ("accepted", true, true),
        ("withdrawn", false, false),
    ];
    assert_eq!(told(&house).await, steps.map(|(step, offer, booked)| (format!("waitlist.{step}"), offer, booked)));
}
