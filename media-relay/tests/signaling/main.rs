//! A relay as signaling and Redis see it. `redis-server` must be on the PATH.

mod announce;
mod control;
mod one_way;
mod support;
