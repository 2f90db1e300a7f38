//! The two calls that answer with certificates.

use std::time::Duration;

use skep_proto::agent as pb;
use skep_proto::agent::enrolment_client::EnrolmentClient;
use skep_types::EnrolmentConfig;
use tokio::time::{sleep, timeout};
use tonic::transport::Channel;
use tonic::{Response, Status};

use super::failure::Failure;

pub(super) async fn enrol(
    channel: Channel,
    enrolment: &EnrolmentConfig,
    signing_request: Vec<u8>,
    evidence: Vec<u8>,
    within: Duration,
) -> Result<pb::Identity, Failure> {
    let request = pb::EnrolRequest {
        subject: enrolment.subject.clone(),
        token: enrolment.token.reveal().to_owned(),
        signing_request: signing_request.into(),
        evidence: evidence.into(),
    };
    answer(within, EnrolmentClient::new(channel).enrol(request)).await
}

pub(super) async fn renew(
    channel: Channel,
    signing_request: Vec<u8>,
    within: Duration,
) -> Result<pb::Identity, Failure> {
    let request = pb::RenewRequest { signing_request: signing_request.into() };
    answer(within, EnrolmentClient::new(channel).renew(request)).await
}

pub(super) async fn renew_later(
    after: Duration,
    channel: Channel,
    signing_request: Vec<u8>,
    within: Duration,
) -> Result<pb::Identity, Failure> {
    sleep(after).await;
    renew(channel, signing_request, within).await
}

async fn answer(
    within: Duration,
    call: impl Future<Output = Result<Response<pb::Identity>, Status>>,
) -> Result<pb::Identity, Failure> {
    match timeout(within, call).await {
        Ok(answer) => Ok(answer?.into_inner()),
        Err(_) => Err(Failure::Lost("no answer in time".to_owned())),
    }
}
