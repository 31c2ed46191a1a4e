//! Text messages: whatever provider a clinic has, behind one trait; and the one adapter that reaches them all, a signed webhook.

use super::deliver::Failure;
use anyhow::Context as _;
use domain::Redacted;
use jiff::Timestamp;
use reqwest::{StatusCode, header::CONTENT_TYPE, redirect::Policy};
use standardwebhooks::{HEADER_WEBHOOK_ID, HEADER_WEBHOOK_SIGNATURE, HEADER_WEBHOOK_TIMESTAMP, Webhook};
use std::{fmt, future::Future, pin::Pin, sync::Arc, time::Duration};
use url::Url;
use uuid::Uuid;

/// How long a provider may take. The message's row stays locked meanwhile.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A text message.
#[derive(Clone, Copy)]
pub struct Sms<'a> {
    /// The same at every attempt: a provider that has seen it does not send again.
    pub id: Uuid,
    /// The number as the desk typed it.
    pub to: &'a str,
    /// What it says.
    pub text: &'a str,
}

/// Why a provider did not take a text message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmsFailure {
    /// Not now; try again later.
    ForNow,
    /// Never: not a number, or a text that it does not send.
    ForGood,
}

/// What a provider answers, when it does.
pub type Taken<'a> = Pin<Box<dyn Future<Output = Result<(), SmsFailure>> + Send + 'a>>;

/// Somebody who sends text messages.
pub trait SmsProvider: fmt::Debug + Send + Sync {
    /// Takes a message to send it. May be asked again for a message that it took already, by the same id.
    fn send<'a>(&'a self, sms: Sms<'a>, now: Timestamp) -> Taken<'a>;
}

/// Where text messages go.
#[derive(Debug, Clone)]
pub enum Texts {
    /// A provider.
    Provider(Arc<dyn SmsProvider>),
    /// The demo's mailbox page.
    Mailbox,
    /// Nowhere: this installation sends none.
    Nowhere,
}

impl From<SmsFailure> for Failure {
    fn from(failure: SmsFailure) -> Self {
        match failure {
            SmsFailure::ForNow => Self::ForNow,
            SmsFailure::ForGood => Self::ForGood,
        }
    }
}

/// Posts each message as JSON to one address, signed as Standard Webhooks say: the receiver checks that it comes from us, that it
/// is fresh, and by `webhook-id` whether it has seen it. A few lines there turn it into the call of any provider.
pub struct SmsWebhook {
    url: Url,
    signer: Webhook,
    client: reqwest::Client,
}

impl fmt::Debug for SmsWebhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SmsWebhook")
    }
}

impl SmsWebhook {
    /// Posts to `url`, signed with `secret`: `whsec_` and base64.
    pub fn new(url: Url, secret: &Redacted<String>) -> anyhow::Result<Self> {
        let signer = Webhook::new(secret.expose());
        let signer = signer.ok().context("SMS_WEBHOOK_SECRET is not whsec_ followed by base64")?;
        // A message is for this address; where it points to instead is none of the message's business.
        let client = reqwest::Client::builder().redirect(Policy::none()).timeout(TIMEOUT).build()?;
        Ok(Self { url, signer, client })
    }

    async fn post(&self, sms: Sms<'_>, now: Timestamp) -> Result<(), SmsFailure> {
        let body = serde_json::json!({
            "type": "sms.requested",
            "timestamp": now,
            "data": { "to": sms.to, "text": sms.text },
        })
        .to_string();
        let id = format!("msg_{}", sms.id.simple());
        let signature = self.signer.sign(&id, now.as_second(), body.as_bytes()).expect("JSON is text");
        let answer = self
            .client
            .post(self.url.clone())
            .header(CONTENT_TYPE, "application/json")
            .header(HEADER_WEBHOOK_ID, id)
            .header(HEADER_WEBHOOK_TIMESTAMP, now.as_second())
            .header(HEADER_WEBHOOK_SIGNATURE, signature)
            .body(body)
            .send()
            .await;
        // An error's text may quote the address, so it is judged and dropped.
        match answer.map(|answer| answer.status()) {
            Ok(status) if status.is_success() => Ok(()),
            Ok(StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY) => Err(SmsFailure::ForGood),
            Ok(_) | Err(_) => Err(SmsFailure::ForNow),
        }
    }
}

impl SmsProvider for SmsWebhook {
    fn send<'a>(&'a self, sms: Sms<'a>, now: Timestamp) -> Taken<'a> {
        Box::pin(self.post(sms, now))
    }
}
