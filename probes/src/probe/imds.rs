//! x
use super::Context;
use crate::observation::{Metadata, WireServer};
/// stub
pub async fn metadata(ctx: &Context) -> Metadata {
    todo!()
}
/// stub
pub async fn wire_server(ctx: &Context) -> WireServer {
    todo!()
}
