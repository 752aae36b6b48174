//! How a service answers that is as it should be.

use jiff::Timestamp;

use crate::observation::HttpResponse;

/// `/ping` of a handler, at this moment.
pub(super) fn healthy_answer(now: Timestamp) -> HttpResponse {
    HttpResponse {
        status: 200,
        server: None,
        request_id: Some("7d1e".to_owned()),
        content_type: Some("text/plain".to_owned()),
        location: None,
        config_endpoint: None,
        via: None,
        authenticate: None,
        date: Some(now),
        received_at: now,
        body: "Healthy".to_owned(),
        body_truncated: false,
    }
}

impl super::Scene {
    /// The configured servers take turns.
    #[must_use]
    pub fn rotate(mut self) -> Self {
        self.config.rotate = true;
        self
    }
}
