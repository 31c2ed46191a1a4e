//! The pages as `bedside web` serves them, and browsers in front of them.

use super::busy_day::{PASSWORD, Visit};
use crate::{postgres::PrivatePostgres, redis::PrivateRedis};
use anyhow::ensure;
use domain::Redacted;
use reqwest::{Client, Response, StatusCode, redirect::Policy};
use scheduler::join_tokens::SigningKey;
use service::{bus::Bus, clock::SystemClock, ice_servers::IceServers, keys::Keys, postgres::Db, random::SystemRandom};
use std::{net::SocketAddr, sync::Arc};
use tokio::net::TcpListener;
use web::WebState;

/// As many as one process of a clinic keeps.
const CONNECTIONS: u32 = 10;

/// A web service that listens on loopback.
pub struct Site {
    address: String,
    keys: Keys,
}

/// Somebody at a browser.
pub struct Browser {
    client: Client,
    address: String,
}

impl Site {
    /// Serves the pages until the process ends.
    pub async fn serve(postgres: &PrivatePostgres, redis: &PrivateRedis) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = format!("http://{}", listener.local_addr()?);
        let db = Db::connect(&Redacted::new(postgres.url()), CONNECTIONS).await?;
        let bus = Bus::connect(&redis.url()).await?;
        let keys = Keys::derive(&Redacted::new("a secret of at least thirty-two bytes".to_owned()))?;
        let site = web::Site {
            public_url: address.parse()?,
            signaling_url: "ws://127.0.0.1:9/signal".parse()?,
            ice_servers: IceServers::default(),
            join_tokens: SigningKey::new(&keys.join_token),
            keys: keys.clone(),
            demo: false,
        };
        let router = web::router(WebState::new(db, bus, Arc::new(SystemClock), Arc::new(SystemRandom), site));
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, service).await });
        Ok(Self { address, keys })
    }

    fn browser(&self) -> anyhow::Result<Browser> {
        let client = Client::builder().cookie_store(true).redirect(Policy::none()).build()?;
        Ok(Browser { client, address: self.address.clone() })
    }

    /// A browser in which somebody has signed in.
    pub async fn signed_in(&self, email: &str) -> anyhow::Result<Browser> {
        let browser = self.browser()?;
        let answer = browser.post("/sign-in", &[("email", email), ("password", PASSWORD)]).await?;
        ensure!(answer.status() == StatusCode::SEE_OTHER, "signing in answered {}", answer.status());
        Ok(browser)
    }

    /// A browser in which a patient has opened their link and said that they are here.
    pub async fn arrived(&self, visit: Visit) -> anyhow::Result<Browser> {
        let browser = self.browser()?;
        let link = scheduler::visit_link(&self.keys.visit_link, visit.visit, 1);
        let answer = browser.post(&format!("/visit/{}", link.expose()), &[]).await?;
        ensure!(answer.status() == StatusCode::SEE_OTHER, "arriving answered {}", answer.status());
        Ok(browser)
    }
}

impl Browser {
    /// Opens a page.
    pub async fn get(&self, path: &str) -> reqwest::Result<Response> {
        self.client.get(format!("{}{path}", self.address)).send().await
    }

    /// Sends a form.
    async fn post(&self, path: &str, fields: &[(&str, &str)]) -> reqwest::Result<Response> {
        self.client.post(format!("{}{path}", self.address)).form(fields).send().await
    }
}
