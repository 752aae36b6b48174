//! What the control service says to a machine's own identity.

use super::{HANDLER, Scene};
use crate::observation::{
    Control, ControlQuestion, ControlReply, ControlRequest, Observation, Outcome, Timing, TokenFailure, TokenGranted,
};

impl Scene {
    /// What the metadata service calls this machine.
    #[must_use]
    pub fn resource_id(mut self, id: &str) -> Self {
        self.instance.get_or_insert_default().resource_id = Some(id.to_owned());
        self
    }

    /// The metadata service gave a token, and these questions were asked with it.
    #[must_use]
    pub fn control(self, asked: Vec<ControlRequest>) -> Self {
        self.asked_azure(Outcome::Seen(TokenGranted { expires_in_s: Some(86_400) }), asked)
    }

    /// The metadata service gave no token.
    #[must_use]
    pub fn no_token(self, why: TokenFailure) -> Self {
        self.asked_azure(Outcome::Failed(why), Vec::new())
    }

    fn asked_azure(self, token: Outcome<TokenGranted, TokenFailure>, asked: Vec<ControlRequest>) -> Self {
        let control = Control { timing: Timing::default(), identity: None, token, asked };
        self.edit(|seen| seen.seen.push(Observation::Control(control)))
    }
}

/// A question to the shared handler, and its answer.
pub fn asked(about: ControlQuestion, reply: ControlReply) -> ControlRequest {
    ControlRequest {
        host: HANDLER.to_owned(),
        address: None,
        via: None,
        about,
        request_id: "00000000-0000-4000-8000-00000000000a".to_owned(),
        timing: Timing::default(),
        outcome: Outcome::Seen(reply),
    }
}
