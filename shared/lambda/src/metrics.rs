//! Writes metrics into the log, each as a line in the embedded metric format of `CloudWatch`.
//!
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>.
//! UNVERIFIED: that lines of a custom runtime with the log format JSON are read so. After the first deployment, send one
//! request and look for `Asked` in the namespace.

use std::fmt;
use std::io::Write as _;

use ports::Clock as _;
use serde_json::{Map, Value, json};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer};

use crate::clock::SystemClock;

/// The fields of a line that are dimensions of its metric.
const DIMENSIONS: [&str; 3] = ["mode", "channel", "processor"];

/// Writes the events of the target [`ports::METRICS`] to standard output, in the embedded metric format.
pub(crate) struct MetricsLayer {
    namespace: String,
}

impl MetricsLayer {
    /// Creates a layer that writes metrics of this namespace.
    pub(crate) const fn new(namespace: String) -> Self {
        Self { namespace }
    }
}

impl<S: Subscriber> Layer<S> for MetricsLayer {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let Some(line) = line(&self.namespace, &fields.0, SystemClock.now().as_millis()) else {
            return;
        };
        let mut out = std::io::stdout().lock();
        if let Err(error) = writeln!(out, "{line}") {
            tracing::warn!(%error, "failed to write a metric");
        }
    }
}

/// The fields of an event by their names.
#[derive(Default)]
struct Fields(Map<String, Value>);

impl Visit for Fields {
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.insert(field.name().to_owned(), Value::from(value));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), Value::from(value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name().to_owned(), Value::from(format!("{value:?}")));
    }
}

/// Returns the line of a metric; `None` for an event without one.
///
/// A metric is kept for each mode, for each channel of it, and for each processor of it.
fn line(namespace: &str, fields: &Map<String, Value>, now: i64) -> Option<Value> {
    let metric = fields.get("metric")?.as_str()?;
    let mut line = Map::new();
    let mut dimensions = vec![json!(["mode"])];
    for name in DIMENSIONS {
        let Some(value) = fields.get(name) else { continue };
        line.insert(name.to_owned(), value.clone());
        if name != "mode" {
            dimensions.push(json!(["mode", name]));
        }
    }
    line.insert(metric.to_owned(), fields.get("value")?.clone());
    line.insert(
        "_aws".to_owned(),
        json!({
            "Timestamp": now,
            "CloudWatchMetrics": [{
                "Namespace": namespace,
                "Dimensions": dimensions,
                "Metrics": [{ "Name": metric, "Unit": fields.get("unit")? }],
            }],
        }),
    );
    Some(Value::Object(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metric_is_kept_by_mode_channel_and_processor() {
        let fields = json!({
            "metric": "Approved", "value": 1, "unit": "Count", "message": "counted", "mode": "live",
            "channel": "rcs", "processor": "stripe",
        });
        let line = line("Assent/shop", fields.as_object().unwrap(), 1_795_651_200_000).unwrap();
        let wanted = json!({
            "_aws": {
                "Timestamp": 1_795_651_200_000_i64,
                "CloudWatchMetrics": [{
                    "Namespace": "Assent/shop",
                    "Dimensions": [["mode"], ["mode", "channel"], ["mode", "processor"]],
                    "Metrics": [{ "Name": "Approved", "Unit": "Count" }],
                }],
            },
            "mode": "live", "channel": "rcs", "processor": "stripe", "Approved": 1,
        });
        assert_eq!(line, wanted);
    }

    #[test]
    fn event_without_a_metric_writes_no_line() {
        let fields = json!({ "message": "counted", "mode": "live" });
        assert_eq!(line("Assent/shop", fields.as_object().unwrap(), 0), None);
    }
}
