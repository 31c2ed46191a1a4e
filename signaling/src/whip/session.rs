//! `PATCH` and `DELETE` of a session: candidates and ICE restart (RFC 9725 §4.3), and the end (§4.2).

use super::{ICE_FRAGMENT, bearer, ice_fragment, is_of_type, problem::Problem};
use crate::{
    Node,
    rooms::{DeviceCommand, DeviceEntry, IceSaid, ROOM_TIMEOUT, RoomCommand, RoomOf},
};
use axum::{
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::relay::{Connection, IceSession};
use std::{fmt, str::FromStr, sync::Arc};
use tokio::{sync::oneshot, time::timeout};
use uuid::Uuid;

/// The last part of a session's address: which token opened it, and as which connection of its participant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SessionName {
    /// [`JoinClaims::jti`](domain::JoinClaims::jti). It is no secret: without the signed token it opens nothing.
    pub(super) token: Uuid,
    pub(super) connection: Connection,
}

impl fmt::Display for SessionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.token, self.connection.0)
    }
}

impl FromStr for SessionName {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        let (token, connection) = text.split_once('.').ok_or(Problem::NoSuchSession)?;
        let token = token.parse().map_err(|_| Problem::NoSuchSession)?;
        let connection = connection.parse().map(Connection).map_err(|_| Problem::NoSuchSession)?;
        Ok(Self { token, connection })
    }
}

/// The entity tag of an ICE session.
pub(super) fn entity_tag(session: IceSession) -> String {
    format!("\"{}\"", session.0)
}

/// Candidates are thanked for; new credentials restart ICE and are answered with the relay's.
pub(super) async fn say_ice(
    State(node): State<Arc<Node>>,
    Path(name): Path<String>,
    headers: HeaderMap,
    fragment: Bytes,
) -> Result<Response, Problem> {
    let (of, device) = speaks_for(&node, &headers, &name)?;
    if !is_of_type(&headers, ICE_FRAGMENT) {
        return Err(Problem::UnsupportedMediaType);
    }
    let session = meant(&headers)?;
    let fragment = std::str::from_utf8(&fragment).map_err(|_| Problem::Malformed)?;
    let ufrag = ice_fragment::ufrag(fragment).map_err(|_| Problem::Malformed)?;
    let said = IceSaid { session, ufrag };
    let (session, fragment) = ask(&node, of, |reply| DeviceCommand::Ice { device, said, reply }).await?;
    let Some(fragment) = fragment else { return Ok(StatusCode::NO_CONTENT.into_response()) };
    let headers = [(header::CONTENT_TYPE, ICE_FRAGMENT.to_owned()), (header::ETAG, entity_tag(session))];
    Ok((StatusCode::OK, headers, fragment.into_inner()).into_response())
}

/// The client leaves the room.
pub(super) async fn leave(
    State(node): State<Arc<Node>>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    let (of, device) = speaks_for(&node, &headers, &name)?;
    ask(&node, of, |reply| DeviceCommand::Leave { device, reply }).await?;
    Ok(StatusCode::OK)
}

/// The token that opened a session speaks for it to its end, and no other one does.
fn speaks_for(node: &Node, headers: &HeaderMap, name: &str) -> Result<(RoomOf, DeviceEntry), Problem> {
    let token = bearer(headers).ok_or(Problem::TokenMissing)?;
    let claims = node.join_tokens.read(token).ok_or(Problem::TokenRefused)?;
    let name: SessionName = name.parse()?;
    if claims.jti != name.token {
        return Err(Problem::OtherSession);
    }
    Ok(((&claims).into(), DeviceEntry { participant: claims.participant, connection: name.connection }))
}

/// The ICE session that `If-Match` names; `None` for any.
fn meant(headers: &HeaderMap) -> Result<Option<IceSession>, Problem> {
    let value = headers.get(header::IF_MATCH).ok_or(Problem::IfMatchMissing)?;
    // The examples of RFC 9725 have the asterisk in quotes, its text and RFC 9110 do not.
    match value.to_str().map(str::trim).unwrap_or("") {
        "*" | "\"*\"" => Ok(None),
        tag => {
            let number = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"'));
            let number = number.and_then(|number| number.parse().ok()).ok_or(Problem::WrongIceSession)?;
            Ok(Some(IceSession(number)))
        }
    }
}

/// Asks a room to do something for a device.
pub(super) async fn ask<T, E>(
    node: &Arc<Node>,
    of: RoomOf,
    command: impl FnOnce(oneshot::Sender<Result<T, E>>) -> DeviceCommand,
) -> Result<T, Problem>
where
    Problem: From<E>,
{
    let (reply, outcome) = oneshot::channel();
    node.rooms.enter(node, of, RoomCommand::Device(command(reply)))?;
    match timeout(ROOM_TIMEOUT, outcome).await {
        Ok(Ok(outcome)) => Ok(outcome?),
        Ok(Err(_)) | Err(_) => Err(Problem::Unavailable),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_as_it_was_written() {
        let name = SessionName { token: Uuid::from_u128(7), connection: Connection(3) };
        assert_eq!(name.to_string().parse(), Ok(name));
        for other in ["", "7", "x.1", "00000000-0000-0000-0000-000000000007", "00000000-0000-0000-0000-000000000007.x"]
        {
            assert_eq!(other.parse::<SessionName>(), Err(Problem::NoSuchSession), "{other}");
        }
    }
}
