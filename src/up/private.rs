//! The private Postgres and Redis together: those of them that the environment does not name.

use super::{folder::Folder, postgres::PrivatePostgres, progress::step, redis::PrivateRedis};
use service::config::Config;
use std::time::Duration;
use tokio::sync::Mutex;

/// How often it is looked whether they still run.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What this process started.
pub struct Private {
    postgres: Mutex<Option<PrivatePostgres>>,
    redis: Mutex<Option<PrivateRedis>>,
}

impl Private {
    /// Starts what `config` does not name, and names it there.
    pub async fn start(folder: &Folder, config: &mut Config) -> anyhow::Result<Self> {
        let mut started = Self { postgres: Mutex::default(), redis: Mutex::default() };
        match started.fill(folder, config).await {
            Ok(()) => Ok(started),
            Err(error) => {
                let _ = started.stop().await; // the first error is the one to tell
                Err(error)
            }
        }
    }

    /// Stops what an earlier start, ended by force, left running.
    pub async fn stop_left_behind(folder: &Folder) -> anyhow::Result<()> {
        PrivatePostgres::stop_left_behind(folder)?;
        PrivateRedis::stop_left_behind(folder).await
    }

    /// Returns when one of them ended by itself.
    pub async fn lost(&self) {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let postgres = self.postgres.lock().await.as_mut().is_some_and(PrivatePostgres::has_ended);
            let redis = self.redis.lock().await.as_mut().is_some_and(PrivateRedis::has_ended);
            if postgres || redis {
                return;
            }
        }
    }

    /// Stops what was started, and nothing else.
    pub async fn stop(self) -> anyhow::Result<()> {
        if let Some(redis) = self.redis.into_inner() {
            redis.stop().await?;
        }
        match self.postgres.into_inner() {
            Some(postgres) => postgres.stop(),
            None => Ok(()),
        }
    }

    async fn fill(&mut self, folder: &Folder, config: &mut Config) -> anyhow::Result<()> {
        if config.database_url.is_none() {
            let postgres = step("Private Postgres", PrivatePostgres::start(folder)).await?;
            config.database_url = Some(postgres.url());
            *self.postgres.get_mut() = Some(postgres);
        }
        if config.redis_url.is_none() {
            let redis = step("Private Redis", PrivateRedis::start(folder)).await?;
            config.redis_url = Some(redis.url());
            *self.redis.get_mut() = Some(redis);
        }
        Ok(())
    }
}
