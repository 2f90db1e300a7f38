//! Asking the emulator.

use axum::body::Body;
use axum::http::{Request, header};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use crate::WorldError;
use crate::moto::Moto;

/// A thousand instances described take three megabytes.
pub(crate) const BODY_BYTES: usize = 64 * 1024 * 1024;

#[derive(Debug)]
pub(crate) struct Upstream {
    client: Client<HttpConnector, Body>,
    /// Ends with us.
    moto: Moto,
}

/// Whose first request it is does not matter; the emulator reads the region and the service out of it.
const ANYBODY: &str = "AWS4-HMAC-SHA256 Credential=testing/20260101/us-east-1/ec2/aws4_request";

impl Upstream {
    pub(crate) fn new(moto: Moto) -> Self {
        Self { client: Client::builder(TokioExecutor::new()).build_http(), moto }
    }

    /// The emulator loads its idea of EC2 with its first request, which takes seconds that EC2 does not take.
    pub(crate) async fn warm(&self) -> Result<(), WorldError> {
        self.ask(ANYBODY, "Action=DescribeVpcs&Version=2016-11-15").await.map(drop)
    }

    /// The status and the answer.
    pub(crate) async fn ask(&self, authorization: &str, form: &str) -> Result<(u16, String), WorldError> {
        let request = Request::post(format!("http://127.0.0.1:{}/", self.moto.port))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            // The emulator reads the region and the service out of it.
            .header(header::AUTHORIZATION, authorization)
            .body(Body::from(form.to_owned()))?;
        let answer = self.client.request(request).await?;
        let status = answer.status().as_u16();
        let body = axum::body::to_bytes(Body::new(answer.into_body()), BODY_BYTES).await?;
        Ok((status, String::from_utf8_lossy(&body).into_owned()))
    }
}
