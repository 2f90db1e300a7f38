//! Logs to standard error, as text or JSON; spans to an OTLP collector, where one is configured.

pub(crate) mod spans;

use std::io::IsTerminal;

use opentelemetry::trace::{TraceContextExt as _, TracerProvider as _};
use opentelemetry_otlp::{ExporterBuildError, SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry};

#[derive(Debug, Clone)]
pub struct Options {
    /// As in `RUST_LOG`.
    pub filter: String,
    pub json: bool,
    /// Such as `http://127.0.0.1:4317`.
    pub otlp_endpoint: Option<String>,
}

/// Sends what is still held when it is dropped.
#[derive(Debug)]
pub struct Telemetry(Option<SdkTracerProvider>);

/// Once per process. Asks for a running tokio when spans are exported.
pub fn install(options: &Options) -> Result<Telemetry, ExporterBuildError> {
    let filter = EnvFilter::new(&options.filter);
    let plain = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        // Colours are for people: in a file they only hide the words.
        .with_ansi(std::io::stderr().is_terminal());
    let logs: Box<dyn Layer<Registry> + Send + Sync> = if options.json {
        plain.json().with_filter(filter).boxed()
    } else {
        plain.with_filter(filter).boxed()
    };
    let provider = options.otlp_endpoint.as_deref().map(exporting).transpose()?;
    let spans = provider.as_ref().map(|provider| {
        tracing_opentelemetry::layer()
            .with_tracer(provider.tracer("skepd"))
            .with_filter(EnvFilter::new("skep_coordinator=info,skep_driver=info"))
    });
    tracing_subscriber::registry().with(logs).with(spans).init();
    Ok(Telemetry(provider))
}

/// The W3C trace context of a span, for whoever carries its work on; empty where spans are not exported.
pub(crate) fn traceparent(span: &Span) -> String {
    let context = span.context();
    let context = context.span().span_context().clone();
    if !context.is_valid() {
        return String::new();
    }
    format!("00-{}-{}-{:02x}", context.trace_id(), context.span_id(), context.trace_flags().to_u8())
}

fn exporting(endpoint: &str) -> Result<SdkTracerProvider, ExporterBuildError> {
    let exporter = SpanExporter::builder().with_tonic().with_endpoint(endpoint).build()?;
    let resource = Resource::builder().with_service_name("skepd").build();
    Ok(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build())
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        if let Some(Err(error)) = self.0.take().map(|provider| provider.shutdown()) {
            tracing::warn!(%error, "spans were lost at the end");
        }
    }
}
