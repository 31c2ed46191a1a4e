//! The few messages of LiveKit's signaling that a participant needs, by the field numbers of its public protocol.

use prost::{Message, Oneof};

/// The query parameter by which a participant with one transport joins.
#[derive(Clone, PartialEq, Message)]
pub struct WrappedJoinRequest {
    /// A [`JoinRequest`].
    #[prost(bytes = "vec", tag = "2")]
    pub join_request: Vec<u8>,
}

/// Who joins, and how.
#[derive(Clone, PartialEq, Message)]
pub struct JoinRequest {
    /// What kind of client.
    #[prost(message, optional, tag = "1")]
    pub client_info: Option<ClientInfo>,
    /// What it wants.
    #[prost(message, optional, tag = "2")]
    pub connection_settings: Option<ConnectionSettings>,
}

/// What kind of client.
#[derive(Clone, PartialEq, Message)]
pub struct ClientInfo {
    /// 5 is the one for Go, which needs no care for a browser.
    #[prost(int32, tag = "1")]
    pub sdk: i32,
    /// Of the protocol.
    #[prost(int32, tag = "3")]
    pub protocol: i32,
    /// Operating system.
    #[prost(string, tag = "4")]
    pub os: String,
}

/// What a client wants.
#[derive(Clone, PartialEq, Message)]
pub struct ConnectionSettings {
    /// To receive every track as soon as it is there.
    #[prost(bool, tag = "1")]
    pub auto_subscribe: bool,
}

/// What a client says.
#[derive(Clone, PartialEq, Message)]
pub struct SignalRequest {
    /// One of these.
    #[prost(oneof = "Request", tags = "1, 4, 6, 7, 8")]
    pub message: Option<Request>,
}

/// What a client says.
#[derive(Clone, PartialEq, Oneof)]
pub enum Request {
    /// Of the one transport.
    #[prost(message, tag = "1")]
    Offer(SessionDescription),
    /// A track will be in the next offer.
    #[prost(message, tag = "4")]
    AddTrack(AddTrack),
    /// Which tracks to receive.
    #[prost(message, tag = "6")]
    Subscription(UpdateSubscription),
    /// How large to receive them.
    #[prost(message, tag = "7")]
    Settings(UpdateTrackSettings),
    /// Goodbye.
    #[prost(message, tag = "8")]
    Leave(Leave),
}

/// What the server says.
#[derive(Clone, PartialEq, Message)]
pub struct SignalResponse {
    /// One of these, or something that we need not know.
    #[prost(oneof = "Response", tags = "2, 4, 6, 8, 25")]
    pub message: Option<Response>,
}

/// What the server says.
#[derive(Clone, PartialEq, Oneof)]
pub enum Response {
    /// To our offer.
    #[prost(message, tag = "2")]
    Answer(SessionDescription),
    /// A candidate of its own.
    #[prost(message, tag = "4")]
    Trickle(Trickle),
    /// A track of ours is known by this id.
    #[prost(message, tag = "6")]
    TrackPublished(TrackPublished),
    /// It throws us out.
    #[prost(message, tag = "8")]
    Leave(Leave),
    /// It has more to send than our last offer had sections for.
    #[prost(message, tag = "25")]
    MediaSections(MediaSections),
}

/// An offer or an answer.
#[derive(Clone, PartialEq, Message)]
pub struct SessionDescription {
    /// `offer` or `answer`.
    #[prost(string, tag = "1")]
    pub kind: String,
    /// The description.
    #[prost(string, tag = "2")]
    pub sdp: String,
    /// An answer has that of its offer.
    #[prost(uint32, tag = "3")]
    pub id: u32,
}

/// An ICE candidate.
#[derive(Clone, PartialEq, Message)]
pub struct Trickle {
    /// JSON as of `RTCIceCandidateInit`.
    #[prost(string, tag = "1")]
    pub candidate: String,
    /// 0 is the publisher's transport, the one we have.
    #[prost(int32, tag = "2")]
    pub target: i32,
}

/// A track to come.
#[derive(Clone, PartialEq, Message)]
pub struct AddTrack {
    /// Its id in the offer (`a=msid`).
    #[prost(string, tag = "1")]
    pub cid: String,
    /// 0 is sound, 1 picture.
    #[prost(int32, tag = "3")]
    pub kind: i32,
    /// Of the picture.
    #[prost(uint32, tag = "4")]
    pub width: u32,
    /// Of the picture.
    #[prost(uint32, tag = "5")]
    pub height: u32,
    /// 1 is a camera, 2 a microphone.
    #[prost(int32, tag = "8")]
    pub source: i32,
    /// Its encodings, where there are several.
    #[prost(message, repeated, tag = "9")]
    pub layers: Vec<VideoLayer>,
    /// No second copy of each piece of sound.
    #[prost(bool, tag = "13")]
    pub disable_red: bool,
}

/// One encoding of a picture.
#[derive(Clone, PartialEq, Message)]
pub struct VideoLayer {
    /// From 0, the lowest.
    #[prost(int32, tag = "1")]
    pub quality: i32,
    /// Of the picture.
    #[prost(uint32, tag = "2")]
    pub width: u32,
    /// Of the picture.
    #[prost(uint32, tag = "3")]
    pub height: u32,
    /// Bits a second.
    #[prost(uint32, tag = "4")]
    pub bitrate: u32,
    /// The same again, for programs that count from the lowest.
    #[prost(int32, tag = "6")]
    pub spatial_layer: i32,
    /// Its name in the offer.
    #[prost(string, tag = "7")]
    pub rid: String,
}

/// A track is known.
#[derive(Clone, PartialEq, Message)]
pub struct TrackPublished {
    /// As we called it.
    #[prost(string, tag = "1")]
    pub cid: String,
    /// As the server calls it.
    #[prost(message, optional, tag = "2")]
    pub track: Option<TrackInfo>,
}

/// What is known of a track.
#[derive(Clone, PartialEq, Message)]
pub struct TrackInfo {
    /// Its id.
    #[prost(string, tag = "1")]
    pub sid: String,
}

/// Which tracks to receive.
#[derive(Clone, PartialEq, Message)]
pub struct UpdateSubscription {
    /// Their ids.
    #[prost(string, repeated, tag = "1")]
    pub track_sids: Vec<String>,
    /// To receive them.
    #[prost(bool, tag = "2")]
    pub subscribe: bool,
}

/// How large to receive tracks.
#[derive(Clone, PartialEq, Message)]
pub struct UpdateTrackSettings {
    /// Their ids.
    #[prost(string, repeated, tag = "1")]
    pub track_sids: Vec<String>,
    /// At most.
    #[prost(uint32, tag = "5")]
    pub width: u32,
    /// At most.
    #[prost(uint32, tag = "6")]
    pub height: u32,
}

/// Goodbye.
#[derive(Clone, PartialEq, Message)]
pub struct Leave {
    /// Why.
    #[prost(int32, tag = "2")]
    pub reason: i32,
}

/// How many more sections to receive in the next offer needs.
#[derive(Clone, PartialEq, Message)]
pub struct MediaSections {
    /// For sound.
    #[prost(uint32, tag = "1")]
    pub audio: u32,
    /// For pictures.
    #[prost(uint32, tag = "2")]
    pub video: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes as protoc's own encoder writes them: `offer {type: "offer" sdp: "v=0" id: 7}`.
    #[test]
    fn an_offer_is_encoded_by_the_public_field_numbers() {
        let offer = SessionDescription { kind: "offer".to_owned(), sdp: "v=0".to_owned(), id: 7 };
        let request = SignalRequest { message: Some(Request::Offer(offer)) };
        assert_eq!(request.encode_to_vec(), b"\x0a\x0e\x0a\x05offer\x12\x03v=0\x18\x07");
    }

    #[test]
    fn what_we_need_not_know_is_no_error() {
        // `connection_quality {}`, field 12.
        let response = SignalResponse::decode(&b"\x62\x00"[..]).expect("it is well-formed");
        assert_eq!(response.message, None);
    }
}
