//! What a relay tells Redis, and that it needs none. `redis-server` must be on the PATH.

use crate::support::{Signaling, relay_with, room};
use domain::relay::{RelayAnnouncement, RelayOutcome};
use std::{
    net::TcpListener,
    process::{Child, Command, Stdio},
    time::Duration,
};

/// A Redis of this test's own, gone with it.
struct PrivateRedis {
    server: Child,
    url: String,
}

impl PrivateRedis {
    async fn start() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
        let mut server = Command::new("redis-server");
        server.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
        let server = server.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("redis-server is on the PATH");
        let redis = Self { server, url: format!("redis://127.0.0.1:{port}") };
        while redis.connection().await.is_err() {
            tokio::task::yield_now().await;
        }
        redis
    }

    async fn connection(&self) -> redis::RedisResult<redis::aio::MultiplexedConnection> {
        redis::Client::open(self.url.as_str())?.get_multiplexed_async_connection().await
    }

    /// Waits until something stands under `key`.
    async fn reads(&self, key: &str) -> String {
        let mut connection = self.connection().await.expect("Redis runs");
        let read = async {
            loop {
                let value: Option<String> =
                    redis::cmd("GET").arg(key).query_async(&mut connection).await.expect("read");
                match value {
                    Some(value) => return value,
                    None => tokio::task::yield_now().await,
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(20), read).await.expect("in time")
    }

    async fn does(&self, command: &mut redis::Cmd) {
        let mut connection = self.connection().await.expect("Redis runs");
        let _: redis::Value = command.query_async(&mut connection).await.expect("done");
    }
}

impl Drop for PrivateRedis {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

#[tokio::test]
async fn a_relay_tells_where_it_is_and_which_rooms_it_has_and_says_so_again_after_a_flush() {
    let redis = PrivateRedis::start().await;
    let relay = relay_with(|config| config.redis_url = Some(redis.url.clone().into())).await;
    let mut node = Signaling::of(&relay).await;
    node.joins(room(1), 1, 7, 1).await;
    for _ in 0..2 {
        let told = redis.reads(&format!("bedside:relay:{}", relay.id)).await;
        let told: RelayAnnouncement = serde_json::from_str(&told).expect("an announcement");
        assert_eq!(told.control_url, format!("ws://{}/relay", relay.control_addr));
        let placed = redis.reads(&format!("bedside:room:{}", room(1))).await;
        assert_eq!(placed, format!(r#"{{"epoch":7,"relay":"{}"}}"#, relay.id));
        redis.does(&mut redis::cmd("FLUSHALL")).await;
    }
    let newer = r#"{"epoch":8,"relay":"another"}"#;
    redis.does(redis::cmd("SET").arg(format!("bedside:room:{}", room(1))).arg(newer)).await;
    node.joins(room(2), 1, 1, 1).await;
    redis.reads(&format!("bedside:room:{}", room(2))).await;
    assert_eq!(redis.reads(&format!("bedside:room:{}", room(1))).await, newer, "a newer placement stays");
    let key = format!("bedside:relay:{}", relay.id);
    relay.shutdown().await;
    let mut connection = redis.connection().await.expect("Redis runs");
    let left: bool = redis::cmd("EXISTS").arg(key).query_async(&mut connection).await.expect("read");
    assert!(!left, "who stops says so");
}

#[tokio::test]
async fn without_redis_rooms_go_on() {
    let nobody = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("redis://{}", nobody.local_addr().expect("an address"));
    let relay = relay_with(|config| config.redis_url = Some(url.into())).await;
    let mut node = Signaling::of(&relay).await;
    assert!(matches!(node.joins(room(1), 1, 1, 1).await, RelayOutcome::Joined { .. }));
    drop(nobody);
    assert!(matches!(node.joins(room(1), 2, 1, 1).await, RelayOutcome::Joined { .. }));
    node.sees(2).await;
    relay.shutdown().await;
}
