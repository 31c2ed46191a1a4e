//! Every address, from top to bottom, and what stands around all of them.

use crate::{api, errors, errors::PageError, headers, pages, requests, state::WebState, static_files};
use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::StatusCode,
    middleware,
    routing::{get, post},
};
use std::time::Duration;
use tower_http::{catch_panic::CatchPanicLayer, csrf::CsrfLayer, timeout::TimeoutLayer};

/// The largest form accepted, in bytes: the longest fields many times over.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// How long an answer may take to begin. Streams of events begin at once, and last as long as they like.
const TIMEOUT: Duration = Duration::from_secs(15);

/// The pages. Whoever serves it passes the peer's address on (`into_make_service_with_connect_info`).
pub fn router(state: WebState) -> Router {
    pages(&state)
        .merge(api::router())
        .fallback(async || PageError::NotFound)
        // From the inside out: the last one added sees the request first.
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(CatchPanicLayer::new())
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, TIMEOUT))
        .layer(middleware::from_fn_with_state(state.clone(), errors::show))
        .layer(middleware::from_fn_with_state(state.clone(), headers::apply))
        .layer(middleware::from_fn_with_state(state.clone(), requests::observe))
        .with_state(state)
}

/// What browsers show. Programs are kept apart: a token in a header is nothing that another site could make a browser send.
fn pages(state: &WebState) -> Router<WebState> {
    Router::new()
        .merge(staff())
        .merge(patients())
        .merge(self_booking())
        .merge(static_files::router())
        .method_not_allowed_fallback(async || PageError::NotFound)
        .layer(same_origin_only(state))
}

fn staff() -> Router<WebState> {
    Router::new()
        .route("/", get(pages::front::get))
        .route("/sign-in", get(pages::sign_in::get).post(pages::sign_in::post))
        .route("/sign-out", post(pages::sign_out::post))
        .route("/theme", post(pages::theme::post))
        .route("/desk", get(pages::desk::get))
        .route("/desk/events", get(pages::desk::events))
        .route("/desk/week", get(pages::desk::week::get))
        .route("/desk/week/events", get(pages::desk::week::events))
        .route("/patients", get(pages::patients::search::get).post(pages::patients::add::post))
        .route("/patients/find", post(pages::patients::find::post))
        .route("/patients/new", get(pages::patients::add::get).post(pages::patients::add::begin))
        .route("/patients/search", post(pages::patients::search::post))
        .route("/patients/{id}", get(pages::patients::show::get))
        .route("/appointments", post(pages::appointments::book::post))
        .route("/appointments/new", get(pages::appointments::book::get).post(pages::appointments::book::look))
        .route("/appointments/hold", post(pages::appointments::hold::post))
        .route("/appointments/hold/release", post(pages::appointments::hold::release))
        .route("/appointments/{id}", get(pages::appointments::show::get))
        .route("/appointments/{id}/send-link", post(pages::appointments::send_link::post))
        .route("/appointments/{id}/undo-missed", post(pages::appointments::undo_missed::post))
        .route("/appointments/{id}/cancel", post(pages::appointments::cancel::post))
        .route(
            "/appointments/{id}/move",
            get(pages::appointments::move_to::get).post(pages::appointments::move_to::post),
        )
        .route("/appointments/{id}/admit", post(pages::appointments::admit::post))
        .route("/walk-in", get(pages::appointments::walk_in::get).post(pages::appointments::walk_in::post))
        .route("/waitlist", get(pages::waitlist::get).post(pages::waitlist::add::post))
        .route("/waitlist/events", get(pages::waitlist::events))
        .route("/waitlist/find", post(pages::waitlist::add::look))
        .route("/waitlist/{id}/withdraw", post(pages::waitlist::withdraw::post))
        .route("/messages", get(pages::undelivered::get))
        .route("/day", get(pages::day::get))
        .route("/day/events", get(pages::day::events))
        .route("/schedules", get(pages::schedules::list::get))
        .route("/schedules/holidays", post(pages::schedules::list::holidays))
        .route("/schedules/{id}", get(pages::schedules::practitioner::get))
        .route("/schedules/{id}/rules", post(pages::schedules::practitioner::rules))
        .route("/schedules/{id}/exceptions", post(pages::schedules::practitioner::exceptions))
        .route("/visit-types", get(pages::visit_types::get).post(pages::visit_types::post))
        .route("/visit-types/{id}/retire", post(pages::visit_types::retire))
        .route("/public-page", get(pages::public_page::get).post(pages::public_page::post))
        .route("/history", get(pages::history::get))
        .route("/api-tokens", get(pages::programs::get).post(pages::programs::tokens::post))
        .route("/api-tokens/{id}/revoke", post(pages::programs::tokens::revoke))
        .route("/webhooks", post(pages::programs::webhooks::post))
        .route("/webhooks/{id}/disable", post(pages::programs::webhooks::disable))
        .route("/mailbox", get(pages::mailbox::get))
        .route("/mailbox/{id}/html", get(pages::mailbox::html))
        .route("/mailbox/{id}/files/{name}", get(pages::mailbox::invitation))
}

/// The patient's link, waiting room and goodbye; the consultation of both.
fn patients() -> Router<WebState> {
    Router::new()
        .route("/visit/{token}", get(pages::visit::arrive::get).post(pages::visit::arrive::post))
        .route("/answer/{token}", get(pages::visit::answer::get).post(pages::visit::answer::post))
        .route("/not-you", get(pages::visit::not_you::get))
        .route("/waiting/{appointment}", get(pages::visit::waiting::get))
        .route("/waiting/{appointment}/events", get(pages::visit::waiting::events))
        .route("/waiting/{appointment}/readiness", post(pages::visit::waiting::readiness))
        .route("/waiting/{appointment}/leave", post(pages::visit::waiting::leave))
        .route("/goodbye/{appointment}", get(pages::visit::goodbye::get))
        .route("/goodbye/{appointment}/events", get(pages::visit::goodbye::events))
        .route("/consultation/{appointment}", get(pages::consultation::patient::get))
        .route("/consultation/{appointment}/join-tokens", post(pages::consultation::patient::join_tokens))
        .route("/consultation/{appointment}/ice-servers", get(pages::consultation::patient::ice_servers))
        .route("/consultation/{appointment}/leave", post(pages::consultation::patient::leave))
        .route("/encounters/{id}", get(pages::consultation::practitioner::get))
        .route("/encounters/{id}/events", get(pages::consultation::practitioner::events))
        .route("/encounters/{id}/join-tokens", post(pages::consultation::practitioner::join_tokens))
        .route("/encounters/{id}/ice-servers", get(pages::consultation::practitioner::ice_servers))
        .route("/encounters/{id}/finish", post(pages::consultation::practitioner::finish))
}

/// Patients who book themselves.
fn self_booking() -> Router<WebState> {
    use pages::self_booking::{confirm, sent, times, types, you};
    Router::new()
        .route("/clinics/{slug}", get(types::get))
        .route("/clinics/{slug}/times", get(times::get).post(times::post))
        .route("/clinics/{slug}/you", get(you::get).post(you::post))
        .route("/clinics/{slug}/sent", get(sent::get))
        .route("/bookings/{token}", get(confirm::get).post(confirm::post))
        .route("/bookings/{token}/times", post(confirm::choose))
        .route("/offer/{token}", get(pages::waitlist::offer::get))
        .route("/offer/{token}/accept", post(pages::waitlist::offer::accept))
        .route("/offer/{token}/decline", post(pages::waitlist::offer::decline))
        .route("/visit/{token}/booked", get(pages::visit::booked::get))
        .route("/visit/{token}/calendar", get(pages::visit::booked::calendar))
}

/// Refuses what another site makes a browser send (`Sec-Fetch-Site`, `Origin`); GET needs no such care, it changes nothing.
fn same_origin_only(state: &WebState) -> CsrfLayer {
    CsrfLayer::new()
        .add_trusted_origin(state.site.public_url.origin().ascii_serialization())
        .expect("the public address is http or https")
}
