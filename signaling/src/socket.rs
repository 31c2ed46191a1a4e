//! `/signal`: one WebSocket of one page, from the upgrade to the close. Everything about it is bounded.

mod budget;
mod conversation;
mod frames;
mod origins;

pub(crate) use origins::Origins;

use crate::Node;
use axum::{
    extract::{State, WebSocketUpgrade},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use conversation::Conversation;
use domain::signal::{MAX_MESSAGE_BYTES, SUBPROTOCOL};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// Read at once from one socket. The library's own choice of 128 KiB would be most of what a socket costs.
const READ_BUFFER: usize = 8 * 1024;

/// Unsent bytes that one socket may hold; beyond it sending fails and the socket is closed.
const MAX_WRITE_BUFFER: usize = 256 * 1024;

/// Tells the sockets of this process apart.
static NEXT_SOCKET: AtomicU64 = AtomicU64::new(0);

/// The upgrade. A browser sends cookies of ours along from any page (WebSockets know no same-origin policy), so the origin
/// is checked although we look at no cookie; and nobody is anybody before the token.
pub(crate) async fn open(State(node): State<Arc<Node>>, headers: HeaderMap, upgrade: WebSocketUpgrade) -> Response {
    if !node.origins.allow(headers.get(header::ORIGIN)) {
        return refused(StatusCode::FORBIDDEN, "origin");
    }
    if node.draining.is_cancelled() {
        return refused(StatusCode::SERVICE_UNAVAILABLE, "draining");
    }
    let Ok(place) = Arc::clone(&node.places).try_acquire_owned() else {
        return refused(StatusCode::SERVICE_UNAVAILABLE, "full");
    };
    let upgrade = upgrade
        .protocols([SUBPROTOCOL])
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .max_write_buffer_size(MAX_WRITE_BUFFER)
        .max_message_size(MAX_MESSAGE_BYTES)
        .max_frame_size(MAX_MESSAGE_BYTES);
    if upgrade.selected_protocol().is_none() {
        return refused(StatusCode::BAD_REQUEST, "subprotocol");
    }
    let tasks = node.tasks.clone();
    let id = NEXT_SOCKET.fetch_add(1, Ordering::Relaxed);
    upgrade.on_upgrade(move |socket| {
        tasks.track_future(async move {
            metrics::gauge!("signaling_sockets").increment(1);
            Conversation::new(node, socket, id).hold().await;
            metrics::gauge!("signaling_sockets").decrement(1);
            drop(place);
        })
    })
}

fn refused(status: StatusCode, reason: &'static str) -> Response {
    metrics::counter!("signaling_upgrades_refused_total", "reason" => reason).increment(1);
    (status, "this WebSocket is for the pages of this clinic's Bedside\n").into_response()
}
